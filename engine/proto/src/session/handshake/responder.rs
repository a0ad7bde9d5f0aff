//! The side that accepted the connection.

use super::auth::{self, Caps, Check, ITEM_HELLO, ITEM_HELLO_REPLY};
use super::hello::{GROUP_X25519, Hello, HelloReply, PskName, Purpose};
use super::schedule::{self, Binding, HandshakeSecrets, SessionSecrets, Transcript};
use super::side::{Common, clear, open};
use super::states::{Event, State};
use super::{Config, Entropy, Established, HandshakeError, Output, PeerIdentity, Role};
use crate::message::Close;
use crate::session::certificate::device_id;
use crate::session::record::{Opener, Sealer};
use crate::session::secret::Secret;
use crate::session::suite::Suite;
use crate::wire::{FrameType, HEADER_BYTES, Header, VERSION};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use base::codes::Code;
use base::io::Now;
use core::mem;
use x25519_dalek::{PublicKey, StaticSecret};

/// What we wait for, and what must be at hand then.
#[allow(clippy::large_enum_variant)] // one per handshake, for a few round trips
enum Step {
    AwaitHello {
        entropy: Entropy,
    },
    AwaitPsk {
        entropy: Entropy,
        hello: Hello,
        bytes: Vec<u8>,
        name: PskName,
        tag: [u8; 32],
    },
    AwaitAuth {
        keys: HandshakeSecrets,
        transcript: Transcript,
        opener: Opener,
        suite: Suite,
        psk: Option<PskName>,
    },
    Over,
}

/// The machine that accepts a connection.
pub struct Responder {
    common: Common,
    step: Step,
}

impl Responder {
    /// Starts a handshake; the deadline counts from `now`.
    ///
    /// # Errors
    /// We have no certificate to show.
    pub fn new(config: Arc<Config>, entropy: Entropy, now: Now) -> Result<Self, HandshakeError> {
        if config.certificate.is_none() {
            return Err(HandshakeError::NoCertificate);
        }
        Ok(Self { common: Common::new(config, now), step: Step::AwaitHello { entropy } })
    }

    /// Where the connection stands.
    pub fn state(&self) -> State {
        self.common.state()
    }

    /// When it fails unless it is verified before: [`Now::mono_ns`].
    pub fn deadline_ns(&self) -> u64 {
        self.common.deadline_ns()
    }

    /// The next thing to do.
    pub fn output(&mut self) -> Option<Output> {
        self.common.outputs.pop_front()
    }

