//! The client's side of a session: one job, from the first connection to its end.
//!
//! ```text
//! begin -> dial (each address in turn) -> on_up -> request -> on_reply -> transfer -> on_ended -> end
//!            ^                                       ^           |            |
//!            |                                       +-- wait ---+ busy       |
//!            +---- wait: while its link (C7) says so -------------------------+
//! ```
//!
//! The first request goes out together with the Ping whose Pong makes the link healthy.

use crate::command::{Failure, Job, JobData, JobEnd, JobKind, Source, Totals};
use crate::control::failure;
use crate::decide::Leave;
use crate::guard::Guard;
use crate::link::LinkId;
use crate::links::{Links, MS};
use crate::place;
use crate::receive::{Ended, ReceiveSpec, Receives};
use crate::send::{SendSpec, Sends, StreamRef};
use crate::shake::Proof;
use crate::steps::{self, LINK, REQUEST};
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Event, Hooks};
use base::ids::TransferId;
use base::io::Io;
use bytes::Bytes;
use proto::message::{Control as Message, MessageId, Reply, Request, RequestState, Requests};
use proto::session::link::{Link, LinkStep, Next};
use proto::session::phase::{PhaseEvent, after_error};
use proto::session::retry::{Backoff, Policy};
use proto::transfer::list::{self, ListPage, ListRequest};
use proto::transfer::offer::{self, Command, Destination, Direction, Offer, OfferReply, Options};
use proto::transfer::order::Order;
use proto::transfer::remove;
use proto::wire::FrameType;

/// Number of a client's one transfer in its session: the first odd one.
const TRANSFER: u32 = 1;

/// The job, if there is one.
#[derive(Default)]
pub(crate) struct Client {
    job: Option<Running>,
    end: Option<JobEnd>,
    /// The other end's home core of the session, once it said so.
    pub(crate) home_there: u16,
}

struct Running {
    job: Job,
    address: usize,
    /// The link as it is kept up: its state, its waits, its breaker.
    standing: Link,
    /// Its connection.
    link: Option<LinkId>,
    /// That is verified.
    verified: bool,
    /// Requests on it without a reply.
    asked: Requests,
    /// The last of them, should the other end be too busy for it.
    request: (String, Vec<u8>),
    /// Failures of that request in a row.
    operation: Backoff,
    /// What is done again, and when, monotonic ns.
    again: Option<(u64, Again)>,
    pages: Vec<Vec<u8>>,
    order: Order,
    id: TransferId,
    /// The transfer's home is there.
    begun: bool,
}

/// What a wait is for.
#[derive(Clone, Copy)]
enum Again {
    Dial,
    Ask,
}

impl Running {
    fn is_transfer(&self) -> bool {
        matches!(self.job.kind, JobKind::Push { .. } | JobKind::Pull { .. })
    }

    fn is_once(&self) -> bool {
        matches!(self.job.kind, JobKind::Call { once: true, .. })
    }
}

impl Client {
    /// The end of the job, once.
    pub(crate) fn end(&mut self) -> Option<JobEnd> {
        self.end.take()
    }

    /// Whether something is done again at a time.
    pub(crate) fn is_waiting(&self) -> bool {
        self.job.as_ref().is_some_and(|running| running.again.is_some())
    }

