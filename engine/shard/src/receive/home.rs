//! The home of one incoming transfer: its entries, its files, its seals.
//!
//! ```text
//! Entries -> compare -> Want        stage -> Pack, Chunk -> staged under a reserved name
//! Seal -> verified -> publish -> Ack published      finish -> deletions, directories, Receipt
//! ```
//!
//! A file is published only when the seal that names it is verified and every root under it is our own.

use super::delta::Deltas;
use super::publish::Publisher;
use super::resume::Resume;
use super::stage::Incoming;
use super::{Ended, ReceiveMail, ReceiveSpec};
use crate::command::{Failure, RunningTransfer, Totals};
use crate::counted::Counting;
use crate::digest::Digest;
use crate::dirs::{DirId, Dirs};
use crate::link::{Link, LinkId};
use crate::links::{Links, MS};
use crate::mailbox::Mail;
use crate::send::{StreamRef, TransferKey, streams_worth};
use crate::times::BothTimes;
use crate::tools::Core;
use base::codes::Code;
use base::entry::{Kind, Meta};
use base::hooks::{Event, FileAction, Hooks, StageTimes};
use base::ids::{CoreId, FileIndex, Value};
use base::io::Io;
use base::limits::Limits;
use base::points::Point;
use disk::delete::Doomed;
use disk::meta::MetaOptions;
use disk::paths::Temps;
use proto::transfer::ack::{Ack, AckRange, Level as AckLevel};
use proto::transfer::entries::EntriesBatch;
use proto::transfer::order::Order;
use proto::transfer::receipt::Counts;
use proto::transfer::receipt_file::ReceiptWriter;
use proto::transfer::seal::{Seal, SealBuilder};
use proto::wire::FrameType;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

/// Tag of a home's operation that reads what is there.
pub(super) const TAG_DIGEST: u64 = 1 << 61;

/// A directory on the path of the entry being compared.
pub(super) struct Level {
    /// Path of its entry.
    pub(super) path: Vec<u8>,
    pub(super) place: Place,
    /// It is a directory of the source, not only what the sources are put into: names may be missing there.
    pub(super) sent: bool,
    /// It was made by this transfer: nothing can be in it but what this transfer puts there.
    pub(super) fresh: bool,
    /// Names that the sender has in it; kept only when something may be deleted.
    pub(super) names: Vec<Box<[u8]>>,
}

/// What stands for a directory here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// It is there.
    Here(DirId),
    /// It would be made (a dry run).
    Absent,
    /// It could not be made or opened: neither can what is below it.
    Refused(Code),
}

/// A directory whose metadata is set at the end.
pub(super) struct Directory {
    /// Path below the root of the transfer's share.
    pub(super) path: Vec<u8>,
    pub(super) meta: Meta,
}

/// A seal whose signature holds and whose files are not all here.
pub(super) struct PendingSeal {
    seal: Seal,
    waiting: u32,
}

