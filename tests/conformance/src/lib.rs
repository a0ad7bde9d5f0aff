//! What every [`Io`] must do. One suite for io_uring, threads and the simulator.
//!
//! An implementation gives a [`World`] and calls [`run_all`], once with `Limits::DEFAULT` and once with
//! `Limits::TINY`. Each case gets a fresh world and leaves nothing in flight and no buffer taken, which
//! [`run_all`] checks.
//!
//! ```text
//! struct MyWorld { .. }
//! impl conformance::World for MyWorld { type Io = MyIo; .. }
//! #[test] fn conforms() { conformance::run_all(|| MyWorld::new(Limits::TINY)); }
//! ```

#![forbid(unsafe_code)]

mod acts;
mod drive;
mod files;
mod names;
mod sockets;
mod turns;

use base::ids::CoreId;
use base::io::{Fd, Io};
use base::limits::Limits;
use base::name::Name;
use std::net::SocketAddr;

/// A place in which an [`Io`] is tried: one core, an empty disk, a loopback network.
pub trait World {
    /// The implementation.
    type Io: Io;

    /// The bounds it was made with.
    fn limits(&self) -> &Limits;
    /// The one engine.
    fn io(&mut self) -> &mut Self::Io;
    /// Which core that engine is.
    fn core(&self) -> CoreId;
    /// An open, empty, writable directory; the same one each time. The world closes it.
    fn root(&mut self) -> Fd;
    /// A new listening socket; the same engine can connect to its address. The case closes it.
    fn listener(&mut self) -> (Fd, SocketAddr);
    /// An address at which nobody listens: connecting gives ECONNREFUSED.
    fn deaf_address(&mut self) -> SocketAddr;
    /// Wakes the engine as another core or thread would.
    fn wake_from_outside(&mut self);
    /// Makes a FIFO; false where the world has none.
    fn make_fifo(&mut self, dir: Fd, name: Name<'_>) -> bool;
}

/// One case: its name and what it does.
pub type Case<W> = (&'static str, fn(&mut W));

/// Every case.
pub fn cases<W: World>() -> Vec<Case<W>> {
    [files::cases(), sockets::cases(), acts::cases(), names::cases(), turns::cases()].concat()
}

/// Runs every case, each in a world of its own, and names it on stderr.
///
/// # Panics
/// When a case fails.
pub fn run_all<W: World>(mut fresh: impl FnMut() -> W) {
    for (name, case) in cases::<W>() {
        eprintln!("conformance: {name}");
        let mut world = fresh();
        case(&mut world);
        drive::assert_settled(&mut world);
    }
}
