//! The home of one outgoing transfer.
//!
//! ```text
//! scan -> Entries -> (Want) -> packs  -> Pack  on the control link
//!                           -> files  -> Chunk on the lanes        -> roots -> Seal -> (Ack published)
//! ```
//!
//! Everything is bounded: entries without a Want, wanted entries without `published`, orders per lane.

use super::delta::WantedDelta;
use super::files::{Files, Wanted};
use super::lane::{LaneAt, LaneReport, SendLane};
use super::ruled::Origins;
use super::scan::{Found, Place, Scan};
use super::seals::{Item, Seals, Signing};
use super::streams::Lane;
use super::{SendMail, SendSpec, StreamRef, TransferKey, pack};
use crate::command::{Failure, RunningTransfer, Totals};
use crate::digest::Digest;
use crate::dirs::Dirs;
use crate::links::{Links, MS};
use crate::mailbox::Mail;
use crate::ops::{Finish, Owner};
use crate::receive::Ended;
use crate::squeeze::Worth;
use crate::times::BothTimes;
use crate::tools::Core;
use base::codes::Code;
use base::entry::{Entry, Kind};
use base::hooks::{Event, FileAction, Hooks, StageTimes};
use base::ids::{ChunkIndex, FileIndex, TransferId, Value};
use base::io::{Act, Errno, How, Io};
use base::name::{Name, RelPath};
use proto::transfer::ack::{Ack, Level};
use proto::transfer::entries::{EntriesWriter, OwnerNames, PushError};
use proto::transfer::receipt::Receipt;
use proto::transfer::receipt_file::ReceiptWriter;
use proto::transfer::want::{Verdict, Want};
use proto::wire::FrameType;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// The home.
pub(crate) struct Home {
    pub(super) key: TransferKey,
    pub(super) spec: SendSpec,
    pub(super) dirs: Dirs,
    pub(super) origins: Origins,
    scan: Scan,
    writer: EntriesWriter,
    /// Entries in `writer`.
    written: Vec<Item>,
    /// Batches without a Want, in order; the first entry of the first is the next to be answered.
    unanswered: VecDeque<VecDeque<Item>>,
    sequence: u32,
    next_index: u32,
    entries_ended: bool,
    pub(super) packs: VecDeque<FileIndex>,
    pub(super) files: Files,
    pub(super) seals: Seals,
    /// Files that were read twice because they changed.
    pub(super) retried: BTreeSet<FileIndex>,
    /// Where the receiver's time goes.
    pub(super) times: BothTimes,
    /// Whether compressing packs pays.
    pub(super) worth: Worth,
    pub(super) lanes: Vec<Lane>,
    /// Chunks sent on data streams that the receiver has not named: they go with their stream.
    pub(super) in_transit: BTreeMap<(FileIndex, ChunkIndex), LaneAt>,
    /// Streams that went away, and when what they carried counts as lost (monotonic ns).
    pub(super) gone: VecDeque<(LaneAt, u64)>,
    pub(super) streams_asked: bool,
    /// What the seals cover, for the receipt file.
    list: Option<ReceiptWriter>,
    /// Files that could not be read and whose receiver has not been told.
    failures: Vec<(FileIndex, Code)>,
    /// The entry whose content is being hashed before it is offered (`--checksum`).
    digest: Option<(Digest, Entry, Place)>,
    pub(crate) totals: Totals,
    pub(super) bytes_known: u64,
    pub(super) bytes_offered: u64,
    pub(super) files_offered: u64,
    files_known: u64,
    files_done: u64,
    progress_ns: u64,
    pub(super) result: Option<Result<(Receipt, Vec<u8>), Failure>>,
    dropped: bool,
}