/// The home.
pub(crate) struct Home<B> {
    pub(super) key: TransferKey,
    pub(super) spec: ReceiveSpec,
    pub(super) meta_options: MetaOptions,
    /// Names of what is staged.
    pub(super) temps: Temps,
    order: Order,
    pub(super) dirs: Dirs,
    pub(super) levels: Vec<Level>,
    /// Batches that are not answered in full, and how many entries of the first are.
    pub(super) batches: VecDeque<(EntriesBatch, usize)>,
    pub(super) files: BTreeMap<FileIndex, Incoming>,
    /// Files that will not come, while lanes still work on them.
    pub(super) leaving: BTreeMap<FileIndex, Incoming>,
    /// Directories in which a name was made and not yet synced.
    pub(super) new_parents: BTreeSet<Vec<u8>>,
    pub(super) directories: Vec<Directory>,
    /// Names to delete at the end.
    pub(super) doomed: Vec<Doomed>,
    pub(super) doomed_bytes: u64,
    pub(super) failed_reads: bool,
    pub(super) entries_ended: bool,
    /// The part of an earlier run that is being looked at.
    pub(super) resume: Option<Resume>,
    /// What is there being read for its root (`--checksum`), and the last root read.
    pub(super) digest: Option<(FileIndex, Digest)>,
    pub(super) digested: Option<(FileIndex, Option<Value>)>,
    pub(super) deltas: Deltas<B>,
    seals: BTreeMap<u32, PendingSeal>,
    next_seal: u32,
    pub(super) receipt: ReceiptWriter,
    pub(super) publisher: Publisher<B>,
    pub(super) counting: Option<Counting>,
    /// Answers, and symlinks to make, that wait until their directories are in the journal.
    pub(super) wants: VecDeque<Vec<u8>>,
    pub(super) symlinks: Vec<FileIndex>,
    pub(super) ack_received: Ack,
    pub(super) ack_durable: Ack,
    pub(super) ack_published: Ack,
    credits: BTreeMap<u16, u64>,
    pub(super) counts: Counts,
    pub(crate) totals: Totals,
    /// Where the sender's time goes.
    pub(super) times: BothTimes,
    pub(super) bytes_wanted: u64,
    pub(super) files_wanted: u64,
    files_known: u64,
    pub(super) files_done: u64,
    progress_ns: u64,
    streams: Vec<StreamRef>,
    streams_asked: bool,
    pub(super) began_ms: u64,
    pub(super) finish: super::finish::Finish,
    pub(super) result: Option<Result<(proto::transfer::receipt::Receipt, Vec<u8>), Failure>>,
    dropping: bool,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    pub(super) fn new<I: Io<Buf = B>, H: Hooks>(
        core: &mut Core<I, H>,
        spec: ReceiveSpec,
        streams: &[StreamRef],
    ) -> Self {
        let key = TransferKey { core: core.id, link: spec.link, number: spec.number };
        let control = StreamRef { core: core.id, link: spec.link, stream: 0 };
        let account = spec.account.as_ref();
        let counting = account.and_then(|account| Counting::new(core, &spec.anchor, account, spec.id));
        let meta_options = MetaOptions {
            perms: spec.options.perms,
            times: spec.options.times,
            owner: spec.options.owner && spec.owners,
            group: spec.options.group && spec.owners,
            umask: core.settings.umask,
        };
        Self {
            key,
            meta_options,
            temps: Temps::of(super::stage::hash, spec.id),
            order: Order::new(),
            dirs: Dirs::new(core.settings.limits.directories_open_max),
            levels: Vec::new(),
            batches: VecDeque::new(),
            files: BTreeMap::new(),
            leaving: BTreeMap::new(),
            new_parents: BTreeSet::new(),
            directories: Vec::new(),
            doomed: Vec::new(),
            doomed_bytes: 0,
            failed_reads: false,
            entries_ended: false,
            resume: None,
            digest: None,
            digested: None,
            deltas: Deltas::new(),
            seals: BTreeMap::new(),
            next_seal: 0,
            receipt: ReceiptWriter::new(&core.settings.key.verifying_key()),
            publisher: Publisher::new(spec.id, spec.durability),
            counting,
            wants: VecDeque::new(),
            symlinks: Vec::new(),
            ack_received: Ack::new(key.number, AckLevel::Received),
            ack_durable: Ack::new(key.number, AckLevel::Durable),
            ack_published: Ack::new(key.number, AckLevel::Published),
            credits: BTreeMap::new(),
            counts: Counts::default(),
            totals: Totals::default(),
            times: BothTimes::default(),
            bytes_wanted: 0,
            files_wanted: 0,
            files_known: 0,
            files_done: 0,
            progress_ns: 0,
            streams: core::iter::once(&control).chain(streams).copied().collect(),
            streams_asked: false,
            began_ms: core.now.utc_ms,
            finish: super::finish::Finish::default(),
            result: None,
            dropping: false,
            spec,
        }
    }

