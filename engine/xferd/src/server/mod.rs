//! The daemon: cores, control thread, store thread.

pub mod addresses;
pub mod admin;
pub mod control;
pub mod doctor;
pub mod enrol;
pub mod events;
mod explain;
mod groups;
mod happenings;
pub mod hooks;
mod keys;
pub mod listen;
mod offline;
pub mod open;
mod serve;
mod shares;
mod status;
pub mod stored;

use crate::failure::Failure;
use crate::groups::Groups;
use crate::plugins::Known;
use base::ids::DeviceId;
use state::Store;
use std::sync::Arc;

pub use offline::offline;
pub use serve::run;
pub use shares::durability;

/// Devices asked for at once.
const DEVICES_AT_ONCE: u32 = 1024;

/// Who joined and the groups of accounts, for policies.
fn known(me: &DeviceId, store: &mut Store, groups: Arc<Groups>) -> Result<Known, Failure> {
    let mut all: Vec<(DeviceId, String, String)> = Vec::new();
    loop {
        let after = all.last().map(|(device, ..)| *device);
        let page = store.devices(after, DEVICES_AT_ONCE);
        let page = page.map_err(|error| Failure::start(error.code(), error.to_string(), ""))?;
        let last = page.len() < DEVICES_AT_ONCE as usize;
        all.extend(page.into_iter().map(|device| (device.device, device.account, device.name)));
        if last {
            return Ok(Known::new(*me, all, groups));
        }
    }
}

/// CPUs this process may run on, by number.
pub fn cpus() -> Vec<usize> {
    let Ok(set) = rustix::thread::sched_getaffinity(None) else { return vec![0] };
    (0..rustix::thread::CpuSet::MAX_CPU).filter(|&cpu| set.is_set(cpu)).collect()
}
