//! The daemon: cores, control thread, store thread.

pub mod addresses;
pub mod admin;
pub mod doctor;
pub mod enrol;
pub mod events;
pub mod hooks;
pub mod listen;
mod offline;
pub mod open;

pub use offline::offline;

use crate::config::{Config, Flags};
use crate::failure::Failure;
use base::codes::Code;

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