    /// A batch of entries came.
    pub(super) fn on_entries<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        data: &[u8],
    ) -> Result<(), Code> {
        let limits = core.limits();
        if self.batches.len() >= limits.entries_unanswered_max as usize {
            return Err(Code::InvalidRequest);
        }
        let batch = EntriesBatch::parse(data, &limits, &mut self.order).map_err(|error| error.code())?;
        self.entries_ended = batch.end;
        self.failed_reads |= batch.failed_reads;
        self.files_known +=
            batch.entries.len() as u64 + batch.denied.len() as u64 + u64::from(batch.denied_more);
        self.on_denied(core, &batch.denied, batch.denied_more);
        self.batches.push_back((batch, 0));
        Ok(())
    }

    /// A seal came: its signature is checked at once, its files when they are here.
    pub(super) fn on_seal<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &Links<B>,
        data: &[u8],
    ) -> Result<(), Code> {
        let limits = core.limits();
        let seal = Seal::parse(data, &limits).map_err(|error| error.code())?;
        let Some(up) = links.find(self.key.link).and_then(Link::up) else { return Ok(()) };
        let key = up.peer_key.as_ref().ok_or(Code::AuthRequired)?;
        seal.verify(&up.peer.session, key).map_err(|error| error.code())?;
        let new = seal.sequence >= self.next_seal && !self.seals.contains_key(&seal.sequence);
        if !new || self.seals.len() >= limits.seals_pending_max as usize {
            return Err(Code::InvalidRequest);
        }
        self.times.heard(seal.stages_ms);
        let mut waiting = 0;
        for file in seal.files() {
            let Some(incoming) = self.files.get_mut(&file) else { return Err(Code::InvalidRequest) };
            if incoming.seal.replace(seal.sequence).is_some() {
                return Err(Code::InvalidRequest);
            }
            waiting += u32::from(incoming.root.is_none());
        }
        let sequence = seal.sequence;
        self.seals.insert(sequence, PendingSeal { seal, waiting });
        if waiting == 0 {
            self.verify_seals(core);
        }
        Ok(())
    }

    /// A file's root is known.
    pub(super) fn on_root<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, file: FileIndex) {
        #[cfg(feature = "planted")]
        if crate::planted::publishes_before_seal() {
            self.publisher.ready(file);
        }
        let Some(sequence) = self.files.get(&file).and_then(|incoming| incoming.seal) else { return };
        let Some(pending) = self.seals.get_mut(&sequence) else { return };
        pending.waiting -= 1;
        if pending.waiting == 0 {
            self.verify_seals(core);
        }
    }

    /// Compares the seals whose files are all here, in the order of their sequence.
    fn verify_seals<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        while self.seals.get(&self.next_seal).is_some_and(|pending| pending.waiting == 0) {
            let Some(PendingSeal { seal, .. }) = self.seals.remove(&self.next_seal) else { return };
            self.next_seal += 1;
            let mut builder = SealBuilder::new(seal.transfer, seal.sequence);
            for file in seal.files() {
                if let Some(Incoming { entry, root: Some(root), .. }) = self.files.get(&file) {
                    builder.push(file, entry, root);
                }
            }
            if builder.merkle() != seal.merkle {
                return self.fail(
                    Code::Integrity,
                    "what arrived is not what the sender signed; nothing of this batch was published"
                        .to_owned(),
                );
            }
            core.reach(Point::SealVerified);
            for file in seal.files() {
                let Some(Incoming { entry, root: Some(root), .. }) = self.files.get(&file) else { continue };
                self.receipt.entry(entry, root);
                self.publisher.ready_bytes += entry.size;
                self.verified(file);
            }
            self.receipt.end_seal();
            self.publisher.seals += 1;
        }
    }

    /// Does everything that can be done.
    pub(super) fn step<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        self.dirs.settle(core);
        if self.result.is_some() {
            return self.wind_down(core);
        }
        self.look(core, links);
        if self.result.is_some() {
            return self.wind_down(core);
        }
        self.compare(core, links);
        self.totals.stages.merge(&links.take_stages(self.key.link));
        self.count_on(core);
        self.publish(core, links);
        self.send_wants(core, links);
        self.resume_on(core, links);
        self.send_acks(core, links);
        self.cut_on(core, links);
        self.times.tell(core, links, self.key, &self.totals.stages);
        self.finish(core, links);
        self.progress(core);
    }

    /// Everything the sender wants to hear by now.
    pub(super) fn send_acks<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
    ) {
        let limits = core.limits();
        for (stream, bytes) in core::mem::take(&mut self.credits) {
            // An Ack has room for every stream of a session.
            let _ = self.ack_received.credit(stream, bytes, &limits);
        }
        for ack in [&mut self.ack_received, &mut self.ack_durable, &mut self.ack_published] {
            if !ack.is_empty() {
                links.send_bytes(core, self.key.link, FrameType::Ack, &ack.encode());
                if ack.level == AckLevel::Durable {
                    links.mark(self.key.link, Point::AckDurableSent);
                }
                ack.clear();
            }
        }
    }

    /// Names what is acknowledged; a full Ack goes out first.
    pub(super) fn acknowledge<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        level: AckLevel,
        range: AckRange,
    ) {
        let limits = core.limits();
        for _ in 0..2 {
            let ack = match level {
                AckLevel::Received => &mut self.ack_received,
                AckLevel::Durable => &mut self.ack_durable,
                AckLevel::Published => &mut self.ack_published,
            };
            if ack.push(range, &limits).is_ok() {
                return;
            }
            self.send_acks(core, links);
        }
    }

    /// Credit of a stream.
    pub(super) fn on_credit(&mut self, stream: u16, bytes: u64) {
        let known = self.credits.entry(stream).or_insert(0);
        *known = bytes.max(*known);
    }

    /// Counts a name and reports it.
    pub(super) fn count<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        path: &[u8],
        kind: impl Into<Option<Kind>>,
        action: FileAction,
        what: (u64, Option<Value>, u64, Option<Code>),
    ) {
        self.count_content(core, path, kind.into(), action, what, 0);
    }

    /// As [`Home::count`], of a file of which so many bytes were taken from an older one.
    pub(super) fn count_content<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        path: &[u8],
        kind: Option<Kind>,
        action: FileAction,
        what: (u64, Option<Value>, u64, Option<Code>),
        reused: u64,
    ) {
        let (size, root, resumed, code) = what;
        self.totals.count(action);
        self.files_done += 1;
        match action {
            FileAction::Created | FileAction::Replaced | FileAction::Metadata => {
                match action {
                    FileAction::Created => self.counts.created += 1,
                    FileAction::Replaced => self.counts.replaced += 1,
                    _ => self.counts.metadata += 1,
                }
                self.counts.directories += u64::from(kind == Some(Kind::Directory));
                if kind == Some(Kind::File) && action != FileAction::Metadata {
                    self.counts.bytes += size;
                    self.counts.reused += reused;
                }
            }
            FileAction::Unchanged => self.counts.unchanged += 1,
            FileAction::Failed => self.counts.failed += 1,
            FileAction::Deleted => self.counts.deleted += 1,
            FileAction::Skipped => {}
        }
        let moved = matches!(action, FileAction::Created | FileAction::Replaced) && kind == Some(Kind::File);
        core.hooks.event(&Event::File {
            transfer: self.spec.id,
            path,
            kind,
            action,
            size,
            root,
            bytes_sent: if moved { size - resumed - reused } else { 0 },
            bytes_resumed: resumed,
            bytes_reused: reused,
            code,
        });
    }

    fn progress<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        if core.now.mono_ns < self.progress_ns {
            return;
        }
        self.progress_ns = core.now.mono_ns + 100 * MS;
        core.hooks.event(&Event::Progress {
            transfer: self.spec.id,
            bytes: self.totals.bytes,
            bytes_total: self.bytes_wanted,
            files: self.files_done,
            files_total: self.files_known,
            limiting: self.stages().limiting(),
        });
    }

    /// Full path of an entry below the share's root.
    pub(super) fn full_path(&self, path: &[u8]) -> Vec<u8> {
        match path {
            [] => self.spec.destination.clone(),
            path => base::name::join(&self.spec.destination, path),
        }
    }

    /// Its streams beside the control connection.
    pub(super) fn data_streams(&self) -> Vec<StreamRef> {
        self.streams.iter().filter(|stream| stream.stream != 0).copied().collect()
    }

    /// Adds a data stream.
    pub(super) fn add_stream(&mut self, stream: StreamRef) {
        // A lane that comes when the others were told to let go has nothing of this transfer.
        if !self.dropping && !self.streams.contains(&stream) {
            self.streams.push(stream);
            self.totals.streams = self.totals.streams.max(self.streams.len() as u16 - 1);
        }
    }

    /// How many data streams to open, once.
    pub(super) fn wants_streams(&mut self, limits: &Limits) -> Option<u16> {
        if self.streams_asked || self.result.is_some() {
            return None;
        }
        let (wished, most) = (self.spec.streams, self.spec.streams_max);
        let count = streams_worth(wished, most, self.bytes_wanted, limits)?;
        self.streams_asked = true;
        Some(count)
    }

    /// Ends the transfer with an error.
    pub(super) fn fail(&mut self, code: Code, message: String) {
        self.result.get_or_insert(Err(Failure { code, message }));
    }

    fn wind_down<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        if core::mem::replace(&mut self.dropping, true) {
            return;
        }
        for stream in self.streams.clone() {
            self.drop_lane(core, stream);
        }
    }

    /// Has a lane let go of everything.
    pub(super) fn drop_lane<I: Io<Buf = B>, H: Hooks>(&self, core: &mut Core<I, H>, stream: StreamRef) {
        if self.streams.contains(&stream) {
            let mail = ReceiveMail::Drop { lane: stream.link, home: self.key };
            core.post(stream.core, Mail::Receive(mail));
        }
    }

    /// A lane has let go.
    pub(super) fn on_dropped(&mut self, lane: LinkId, lane_core: CoreId) {
        self.streams.retain(|stream| stream.link != lane || stream.core != lane_core);
    }

    /// The end, once every lane and every operation has let go.
    pub(super) fn ended<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) -> Option<Ended> {
        if !self.dropping
            || !self.streams.is_empty()
            || self.publisher.in_flight() > 0
            || self.resume_reads()
            || self.digest_reads()
            || self.deltas.is_reading()
            || !self.settle_counts(core)
        {
            return None;
        }
        self.close_resume(core);
        self.close_files(core);
        self.close_deletions(core);
        if let Some((_, digest)) = self.digest.take() {
            core.close(digest.fd);
        }
        self.publisher.close(core);
        self.dirs.clear(core);
        let result = self.result.take()?;
        let totals = Totals { stages: self.stages(), ..self.totals };
        if let Some(watch) = &self.spec.watch {
            let code = result.as_ref().err().map(|failure| failure.code);
            watch.told_end(core, self.spec.id, &totals, code);
        }
        Some(Ended { link: self.key.link, result, totals })
    }

    /// Time per stage of both ends.
    fn stages(&self) -> StageTimes {
        self.times.beside(&self.totals.stages)
    }

    fn digest_reads(&self) -> bool {
        self.digest.as_ref().is_some_and(|(_, digest)| digest.is_reading())
    }

    /// When a step is due, monotonic ns.
    pub(super) fn deadline_ns(&self, limits: &Limits) -> u64 {
        match &self.result {
            // It ends as others let go.
            Some(_) if self.dropping => self.counts_deadline_ns(),
            Some(_) => 0,
            None if self.may_compare(limits) || self.may_delete() => 0,
            None => self.publish_deadline_ns(limits).min(self.counts_deadline_ns()),
        }
    }

    /// For a status.
    pub(super) fn running(&self, account: Arc<str>) -> RunningTransfer {
        RunningTransfer {
            id: self.spec.id,
            account,
            direction: if self.spec.streams_max > 0 { "pull" } else { "push" },
            bytes: self.totals.bytes,
            files: self.files_done,
            limiting: self.stages().limiting().map(base::hooks::Stage::name),
        }
    }
}
