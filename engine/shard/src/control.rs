//! Requests of a session and what they lead to: the offers, listings and removals a core serves itself,
//! everything else through [`Hooks::request`]. Each request gets exactly one reply.

use crate::client::Client;
use crate::command::{Failure, Job, JobEnd};
use crate::decide::{Question, decide};
use crate::link::{Link, LinkId, Role, StreamEnd, StreamHello, StreamPlace, stream_index};
use crate::links::Links;
use crate::mailbox::Mail;
use crate::receive::{Ended, Receives};
use crate::removing::{Asked, Removing};
use crate::send::{Sends, StreamRef};
use crate::settings::{Settings, Share};
use crate::steps::{self, REQUEST};
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Action, Answer, Call, Event, Hooks, Obligations, Peer, Reply, Ticket, Trust};
use base::ids::{CoreId, DeviceId, SessionId};
use base::io::Io;
use base::points::Point;
use bytes::Bytes;
use proto::message::{self, Control as Message, MessageId, Request, RequestError, RequestStep, Requests};
use proto::session::handshake::StreamId;
use proto::transfer::{list, offer, remove};
use proto::wire::FrameType;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The one protocol that a join token is good for.
const JOIN: &str = "xferd.join";

/// Of a session that nobody decided about.
static FREE: Obligations = Obligations::NONE;

/// What a core keeps about one session whose home it is.
pub(crate) struct Session {
    /// Requests of the peer without a reply.
    requests: Requests,
    /// Its data streams.
    pub(crate) streams: Vec<StreamRef>,
    nonces: BTreeSet<[u8; 16]>,
}

/// The requests of one core.
pub(crate) struct Control {
    pub(crate) shares: Vec<Share>,
    pub(crate) sessions: BTreeMap<LinkId, Session>,
    /// Who waits for a reply, and what is passed once a success was sent.
    tickets: BTreeMap<Ticket, (LinkId, MessageId, Option<Point>)>,
    next_ticket: u64,
    removals: Vec<Removing>,
    pub(crate) client: Client,
    draining: Option<u64>,
    stopping: bool,
    /// Of the rules that the sessions were last decided under.
    generation: Option<u32>,
}

