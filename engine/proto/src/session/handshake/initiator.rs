//! The side that opens the connection.

use super::auth::{self, Caps, Check, ITEM_HELLO, ITEM_HELLO_REPLY};
use super::hello::{GROUP_X25519, Hello, HelloReply, PskName, x25519_share};
use super::schedule::{self, Binding, HandshakeSecrets, SessionSecrets, Transcript};
use super::side::{Common, open};
use super::states::{Event, State};
use super::{Config, Dial, Entropy, Established, HandshakeError, Mode, Output, PeerIdentity, Role};
use crate::message::Close;
use crate::session::record::{Opener, Sealer};
use crate::session::secret::Secret;
use crate::session::suite::Suite;
use crate::wire::{FrameType, HEADER_BYTES, Header, VERSION, WireError};
use alloc::boxed::Box;
use alloc::sync::Arc;
use base::codes::Code;
use base::ids::DeviceId;
use base::io::Now;
use core::mem;
use x25519_dalek::{PublicKey, StaticSecret};

/// What we wait for, and what must be at hand then.
#[allow(clippy::large_enum_variant)] // one per handshake, for a few round trips
enum Step {
    AwaitReply {
        ephemeral: StaticSecret,
        early: Secret,
        transcript: Transcript,
    },
    AwaitAuth {
        keys: HandshakeSecrets,
        transcript: Transcript,
        opener: Opener,
        suite: Suite,
    },
    /// `refusal` opens a Close under the handshake keys, `opener` the Ready under the session's.
    AwaitReady {
        secrets: SessionSecrets,
        suite: Suite,
        refusal: Opener,
        opener: Opener,
        peer: PeerIdentity,
        caps: Caps,
    },
    Over,
}

/// The machine that opens a connection.
pub struct Initiator {
    common: Common,
    step: Step,
    /// How the peer is named once it is verified, where no certificate names it.
    named: Option<PeerIdentity>,
    expect: Option<DeviceId>,
    link: bool,
    hint: Option<Close>,
}

impl Initiator {
    /// Starts a handshake; its Hello is the first output.
    ///
    /// # Errors
    /// The mode needs a certificate and we have none.
    ///
    /// # Panics
    /// A stream is dialled by the side of the session that accepts them.
    pub fn new(config: Arc<Config>, dial: Dial, entropy: Entropy, now: Now) -> Result<Self, HandshakeError> {
        let Dial { mode, mut expect, link } = dial;
        let (psk, named) = match mode {
            Mode::Certificate => (None, None),
            Mode::CertificateAndPsk { id, secret, hub } => {
                expect = Some(hub);
                (Some((PskName::Certificate(id), secret, Binding::Hub(hub))), None)
            }
            Mode::Join { id, secret, hub } => {
                (Some((PskName::Join(id), secret, Binding::Hub(hub))), Some(PeerIdentity::Hub(hub)))
            }
            Mode::Stream { id, join } => {
                let secret = join.for_dial().expect("only the session's initiator dials streams");
                let binding = Binding::Session(id.session);
                (Some((PskName::Stream(id), secret, binding)), Some(PeerIdentity::Stream(id)))
            }
        };
        if named.is_none() && config.certificate.is_none() {
            return Err(HandshakeError::NoCertificate);
        }
        let early = match &psk {
            None => schedule::early_none(),
            Some((name, secret, binding)) => schedule::early_psk(secret, name, binding),
        };
        let ephemeral = StaticSecret::from(entropy.ephemeral);
        let share = PublicKey::from(&ephemeral).to_bytes();
        let name = psk.as_ref().map(|(name, ..)| *name);
        let hello = Hello::offer(&config.suites, entropy.nonce, share, name)
            .encode(|before| name.map_or([0; 32], |name| schedule::binder(&early, &name, before)));
        let mut transcript = Transcript::new();
        transcript.add(ITEM_HELLO, &hello);
        let mut common = Common::new(config, now);
        common.send_clear(FrameType::Hello, &hello);
        common.step(Event::HelloSent);
        let step = Step::AwaitReply { ephemeral, early, transcript };
        Ok(Self { common, step, named, expect, link, hint: None })
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        self.common.state()
    }

