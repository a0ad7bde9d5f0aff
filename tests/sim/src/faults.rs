//! What may go wrong, how often, and how often it did.
//!
//! A plan comes from a seed: every kind is off for about half of the seeds, so that no fault hides
//! behind another. A kind has a budget, so that a run with faults still ends.

use crate::random::Random;
use base::points::Point;
use std::fmt;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal, $often:literal, $budget:expr;)*) => {
        /// A kind of fault, or of freedom that a kernel has and rarely takes.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum FaultKind { $($(#[$doc])* $kind,)* }

        impl FaultKind {
            /// Every kind.
            pub const ALL: &'static [FaultKind] = &[$(FaultKind::$kind,)*];

            /// Its name in reports.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }

            /// About how many opportunities there are for one such fault, where it is on.
            fn one_in(self) -> u32 {
                match self { $(Self::$kind => $often,)* }
            }

            /// How often it may happen in one run.
            fn budget(self) -> u32 {
                match self { $(Self::$kind => $budget,)* }
            }
        }
    };
}

kinds! {
    /// A read gives fewer bytes than asked for.
    ShortRead = "short-read", 4, u32::MAX;
    /// A write takes fewer bytes than given.
    ShortWrite = "short-write", 4, u32::MAX;
    /// A send takes fewer bytes than given.
    ShortSend = "short-send", 3, u32::MAX;
    /// A receive gives fewer bytes than there are.
    ShortReceive = "short-receive", 3, u32::MAX;
    /// A completion overtakes an older one.
    Reorder = "reorder", 2, u32::MAX;
    /// An operation takes milliseconds.
    Slow = "slow", 30, u32::MAX;
    /// An inline open finds its path not in the cache: EAGAIN.
    ColdOpen = "cold-open", 4, u32::MAX;
    /// A listing does not say what kind a name is.
    UnknownKind = "unknown-kind", 4, u32::MAX;
    /// A file changes between the two stats of one Get, when an edit was planned for it.
    EditInGet = "edit-in-get", 1, u32::MAX;
    /// EIO from a read.
    ReadError = "read-error", 300, 2;
    /// EIO from a write.
    WriteError = "write-error", 300, 2;
    /// EIO from fsync; what it should have written is lost though the cache shows it.
    SyncError = "sync-error", 100, 2;
    /// ENOSPC from a write or a creation.
    NoSpace = "no-space", 300, 3;
    /// A connection is reset; part of what was sent arrives first.
    Cut = "cut", 150, 6;
    /// A connection carries nothing for a while.
    Stall = "stall", 100, 10;
    /// The client is killed between two turns.
    KillClient = "kill-client", 800, 2;
    /// The daemon is killed between two turns.
    KillDaemon = "kill-daemon", 800, 2;
    /// The client's machine loses power between two turns.
    PowerLossClient = "power-loss-client", 800, 2;
    /// The daemon's machine loses power between two turns.
    PowerLossDaemon = "power-loss-daemon", 800, 2;
    /// A process is killed at a crash point.
    KillAtPoint = "kill-at-point", 1, 1;
    /// A machine loses power at a crash point.
    PowerLossAtPoint = "power-loss-at-point", 1, 1;
}

const KINDS: usize = FaultKind::ALL.len();

/// Death at the `nth` passing of a crash point, counted from 1 over both ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PointKill {
    /// Where.
    pub point: Point,
    /// At which passing.
    pub nth: u32,
    /// The machine loses power; else the process alone dies.
    pub power: bool,
}

/// How often each kind happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultCounts([u64; KINDS]);

impl Default for FaultCounts {
    fn default() -> Self {
        Self([0; KINDS])
    }
}

impl FaultCounts {
    /// Of one kind.
    pub fn of(&self, kind: FaultKind) -> u64 {
        self.0[kind as usize]
    }

    /// Adds another run's.
    pub fn merge(&mut self, other: &Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }

    /// The kinds of `expected` that never happened.
    pub fn missing(&self, expected: &[FaultKind]) -> Vec<FaultKind> {
        expected.iter().copied().filter(|&kind| self.of(kind) == 0).collect()
    }
}

impl fmt::Display for FaultCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        FaultKind::ALL.iter().try_for_each(|&kind| write!(f, "{}={} ", kind.name(), self.of(kind)))
    }
}

