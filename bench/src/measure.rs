//! One run: what it needed, what else the machine did meanwhile, whether it did its work.

use crate::machine::{Disturbance, Load};
use crate::process::{MemoryWatch, children};
use crate::{Outcome, cpu, wire};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// Numbers that only one workload has, by name.
pub type Extra = BTreeMap<&'static str, f64>;

/// Among the extra numbers: CPU seconds that a command of this run had used before the timer started.
pub const SPENT_BEFORE_S: &str = "spent_before_s";

/// How a contender moves the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// xfer and xferd: encrypted and hashed unless the name says otherwise.
    Ours,
    /// A peer over an encrypted connection.
    Encrypted,
    /// A peer over a plain connection.
    Plain,
    /// What the same work costs without a network.
    Floor,
    /// What the connection gives without files.
    Ceiling,
}

/// One way to do the work of a workload.
pub struct Contender<'a> {
    /// Its name in the table.
    pub name: String,
    /// What it is compared as.
    pub kind: Kind,
    /// Rounds it takes part in, at most: those that are slow beyond interest take few.
    pub rounds_max: usize,
    /// Makes everything ready, not timed; the processes of the far end.
    pub before: Box<dyn FnMut() -> Outcome<Vec<u32>> + 'a>,
    /// Does the work, timed.
    pub work: Box<dyn FnMut() -> Outcome<Extra> + 'a>,
    /// Verifies what was done, not timed.
    pub after: Box<dyn FnMut() -> Outcome<()> + 'a>,
}

/// What one run needed.
#[derive(Clone, Default, Debug)]
pub struct Sample {
    /// Seconds of the whole command.
    pub wall_s: f64,
    /// CPU seconds of the commands, and of whatever else this process waited for.
    pub cpu_near_s: f64,
    /// CPU seconds of the daemons.
    pub cpu_far_s: f64,
    /// Peak resident memory of the commands, bytes.
    pub rss_near: u64,
    /// Peak resident memory of the far end, bytes.
    pub rss_far: u64,
    /// Bytes over lo.
    pub wire: u64,
    /// What others took.
    pub disturbance: Disturbance,
    /// Numbers of this workload alone.
    pub extra: Extra,
}

impl Sample {
    /// CPU seconds of both ends.
    pub fn cpu_s(&self) -> f64 {
        self.cpu_near_s + self.cpu_far_s
    }

    /// As it is kept.
    pub fn to_json(&self) -> Value {
        json!({
            "wall_s": self.wall_s, "cpu_near_s": self.cpu_near_s, "cpu_far_s": self.cpu_far_s,
            "rss_near": self.rss_near, "rss_far": self.rss_far, "wire": self.wire,
            "steal_s": self.disturbance.steal_s, "others_cpu_s": self.disturbance.others_s, "extra": self.extra,
        })
    }
}

/// Takes one run.
///
/// # Errors
/// The work failed, or what it left is not what it should have left.
pub fn take(one: &mut Contender<'_>) -> Outcome<Sample> {
    let far = (one.before)()?;
    let memory = MemoryWatch::begin(&far);
    let (load, sent) = (Load::now(), wire::bytes());
    let (near_s, far_s) = (cpu::of_children(), cpu::of_families(&far));
    let began = Instant::now();
    let done = (one.work)();
    let wall_s = began.elapsed().as_secs_f64();
    settle(&far);
    let near_end_s = cpu::of_children();
    let cpu_far_s = (cpu::of_families(&far) - far_s).max(0.0);
    let wire = wire::bytes() - sent;
    let disturbance = Load::now().since(&load);
    let (rss_near, rss_far) = memory.end();
    let mut extra = done?;
    let before_s = extra.remove(SPENT_BEFORE_S).unwrap_or(0.0);
    let cpu_near_s = near_end_s - near_s - before_s;
    (one.after)()?;
    Ok(Sample { wall_s, cpu_near_s, cpu_far_s, rss_near, rss_far, wire, disturbance, extra })
}

/// A daemon that forks has its children's time once it waited for them, a moment after the command.
fn settle(far: &[u32]) {
    let end = Instant::now() + Duration::from_secs(2);
    while far.iter().any(|pid| !children(*pid).is_empty()) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(2));
    }
}
