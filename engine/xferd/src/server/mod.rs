//! The daemon: cores, control thread, store thread.

pub mod addresses;
pub mod admin;
pub mod control;
pub mod doctor;
pub mod enrol;
pub mod events;
mod explain;
pub mod hooks;
pub mod listen;
mod offline;
pub mod open;
mod serve;
mod shares;
mod status;

pub use offline::offline;
pub use serve::run;
pub use shares::durability;

/// CPUs this process may run on, by number.
pub fn cpus() -> Vec<usize> {
    let Ok(set) = rustix::thread::sched_getaffinity(None) else { return vec![0] };
    (0..rustix::thread::CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
}
