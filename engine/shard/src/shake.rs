//! How links begin: accepted or opened, through the handshake, until they are verified.

use crate::command::Failure;
use crate::decide::{Question, decide};
use crate::link::{Link, LinkEvent, LinkId, Phase, Role, Shaking, StreamEnd, StreamHello, StreamPlace, Up};
use crate::links::Links;
use crate::mailbox::Mail;
use crate::ops::{Finish, Owner, Yield};
use crate::rx::Rx;
use crate::settings::Destination;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Action, Event, Hooks, Peer, Psk, StoreAsk, Ticket, Trust};
use base::ids::{DeviceId, PskId};
use base::io::{Fd, Io, Op};
use core::net::SocketAddr;
use ed25519_dalek::VerifyingKey;
use proto::session::handshake::{
    Dial, Entropy, Established, Initiator, Mode, Output, PskName, Responder, State, StreamId, peek_hello,
};
use proto::session::{PeerIdentity, Secret};
use std::sync::Arc;

/// No socket yet.
const NO_SOCKET: Fd = Fd(-1);

/// How a client proves itself.
pub(crate) enum Proof {
    /// By its certificate.
    Certificate,
    /// By a join token's key.
    Token(PskId, [u8; 32]),
}

impl<B: AsMut<[u8]> + AsRef<[u8]>> Links<B> {
    /// A connection was accepted.
    pub(crate) fn on_accept<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        socket: Fd,
        from: SocketAddr,
    ) {
        let limits = core.limits();
        if !self.admission.admits(from, &limits) {
            core.status.refused += 1;
            let detail = "too many connections from this address";
            core.hooks.event(&Event::Refused { address: from, code: Code::RateLimited, detail });
            return core.close(socket);
        }
        let Some(id) = self.add_responder(core, socket, from, Role::Control, None) else { return };
        if let Some(link) = self.find_mut(id) {
            link.accepted = true;
        }
        if let Some(oldest) = self.admission.begin(id, from, &limits) {
            self.fail(core, oldest, Code::Busy, "made room for a newer connection");
        }
        self.receive(core, id, false);
    }

    fn add_responder<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        socket: Fd,
        from: SocketAddr,
        role: Role,
        place: Option<Box<StreamPlace>>,
    ) -> Option<LinkId> {
        let entropy = Entropy::new(&core.random());
        match Responder::new(core.settings.handshake.clone(), entropy, core.now) {
            Ok(machine) => {
                let deadline = machine.deadline_ns();
                let phase = Phase::Handshake(Shaking::Responder(Box::new(machine)), place);
                Some(self.add(socket, from, role, phase, deadline))
            }
            Err(error) => {
                let detail = error.detail();
                core.hooks.event(&Event::Refused { address: from, code: error.code(), detail: &detail });
                core.close(socket);
                None
            }
        }
    }

    /// Opens a session.
    ///
    /// # Errors
    /// The handshake cannot begin.
    pub(crate) fn dial<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        to: SocketAddr,
        destination: &Destination,
        proof: &Proof,
    ) -> Result<LinkId, (Code, String)> {
        let hub = destination.device;
        let mode = match proof {
            Proof::Certificate => Mode::Certificate,
            Proof::Token(id, secret) => Mode::Join { id: *id, secret: Secret::new(*secret), hub },
        };
        let expect = matches!(proof, Proof::Certificate).then_some(hub);
        self.dial_as(core, to, Dial { mode, expect, link: false }, Role::Control, None)
    }

    fn dial_as<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        to: SocketAddr,
        dial: Dial,
        role: Role,
        place: Option<Box<StreamPlace>>,
    ) -> Result<LinkId, (Code, String)> {
        let entropy = Entropy::new(&core.random());
        let machine = Initiator::new(core.settings.handshake.clone(), dial, entropy, core.now)
            .map_err(|error| (error.code(), error.detail()))?;
        let deadline = machine.deadline_ns();
        let phase = Phase::Handshake(Shaking::Initiator(Box::new(machine)), place);
        let id = self.add(NO_SOCKET, to, role, phase, deadline);
        if let Some(link) = self.find_mut(id) {
            link.rx = Rx::Connecting;
        }
        core.start(Owner::Connect(id), Op::Connect { to });
        Ok(id)
    }

    /// A connection was opened, or not.
    pub(crate) fn on_connect<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        finish: Finish<B>,
    ) {
        let Some(link) = self.find_mut(id) else {
            if let Yield::Connected(socket) = finish.yields {
                core.close(socket);
            }
            return;
        };
        link.rx = Rx::Idle;
        match (finish.result, finish.yields) {
            (Ok(_), Yield::Connected(socket)) => {
                link.socket = socket;
                if link.role == Role::Control {
                    core.events.push_back(LinkEvent::Open(id));
                }
                self.drain_handshake(core, id);
                if self.find(id).is_some_and(|link| !matches!(link.phase, Phase::Closing)) {
                    return self.receive(core, id, false);
                }
                if let Some(link) = self.find_mut(id) {
                    link.rx = Rx::Over;
                }
                self.settle(core, id);
            }
            (result, _) => {
                link.rx = Rx::Over;
                let errno = result.err().map_or(0, |errno| errno.0);
                let address = link.address;
                let detail = format!("cannot connect to {address} (error {errno}): is xferd running there?");
                self.down(core, id, Some(Code::Unavailable), &detail);
            }
        }
    }

    /// A frame of a handshake.
    pub(crate) fn on_handshake_frame<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        header: [u8; 12],
        mut payload: Vec<u8>,
    ) {
        let now = core.now;
        let Some(link) = self.find_mut(id) else { return };
        let role = link.role;
        let Phase::Handshake(shaking, _) = &mut link.phase else { return };
        let result = match shaking {
            Shaking::Initiator(machine) => machine.on_frame(&header, &mut payload, now),
            Shaking::Responder(machine) => {
                if machine.state() == State::Connected
                    && role == Role::Control
                    && let Ok(peek) = peek_hello(&payload)
                    && let Some(PskName::Stream(stream)) = peek.psk
                {
                    return self.pass_on(core, id, stream, &header, &payload);
                }
                machine.on_frame(&header, &mut payload, now)
            }
        };
        self.drain_handshake(core, id);
        match result {
            Ok(()) => {
                if self.find(id).is_some_and(|link| !matches!(link.phase, Phase::Closing)) {
                    self.receive(core, id, false);
                }
            }
            Err(error) => {
                let detail = error.detail();
                self.down(core, id, Some(error.code()), &detail);
            }
        }
    }

    /// Hands a stream's connection to the core its session lives on.
    fn pass_on<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        stream: StreamId,
        header: &[u8; 12],
        payload: &[u8],
    ) {
        if stream.home.0 >= core.mail.cores() {
            return self.fail(core, id, Code::InvalidToken, "a stream of a session that is not here");
        }
        let Some(link) = self.find(id) else { return };
        let (socket, from) = (link.socket, link.address);
        self.forget(id);
        let mut hello = header.to_vec();
        hello.extend_from_slice(payload);
        let mail = StreamHello { socket, from, hello, stream };
        core.post(stream.home, Mail::StreamHello(Box::new(mail)));
    }

    /// This core shall carry a stream.
    pub(crate) fn on_stream_place<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        mut place: StreamPlace,
    ) {
        let role = Role::Stream { session: place.session, home: place.home, index: place.index };
        let address = place.peer.address;
        match core::mem::replace(&mut place.end, StreamEnd::Taken) {
            StreamEnd::Accepted { socket, hello } => {
                let Some(id) = self.add_responder(core, socket, address, role, Some(Box::new(place))) else {
                    return;
                };
                if let Some(link) = self.find_mut(id) {
                    link.accepted = true;
                }
                self.admission.began_elsewhere(address);
                let Some((header, payload)) = hello.split_first_chunk::<12>() else { return };
                self.on_handshake_frame(core, id, *header, payload.to_vec());
            }
            StreamEnd::Connect { to, stream } => {
                let dial = Dial {
                    mode: Mode::Stream { id: stream, join: place.secret.clone() },
                    expect: None,
                    link: false,
                };
                // A stream that cannot be opened costs speed, nothing else: the session goes on without it.
                let _ = self.dial_as(core, to, dial, role, Some(Box::new(place)));
            }
            StreamEnd::Taken => {}
        }
    }

    /// Does what the handshake asks for.
    fn drain_handshake<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, id: LinkId) {
        loop {
            let now = core.now;
            let Some(link) = self.find_mut(id) else { return };
            let Phase::Handshake(shaking, place) = &mut link.phase else { return };
            let output = match shaking {
                Shaking::Initiator(machine) => machine.output(),
                Shaking::Responder(machine) => machine.output(),
            };
            match output {
                None => return,
                Some(Output::Send(bytes)) => {
                    link.tx.push_bytes(bytes);
                    self.pump(core, id);
                }
                Some(Output::NeedPsk(PskName::Stream(_))) => {
                    let secret = place.as_ref().and_then(|place| place.secret.for_accept());
                    if let Shaking::Responder(machine) = shaking
                        && let Err(error) = machine.on_psk(secret, now)
                    {
                        let detail = error.detail();
                        return self.down(core, id, Some(error.code()), &detail);
                    }
                }
                Some(Output::NeedPsk(PskName::Join(psk) | PskName::Certificate(psk))) => {
                    let ticket = self.ticket_for(id);
                    if core.hooks.store(ticket, StoreAsk::Psk(psk)).is_err() {
                        return self.fail(core, id, Code::Busy, "too many joins at once");
                    }
                }
                Some(Output::Verified(established)) => return self.on_verified(core, id, *established),
            }
        }
    }

    /// The store's answer about a pre-shared key. `false`: the ticket is not ours.
    pub(crate) fn on_psk<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        ticket: Ticket,
        psk: Option<Psk>,
    ) -> bool {
        let Some(id) = self.ticket_taken(ticket) else { return false };
        let now = core.now;
        let secret = psk.filter(|psk| psk.expires_ms > now.utc_ms).map(|psk| Secret::new(psk.secret));
        let Some(link) = self.find_mut(id) else { return true };
        let Phase::Handshake(Shaking::Responder(machine), _) = &mut link.phase else { return true };
        let result = machine.on_psk(secret, now);
        self.drain_handshake(core, id);
        if let Err(error) = result {
            let detail = error.detail();
            self.down(core, id, Some(error.code()), &detail);
        }
        true
    }

    /// The handshake is over: who is it, and may they connect?
    fn on_verified<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        established: Established,
    ) {
        self.admission.half_open_ended(id);
        let Some(link) = self.find_mut(id) else { return };
        let Phase::Handshake(_, place) = core::mem::replace(&mut link.phase, Phase::Closing) else { return };
        let (address, role, accepted) = (link.address, link.role, link.accepted);
        let (device, account, trust, key) = match &established.peer {
            PeerIdentity::Certificate(certificate) => {
                let key = VerifyingKey::from_bytes(certificate.public_key()).ok();
                (certificate.device(), certificate.account(), Trust::Certificate, key)
            }
            PeerIdentity::JoinToken(psk) => (DeviceId::default(), "", Trust::JoinToken(*psk), None),
            PeerIdentity::Hub(device) => (*device, "", Trust::Certificate, None),
            PeerIdentity::Stream(_) => (DeviceId::default(), "", Trust::Certificate, None),
        };
        let mut peer =
            Peer { device, account: Arc::from(account), address, session: established.session, trust };
        let mut home_there = 0;
        if let Some(place) = &place {
            peer = place.peer.clone();
            home_there = place.index;
        }
        link.deadline_ns = u64::MAX;
        link.session = Some(peer.session);
        link.phase = Phase::Up(Box::new(Up::new(core, established, peer.clone(), key, home_there)));
        self.up += 1;
        self.wait_until(id, core.now.mono_ns);
        self.on_session(core, id);
        if role == Role::Control
            && accepted
            && let Err(why) = self.may_connect(core, id, &peer)
        {
            return self.fail(core, id, why.code, &why.message);
        }
        if role == Role::Control {
            core.hooks.event(&Event::SessionUp { peer: &peer });
        }
        core.events.push_back(LinkEvent::Up(id));
    }

    fn may_connect<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        id: LinkId,
        peer: &Peer,
    ) -> Result<(), Failure> {
        if self.up > core.settings.limits.sessions_per_core_max {
            let message = "this core has as many sessions as it may".to_owned();
            return Err(Failure { code: Code::Busy, message });
        }
        let decision = decide(core, peer, &Question::new(Action::Connect, "", b"", None))?;
        let rate = decision.obligations.bytes_per_second;
        if rate != u64::MAX {
            self.limit_rate(core, id, rate, true);
        }
        if let Some(link) = self.find_mut(id) {
            link.connect = Some(Arc::new(decision));
        }
        Ok(())
    }

    /// Takes a link out without closing its socket.
    fn forget(&mut self, id: LinkId) {
        self.admission.half_open_ended(id);
        if let Some(Link { accepted: true, address, .. }) = self.find(id) {
            let address = *address;
            self.admission.connection_ended(address);
        }
        self.remove(id);
    }
}