impl Home {
    pub(super) fn new<I: Io, H: Hooks>(
        core: &mut Core<I, H>,
        mut spec: SendSpec,
        streams: &[StreamRef],
    ) -> Self {
        let key = TransferKey { core: core.id, link: spec.link, number: spec.number };
        let sources = core::mem::take(&mut spec.sources);
        let origins = Origins::of(&sources);
        let scan = Scan::new(sources, spec.options.clone());
        let limits = &core.settings.limits;
        let control = StreamRef { core: core.id, link: spec.link, stream: 0 };
        let lanes = core::iter::once(&control)
            .chain(streams)
            .map(|stream| Lane { stream: *stream, orders: 0, dropping: false })
            .collect();
        Self {
            key,
            dirs: Dirs::new(core.settings.limits.directories_open_max),
            origins,
            scan,
            writer: match spec.options.checksum {
                true => EntriesWriter::new(limits, key.number, 0, 0).with_roots(),
                false => EntriesWriter::new(limits, key.number, 0, 0),
            },
            written: Vec::new(),
            unanswered: VecDeque::new(),
            sequence: 0,
            next_index: 0,
            entries_ended: false,
            packs: VecDeque::new(),
            files: Files::default(),
            seals: Seals::new(),
            retried: BTreeSet::new(),
            times: BothTimes::default(),
            worth: Worth::default(),
            lanes,
            in_transit: BTreeMap::new(),
            gone: VecDeque::new(),
            streams_asked: false,
            list: None,
            failures: Vec::new(),
            digest: None,
            totals: Totals::default(),
            bytes_known: 0,
            bytes_offered: 0,
            files_offered: 0,
            files_known: 0,
            files_done: 0,
            progress_ns: 0,
            result: None,
            dropped: false,
            spec,
        }
    }