/// Which faults a run may meet, with what is left of their budgets.
#[derive(Clone, Debug)]
pub struct FaultPlan {
    one_in: [u32; KINDS],
    left: [u32; KINDS],
    points: Vec<PointKill>,
    counts: FaultCounts,
}

impl FaultPlan {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self { one_in: [0; KINDS], left: [0; KINDS], points: Vec::new(), counts: FaultCounts::default() }
    }

    /// Only these kinds, at their usual rates.
    pub fn only(kinds: &[FaultKind]) -> Self {
        kinds.iter().fold(Self::none(), |plan, &kind| plan.with(kind, kind.one_in(), kind.budget()))
    }

    /// A plan from a seed: each of `kinds` on or off, at rates around the usual ones.
    pub fn from_seed(seed: u64, kinds: &[FaultKind]) -> Self {
        let mut random = Random::new(seed ^ 0xfa17);
        let mut plan = Self::none();
        for &kind in kinds {
            let often = (u64::from(kind.one_in()) * random.between(1, 4) / 2).max(1) as u32;
            if random.coin() {
                plan = plan.with(kind, often, kind.budget());
            }
        }
        let power = plan.one_in[FaultKind::PowerLossAtPoint as usize] > 0;
        if power || plan.one_in[FaultKind::KillAtPoint as usize] > 0 {
            let point = Point::ALL[random.index(Point::ALL.len())];
            plan.points.push(PointKill { point, nth: random.between(1, 3) as u32, power });
        }
        plan
    }

    /// The same plan with one kind at another rate and budget; a rate of 0 is never.
    pub fn with(mut self, kind: FaultKind, one_in: u32, budget: u32) -> Self {
        self.one_in[kind as usize] = one_in;
        self.left[kind as usize] = budget;
        self
    }

    /// The same plan with a further death at a crash point.
    pub fn with_point(mut self, kill: PointKill) -> Self {
        self.points.push(kill);
        let kind = if kill.power { FaultKind::PowerLossAtPoint } else { FaultKind::KillAtPoint };
        self.with(kind, 1, 1)
    }

    /// Nothing goes wrong from here on; counts stay.
    pub fn stop(&mut self) {
        self.one_in = [0; KINDS];
        self.points.clear();
    }

    /// Whether a fault of this kind strikes at this opportunity; counted when it does.
    pub fn strikes(&mut self, kind: FaultKind, random: &mut Random) -> bool {
        let index = kind as usize;
        if self.left[index] == 0 || !random.one_in(self.one_in[index]) {
            return false;
        }
        self.count(kind);
        true
    }

    /// Whether the kind can still strike.
    pub fn is_on(&self, kind: FaultKind) -> bool {
        self.one_in[kind as usize] > 0 && self.left[kind as usize] > 0
    }

    /// Counts a fault that was caused otherwise, as by a test.
    pub fn count(&mut self, kind: FaultKind) {
        self.counts.0[kind as usize] += 1;
        let left = &mut self.left[kind as usize];
        *left = left.saturating_sub(1);
    }

    /// A crash point was passed: whether to die there, and how.
    pub fn reach(&mut self, point: Point) -> Option<PointKill> {
        let at = self.points.iter().position(|kill| kill.point == point)?;
        let kill = &mut self.points[at];
        kill.nth = kill.nth.saturating_sub(1);
        if kill.nth > 0 {
            return None;
        }
        let kill = self.points.remove(at);
        self.count(if kill.power { FaultKind::PowerLossAtPoint } else { FaultKind::KillAtPoint });
        Some(kill)
    }

    /// What happened so far.
    pub fn counts(&self) -> FaultCounts {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_ends_and_a_point_kills_at_its_nth_passing() {
        let mut random = Random::new(1);
        let mut plan = FaultPlan::none().with(FaultKind::Cut, 1, 2);
        let strikes = (0..10).filter(|_| plan.strikes(FaultKind::Cut, &mut random)).count();
        assert_eq!((strikes, plan.counts().of(FaultKind::Cut)), (2, 2));

        let kill = PointKill { point: Point::DataSynced, nth: 2, power: false };
        let mut plan = FaultPlan::none().with_point(kill);
        assert_eq!(plan.reach(Point::ChunkWritten), None);
        assert_eq!(plan.reach(Point::DataSynced), None);
        assert!(plan.reach(Point::DataSynced).is_some());
        assert_eq!(plan.reach(Point::DataSynced), None);
    }
}