    fn expected(&self) -> &'static [FrameType] {
        match self.step {
            Step::AwaitHello { .. } => &[FrameType::Hello],
            Step::AwaitAuth { .. } => &[FrameType::Auth, FrameType::Close],
            Step::AwaitPsk { .. } | Step::Over => &[],
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

    /// Answers [`Output::NeedPsk`]; `None`: unknown, used or expired.
    ///
    /// # Errors
    /// As [`Self::on_frame`].
    pub fn on_psk(&mut self, psk: Option<Secret>, now: Now) -> Result<(), HandshakeError> {
        let result = self.psk(psk, now);
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

    /// The connection ended. Returns why.
    pub fn on_end(&mut self) -> HandshakeError {
        let error = HandshakeError::Ended { hint: None };
        self.on_failure(&error);
        error
    }

    /// Ends the handshake for a reason found outside of it; a Close for the peer may be left as output.
    pub fn on_failure(&mut self, error: &HandshakeError) {
        if self.common.is_over() {
            return;
        }
        let in_the_clear = self.common.sealer.is_none();
        self.step = Step::Over;
        self.common.fail(error);
        if in_the_clear && let Some(close) = error.close() {
            self.common.outputs.push_back(Output::Send(refuse(close.code, &close.detail)));
        }
    }

    fn frame(
        &mut self,
        header: &[u8; HEADER_BYTES],
        payload: &mut [u8],
        now: Now,
    ) -> Result<(), HandshakeError> {
        let Header { kind, .. } = self.common.admit(header, payload, self.expected(), now)?;
        match mem::replace(&mut self.step, Step::Over) {
            Step::AwaitHello { entropy } => self.on_hello(payload, entropy, now),
            Step::AwaitAuth { keys, transcript, mut opener, suite, psk } => {
                let data = open(&mut opener, header, payload)?;
                self.on_auth(data, &keys, transcript, suite, psk, now)
            }
            Step::AwaitPsk { .. } | Step::Over => {
                Err(HandshakeError::Unexpected { state: self.state(), kind })
            }
        }
    }

    fn on_hello(&mut self, payload: &[u8], entropy: Entropy, now: Now) -> Result<(), HandshakeError> {
        let hello = Hello::parse(payload)?;
        if !hello.versions.contains(&VERSION) {
            return Err(HandshakeError::NoVersion);
        }
        self.choose(&hello)?;
        hello.x25519()?;
        self.common.step(Event::HelloReceived);
        let Some((name, tag)) = hello.psk else {
            return self.reply(entropy, &hello, payload, None, &schedule::early_none(), now);
        };
        self.common.outputs.push_back(Output::NeedPsk(name));
        self.step = Step::AwaitPsk { entropy, hello, bytes: payload.to_vec(), name, tag };
        Ok(())
    }

    /// The suite both prefer; else ChaCha20-Poly1305, which costs either side least without AES in its CPU.
    fn choose(&self, hello: &Hello) -> Result<Suite, HandshakeError> {
        let ours = &self.common.config.suites;
        let common: Vec<Suite> = hello
            .suites
            .iter()
            .filter_map(|&number| Suite::from_number(number))
            .filter(|suite| ours.contains(suite))
            .collect();
        match common.first() {
            None => Err(HandshakeError::NoSuite),
            first if first == ours.first() => Ok(common[0]),
            _ if common.contains(&Suite::ChaCha20Poly1305) => Ok(Suite::ChaCha20Poly1305),
            _ => Ok(common[0]),
        }
    }

    fn psk(&mut self, psk: Option<Secret>, now: Now) -> Result<(), HandshakeError> {
        if now.mono_ns >= self.deadline_ns() {
            return Err(HandshakeError::Timeout);
        }
        let Step::AwaitPsk { entropy, hello, bytes, name, tag } = mem::replace(&mut self.step, Step::Over)
        else {
            // The connection failed while the key was looked up.
            return Ok(());
        };
        // An unknown key and a wrong binder look the same from outside.
        let psk = psk.ok_or(HandshakeError::UnknownPsk)?;
        let binding = match name {
            PskName::Stream(stream) => Binding::Session(stream.session),
            _ => Binding::Hub(device_id(&self.common.config.signer.public_key())),
        };
        let early = schedule::early_psk(&psk, &name, &binding);
        if !schedule::binder_holds(&early, &name, Hello::without_binder(&bytes), &tag) {
            return Err(HandshakeError::UnknownPsk);
        }
        self.reply(entropy, &hello, &bytes, Some(name), &early, now)
    }

    fn reply(
        &mut self,
        entropy: Entropy,
        hello: &Hello,
        hello_bytes: &[u8],
        psk: Option<PskName>,
        early: &Secret,
        now: Now,
    ) -> Result<(), HandshakeError> {
        let config = self.common.config.clone();
        let suite = self.choose(hello)?;
        let ephemeral = StaticSecret::from(entropy.ephemeral);
        let shared = schedule::agree(&ephemeral, hello.x25519()?)?;
        let reply = HelloReply {
            version: VERSION,
            suite: suite.number(),
            random: entropy.nonce,
            group: GROUP_X25519,
            share: PublicKey::from(&ephemeral).to_bytes().to_vec(),
        }
        .encode();
        let mut transcript = Transcript::new();
        transcript.add(ITEM_HELLO, hello_bytes);
        transcript.add(ITEM_HELLO_REPLY, &reply);
        let keys = HandshakeSecrets::new(early, &shared, &transcript.hash());
        let opener = Opener::new(suite, keys.initiator.clone(), &config.limits);
        self.common.sealer = Some(Sealer::new(suite, keys.responder.clone(), &config.limits, now));
        self.common.send_clear(FrameType::HelloReply, &reply);
        let caps = Caps::new(&config, config.listens, now.utc_ms);
        let certificate = config.certificate.as_ref().filter(|_| is_certified(psk));
        let fin_key = keys.fin_key(Role::Responder);
        let auth = auth::write(&config, Role::Responder, &caps, certificate, &mut transcript, &fin_key);
        self.common.send_sealed(FrameType::Auth, &auth)?;
        self.step = Step::AwaitAuth { keys, transcript, opener, suite, psk };
        Ok(())
    }

    fn on_auth(
        &mut self,
        data: &[u8],
        keys: &HandshakeSecrets,
        mut transcript: Transcript,
        suite: Suite,
        psk: Option<PskName>,
        now: Now,
    ) -> Result<(), HandshakeError> {
        let config = self.common.config.clone();
        let check = Check {
            config: &config,
            role: Role::Initiator,
            certified: is_certified(psk),
            expect: None,
            fin_key: keys.fin_key(Role::Initiator),
            utc_ms: now.utc_ms,
        };
        let proven = check.read(data, &mut transcript)?;
        let peer = match (psk, proven.certificate) {
            (_, Some(certificate)) => PeerIdentity::Certificate(certificate),
            (Some(PskName::Join(id)), None) => PeerIdentity::JoinToken(id),
            (Some(PskName::Stream(stream)), None) => PeerIdentity::Stream(stream),
            (_, None) => unreachable!("a certified Auth was checked with its certificate"),
        };
        let SessionSecrets { initiator, responder, session, join, token } =
            keys.session(Role::Responder, &transcript.hash());
        self.common.sealer = Some(Sealer::new(suite, responder, &config.limits, now));
        self.common.send_sealed(FrameType::Ready, b"")?;
        let sealer = self.common.sealer.take().expect("set above");
        self.common.step(Event::FinVerified);
        self.common.outputs.push_back(Output::Verified(Box::new(Established {
            role: Role::Responder,
            sealer,
            opener: Opener::new(suite, initiator, &config.limits),
            suite,
            session,
            join,
            token,
            peer,
            link: config.listens && proven.caps.link,
            caps: proven.caps,
        })));
        Ok(())
    }
}

fn is_certified(psk: Option<PskName>) -> bool {
    psk.is_none_or(|name| name.purpose() == Purpose::Certificate)
}

/// A Close in the clear, for a connection refused before HelloReply. Codes that may not travel so become
/// INVALID_REQUEST.
pub fn refuse(code: Code, detail: &str) -> Vec<u8> {
    let code = match code {
        Code::Version | Code::Busy | Code::InvalidToken => code,
        _ => Code::InvalidRequest,
    };
    clear(FrameType::Close, &Close::new(code, detail).encode())
}