impl Control {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            shares: settings.shares.clone(),
            sessions: BTreeMap::new(),
            tickets: BTreeMap::new(),
            next_ticket: 0,
            removals: Vec::new(),
            client: Client::default(),
            draining: None,
            stopping: false,
            generation: None,
        }
    }

    pub(crate) fn draining(&self) -> bool {
        self.draining.is_some() || self.stopping
    }

    /// Whether something of this level is due at a time.
    pub(crate) fn is_waiting(&self) -> bool {
        self.draining.is_some() || self.client.is_waiting()
    }

    pub(crate) fn stopping(&self) -> bool {
        self.stopping
    }

    pub(crate) fn set_shares(&mut self, shares: Vec<Share>) {
        self.shares = shares;
    }

    pub(crate) fn job_end(&mut self) -> Option<JobEnd> {
        self.client.end()
    }

    pub(crate) fn begin_job<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        job: Job,
    ) {
        self.client.begin(core, links, job);
    }

    /// A session stands.
    pub(crate) fn on_up<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        link: LinkId,
    ) {
        let requests = Requests::new(&core.settings.limits);
        self.sessions.insert(link, Session { requests, streams: Vec::new(), nonces: BTreeSet::new() });
        self.client.on_up(core, links, link);
    }

    /// Sessions are decided again once the rules changed: who may no longer connect is gone within a turn.
    pub(crate) fn look_again<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>) {
        let generation = core.hooks.generation();
        if self.generation.replace(generation).is_none_or(|before| before == generation) {
            return;
        }
        let sessions: Vec<LinkId> = self.sessions.keys().copied().collect();
        for link in sessions {
            let Some(up) = links.find(link).filter(|link| link.accepted).and_then(Link::up) else { continue };
            let peer = up.peer.clone();
            match decide(core, &peer, &Question::new(Action::Connect, "", b"", None)) {
                Ok(decision) => {
                    let rate = decision.obligations.bytes_per_second;
                    if rate != u64::MAX {
                        links.limit_rate(core, link, rate, true);
                    }
                    if let Some(link) = links.find_mut(link) {
                        link.connect = Some(Arc::new(decision));
                    }
                }
                Err(why) => links.fail(core, link, why.code, &format!("no longer allowed: {}", why.message)),
            }
        }
    }

    /// A session ended.
    pub(crate) fn on_down<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        link: LinkId,
        code: Option<Code>,
        detail: &str,
    ) {
        if let Some(mut session) = self.sessions.remove(&link) {
            for stream in session.streams {
                core.post(stream.core, Mail::StreamClose(stream.link));
            }
            drop(session.requests.on_end());
        }
        self.tickets.retain(|_, (other, ..)| *other != link);
        self.removals.iter_mut().filter(|removal| removal.request().0 == link).for_each(Removing::abandon);
        self.client.on_down(core, links, link, code, detail);
    }

    /// A whole Control message came.
    pub(crate) fn on_message<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        sends: &mut Sends<I::Buf>,
        receives: &mut Receives<I::Buf>,
        link: LinkId,
        bytes: Vec<u8>,
    ) {
        let message = match Message::decode(&Bytes::from(bytes), &core.settings.limits) {
            Ok(message) => message,
            Err(error) => {
                return links.fail(core, link, error.code(), "a control message that breaks a rule");
            }
        };
        match message {
            Message::Reply { to, reply } => {
                let streams = self.sessions.get(&link).map_or(&[][..], |session| &session.streams);
                self.client.on_reply(core, links, sends, receives, streams, link, to, reply);
            }
            Message::Request(request) => {
                let Some(session) = self.sessions.get_mut(&link) else { return };
                match session.requests.on_request(request.id) {
                    Ok(row) => steps::told(core, REQUEST, links.session(link), &row),
                    Err(error) => {
                        let message = match error {
                            RequestError::TooMany { .. } => {
                                "this session has too many requests without a reply"
                            }
                            _ => "a request of this id waits for its reply already",
                        };
                        return answer(core, links, link, request.id, refusal(error.code(), message));
                    }
                }
                links.on_command(core, link);
                self.serve(core, links, sends, receives, link, request);
            }
        }
    }

    fn serve<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        sends: &mut Sends<I::Buf>,
        receives: &mut Receives<I::Buf>,
        link: LinkId,
        request: Request,
    ) {
        let Some(peer) = links.peer(link).cloned() else { return };
        if !self.on_request_step(core, links, link, |requests| requests.on_taken(request.id)) {
            return;
        }
        let connect = links.find(link).and_then(|link| link.connect.clone());
        let session = connect.as_ref().map_or(&FREE, |connect| &connect.obligations);
        let label = session.label.as_deref();
        let joined = peer.trust == Trust::Certificate;
        let protocol = request.protocol.as_str();
        let result = match protocol {
            _ if !joined && protocol != JOIN => {
                Err(failure(Code::AuthRequired, "a join token only lets a device join"))
            }
            offer::PROTOCOL => self.offer(core, links, sends, receives, link, &peer, &request),
            list::PROTOCOL => self.list(core, &peer, label, &request.payload),
            remove::PROTOCOL => {
                let (label, read_only) = (session.label.clone(), session.read_only);
                let asked = Asked { link, id: request.id, peer, label, read_only };
                match self.remove(core, asked, &request.payload) {
                    Ok(()) => return,
                    Err(error) => Err(error),
                }
            }
            _ => match self.call(core, link, &peer, label, &request) {
                Ok(None) => return,
                Ok(Some(reply)) => return self.send_reply(core, links, link, request.id, reply),
                Err(error) => Err(error),
            },
        };
        // An offer's command goes on until its transfer ends.
        let begun = protocol == offer::PROTOCOL && result.is_ok();
        let reply = match result {
            Ok(data) => Reply::Success(Some(data)),
            Err(Failure { code, message }) => Reply::Error { code, message },
        };
        if begun {
            links.on_command(core, link);
        }
        self.send_reply(core, links, link, request.id, reply);
    }

    /// Moves a request of a session on; `false` when the session is gone, or ends because of it.
    fn on_request_step<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        link: LinkId,
        step: impl FnOnce(&mut Requests) -> RequestStep,
    ) -> bool {
        let Some(session) = self.sessions.get_mut(&link) else { return false };
        match step(&mut session.requests) {
            Ok(row) => {
                steps::told(core, REQUEST, links.session(link), &row);
                true
            }
            Err(error) => {
                links.fail(core, link, error.code(), steps::UNDECLARED);
                false
            }
        }
    }

    /// A protocol that another part of the process serves.
    fn call<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        link: LinkId,
        peer: &Peer,
        label: Option<&str>,
        request: &Request,
    ) -> Result<Option<Reply>, Failure> {
        let protocol = request.protocol.as_str();
        decide(core, peer, &Question::new(Action::Invoke(protocol), "", b"", label))?;
        self.next_ticket += 1;
        let ticket = Ticket(u64::from(core.id.0) << 48 | self.next_ticket);
        let call = Call { protocol, payload: &request.payload, metadata: request.metadata.as_deref() };
        match core.hooks.request(ticket, peer, &call) {
            Answer::Now(reply) => Ok(Some(reply)),
            Answer::Later => {
                let point = (protocol == JOIN).then_some(Point::CertificateSent);
                self.tickets.insert(ticket, (link, request.id, point));
                Ok(None)
            }
            Answer::Busy => Err(failure(Code::Busy, "the server's queue is full; try again")),
        }
    }

    /// A reply from another part of the process.
    pub(crate) fn on_reply<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        ticket: Ticket,
        reply: Reply,
    ) {
        if self.removals.iter_mut().any(|removal| removal.on_reply(ticket, &reply)) {
            return;
        }
        if let Reply::Psk(psk) = reply {
            links.on_psk(core, ticket, psk);
            return;
        }
        if let Some((link, id, point)) = self.tickets.remove(&ticket) {
            let granted = matches!(reply, Reply::Success(_));
            self.send_reply(core, links, link, id, reply);
            if let Some(point) = point.filter(|_| granted) {
                links.mark(link, point);
            }
        }
    }

    fn send_reply<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        link: LinkId,
        to: MessageId,
        reply: Reply,
    ) {
        let error = matches!(reply, Reply::Error { .. });
        if self.on_request_step(core, links, link, |requests| requests.on_reply(to, error)) {
            answer(core, links, link, to, reply);
            self.on_request_step(core, links, link, |requests| requests.on_complete(to));
            links.on_done(core, link, error);
        }
    }

    fn list<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        peer: &Peer,
        label: Option<&str>,
        payload: &[u8],
    ) -> Result<Vec<u8>, Failure> {
        let request = list::ListRequest::parse(payload, &core.settings.limits)
            .map_err(|error| failure(error.code(), "the request breaks a rule of the protocol"))?;
        crate::browse::list(core, &self.shares, peer, label, &request)
    }

    fn remove<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        asked: Asked,
        payload: &[u8],
    ) -> Result<(), Failure> {
        let request = remove::RemoveRequest::parse(payload, &core.settings.limits)
            .map_err(|error| failure(error.code(), "the request breaks a rule of the protocol"))?;
        if self.draining() {
            return Err(failure(Code::Unavailable, "the server is shutting down; try again later"));
        }
        let removal = Removing::begin(core, &self.shares, asked, &request)?;
        self.removals.push(removal);
        Ok(())
    }

    /// Removals go on, each by a portion, and are answered.
    pub(crate) fn step<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>) {
        let mut over = Vec::new();
        self.removals.retain_mut(|removal| {
            let ended = removal.step(core);
            let goes_on = ended.is_none();
            over.extend(ended.map(|result| (removal.request(), result)));
            goes_on
        });
        for ((link, id), result) in over {
            let reply = match result {
                Ok(reply) => Reply::Success(Some(reply.encode())),
                Err(Failure { code, message }) => Reply::Error { code, message },
            };
            self.send_reply(core, links, link, id, reply);
        }
    }

    /// When removals go on without any other cause, monotonic ns.
    pub(crate) fn deadline_ns<I: Io, H: Hooks>(&self, core: &Core<I, H>) -> u64 {
        let due = |removal: &Removing| if removal.is_due(core) { 0 } else { removal.deadline_ns() };
        self.removals.iter().map(due).min().unwrap_or(u64::MAX)
    }

    /// Whether nothing is being removed.
    pub(crate) fn is_idle(&self) -> bool {
        self.removals.is_empty()
    }

    /// A connection elsewhere asks to join one of this core's sessions.
    pub(crate) fn on_stream_hello<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        hello: StreamHello,
    ) {
        let most = core.settings.limits.streams_max as usize;
        let found = self.session_of(links, &hello.stream.session).and_then(|link| {
            let session = self.sessions.get_mut(&link)?;
            let up = links.find(link)?.up()?;
            let new = session.nonces.len() < most * 4 && session.nonces.insert(hello.stream.nonce);
            (new && session.streams.len() < most).then(|| (link, up.join.clone(), up.peer.clone()))
        });
        let Some((session, secret, mut peer)) = found else {
            let (address, code) = (hello.from, Code::InvalidToken);
            let detail = "a stream of a session that is not here";
            core.hooks.event(&Event::Refused { address, code, detail });
            return core.close(hello.socket);
        };
        peer.address = hello.from;
        let index = stream_index(&hello.stream);
        let to = CoreId((core.id.0 + index) % core.mail.cores());
        let end = StreamEnd::Accepted { socket: hello.socket, hello: hello.hello };
        let place = StreamPlace { end, secret, peer, home: core.id, session, index };
        core.post(to, Mail::StreamPlace(Box::new(place)));
    }

    fn session_of<B>(&self, links: &Links<B>, id: &SessionId) -> Option<LinkId>
    where
        B: AsRef<[u8]> + AsMut<[u8]>,
    {
        self.sessions.keys().copied().find(|link| links.peer(*link).is_some_and(|peer| peer.session == *id))
    }

    /// A stream of one of this core's sessions stands, or ended.
    pub(crate) fn on_stream(&mut self, session: LinkId, stream: StreamRef, up: bool) -> bool {
        let Some(session) = self.sessions.get_mut(&session) else { return false };
        session.streams.retain(|other| *other != stream);
        if up {
            session.streams.push(stream);
        }
        true
    }

    /// Opens data streams of a session this end initiated.
    pub(crate) fn open_streams<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &Links<I::Buf>,
        session: LinkId,
        count: u16,
    ) {
        let Some(link) = links.find(session) else { return };
        let Some(up) = link.up() else { return };
        for index in 1..=count {
            let mut nonce: [u8; 16] = core.random();
            nonce[..2].copy_from_slice(&index.to_be_bytes());
            let home_there = CoreId(self.client.home_there);
            let stream = StreamId { session: up.peer.session, home: home_there, nonce };
            let end = StreamEnd::Connect { to: link.address, stream };
            let (secret, peer) = (up.join.clone(), up.peer.clone());
            let place = StreamPlace { end, secret, peer, home: core.id, session, index };
            let to = CoreId((core.id.0 + index) % core.mail.cores());
            core.post(to, Mail::StreamPlace(Box::new(place)));
        }
    }

    /// A transfer ended.
    pub(crate) fn on_ended<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        ended: Ended,
    ) {
        match &ended.result {
            Ok(_) => links.on_done(core, ended.link, false),
            // The peer hears why; a link that is gone already says nothing.
            Err(failure) => links.fail(core, ended.link, failure.code, &failure.message),
        }
        self.client.on_ended(core, links, ended);
    }

    /// Ends the client's job.
    pub(crate) fn cancel_job<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        sends: &mut Sends<I::Buf>,
        receives: &mut Receives<I::Buf>,
    ) {
        for link in self.sessions.keys().copied().collect::<Vec<_>>() {
            sends.cancel(core, links, link, Code::ConnectionLost, "ended by a signal");
            receives.cancel(core, links, link, Code::ConnectionLost, "ended by a signal");
        }
        self.client.cancel(core, links);
    }

    /// No new work; what runs may end until the deadline.
    pub(crate) fn drain<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        deadline_ns: u64,
    ) {
        self.draining = Some(deadline_ns);
        self.close_listeners(core);
        let _ = links;
    }

    fn close_listeners<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        for listener in core.settings.listeners.clone() {
            core.io.shut(listener);
        }
    }

    /// Closes everything.
    pub(crate) fn stop<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>) {
        self.stopping = true;
        self.close_listeners(core);
        for link in links.ids() {
            links.fail(core, link, Code::Unavailable, "the server is shutting down");
        }
    }

    /// Deadlines of this level.
    pub(crate) fn sweep<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        sends: &Sends<I::Buf>,
        receives: &Receives<I::Buf>,
    ) {
        self.client.sweep(core, links);
        let Some(deadline) = self.draining else { return };
        let busy = links.iter().any(|link| {
            // A stream is closed by its home once the session is over.
            let streams = link.is_up() && matches!(link.role, Role::Stream { .. });
            streams || sends.of_session(link.id) + receives.of_session(link.id) > 0
        });
        let busy = busy || !self.removals.is_empty();
        if !self.stopping && (!busy || core.now.mono_ns >= deadline) {
            self.stop(core, links);
        }
    }

    /// Ends the sessions of a device.
    pub(crate) fn expel<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        device: DeviceId,
        code: Code,
    ) {
        for link in links.ids() {
            if links.peer(link).is_some_and(|peer| peer.device == device) {
                links.fail(core, link, code, "this device is no longer allowed here");
            }
        }
    }
}

/// Queues the reply to a request.
fn answer<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    links: &mut Links<I::Buf>,
    link: LinkId,
    to: MessageId,
    reply: Reply,
) {
    let reply = match reply {
        Reply::Success(data) => message::Reply::Success(data.map(Bytes::from)),
        Reply::Protocol(data) => message::Reply::Protocol(Bytes::from(data)),
        Reply::Error { code, message } => message::Reply::Error { code, message, details: None },
        Reply::Psk(_) | Reply::Refused(_) => return,
    };
    let id = MessageId::from_random(core.random());
    let bytes = Message::Reply { to, reply }.encode(id, core.now.utc_ms);
    links.send_bytes(core, link, FrameType::Control, &bytes);
}

pub(crate) fn failure(code: Code, message: &str) -> Failure {
    Failure { code, message: message.to_owned() }
}

fn refusal(code: Code, message: &str) -> Reply {
    Reply::Error { code, message: message.to_owned() }
}
