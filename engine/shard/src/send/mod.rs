//! Outgoing transfers: the home that decides what is sent in which order, and the lanes that send it.

mod delta;
mod files;
mod home;
pub(crate) mod lane;
mod pack;
mod ruled;
mod scan;
mod seals;
mod streams;

pub(crate) use scan::{Walk, list, read_link};
pub(crate) use streams::worth as streams_worth;

use crate::command::{CoreStatus, Source};
use crate::decide::{Leave, Watch};
use crate::link::{Link, LinkId};
use crate::links::Links;
use crate::ops::Finish;
use crate::receive::Ended;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::Hooks;
use base::ids::{CoreId, TransferId};
use base::io::Io;
use base::limits::{DATA_AT, Limits};
use home::Home;
use lane::{ChunkOrder, LaneReport, SendLane};
use proto::transfer::offer::Options;
use proto::transfer::receipt::Receipt;
use proto::wire::FrameType;
use std::collections::{BTreeMap, BTreeSet};

/// Names a transfer from any core.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TransferKey {
    /// Its home.
    pub(crate) core: CoreId,
    /// The session's control link there.
    pub(crate) link: LinkId,
    /// Its number in the session.
    pub(crate) number: u32,
}

/// What an outgoing transfer is.
pub(crate) struct SendSpec {
    /// The session's control link; its home is this core.
    pub(crate) link: LinkId,
    /// Number of the transfer in the session.
    pub(crate) number: u32,
    /// Its id.
    pub(crate) id: TransferId,
    /// What to send, sorted by name.
    pub(crate) sources: Vec<Source>,
    /// The copy or sync flags.
    pub(crate) options: Options,
    /// What the decision demands, and which files take part.
    pub(crate) leave: Leave,
    /// What is asked again meanwhile; `None` where nobody else decides.
    pub(crate) watch: Option<Box<Watch>>,
    /// Data streams the client wants; `None` lets the engine choose. Only the client's side opens them.
    pub(crate) streams: Option<u16>,
    /// Most streams both ends can use; 0 on the side that opens none.
    pub(crate) streams_max: u16,
}

/// Between the home of an outgoing transfer and its lanes.
#[derive(Debug)]
pub enum SendMail {
    /// Send this chunk.
    Order {
        /// The lane's link.
        lane: LinkId,
        /// What.
        order: Box<ChunkOrder>,
    },
    /// The receiver has taken this many data bytes of the link.
    Credit {
        /// The lane's link.
        lane: LinkId,
        /// In all.
        bytes: u64,
    },
    /// Forget a transfer.
    Drop {
        /// The lane's link.
        lane: LinkId,
        /// Which.
        home: TransferKey,
    },
    /// From a lane to the home.
    FromLane {
        /// Which transfer.
        home: TransferKey,
        /// What happened.
        report: LaneReport,
    },
}

/// One stream a home may use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct StreamRef {
    pub(crate) core: CoreId,
    pub(crate) link: LinkId,
    /// Number of the stream in its session: 0 for the control connection.
    pub(crate) stream: u16,
}

/// All outgoing transfers and sending lanes of one core.
pub(crate) struct Sends<B> {
    homes: BTreeMap<(LinkId, u32), Home>,
    lanes: BTreeMap<LinkId, SendLane<B>>,
    /// Lanes that had something to do and were not seen idle since.
    busy: BTreeSet<LinkId>,
    ended: Vec<Ended>,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Sends<B> {
    pub(crate) fn new() -> Self {
        Self { homes: BTreeMap::new(), lanes: BTreeMap::new(), busy: BTreeSet::new(), ended: Vec::new() }
    }

    /// Begins a transfer both ends agreed on. `streams` are the session's.
    pub(crate) fn begin<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        spec: SendSpec,
        streams: &[StreamRef],
    ) {
        let key = (spec.link, spec.number);
        self.homes.insert(key, Home::new(core, spec, streams));
    }