    pub(crate) fn begin<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        job: Job,
    ) {
        let first = Policy { tries: job.destination.retries.saturating_add(1), ..Policy::LINK };
        let id = job.id;
        self.job = Some(Running {
            job,
            address: 0,
            standing: Link::new(first),
            link: None,
            verified: false,
            asked: Requests::new(&core.settings.limits),
            request: (String::new(), Vec::new()),
            operation: Backoff::new(Policy::OPERATION),
            again: None,
            pages: Vec::new(),
            order: Order::new(),
            id,
            begun: false,
        });
        self.dial(core, links);
    }

    fn dial<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>) {
        if !self.moved(core, Link::on_dial) {
            return;
        }
        let Some(running) = &mut self.job else { return };
        let Some(&to) = running.job.destination.addresses.get(running.address) else {
            let why = failure(Code::Unavailable, "there is no address to connect to");
            return self.finish(Err(why), Totals::default());
        };
        let proof = match running.job.join {
            Some((id, secret)) => Proof::Token(id, secret),
            None => Proof::Certificate,
        };
        let destination = running.job.destination.clone();
        match links.dial(core, to, &destination, &proof) {
            Ok(link) => running.link = Some(link),
            Err((code, message)) => self.lost(core, Failure { code, message }, Totals::default()),
        }
    }

    /// Moves the link on; `false` when there is no job any more.
    fn moved<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        step: impl FnOnce(&mut Link) -> LinkStep,
    ) -> bool {
        let Some(running) = &mut self.job else { return false };
        match step(&mut running.standing) {
            Ok(row) => {
                steps::told(core, LINK, None, &row);
                true
            }
            Err(undeclared) => {
                self.finish(Err(steps::fault(undeclared)), Totals::default());
                false
            }
        }
    }

    /// The link failed as a whole: waits and dials again, or gives up.
    fn lost<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, why: Failure, totals: Totals) {
        let random = u32::from_be_bytes(core.random());
        let Some(running) = &mut self.job else { return };
        if running.verified && running.is_once() {
            let message = format!("{}; whether the call was served is not known", why.message);
            return self.finish(Err(Failure { message, ..why }), totals);
        }
        let next = match running.standing.on_failure(core.now, random) {
            Ok((row, next)) => {
                steps::told(core, LINK, None, &row);
                next
            }
            Err(undeclared) => return self.finish(Err(steps::fault(undeclared)), totals),
        };
        match next {
            Next::DialAt { at_ns, wait_ms, attempt } if why.code.row().retry => {
                running.address = 0;
                running.link = None;
                running.verified = false;
                running.begun = false;
                drop(running.asked.on_end());
                running.id = TransferId(core.random());
                running.again = Some((at_ns, Again::Dial));
                core.hooks.event(&Event::Retry { what: LINK, attempt, wait_ms, code: why.code });
            }
            Next::GiveUp { failures } if why.code.row().retry && failures > 1 => {
                let message = format!("{}; given up after {failures} failures in a row", why.message);
                self.finish(Err(Failure { message, ..why }), totals);
            }
            _ => self.finish(Err(why), totals),
        }
    }

    pub(crate) fn sweep<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>) {
        let Some(running) = &mut self.job else { return };
        let Some((_, again)) = running.again.take_if(|(at_ns, _)| core.now.mono_ns >= *at_ns) else { return };
        match (again, running.link) {
            (Again::Dial, _) => self.dial(core, links),
            (Again::Ask, Some(link)) => {
                links.on_retry(core, link);
                self.ask(core, links, link);
            }
            (Again::Ask, None) => {}
        }
    }

    fn finish(&mut self, result: Result<JobData, Failure>, totals: Totals) {
        if self.job.take().is_some() {
            self.end = Some(JobEnd { result, totals });
        }
    }

    /// TCP is connected.
    pub(crate) fn on_open<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, link: LinkId) {
        if self.has(link) {
            self.moved(core, Link::on_open);
        }
    }

    /// The first Pong came.
    pub(crate) fn on_healthy<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, link: LinkId) {
        if self.has(link) {
            self.moved(core, Link::on_healthy);
        }
    }

    fn has(&self, link: LinkId) -> bool {
        self.job.as_ref().is_some_and(|running| running.link == Some(link))
    }

    /// The session stands: the job's request goes out.
    pub(crate) fn on_up<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        link: LinkId,
    ) {
        let Some(running) = self.job.as_mut().filter(|running| running.link == Some(link)) else { return };
        let Some(session) = links.peer(link).map(|peer| peer.session) else { return };
        let (protocol, payload) = match &running.job.kind {
            JobKind::Push { to, options, streams, .. } => {
                let offer = Offer {
                    transfer: TRANSFER,
                    id: running.id,
                    direction: Direction::Push,
                    command: if options.delete { Command::Sync } else { Command::Copy },
                    root: "/".to_owned(),
                    paths: vec![to.clone()],
                    totals: None,
                    streams: streams.unwrap_or(1),
                    into: false,
                    options: options.clone(),
                };
                (offer::PROTOCOL, offer.encode())
            }
            JobKind::Pull { from, options, streams, into_directory, .. } => {
                let offer = Offer {
                    transfer: TRANSFER,
                    id: running.id,
                    direction: Direction::Pull,
                    command: if options.delete { Command::Sync } else { Command::Copy },
                    root: "/".to_owned(),
                    paths: from.clone(),
                    totals: None,
                    streams: streams.unwrap_or(1),
                    into: *into_directory,
                    options: options.clone(),
                };
                (offer::PROTOCOL, offer.encode())
            }
            JobKind::List(request) => (list::PROTOCOL, request.encode()),
            JobKind::Remove(request) => (remove::PROTOCOL, request.encode()),
            JobKind::Call { protocol, payload, .. } => (protocol.as_str(), payload.clone()),
            JobKind::Join { request } => ("xferd.join", (request.0)(&session)),
        };
        running.request = (protocol.to_owned(), payload);
        running.verified = true;
        links.probe(core, link);
        links.on_command(core, link);
        self.ask(core, links, link);
    }

    /// Makes the request, again or for the first time.
    fn ask<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>, link: LinkId) {
        let Some(running) = &mut self.job else { return };
        let id = MessageId::from_random(core.random());
        match running.asked.on_request(id) {
            Ok(row) => steps::told(core, REQUEST, links.session(link), &row),
            Err(error) => return links.fail(core, link, error.code(), "a request that has no place"),
        }
        let (protocol, payload) = running.request.clone();
        let request = Request { id, protocol, payload: Bytes::from(payload), metadata: None };
        let bytes = Message::Request(request).encode(id, core.now.utc_ms);
        links.send_bytes(core, link, FrameType::Control, &bytes);
    }

    /// The answer to the job's request.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn on_reply<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        sends: &mut Sends<I::Buf>,
        receives: &mut Receives<I::Buf>,
        streams: &[StreamRef],
        link: LinkId,
        to: MessageId,
        reply: Reply,
    ) {
        let Some(running) = self.job.as_mut().filter(|running| {
            running.link == Some(link) && running.asked.state(to) == RequestState::RequestPending
        }) else {
            return links.fail(core, link, Code::InvalidRequest, "a reply that nobody waits for");
        };
        let error = matches!(reply, Reply::Error { .. });
        let asked = &mut running.asked;
        if !steps::answered(core, asked, to, error) {
            return links.fail(core, link, Code::InternalError, steps::UNDECLARED);
        }
        let transfer = running.is_transfer();
        let data = match reply {
            Reply::Success(data) => data.unwrap_or_default(),
            Reply::Protocol(data) => data,
            Reply::Error { code, message, .. } => {
                links.on_done(core, link, true);
                return self.refused(core, links, link, Failure { code, message });
            }
        };
        running.operation.on_success();
        let result = if transfer {
            if let JobKind::Push { options: Options { bytes_per_second: Some(rate), .. }, .. } =
                &running.job.kind
            {
                links.limit_rate(core, link, *rate, false);
            }
            self.begin_transfer(core, sends, receives, streams, link, &data)
        } else {
            links.on_done(core, link, false);
            self.on_data(core, links, link, &data)
        };
        if let Err(error) = result {
            self.finish(Err(error), Totals::default());
            links.bye(core, link);
        }
    }

    /// The request was refused: it is made again where that can help, for a few times.
    fn refused<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        link: LinkId,
        why: Failure,
    ) {
        let random = u32::from_be_bytes(core.random());
        let Some(running) = &mut self.job else { return };
        let unsure = why.code == Code::Timeout && running.is_once();
        let retried = !unsure && after_error(why.code, running.operation.left()) == PhaseEvent::Retry;
        let wait = retried.then(|| running.operation.on_failure(random)).flatten();
        let Some(wait_ms) = wait else {
            self.finish(Err(why), Totals::default());
            return links.bye(core, link);
        };
        running.again = Some((core.now.mono_ns + wait_ms * MS, Again::Ask));
        let attempt = running.operation.failures();
        core.hooks.event(&Event::Retry { what: REQUEST, attempt, wait_ms, code: why.code });
    }

    /// A reply that is not a transfer's: another page, or the end.
    fn on_data<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        link: LinkId,
        data: &[u8],
    ) -> Result<(), Failure> {
        let Some(running) = &mut self.job else { return Ok(()) };
        if let JobKind::List(request) = &running.job.kind {
            let (_, page) = ListPage::parse(data, &core.settings.limits, &mut running.order)
                .map_err(|error| failure(error.code(), "the listing breaks a rule of the protocol"))?;
            running.pages.push(page.entries);
            if let Some(next) = page.next {
                let request = ListRequest { after: Some(next), ..request.clone() };
                running.request.1 = request.encode();
                links.on_command(core, link);
                self.ask(core, links, link);
                return Ok(());
            }
        } else {
            running.pages.push(data.to_vec());
        }
        let pages = core::mem::take(&mut running.pages);
        self.finish(Ok(JobData::Reply(pages)), Totals::default());
        links.bye(core, link);
        Ok(())
    }

    /// The offer was accepted.
    fn begin_transfer<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        sends: &mut Sends<I::Buf>,
        receives: &mut Receives<I::Buf>,
        streams: &[StreamRef],
        link: LinkId,
        data: &[u8],
    ) -> Result<(), Failure> {
        let reply = OfferReply::parse(data, &core.settings.limits)
            .map_err(|error| failure(error.code(), "the offer's reply breaks a rule of the protocol"))?;
        self.home_there = reply.home;
        let Some(running) = &mut self.job else { return Ok(()) };
        running.begun = true;
        let both = reply.cores.min(core.settings.cores).min(reply.streams_max);
        let id = running.id;
        match &running.job.kind {
            JobKind::Push { sources, to, options, streams: wish, copy, to_directory } => {
                let streams_max = if wish.is_some() { reply.streams_max } else { both };
                let into = *copy
                    && (*to_directory || sources.len() > 1 || reply.destination == Destination::Directory);
                if sources.len() > 1 {
                    may_take_several(to, *to_directory, reply.destination)?;
                }
                let sources = named(core, sources, into, reply.destination)?;
                let spec = SendSpec {
                    link,
                    number: TRANSFER,
                    id,
                    sources,
                    options: options.clone(),
                    leave: Leave::free(),
                    watch: None,
                    streams: *wish,
                    streams_max,
                };
                sends.begin(core, spec, streams);
            }
            JobKind::Pull { from, into, path, anchor, options, streams: wish, owners, .. } => {
                let streams_max = if wish.is_some() { reply.streams_max } else { both };
                if reply.destination == Destination::Absent {
                    let source = from.first().map_or(&b""[..], |path| path);
                    let message = format!("/{} does not exist on the server", disk::escape::Escaped(source));
                    return Err(failure(Code::NotFound, &message));
                }
                let peer = running.job.destination.device;
                let spec = ReceiveSpec {
                    link,
                    number: TRANSFER,
                    id,
                    peer,
                    root: *into,
                    anchor: anchor.clone(),
                    offered: "/".to_owned(),
                    destination: path.clone(),
                    options: options.clone(),
                    durability: reply.durability,
                    account: None,
                    owners: *owners,
                    own_root: true,
                    leave: Leave::free(),
                    places: Guard::default(),
                    watch: None,
                    streams: *wish,
                    streams_max,
                };
                receives.begin(core, spec, streams);
            }
            _ => {}
        }
        Ok(())
    }

    /// A transfer ended: so does the job.
    pub(crate) fn on_ended<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        ended: Ended,
    ) {
        if !self.has(ended.link) {
            return;
        }
        match ended.result {
            Ok((receipt, file)) => {
                self.finish(Ok(JobData::Receipt(Box::new(receipt), file)), ended.totals);
                links.bye(core, ended.link);
            }
            // What is there already stays, and the link is opened again.
            Err(why) if why.code.row().retry => self.lost(core, why, ended.totals),
            Err(why) => self.finish(Err(why), ended.totals),
        }
    }

    /// A link ended.
    pub(crate) fn on_down<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        link: LinkId,
        code: Option<Code>,
        detail: &str,
    ) {
        let Some(running) = self.job.as_mut().filter(|running| running.link == Some(link)) else { return };
        let code = code.unwrap_or(Code::ConnectionLost);
        let why = Failure { code, message: detail.to_owned() };
        if running.verified {
            match (running.begun, running.is_transfer()) {
                // It ends by itself, with what it moved.
                (true, _) => {}
                (false, true) => self.lost(core, why, Totals::default()),
                // Nobody knows whether it was done.
                (false, false) => self.finish(Err(why), Totals::default()),
            }
            return;
        }
        // It never stood: the next address may do better, unless somebody said no.
        let further = running.address + 1 < running.job.destination.addresses.len();
        if further && matches!(code, Code::Unavailable | Code::Timeout) {
            running.address += 1;
            running.link = None;
            if self.moved(core, Link::on_address_failed) {
                self.dial(core, links);
            }
            return;
        }
        self.lost(core, why, Totals::default());
    }

    /// Ended by a signal.
    pub(crate) fn cancel<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>) {
        if let Some(link) = self.job.as_ref().and_then(|running| running.link) {
            links.bye(core, link);
        }
        self.finish(Err(failure(Code::ConnectionLost, "ended by a signal")), Totals::default());
    }
}

