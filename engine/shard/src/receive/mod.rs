//! Incoming transfers: the home that decides, verifies and publishes, and the lanes that write.

mod batch;
mod compare;
mod counts;
mod delete;
mod delta;
mod finish;
mod home;
mod journal;
pub(crate) mod lane;
mod publish;
mod rebuild;
mod resume;
mod ruled;
mod stage;
mod unpack;

pub(crate) use stage::hash;

use crate::command::{CoreStatus, Failure, Totals};
use crate::decide::{Leave, Watch};
use crate::guard::Guard;
use crate::link::{LinkId, Role};
use crate::links::Links;
use crate::ops::Finish;
use crate::send::{StreamRef, TransferKey};
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Hooks, Reply, StageTimes, Ticket};
use base::ids::{ChunkIndex, CoreId, DeviceId, FileIndex, PartId, TransferId, Value};
use base::io::{Fd, Io};
use base::limits::{DATA_AT, Limits};
use home::Home;
use lane::{Grant, ReceiveLane};
use proto::transfer::offer::{Durability, Options};
use proto::transfer::pack;
use proto::transfer::receipt::Receipt;
use proto::wire::{FrameType, Trailer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What an incoming transfer is.
pub(crate) struct ReceiveSpec {
    /// The session's control link; its home is this core.
    pub(crate) link: LinkId,
    /// Number of the transfer in the session.
    pub(crate) number: u32,
    /// Its id.
    pub(crate) id: TransferId,
    /// The sender's device.
    pub(crate) peer: DeviceId,
    /// The directory all paths lie beneath; not closed by the transfer.
    pub(crate) root: Fd,
    /// Name of the share, or the local root of a pull: for part ids and journals.
    pub(crate) anchor: Arc<str>,
    /// As in the offer: for the receipt.
    pub(crate) offered: String,
    /// Destination beneath `root`: the entry of path `""` is this very name, others lie below it.
    pub(crate) destination: Vec<u8>,
    /// The copy or sync flags.
    pub(crate) options: Options,
    /// What is reached, after the share's minimum.
    pub(crate) durability: Durability,
    /// Whose bytes are counted; `None` in a dry run and where nobody counts.
    pub(crate) account: Option<Arc<str>>,
    /// Owners, groups and setuid bits may be applied.
    pub(crate) owners: bool,
    /// The root itself is the destination's, not a share's: its metadata is set too.
    pub(crate) own_root: bool,
    /// What the decision demands, and which files take part.
    pub(crate) leave: Leave,
    /// Which files are stored elsewhere: fixed while files are on their way.
    pub(crate) places: Guard,
    /// What is asked again meanwhile; `None` where nobody else decides.
    pub(crate) watch: Option<Box<Watch>>,
    /// Data streams the client wants; `None` lets the engine choose. Only the client's side opens them.
    pub(crate) streams: Option<u16>,
    /// Most streams both ends can use; 0 on the side that opens none.
    pub(crate) streams_max: u16,
}

/// Between the home of an incoming transfer and its lanes.
#[derive(Debug)]
pub enum ReceiveMail {
    /// A lane got the first record of a file.
    Need { home: TransferKey, file: FileIndex, lane: LinkId, lane_core: CoreId },
    /// The answer: `None`, its records are dropped.
    Grant { lane: LinkId, home: TransferKey, file: FileIndex, grant: Option<Grant> },
    /// A chunk is written whole.
    Done {
        home: TransferKey,
        file: FileIndex,
        chunk: ChunkIndex,
        own: Value,
        theirs: Value,
        len: u32,
        copied: u32,
        stream: u16,
        taken: u64,
        stages: StageTimes,
    },
    /// A chunk could not be written.
    Failed { home: TransferKey, file: FileIndex, code: Code },
    /// Data bytes taken from a stream.
    Credit { home: TransferKey, stream: u16, bytes: u64 },
    /// The home wants a descriptor back.
    Release { lane: LinkId, home: TransferKey, file: FileIndex },
    /// The lane does not touch it any more.
    Released { home: TransferKey, file: FileIndex, lane: LinkId, lane_core: CoreId },
    /// The home ends.
    Drop { lane: LinkId, home: TransferKey },
    /// The lane does not touch anything of it any more.
    Dropped { home: TransferKey, lane: LinkId, lane_core: CoreId },
}

/// How a transfer ended.
pub(crate) struct Ended {
    pub(crate) link: LinkId,
    /// The receipt and the receipt file's bytes, or why not.
    pub(crate) result: Result<(Receipt, Vec<u8>), Failure>,
    pub(crate) totals: Totals,
}

/// All incoming transfers and receiving lanes of one core.
pub(crate) struct Receives<B> {
    homes: BTreeMap<(LinkId, u32), Home<B>>,
    lanes: BTreeMap<LinkId, ReceiveLane<B>>,
    ended: Vec<Ended>,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Receives<B> {
    pub(crate) fn new() -> Self {
        Self { homes: BTreeMap::new(), lanes: BTreeMap::new(), ended: Vec::new() }
    }

    /// Begins a transfer both ends agreed on.
    pub(crate) fn begin<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        spec: ReceiveSpec,
        streams: &[StreamRef],
    ) {
        self.homes.insert((spec.link, spec.number), Home::new(core, spec, streams));
    }

    /// Ends a session's transfers early.
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

    fn lane(&mut self, core: CoreId, links: &Links<B>, link: LinkId) -> Option<&mut ReceiveLane<B>> {
        let stream = links.find(link)?.up()?.stream;
        Some(self.lanes.entry(link).or_insert_with(|| ReceiveLane::new(link, core, stream)))
    }

    /// A Chunk or Pack came; its slot is lent.
    pub(crate) fn on_data<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        link: LinkId,
        mut slot: B,
        data_len: u32,
        trailer: Trailer,
    ) {
        let Some(role) = links.find(link).map(|link| link.role) else { return };
        let at = core.id;
        match (trailer, role) {
            (Trailer::Chunk(trailer), role) => {
                let home = match role {
                    Role::Control => TransferKey { core: core.id, link, number: trailer.transfer },
                    Role::Stream { session, home, .. } => {
                        TransferKey { core: home, link: session, number: trailer.transfer }
                    }
                };
                let Some(lane) = self.lane(at, links, link) else { return };
                lane.on_chunk(core, links, home, slot, data_len, trailer);
            }
            (Trailer::Pack(trailer), Role::Control) => {
                let home = TransferKey { core: core.id, link, number: trailer.transfer };
                let mut data_len = data_len;
                if let Some(receiver) = self.homes.get_mut(&(link, trailer.transfer)) {
                    let expanded = receiver.expand(core, &mut slot, data_len, &trailer);
                    data_len = match expanded {
                        Ok(len) => len,
                        Err(error) => return links.fail(core, link, error.code(), error.detail()),
                    };
                    let result = receiver.on_pack(core, links, slot, data_len, &trailer);
                    if let Err(code) = result {
                        return links.fail(core, link, code, "a pack that breaks a rule");
                    }
                } else {
                    drop(slot);
                    links.release(core, link);
                    if trailer.flags.zstd() {
                        data_len = pack::data_bytes(&trailer).min(u64::from(u32::MAX)) as u32;
                    }
                }
                if let Some(lane) = self.lane(at, links, link) {
                    lane.count(core, home, data_len);
                }
            }
            _ => links.fail(core, link, Code::InvalidRequest, "a pack on a data stream"),
        }
    }

    /// Whether a message speaks of a transfer that comes in here.
    pub(crate) fn has(&self, link: LinkId, slot: &B) -> bool {
        let number = slot.as_ref().get(DATA_AT as usize..).and_then(<[u8]>::first_chunk::<4>);
        number.is_some_and(|number| self.homes.contains_key(&(link, u32::from_be_bytes(*number))))
    }

    /// Entries, a Seal, a Manifest, the sender's times, or that no more pieces are wanted.
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
        let Some((number, _)) = data.split_first_chunk::<4>() else {
            return links.fail(core, link, Code::InvalidRequest, "a transfer message without a transfer");
        };
        // A transfer that has just ended here may still be spoken of by the peer.
        let Some(home) = self.homes.get_mut(&(link, u32::from_be_bytes(*number))) else { return };
        let result = match kind {
            FrameType::Entries => home.on_entries(core, data),
            FrameType::Seal => home.on_seal(core, links, data),
            FrameType::Pieces => home.on_pieces(data, &core.settings.limits),
            FrameType::Times => home.times.on_times(data),
            _ => Err(Code::InvalidRequest),
        };
        drop(slot);
        if let Err(code) = result {
            links.fail(core, link, code, "a transfer message that breaks a rule");
        }
    }

    /// An operation of a home ended.
    pub(crate) fn on_op<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        key: (LinkId, u32),
        tag: u64,
        finish: Finish<B>,
    ) {
        if let Some(home) = self.homes.get_mut(&key) {
            home.on_op(core, links, tag, finish);
        }
    }

    /// A write of a lane ended.
    pub(crate) fn on_lane_op<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        link: LinkId,
        tag: u64,
        finish: Finish<B>,
    ) {
        if let Some(lane) = self.lanes.get_mut(&link) {
            lane.on_written(core, links, tag, finish);
        }
    }

    /// A link of this core ended.
    pub(crate) fn on_down(&mut self, link: LinkId, code: Option<Code>, detail: &str) {
        if let Some(lane) = self.lanes.get_mut(&link) {
            lane.link_down();
        }
        let code = code.unwrap_or(Code::ConnectionLost);
        for (_, home) in self.homes.range_mut((link, 0)..=(link, u32::MAX)) {
            home.fail(code, detail.to_owned());
        }
    }

    /// An answer of the store. `false`: it is for somebody else.
    pub(crate) fn on_reply<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        ticket: Ticket,
        reply: &Reply,
    ) -> bool {
        self.homes.values_mut().any(|home| home.on_reply(core, links, ticket, reply))
    }

    /// A newer transfer of the same device takes a part over: the older one ends. It may have the part by now, because
    /// the older one ended by itself.
    pub(crate) fn on_yield(&mut self, part: PartId, to: TransferId) {
        for home in self.homes.values_mut().filter(|home| home.holds(part) && !home.is(to)) {
            let message = "the same file is being sent again: the newer transfer took over".to_owned();
            home.fail(Code::Superseded, message);
        }
    }

    /// A stream of a session stands.
    pub(crate) fn on_stream_up(&mut self, session: LinkId, stream: StreamRef) {
        for (_, home) in self.homes.range_mut((session, 0)..=(session, u32::MAX)) {
            home.add_stream(stream);
        }
    }

    /// Mail between homes and lanes.
    pub(crate) fn on_mail<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        mail: ReceiveMail,
    ) {
        use ReceiveMail as M;
        match mail {
            M::Grant { lane, home, file, grant } => {
                if let Some(lane) = self.lanes.get_mut(&lane) {
                    lane.on_grant(core, links, home, file, grant);
                }
            }
            M::Release { lane, home, file } => match self.lanes.get_mut(&lane) {
                Some(lane) => lane.on_release(core, links, home, file),
                None => {
                    let mail = M::Released { home, file, lane, lane_core: core.id };
                    core.post(home.core, crate::mailbox::Mail::Receive(mail));
                }
            },
            M::Drop { lane, home } => match self.lanes.get_mut(&lane) {
                Some(lane) => lane.on_drop(core, links, home),
                None => {
                    let mail = M::Dropped { home, lane, lane_core: core.id };
                    core.post(home.core, crate::mailbox::Mail::Receive(mail));
                }
            },
            M::Need { home, file, lane, lane_core } => match self.homes.get_mut(&(home.link, home.number)) {
                Some(receiver) => receiver.on_need(core, file, lane, lane_core),
                None => {
                    let mail = M::Grant { lane, home, file, grant: None };
                    core.post(lane_core, crate::mailbox::Mail::Receive(mail));
                }
            },
            M::Done { home, file, chunk, own, theirs, len, copied, stream, taken, stages } => {
                if let Some(home) = self.homes.get_mut(&(home.link, home.number)) {
                    home.on_chunk(core, links, (file, chunk), (own, theirs), (len, copied));
                    home.on_credit(stream, taken);
                    home.totals.stages.merge(&stages);
                }
            }
            M::Failed { home, file, code } => {
                if let Some(home) = self.homes.get_mut(&(home.link, home.number)) {
                    home.on_write_failed(file, code);
                }
            }
            M::Credit { home, stream, bytes } => {
                if let Some(home) = self.homes.get_mut(&(home.link, home.number)) {
                    home.on_credit(stream, bytes);
                }
            }
            M::Released { home, file, lane, lane_core } => {
                if let Some(home) = self.homes.get_mut(&(home.link, home.number)) {
                    home.on_released(core, file, lane, lane_core);
                }
            }
            M::Dropped { home, lane, lane_core } => {
                if let Some(home) = self.homes.get_mut(&(home.link, home.number)) {
                    home.on_dropped(lane, lane_core);
                }
            }
        }
    }

    /// Whatever can go on, goes on; ended transfers are collected.
    pub(crate) fn step<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        for lane in self.lanes.values_mut().filter(|lane| lane.rebuild.hungry) {
            lane.rebuild_on(core, links);
        }
        self.lanes.retain(|link, lane| links.find(*link).is_some() || !lane.is_idle());
        let keys: Vec<_> = self.homes.keys().copied().collect();
        for key in keys {
            let Some(home) = self.homes.get_mut(&key) else { continue };
            home.step(core, links);
            if let Some(ended) = home.ended(core) {
                self.homes.remove(&key);
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
        !self.homes.is_empty() || self.lanes.values().any(|lane| !lane.is_idle())
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