    /// Ends a transfer early.
    pub(crate) fn cancel<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        link: LinkId,
        code: Code,
        message: &str,
    ) {
        for (_, home) in self.homes.range_mut((link, 0)..=(link, u32::MAX)) {
            home.fail(code, message.to_owned());
        }
        self.step(core, links);
    }

    /// How many transfers a session has.
    pub(crate) fn of_session(&self, link: LinkId) -> u32 {
        self.homes.range((link, 0)..=(link, u32::MAX)).count() as u32
    }

    /// A Want, Ack, Receipt, a list of pieces or the receiver's times.
    pub(crate) fn on_frame<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        link: LinkId,
        kind: FrameType,
        slot: B,
        data_len: u32,
    ) {
        let data = &slot.as_ref()[DATA_AT as usize..(DATA_AT + data_len) as usize];
        let result = match kind {
            FrameType::Receipt => self.on_receipt(core, links, link, data),
            _ => {
                let Some((number, _)) = data.split_first_chunk::<4>() else {
                    return links.fail(
                        core,
                        link,
                        Code::InvalidRequest,
                        "a transfer message without a transfer",
                    );
                };
                // A transfer that has just ended here may still be spoken of by the peer.
                let Some(home) = self.homes.get_mut(&(link, u32::from_be_bytes(*number))) else { return };
                match kind {
                    FrameType::Want => home.on_want(core, data),
                    FrameType::Pieces => home.on_pieces(data, &core.settings.limits),
                    FrameType::Times => home.times.on_times(data),
                    _ => home.on_ack(core, data),
                }
            }
        };
        drop(slot);
        if let Err(code) = result {
            links.fail(core, link, code, "a transfer message that breaks a rule");
        }
    }

    /// A receipt names its transfer by id.
    fn on_receipt<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        link: LinkId,
        data: &[u8],
    ) -> Result<(), Code> {
        let receipt = Receipt::parse(data, &core.settings.limits).map_err(|error| error.code())?;
        let homes = &mut self.homes.range_mut((link, 0)..=(link, u32::MAX));
        match homes.find(|(_, home)| home.id() == receipt.body.transfer) {
            Some((_, home)) => home.on_receipt(links, receipt),
            None => Ok(()),
        }
    }

    /// A read of a home ended.
    pub(crate) fn on_op<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        key: (LinkId, u32),
        finish: Finish<B>,
    ) {
        if let Some(home) = self.homes.get_mut(&key) {
            home.on_digest(core, links, finish);
        }
    }

    /// A read of a lane ended.
    pub(crate) fn on_lane_op<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        link: LinkId,
        tag: u64,
        finish: Finish<B>,
    ) {
        if let Some(lane) = self.lanes.get_mut(&link) {
            lane.on_read(core, links, tag, finish);
        }
    }

    /// A queued slot of a link was sent.
    pub(crate) fn on_room<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        link: LinkId,
    ) {
        if let Some(lane) = self.lanes.get_mut(&link) {
            lane.pump(core, links);
        }
    }

    /// A link of this core ended.
    pub(crate) fn on_down<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        link: LinkId,
        code: Option<Code>,
        detail: &str,
    ) {
        if let Some(lane) = self.lanes.get_mut(&link) {
            lane.link_down(core, links);
            self.busy.insert(link);
        }
        let code = code.unwrap_or(Code::ConnectionLost);
        for (_, home) in self.homes.range_mut((link, 0)..=(link, u32::MAX)) {
            home.fail(code, detail.to_owned());
        }
    }

    /// A stream of a session stands.
    pub(crate) fn on_stream_up(&mut self, session: LinkId, stream: StreamRef) {
        for (_, home) in self.homes.range_mut((session, 0)..=(session, u32::MAX)) {
            home.add_stream(stream);
        }
    }

    /// A stream of a session ended.
    pub(crate) fn on_stream_down(&mut self, session: LinkId, stream: StreamRef, lost_ns: u64) {
        for (_, home) in self.homes.range_mut((session, 0)..=(session, u32::MAX)) {
            home.remove_stream(stream, lost_ns);
        }
    }

    /// Mail between homes and lanes.
    pub(crate) fn on_mail<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        mail: SendMail,
    ) {
        match mail {
            SendMail::Order { lane, order } => {
                if !links.find(lane).is_some_and(crate::link::Link::is_up) {
                    let (file, chunk, cut) = (order.file, order.chunk, order.cuts());
                    let (code, lane) = (Code::ConnectionLost, (core.id, lane));
                    let report = LaneReport::Failed { file, chunk, code, lane, cut };
                    let mail = SendMail::FromLane { home: order.home, report };
                    return core.post(order.home.core, crate::mailbox::Mail::Send(mail));
                }
                self.busy.insert(lane);
                let lane = self.lanes.entry(lane).or_insert_with(|| SendLane::new(lane));
                lane.push(*order);
                lane.pump(core, links);
            }
            SendMail::Credit { lane, bytes } => {
                if let Some(lane) = self.lanes.get_mut(&lane) {
                    lane.on_credit(bytes);
                    lane.pump(core, links);
                }
            }
            SendMail::Drop { lane, home } => match self.lanes.get_mut(&lane) {
                Some(lane) => lane.drop_transfer(core, links, home),
                None => {
                    let mail =
                        SendMail::FromLane { home, report: LaneReport::Dropped { lane: (core.id, lane) } };
                    core.post(home.core, crate::mailbox::Mail::Send(mail));
                }
            },
            SendMail::FromLane { home, report } => {
                if let Some(home) = self.homes.get_mut(&(home.link, home.number)) {
                    home.on_report(core, report);
                }
            }
        }
    }

    /// Whatever can go on, goes on; ended transfers are collected.
    pub(crate) fn step<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        self.busy.retain(|link| {
            let Some(lane) = self.lanes.get_mut(link) else { return false };
            if lane.hungry {
                lane.pump(core, links);
            }
            let (idle, gone) = (lane.is_idle(), !links.find(*link).is_some_and(Link::is_up));
            if idle && gone {
                self.lanes.remove(link);
            }
            !idle
        });
        let keys: Vec<_> = self.homes.keys().copied().collect();
        for key in keys {
            let Some(home) = self.homes.get_mut(&key) else { continue };
            let lane = self.lanes.entry(key.0).or_insert_with(|| SendLane::new(key.0));
            home.step(core, links, lane);
            if let Some(ended) = home.ended(core) {
                self.homes.remove(&key);
                self.busy.insert(key.0);
                self.ended.push(ended);
            }
        }
    }

    /// A transfer that has ended, once.
    pub(crate) fn ended(&mut self) -> Option<Ended> {
        self.ended.pop()
    }

    /// A session that would gain from data streams, and how many; asked after each step.
    pub(crate) fn wants_streams(&mut self, limits: &Limits) -> Option<(LinkId, u16)> {
        self.homes.iter_mut().find_map(|(key, home)| Some((key.0, home.wants_streams(limits)?)))
    }

    /// Whether a transfer or a lane is at work.
    pub(crate) fn is_busy(&self) -> bool {
        !self.homes.is_empty() || !self.busy.is_empty()
    }

    /// When a step is due without any other cause, monotonic ns.
    pub(crate) fn deadline_ns(&self, limits: &Limits) -> u64 {
        self.homes.values().map(|home| home.deadline_ns(limits)).min().unwrap_or(u64::MAX)
    }

    /// Adds what runs here.
    pub(crate) fn status(&self, links: &Links<B>, status: &mut CoreStatus) {
        for (key, home) in &self.homes {
            status.transfers += 1;
            if let Some(peer) = links.peer(key.0) {
                status.running.push(home.running(peer.account.clone()));
            }
        }
    }
}