    /// When it fails unless it is verified before: [`Now::mono_ns`].
    pub fn deadline_ns(&self) -> u64 {
        self.common.deadline_ns()
    }

    /// What an unauthenticated Close said. It may be forged: it changes no state, and explains an end.
    pub fn hint(&self) -> Option<&Close> {
        self.hint.as_ref()
    }

    /// The next thing to do.
    pub fn output(&mut self) -> Option<Output> {
        self.common.outputs.pop_front()
    }

    fn expected(&self) -> &'static [FrameType] {
        match self.step {
            Step::AwaitReply { .. } => &[FrameType::HelloReply, FrameType::Close],
            Step::AwaitAuth { .. } => &[FrameType::Auth, FrameType::Close],
            Step::AwaitReady { .. } => &[FrameType::Ready, FrameType::Close],
            Step::Over => &[],
        }
    }

    /// Checks a header before memory is found for its payload.
    ///
    /// # Errors
    /// The frame has no place here, or is too long. The connection ends; call [`Self::on_failure`] with it.
    pub fn on_header(&self, header: &[u8; HEADER_BYTES]) -> Result<Header, HandshakeError> {
        self.common.check_header(header, self.expected())
    }

    /// Takes a frame; its payload is opened in place.
    ///
    /// # Errors
    /// Why the handshake failed. Outputs that are left are still to be sent, then the connection ends.
    pub fn on_frame(
        &mut self,
        header: &[u8; HEADER_BYTES],
        payload: &mut [u8],
        now: Now,
    ) -> Result<(), HandshakeError> {
        let result = self.frame(header, payload, now);
        if let Err(error) = &result {
            self.on_failure(error);
        }
        result
    }

    /// Checks the deadline.
    ///
    /// # Errors
    /// It passed.
    pub fn on_timer(&mut self, now: Now) -> Result<(), HandshakeError> {
        if self.common.is_over() || now.mono_ns < self.deadline_ns() {
            return Ok(());
        }
        self.on_failure(&HandshakeError::Timeout);
        Err(HandshakeError::Timeout)
    }

    /// The connection ended. Returns why, with the peer's hint if it gave one.
    pub fn on_end(&mut self) -> HandshakeError {
        let error = HandshakeError::Ended { hint: self.hint.take() };
        self.on_failure(&error);
        error
    }

    /// Ends the handshake for a reason found outside of it; a Close for the peer may be left as output.
    pub fn on_failure(&mut self, error: &HandshakeError) {
        if !self.common.is_over() {
            self.step = Step::Over;
            self.common.fail(error);
        }
    }

    fn frame(
        &mut self,
        header: &[u8; HEADER_BYTES],
        payload: &mut [u8],
        now: Now,
    ) -> Result<(), HandshakeError> {
        let Header { kind, .. } = self.common.admit(header, payload, self.expected(), now)?;
        if kind == FrameType::Close && matches!(self.step, Step::AwaitReply { .. }) {
            self.on_hint(payload);
            return Ok(());
        }
        match mem::replace(&mut self.step, Step::Over) {
            Step::AwaitReply { ephemeral, early, transcript } => {
                self.on_reply(payload, &ephemeral, &early, transcript, now)
            }
            Step::AwaitAuth { keys, transcript, opener, suite } => {
                self.on_auth(header, payload, keys, transcript, opener, suite, now)
            }
            Step::AwaitReady { secrets, suite, mut refusal, mut opener, peer, caps } => {
                let opener_of_kind = if kind == FrameType::Close { &mut refusal } else { &mut opener };
                let data = open(opener_of_kind, header, payload)?;
                if !data.is_empty() {
                    return Err(WireError::Trailing(data.len()).into());
                }
                self.on_ready(secrets, suite, opener, peer, caps);
                Ok(())
            }
            Step::Over => Err(HandshakeError::Unexpected { state: self.state(), kind }),
        }
    }

    fn on_hint(&mut self, payload: &[u8]) {
        let allowed = [Code::Version, Code::Busy, Code::InvalidRequest, Code::InvalidToken];
        let hint = Close::parse(payload).ok().filter(|close| allowed.contains(&close.code));
        self.hint = self.hint.take().or(hint);
    }

    fn on_reply(
        &mut self,
        payload: &[u8],
        ephemeral: &StaticSecret,
        early: &Secret,
        mut transcript: Transcript,
        now: Now,
    ) -> Result<(), HandshakeError> {
        let reply = HelloReply::parse(payload)?;
        let config = self.common.config.clone();
        let not_offered = |field, value| HandshakeError::NotOffered { field, value };
        if reply.version != VERSION {
            return Err(not_offered("version", reply.version));
        }
        if reply.group != GROUP_X25519 {
            return Err(not_offered("group", reply.group));
        }
        let suite = Suite::from_number(reply.suite)
            .filter(|suite| config.suites.contains(suite))
            .ok_or(not_offered("suite", reply.suite))?;
        let shared = schedule::agree(ephemeral, x25519_share(&reply.share)?)?;
        transcript.add(ITEM_HELLO_REPLY, payload);
        let keys = HandshakeSecrets::new(early, &shared, &transcript.hash());
        let opener = Opener::new(suite, keys.responder.clone(), &config.limits);
        self.common.sealer = Some(Sealer::new(suite, keys.initiator.clone(), &config.limits, now));
        self.hint = None;
        self.step = Step::AwaitAuth { keys, transcript, opener, suite };
        Ok(())
    }

    #[allow(clippy::too_many_arguments)] // the step's fields, taken apart
    fn on_auth(
        &mut self,
        header: &[u8; HEADER_BYTES],
        payload: &mut [u8],
        keys: HandshakeSecrets,
        mut transcript: Transcript,
        mut opener: Opener,
        suite: Suite,
        now: Now,
    ) -> Result<(), HandshakeError> {
        let data = open(&mut opener, header, payload)?;
        let config = self.common.config.clone();
        let certified = self.named.is_none();
        let check = Check {
            config: &config,
            role: Role::Responder,
            certified,
            expect: self.expect,
            fin_key: keys.fin_key(Role::Responder),
            utc_ms: now.utc_ms,
        };
        let proven = check.read(data, &mut transcript)?;
        let certificate = config.certificate.as_ref().filter(|_| certified);
        let ours = Caps::new(&config, self.link, now.utc_ms);
        let fin_key = keys.fin_key(Role::Initiator);
        let auth = auth::write(&config, Role::Initiator, &ours, certificate, &mut transcript, &fin_key);
        self.common.send_sealed(FrameType::Auth, &auth)?;
        let secrets = keys.session(Role::Initiator, &transcript.hash());
        let peer = match (self.named.take(), proven.certificate) {
            (Some(named), _) => named,
            (None, Some(certificate)) => PeerIdentity::Certificate(certificate),
            (None, None) => unreachable!("a certified Auth was checked with its certificate"),
        };
        self.common.sealer = Some(Sealer::new(suite, secrets.initiator.clone(), &config.limits, now));
        let session_opener = Opener::new(suite, secrets.responder.clone(), &config.limits);
        self.step = Step::AwaitReady {
            secrets,
            suite,
            refusal: opener,
            opener: session_opener,
            peer,
            caps: proven.caps,
        };
        Ok(())
    }

    fn on_ready(
        &mut self,
        secrets: SessionSecrets,
        suite: Suite,
        opener: Opener,
        peer: PeerIdentity,
        caps: Caps,
    ) {
        let sealer = self.common.sealer.take().expect("set when Auth was sent");
        self.common.step(Event::ReadyReceived);
        let SessionSecrets { session, join, token, .. } = secrets;
        let link = self.link && caps.link;
        self.common.outputs.push_back(Output::Verified(Box::new(Established {
            role: Role::Initiator,
            sealer,
            opener,
            suite,
            session,
            join,
            token,
            peer,
            caps,
            link,
        })));
    }
}
