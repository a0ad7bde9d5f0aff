//! The client's side of a session: one job, from the first connection to its end.
//!
//! ```text
//! begin -> dial (each address in turn) -> on_up -> request -> on_reply -> transfer -> on_ended -> end
//!            ^                                                                |
//!            +---- wait: while retries are left, or the link had stood --------+
//! ```

use crate::command::{Failure, Job, JobData, JobEnd, JobKind, Source, Totals};
use crate::control::failure;
use crate::link::LinkId;
use crate::links::{Links, MS};
use crate::place;
use crate::receive::{Ended, ReceiveSpec, Receives};
use crate::send::{SendSpec, Sends, StreamRef};
use crate::shake::Proof;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Event, Hooks, Obligations};
use base::ids::TransferId;
use base::io::Io;
use bytes::Bytes;
use proto::message::{Control as Message, MessageId, Reply, Request};
use proto::session::retry::{Backoff, Policy};
use proto::transfer::list::{self, ListPage, ListRequest};
use proto::transfer::offer::{self, Command, Destination, Direction, Offer, OfferReply};
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
    link: Option<LinkId>,
    waiting_for: Option<MessageId>,
    backoff: Backoff,
    /// When to dial again, monotonic ns.
    redial_ns: Option<u64>,
    pages: Vec<Vec<u8>>,
    order: Order,
    id: TransferId,
    /// The transfer's home is there.
    begun: bool,
    /// A transfer began over a link: a lost link is opened again.
    stood: bool,
    /// What ended the last link, if anything did.
    last: Option<Failure>,
}

impl Client {
    /// The end of the job, once.
    pub(crate) fn end(&mut self) -> Option<JobEnd> {
        self.end.take()
    }