    /// Does everything that can be done.
    pub(super) fn step<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        lane: &mut SendLane<I::Buf>,
    ) {
        self.dirs.settle(core);
        if self.result.is_some() {
            return self.wind_down(core);
        }
        self.look(core, links);
        if self.result.is_some() {
            return self.wind_down(core);
        }
        self.scan_on(core, links);
        self.send_lost(core.now.mono_ns);
        self.open_files(core);
        self.stop_deltas(core, links);
        self.hand_out(core);
        self.finish_files(core);
        self.send_packs(core, links, lane);
        self.totals.stages.merge(&links.take_stages(self.key.link));
        for (file, code) in core::mem::take(&mut self.failures) {
            pack::send_failure(self, core, links, file, code);
        }
        self.send_seals(core, links);
        self.progress(core);
        self.times.tell(core, links, self.key, &self.totals.stages);
    }

    /// Walks on while the receiver keeps up.
    fn scan_on<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>) {
        let limits = core.settings.limits.clone();
        let mut budget = limits.entries_batch_max;
        self.digest_on(core);
        while !self.entries_ended
            && budget > 0
            && self.digest.is_none()
            && self.unanswered.len() < limits.entries_unanswered_max as usize
            && self.seals.pending() < limits.seals_pending_max as usize
        {
            budget -= 1;
            self.dirs.settle(core);
            let Some(found) = self.scan.next(core, &mut self.dirs) else {
                self.entries_ended = true;
                return self.flush_entries(core, links);
            };
            match found {
                Found::Entry(entry, place) if let Some(words) = self.denied(&entry) => {
                    self.keep_back(core, &entry, &words);
                    if let Some(place) = place {
                        self.dirs.release(place.dir);
                    }
                }
                Found::Entry(entry, _) if let Some(words) = self.exceeded(&entry) => {
                    return self.fail(Code::TooLarge, format!("{words}; ask for less at once"));
                }
                Found::Entry(entry, Some(place)) if self.spec.options.checksum && entry.size > 0 => {
                    self.begin_digest(core, entry, place);
                }
                Found::Entry(entry, place) => {
                    let (index, action) = (FileIndex(self.next_index), FileAction::Created);
                    let item = Item { index, entry, place, action, reused: 0 };
                    self.add_entry(core, links, item, Value::default());
                }
                Found::Skipped { path, why } => {
                    self.totals.count(FileAction::Skipped);
                    self.report(core, &path, None, FileAction::Skipped, None);
                    let message = format!("left out: {why}");
                    core.hooks.event(&Event::Warning {
                        code: Code::InvalidRequest,
                        message: &message,
                        path: Some(&path),
                    });
                }
                Found::Failed { path, code } => self.count_failure(core, &path, code),
            }
        }
        if self.unanswered.is_empty() && !self.writer.is_empty() {
            // The receiver waits: a small tree shall not wait for a full batch.
            self.flush_entries(core, links);
        }
    }

    /// Counts what is offered; the bound of the decision that it breaks.
    fn exceeded(&mut self, entry: &Entry) -> Option<String> {
        self.bytes_offered += entry.size;
        self.files_offered += u64::from(entry.kind != Kind::Directory);
        self.over_limit()
    }

    /// Names in the next batch what a rule keeps back.
    pub(super) fn deny_entry(&mut self, path: &[u8], words: &str) {
        self.writer.deny(path, words);
    }

    /// Entries that were offered and are not done.
    pub(super) fn on_their_way(&self) -> impl Iterator<Item = &Entry> + '_ {
        let offered = self.written.iter().chain(self.unanswered.iter().flatten());
        offered.chain(self.seals.items()).map(|item| &item.entry)
    }

    fn add_entry<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        item: Item,
        root: Value,
    ) {
        let (owner, group) = (self.spec.options.owner, self.spec.options.group);
        let user = owner.then(|| core.hooks.owner_name(item.entry.uid, false)).flatten();
        let group = group.then(|| core.hooks.owner_name(item.entry.gid, true)).flatten();
        let names = OwnerNames { user: user.as_deref(), group: group.as_deref() };
        let mut pushed = self.writer.push_root(&item.entry, names, root);
        if pushed == Err(PushError::Full) {
            self.flush_entries(core, links);
            pushed = self.writer.push_root(&item.entry, names, root);
        }
        match pushed {
            Ok(()) => {
                self.next_index += 1;
                self.files_known += 1;
                self.written.push(item);
            }
            Err(PushError::Entry(error)) => {
                self.count_failure(core, &item.entry.path, error.code());
                self.release(item);
            }
            Err(PushError::Full) => {
                self.count_failure(core, &item.entry.path, Code::TooLarge);
                self.release(item);
            }
        }
    }

    /// Sends the batch of entries that is being filled.
    fn flush_entries<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>) {
        if self.writer.is_empty() && !self.entries_ended {
            return;
        }
        self.sequence += 1;
        let next = EntriesWriter::new(&core.settings.limits, self.key.number, self.sequence, self.next_index);
        let next = if self.spec.options.checksum { next.with_roots() } else { next };
        let writer = core::mem::replace(&mut self.writer, next);
        if !self.written.is_empty() {
            self.unanswered.push_back(core::mem::take(&mut self.written).into());
        }
        let bytes = writer.finish(self.entries_ended, self.scan.failed_reads);
        links.send_bytes(core, self.key.link, FrameType::Entries, &bytes);
    }

    /// Hashes a file before its entry is offered.
    fn begin_digest<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, entry: Entry, place: Place) {
        let opened = self.dirs.fd(core, place.dir).and_then(|dir| {
            let name = Name::new(&place.name).map_err(|_| Errno::INVAL)?;
            core.open(|batch| {
                let path = batch.path(RelPath::from(name));
                Act::Open { dir, path, how: How::Read }
            })
        });
        match opened {
            Ok(fd) => {
                self.digest = Some((Digest::new(fd, entry.size), entry, place));
                self.digest_on(core);
            }
            Err(errno) => self.unreadable(core, &entry, place, errno),
        }
    }

    fn unreadable<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        entry: &Entry,
        place: Place,
        errno: Errno,
    ) {
        self.scan.failed_reads |= errno != Errno::NOENT;
        let code = if errno == Errno::NOENT { Code::Vanished } else { Code::from_errno(errno) };
        self.count_failure(core, &entry.path, code);
        self.dirs.release(place.dir);
    }

    fn digest_on<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let owner = Owner::Send { link: self.key.link, number: self.key.number };
        if let Some((digest, ..)) = &mut self.digest {
            digest.read_on(core, owner);
        }
    }

    /// A read of the digest ended.
    pub(super) fn on_digest<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        finish: Finish<I::Buf>,
    ) where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
        let Some((digest, ..)) = &mut self.digest else { return };
        let ended = digest.on_read(&finish);
        drop(finish);
        let Some(result) = ended else { return self.digest_on(core) };
        let Some((digest, entry, place)) = self.digest.take() else { return };
        core.close_now(digest.fd);
        match result {
            Ok(root) => {
                let (index, action) = (FileIndex(self.next_index), FileAction::Created);
                let item = Item { index, entry, place: Some(place), action, reused: 0 };
                self.add_entry(core, links, item, root);
            }
            Err(errno) => self.unreadable(core, &entry, place, errno),
        }
    }

    /// The receiver's verdicts.
    pub(super) fn on_want<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        data: &[u8],
    ) -> Result<(), Code> {
        let limits = core.settings.limits.clone();
        let want = Want::parse(data, &limits).map_err(|error| error.code())?;
        for (index, verdict) in want.iter() {
            let next = self.unanswered.front().and_then(VecDeque::front).map(|item| item.index);
            if next != Some(index) {
                self.on_wanted_again(index, verdict)?;
                continue;
            }
            let Some(batch) = self.unanswered.front_mut() else { continue };
            let Some(item) = batch.pop_front() else { continue };
            if batch.is_empty() {
                self.unanswered.pop_front();
            }
            let delta = self.wanted_delta(&item.entry, verdict, &limits)?;
            self.on_verdict(core, item, verdict, delta);
        }
        Ok(())
    }

    fn on_verdict<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        mut item: Item,
        verdict: &Verdict,
        delta: Option<Box<WantedDelta>>,
    ) {
        let (index, size) = (item.index, item.entry.size);
        let ranges = match verdict {
            Verdict::Nothing => return self.settle(core, item, FileAction::Unchanged),
            Verdict::Metadata => return self.settle(core, item, FileAction::Metadata),
            Verdict::Made => return self.settle(core, item, FileAction::Created),
            Verdict::All if self.spec.options.dry_run => return self.settle(core, item, FileAction::Created),
            Verdict::Replace if self.spec.options.dry_run => {
                return self.settle(core, item, FileAction::Replaced);
            }
            Verdict::Refused(code) => {
                self.count_failure(core, &item.entry.path, *code);
                return self.release(item);
            }
            Verdict::Denied(words) => {
                let (code, message) = (Code::AccessDenied, format!("refused by the other end: {words}"));
                let path = Some(&item.entry.path[..]);
                core.hooks.event(&Event::Warning { code, message: &message, path });
                self.count_failure(core, &item.entry.path, code);
                return self.release(item);
            }
            Verdict::Ranges(ranges) => Some(ranges.clone()),
            Verdict::Replace => {
                item.action = FileAction::Replaced;
                None
            }
            Verdict::Pieces { ranges, .. } => {
                item.action = FileAction::Replaced;
                Some(ranges.clone()).filter(|ranges| !ranges.is_empty())
            }
            Verdict::All | Verdict::Manifest => None,
        };
        let (file, packed) = (item.entry.kind == Kind::File, item.entry.chunk_log2 == 0);
        self.seals.add(item, &core.settings.limits, core.now.mono_ns);
        if file {
            self.bytes_known += size;
            match packed {
                true => self.packs.push_back(index),
                false => self.files.wanted.push_back(Wanted { index, ranges, again: false, delta }),
            }
        }
    }

    /// A batch that did not hold is asked for once more.
    fn on_wanted_again(&mut self, index: FileIndex, verdict: &Verdict) -> Result<(), Code> {
        let ranges = match verdict {
            Verdict::All | Verdict::Replace => None,
            Verdict::Ranges(ranges) => Some(ranges.clone()),
            _ => return Err(Code::InvalidRequest),
        };
        if let Some(ranges) = &ranges
            && let Some(open) = self.files.open.get_mut(&index)
            && open.delta.is_some()
        {
            return if open.ask_whole(ranges) { Ok(()) } else { Err(Code::InvalidRequest) };
        }
        if !self.seals.again(index) {
            return Err(Code::InvalidRequest);
        }
        let Some(item) = self.seals.item(index) else { return Err(Code::InvalidRequest) };
        match (item.entry.kind, item.entry.chunk_log2) {
            (Kind::File, 0) => self.packs.push_back(index),
            (Kind::File, _) => {
                self.files.wanted.push_back(Wanted { index, ranges, again: true, delta: None })
            }
            _ => {}
        }
        Ok(())
    }

    /// What the receiver has.
    pub(super) fn on_ack<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, data: &[u8]) -> Result<(), Code> {
        let ack = Ack::parse(data, &core.settings.limits).map_err(|error| error.code())?;
        for &(stream, bytes) in ack.streams() {
            if let Some(lane) = self.lanes.iter().find(|lane| lane.stream.stream == stream) {
                let mail = SendMail::Credit { lane: lane.stream.link, bytes };
                core.post(lane.stream.core, Mail::Send(mail));
            }
        }
        for &(file, code) in ack.failed() {
            self.fail_item(core, file, code);
        }
        for range in ack.ranges() {
            self.on_arrived(range);
        }
        self.on_deleted(core, &ack)?;
        if ack.level != Level::Published {
            return Ok(());
        }
        let mut done = Vec::new();
        for range in ack.ranges() {
            let known = self.seals.published(range, |item, root| {
                done.push((
                    core::mem::take(&mut item.entry.path),
                    item.entry.kind,
                    item.entry.size,
                    root,
                    item.place.take(),
                    item.action,
                    item.reused,
                ));
            });
            if !known {
                return Err(Code::InvalidRequest);
            }
        }
        for (path, kind, size, root, place, action, reused) in done {
            self.files_done += 1;
            self.totals.count(action);
            let transfer = self.spec.id;
            core.hooks.event(&Event::File {
                transfer,
                path: &path,
                kind: Some(kind),
                action,
                size,
                root,
                bytes_sent: size - reused,
                bytes_resumed: 0,
                bytes_reused: reused,
                code: None,
            });
            if let Some(place) = place {
                self.dirs.release(place.dir);
            }
        }
        Ok(())
    }

    /// Names that the receiver deleted, or would.
    fn on_deleted<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, ack: &Ack) -> Result<(), Code> {
        let says = ack.delete_limited || !ack.deleted().is_empty();
        if says && !self.spec.options.delete {
            return Err(Code::InvalidRequest);
        }
        self.totals.delete_limited |= ack.delete_limited;
        for deletion in ack.deleted() {
            let action = if deletion.failed.is_some() { FileAction::Failed } else { FileAction::Deleted };
            self.totals.count(action);
            self.report(core, &deletion.path, deletion.kind, action, deletion.failed);
        }
        Ok(())
    }

    /// The receiver's signed account: the transfer is over.
    pub(super) fn on_receipt<B: AsRef<[u8]> + AsMut<[u8]>>(
        &mut self,
        links: &Links<B>,
        receipt: Receipt,
    ) -> Result<(), Code> {
        let Some(up) = links.find(self.key.link).and_then(crate::link::Link::up) else { return Ok(()) };
        let Some(key) = &up.peer_key else { return Err(Code::AuthRequired) };
        receipt.verify(key).map_err(|error| error.code())?;
        let whole = self.entries_ended && self.seals.pending() == 0 && self.unanswered.is_empty();
        if receipt.body.session != up.peer.session || !whole {
            return Err(Code::InvalidRequest);
        }
        self.times.heard(receipt.body.stages_ms);
        let mut list = self.list.take().unwrap_or_else(|| ReceiptWriter::new(key));
        let (merkle, seals) = (list.seals().root(), list.seals().count());
        if (receipt.body.merkle, receipt.body.seals) != (merkle, seals) {
            return Err(Code::Integrity);
        }
        list.finish(&receipt);
        self.result.get_or_insert_with(|| Ok((receipt, list.take())));
        Ok(())
    }

    /// Its id.
    pub(super) fn id(&self) -> TransferId {
        self.spec.id
    }

    /// A lane's report.
    pub(super) fn on_report<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, report: LaneReport) {
        let count = |lanes: &mut Vec<Lane>, at: LaneAt| {
            if let Some(lane) = lanes.iter_mut().find(|lane| lane.at() == at) {
                lane.orders = lane.orders.saturating_sub(1);
            }
        };
        match report {
            LaneReport::Done { file, chunk, value, cut: Some(pieces), stages, .. } => {
                self.totals.stages.merge(&stages);
                if let Some(open) = self.files.open.get_mut(&file) {
                    open.on_cut(chunk, value, pieces);
                }
            }
            LaneReport::Done { file, chunk, value, carried, sent, lane, stages, .. } => {
                count(&mut self.lanes, lane);
                self.on_carried(file, chunk, lane, carried);
                self.totals.bytes += sent;
                self.totals.stages.merge(&stages);
                if let Some(open) = self.files.open.get_mut(&file) {
                    open.on_done(chunk, value, sent);
                }
            }
            LaneReport::Failed { file, code, cut: true, .. } => {
                if let Some(open) = self.files.open.get_mut(&file) {
                    open.on_cut_failed(code);
                }
            }
            LaneReport::Failed { file, chunk, code, lane, .. } => {
                count(&mut self.lanes, lane);
                if let Some(open) = self.files.open.get_mut(&file) {
                    open.on_failed(chunk, code);
                }
            }
            LaneReport::Dropped { lane } => self.lanes.retain(|other| !other.dropping || other.at() != lane),
        }
        self.finish_files(core);
        if self.result.is_none() {
            self.hand_out(core);
        }
    }

    /// A source could not be read: the receiver must hear of it.
    pub(super) fn on_read_failed<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
        code: Code,
    ) {
        if self.fail_item(core, index, code) {
            self.failures.push((index, code));
        }
    }

    /// An item will not be published. Returns whether it had not failed before.
    pub(super) fn fail_item<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        index: FileIndex,
        code: Code,
    ) -> bool {
        let Some(item) = self.seals.item(index) else { return false };
        let (path, place) = (item.entry.path.clone(), item.place.take());
        if let Some(place) = place {
            self.dirs.release(place.dir);
        }
        let new = self.seals.fail(index);
        if new {
            self.count_failure(core, &path, code);
        }
        new
    }

    fn send_packs<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        lane: &mut SendLane<I::Buf>,
    ) {
        let window = core.settings.limits.window_bytes_per_stream;
        while links.room(core, self.key.link) > 0
            && lane.credit(window) >= u64::from(core.settings.limits.record_bytes)
        {
            let mut stages = StageTimes::default();
            let Some(bytes) = pack::send_pack(self, core, links, &mut stages) else { return };
            self.totals.stages.merge(&stages);
            lane.sent += bytes;
        }
    }

    fn send_seals<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>) {
        let Some(up) = links.find(self.key.link).and_then(crate::link::Link::up) else { return };
        let (session, Some(receiver)) = (up.peer.session, &up.peer_key) else { return };
        let list = self.list.get_or_insert_with(|| ReceiptWriter::new(receiver));
        let last = self.entries_ended && self.unanswered.is_empty();
        let settings = core.settings.clone();
        let (key, limits) = (&settings.key, &settings.limits);
        let stages = &self.totals.stages;
        let by = Signing { transfer: self.key.number, session: &session, key, stages };
        for seal in self.seals.due(&by, list, limits, core.now.mono_ns, last) {
            links.send_bytes(core, self.key.link, FrameType::Seal, &seal);
        }
    }

    fn settle<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, item: Item, action: FileAction) {
        self.files_done += 1;
        self.totals.count(action);
        self.report(core, &item.entry.path, Some(item.entry.kind), action, None);
        self.release(item);
    }

    fn release(&mut self, item: Item) {
        if let Some(place) = item.place {
            self.dirs.release(place.dir);
        }
    }

    fn count_failure<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, path: &[u8], code: Code) {
        self.totals.count(FileAction::Failed);
        self.totals.vanished += u64::from(code == Code::Vanished);
        self.report(core, path, None, FileAction::Failed, Some(code));
    }

    pub(super) fn report<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        path: &[u8],
        kind: Option<Kind>,
        action: FileAction,
        code: Option<Code>,
    ) {
        let (transfer, root) = (self.spec.id, None);
        core.hooks.event(&Event::File {
            transfer,
            path,
            kind,
            action,
            size: 0,
            root,
            bytes_sent: 0,
            bytes_resumed: 0,
            bytes_reused: 0,
            code,
        });
    }

    fn progress<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        if core.now.mono_ns < self.progress_ns {
            return;
        }
        self.progress_ns = core.now.mono_ns + 100 * MS;
        core.hooks.event(&Event::Progress {
            transfer: self.spec.id,
            bytes: self.totals.bytes,
            bytes_total: self.bytes_known,
            files: self.files_done,
            files_total: self.files_known,
            limiting: self.times.beside(&self.totals.stages).limiting(),
        });
    }

    /// Ends the transfer with an error.
    pub(super) fn fail(&mut self, code: Code, message: String) {
        self.result.get_or_insert(Err(Failure { code, message }));
    }

    /// Lets go of everything, lanes first.
    fn wind_down<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        if core::mem::replace(&mut self.dropped, true) {
            return;
        }
        for lane in &mut self.lanes {
            lane.dropping = true;
            let mail = SendMail::Drop { lane: lane.stream.link, home: self.key };
            core.post(lane.stream.core, Mail::Send(mail));
        }
    }

    /// The end, once every lane has let go.
    pub(super) fn ended<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) -> Option<Ended> {
        if !self.dropped
            || !self.lanes.is_empty()
            || self.files.open.values().any(|file| file.is_lent())
            || self.digest.as_ref().is_some_and(|(digest, ..)| digest.is_reading())
        {
            return None;
        }
        for file in core::mem::take(&mut self.files.open).into_values() {
            core.close_now(file.fd);
        }
        if let Some((digest, ..)) = self.digest.take() {
            core.close_now(digest.fd);
        }
        self.scan.abandon(&mut self.dirs);
        self.dirs.clear(core);
        let result = self.result.take()?;
        let totals = Totals { stages: self.times.beside(&self.totals.stages), ..self.totals };
        if let Some(watch) = &self.spec.watch {
            let code = result.as_ref().err().map(|failure| failure.code);
            watch.told_end(core, self.spec.id, &totals, code);
        }
        Some(Ended { link: self.key.link, result, totals })
    }

    /// When a step is due, monotonic ns.
    pub(super) fn deadline_ns(&self, options: &base::limits::Limits) -> u64 {
        if self.result.is_some() { u64::MAX } else { self.seals.deadline_ns(options).min(self.lost_ns()) }
    }

    /// For a status.
    pub(super) fn running(&self, account: Arc<str>) -> RunningTransfer {
        RunningTransfer {
            id: self.spec.id,
            account,
            direction: if self.spec.streams_max > 0 { "push" } else { "pull" },
            bytes: self.totals.bytes,
            files: self.files_done,
            limiting: self.times.beside(&self.totals.stages).limiting().map(base::hooks::Stage::name),
        }
    }
}
