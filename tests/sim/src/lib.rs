//! The simulated world: the third `base::io::Io`, in memory, from one seed.
//!
//! It holds what a machine gives to a core and nothing of what a core does with it: disks that lose what
//! was not synced ([`disk`]), a network that delays, shortens, stalls and cuts ([`net`]), a clock and a
//! scheduler ([`world`]), and processes that die at any turn or crash point. [`io::SimIo`] and
//! [`hooks::SimHooks`] plug into a `Shard`; [`oracle::Oracle`] judges what the disks then hold.
//!
//! One seed gives one run: there is no thread, no clock, no hash order. [`trace::Trace`] proves it.
//!
//! ```text
//!   Shard<SimIo, SimHooks> x cores          Shard<SimIo, SimHooks> x cores
//!        |                                        |
//!   ==== World: clock, events, faults, trace =====================
//!        |              network                   |
//!     SimDisk                                  SimDisk
//!        \_________________ Oracle ______________/
//! ```
#![forbid(unsafe_code)]

pub mod books;
pub mod buffers;
pub mod disk;
pub mod drive;
pub mod faults;
pub mod hooks;
pub mod io;
pub mod net;
pub mod oracle;
pub mod random;
pub mod trace;
pub mod world;
