//! What every part of a core needs at hand: the world, the rest of the process, time, and the books.

use crate::command::CoreStatus;
use crate::link::LinkEvent;
use crate::mailbox::{Mail, Mailbox};
use crate::ops::{Ops, Owner};
use crate::settings::Settings;
use crate::squeeze::Squeezer;
use base::hooks::{Hooks, Stage, StageTimes};
use base::ids::CoreId;
use base::io::{Act, ActOut, Batch, Errno, Fd, Io, Now, Op};
use base::limits::Limits;
use base::points::Point;
use std::collections::VecDeque;
use std::sync::Arc;

/// One record in this many is timed stage by stage; the sums are scaled by it.
pub(crate) const SAMPLE_ONE_IN: u32 = 32;

/// One core's tools.
pub(crate) struct Core<I: Io, H: Hooks> {
    /// The world.
    pub(crate) io: I,
    /// The rest of the process.
    pub(crate) hooks: H,
    /// What the core was told.
    pub(crate) settings: Arc<Settings>,
    /// Which core this is.
    pub(crate) id: CoreId,
    /// Operations in flight.
    pub(crate) ops: Ops<I::Buf>,
    /// To and from the other cores.
    pub(crate) mail: Mailbox,
    /// Sampled once a turn.
    pub(crate) now: Now,
    /// What links reported and nobody has looked at yet.
    pub(crate) events: VecDeque<LinkEvent<I::Buf>>,
    /// Counters since start.
    pub(crate) status: CoreStatus,
    /// For transfers that compress.
    pub(crate) squeezer: Squeezer,
    spare: Vec<Batch<I::Buf>>,
    records: u32,
}

impl<I: Io, H: Hooks> Core<I, H> {
    pub(crate) fn new(io: I, hooks: H, settings: Arc<Settings>, id: CoreId, mail: Mailbox) -> Self {
        let now = io.now();
        let status = CoreStatus { core: id.0, ..CoreStatus::default() };
        Self {
            io,
            hooks,
            settings,
            id,
            ops: Ops::new(),
            mail,
            now,
            events: VecDeque::new(),
            status,
            squeezer: Squeezer::default(),
            spare: Vec::new(),
            records: 0,
        }
    }

    /// Every bound.
    pub(crate) fn limits(&self) -> Arc<Limits> {
        self.settings.limits.clone()
    }

    /// Starts an operation.
    pub(crate) fn start(&mut self, owner: Owner, op: Op<I::Buf>) {
        self.ops.start(&mut self.io, owner, op);
    }

    /// Starts a batch that works on these two descriptors: neither is closed before it ends.
    pub(crate) fn start_on(&mut self, owner: Owner, batch: Batch<I::Buf>, fds: [Fd; 2]) {
        self.ops.start_on(&mut self.io, owner, Op::Acts(Box::new(batch)), fds.map(Some));
    }

    /// Closes a descriptor once nothing of this core is in flight on it; nobody waits for it.
    pub(crate) fn close(&mut self, fd: Fd) {
        self.ops.close(&mut self.io, fd);
    }

    /// Closes a descriptor at once: nothing is in flight on it, and nothing was written that a failure to
    /// close could lose.
    pub(crate) fn close_now(&mut self, fd: Fd) {
        let _ = self.act(|_| Act::Close { fd });
    }

    /// An empty batch, recycled.
    pub(crate) fn batch(&mut self) -> Batch<I::Buf> {
        self.spare.pop().unwrap_or_default()
    }

    /// Gives a batch back.
    pub(crate) fn recycle(&mut self, mut batch: Batch<I::Buf>) {
        if self.spare.len() < 8 {
            batch.clear();
            self.spare.push(batch);
        }
    }

    /// Runs one act here and now.
    pub(crate) fn act(&mut self, make: impl FnOnce(&mut Batch<I::Buf>) -> Act) -> Result<ActOut, Errno> {
        let mut batch = self.batch();
        let act = make(&mut batch);
        batch.push(act);
        self.io.act(&mut batch);
        let result = batch.results.first().copied().unwrap_or(Err(Errno::IO));
        self.recycle(batch);
        result
    }

    /// Runs one act that opens something.
    pub(crate) fn open(&mut self, make: impl FnOnce(&mut Batch<I::Buf>) -> Act) -> Result<Fd, Errno> {
        match self.act(make)? {
            ActOut::Fd(fd) => Ok(fd),
            _ => Err(Errno::IO),
        }
    }

    /// Random bytes.
    pub(crate) fn random<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.io.random(&mut bytes);
        bytes
    }

    /// Sends mail to a core.
    pub(crate) fn post(&mut self, to: CoreId, mail: Mail) {
        self.mail.post(to, mail);
    }

    /// A crash point was passed.
    pub(crate) fn reach(&mut self, point: Point) {
        self.hooks.reach(point);
    }

    /// Whether this record is one of those that are timed; call once per record.
    pub(crate) fn sample(&mut self) -> Option<u64> {
        self.records = self.records.wrapping_add(1);
        self.records.is_multiple_of(SAMPLE_ONE_IN).then(|| self.io.stamp())
    }

    /// Ends a timed stage begun at `from` and begins the next.
    pub(crate) fn timed(&mut self, stages: &mut StageTimes, stage: Stage, from: &mut Option<u64>) {
        if let Some(from) = from {
            let to = self.io.stamp();
            let ns = to.saturating_sub(*from) * u64::from(SAMPLE_ONE_IN);
            stages.add(stage, ns);
            self.status.stages.add(stage, ns);
            *from = to;
        }
    }
}