    pub(crate) fn begin<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        job: Job,
    ) where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
        let policy = Policy { tries: job.destination.retries.saturating_add(1), ..Policy::LINK };
        let id = job.id;
        self.job = Some(Running {
            job,
            address: 0,
            link: None,
            waiting_for: None,
            backoff: Backoff::new(policy),
            redial_ns: None,
            pages: Vec::new(),
            order: Order::new(),
            id,
            begun: false,
            stood: false,
            last: None,
        });
        self.dial(core, links);
    }

    fn dial<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>)
    where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
        let Some(running) = &mut self.job else { return };
        let Some(&to) = running.job.destination.addresses.get(running.address) else {
            let last = running.last.take();
            return self.retry(
                core,
                last.unwrap_or_else(|| failure(Code::Unavailable, "there is no address to connect to")),
            );
        };
        let proof = match running.job.join {
            Some((id, secret)) => Proof::Token(id, secret),
            None => Proof::Certificate,
        };
        let destination = running.job.destination.clone();
        match links.dial(core, to, &destination, &proof) {
            Ok(link) => running.link = Some(link),
            Err((code, message)) => self.finish(Err(Failure { code, message }), Totals::default()),
        }
    }

    /// Waits and dials again, or gives up.
    fn retry<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, why: Failure) {
        let Some(running) = &mut self.job else { return };
        let random = u32::from_be_bytes(core.random());
        let again = why.code.row().retry && (running.stood || running.job.destination.retries > 0);
        let wait = again.then(|| running.backoff.on_failure(random)).flatten();
        match wait {
            Some(wait_ms) => {
                running.address = 0;
                running.redial_ns = Some(core.now.mono_ns + wait_ms * MS);
                let attempt = running.backoff.failures();
                core.hooks.event(&Event::Retry { attempt, wait_ms, code: why.code });
            }
            None => self.finish(Err(why), Totals::default()),
        }
    }

    pub(crate) fn sweep<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>)
    where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
        let due = self.job.as_ref().and_then(|running| running.redial_ns);
        if due.is_some_and(|due| core.now.mono_ns >= due) {
            if let Some(running) = &mut self.job {
                running.redial_ns = None;
            }
            self.dial(core, links);
        }
    }

    fn finish(&mut self, result: Result<JobData, Failure>, totals: Totals) {
        if self.job.take().is_some() {
            self.end = Some(JobEnd { result, totals });
        }
    }

    /// The session stands: the job's request goes out.
    pub(crate) fn on_up<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        link: LinkId,
    ) where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
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
            JobKind::Call { protocol, payload } => (protocol.as_str(), payload.clone()),
            JobKind::Join { request } => ("xferd.join", (request.0)(&session)),
        };
        let (protocol, payload) = (protocol.to_owned(), payload);
        self.ask(core, links, link, protocol, payload);
    }

    fn ask<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        link: LinkId,
        protocol: String,
        payload: Vec<u8>,
    ) where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
        let Some(running) = &mut self.job else { return };
        let id = MessageId::from_random(core.random());
        running.waiting_for = Some(id);
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
    ) where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
        let waiting =
            self.job.as_ref().is_some_and(|job| job.link == Some(link) && job.waiting_for == Some(to));
        if !waiting {
            return links.fail(core, link, Code::InvalidRequest, "a reply that nobody waits for");
        }
        let data = match reply {
            Reply::Success(data) => data.unwrap_or_default(),
            Reply::Protocol(data) => data,
            Reply::Error { code, message, .. } => {
                self.finish(Err(Failure { code, message }), Totals::default());
                return links.bye(core, link);
            }
        };
        let transfer = self
            .job
            .as_ref()
            .map(|running| matches!(running.job.kind, JobKind::Push { .. } | JobKind::Pull { .. }));
        let result = match transfer {
            Some(true) => self.begin_transfer(core, sends, receives, streams, link, &data),
            _ => self.on_data(core, links, link, &data),
        };
        if let Err(error) = result {
            self.finish(Err(error), Totals::default());
            links.bye(core, link);
        }
    }

    /// A reply that is not a transfer's: another page, or the end.
    fn on_data<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        link: LinkId,
        data: &[u8],
    ) -> Result<(), Failure>
    where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
        let Some(running) = &mut self.job else { return Ok(()) };
        if let JobKind::List(request) = &running.job.kind {
            let (_, page) = ListPage::parse(data, &core.settings.limits, &mut running.order)
                .map_err(|error| failure(error.code(), "the listing breaks a rule of the protocol"))?;
            running.pages.push(page.entries);
            if let Some(next) = page.next {
                let request = ListRequest { after: Some(next), ..request.clone() };
                self.ask(core, links, link, list::PROTOCOL.to_owned(), request.encode());
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
    ) -> Result<(), Failure>
    where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
        let reply = OfferReply::parse(data, &core.settings.limits)
            .map_err(|error| failure(error.code(), "the offer's reply breaks a rule of the protocol"))?;
        self.home_there = reply.home;
        let Some(running) = &mut self.job else { return Ok(()) };
        running.begun = true;
        if running.stood {
            running.backoff.on_success();
        }
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
                    obligations: Obligations::NONE,
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
                    owners: *owners,
                    own_root: true,
                    obligations: Obligations::NONE,
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
    ) where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
        let Some(running) = self.job.as_mut().filter(|running| running.link == Some(ended.link)) else {
            return;
        };
        match ended.result {
            Ok((receipt, file)) => {
                self.finish(Ok(JobData::Receipt(Box::new(receipt), file)), ended.totals);
                links.bye(core, ended.link);
            }
            Err(why) if why.code.row().retry => {
                // The link stood: it is opened again with waits of its own, and what is there already stays.
                running.link = None;
                running.waiting_for = None;
                running.begun = false;
                if !std::mem::replace(&mut running.stood, true) {
                    running.backoff = Backoff::new(Policy::LINK);
                }
                running.id = TransferId(core.random());
                self.retry(core, why);
            }
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
    ) where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
        let Some(running) = self.job.as_mut().filter(|running| running.link == Some(link)) else { return };
        let code = code.unwrap_or(Code::ConnectionLost);
        let why = Failure { code, message: detail.to_owned() };
        if running.waiting_for.is_none() {
            // It never stood: the next address may do better, unless somebody said no.
            running.link = None;
            running.last = Some(why.clone());
            if code == Code::Unavailable || code == Code::Timeout {
                running.address += 1;
                return self.dial(core, links);
            }
            return self.retry(core, why);
        }
        // A transfer that has begun ends by itself, with what it moved.
        if !running.begun {
            self.finish(Err(why), Totals::default());
        }
    }

    /// Ended by a signal.
    pub(crate) fn cancel<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>)
    where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
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
