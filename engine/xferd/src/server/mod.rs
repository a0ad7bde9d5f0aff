//! The daemon: cores, control thread, store thread.

pub mod doctor;

use crate::admin::Command;
use crate::config::{Config, Flags};
use crate::failure::Failure;
use base::codes::Code;
use serde_json::Value;
use std::path::Path;

/// CPUs this process may run on, by number.
pub fn cpus() -> Vec<usize> {
    let Ok(set) = rustix::thread::sched_getaffinity(None) else { return vec![0] };
    (0..rustix::thread::CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
}

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// It could not start.
pub fn run(_: Config, _: Flags) -> Result<(), Failure> {
    Err(Failure::start(Code::Unavailable, "this build has no engine", "build a later one"))
}

/// Does a command on a state directory that no daemon serves.
///
/// # Errors
/// Only a daemon can do it, or the state directory cannot be used.
pub fn offline(state: &Path, _: &Flags, _: &Command) -> Result<Value, Failure> {
    let next = format!("start one: xferd --state {}", state.display());
    Err(Failure::new(Code::Unavailable, format!("no daemon runs on {}", state.display()), next))
}