/// Several sources need a directory: one that is there, or one that a trailing `/` asks for.
fn may_take_several(to: &[u8], to_directory: bool, destination: Destination) -> Result<(), Failure> {
    let to = disk::escape::Escaped(to);
    match destination {
        Destination::Absent if !to_directory => Err(failure(
            Code::NotFound,
            &format!("/{to} does not exist; several sources need a directory: write /{to}/ to have it made"),
        )),
        Destination::File => {
            Err(failure(Code::Conflict, &format!("/{to} is a file; several sources need a directory")))
        }
        _ => Ok(()),
    }
}

/// The sources as they shall be called at the destination: under their own names in a directory, else the
/// one source is the destination.
fn named<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    sources: &[Source],
    into: bool,
    destination: Destination,
) -> Result<Vec<Source>, Failure> {
    let mut named: Vec<Source> = Vec::with_capacity(sources.len());
    for source in sources {
        let mut source = source.clone();
        let directory = place::destination(core, source.base, &source.path)? == Destination::Directory;
        if !into && (directory || destination != Destination::Directory) {
            source.name = Vec::new();
        }
        named.push(source);
    }
    named.sort_by(|left, right| left.name.cmp(&right.name));
    if let Some(pair) = named.windows(2).find(|pair| pair[0].name == pair[1].name) {
        let name = disk::escape::Escaped(&pair[0].name).to_string();
        return Err(failure(
            Code::Conflict,
            &format!("two sources are called {name}; copy them one at a time"),
        ));
    }
    Ok(named)
}
