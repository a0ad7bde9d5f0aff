//! The conformance suite, in the simulated world: default and tiny bounds, several seeds.

use base::ids::CoreId;
use base::io::Fd;
use base::limits::Limits;
use base::name::Name;
use conformance::{World as Place, run_all};
use sim::faults::{FaultKind, FaultPlan};
use sim::io::SimIo;
use sim::world::{At, EndConfig, EndId, World, WorldConfig};
use std::net::SocketAddr;

const END: EndId = EndId(0);
const AT: At = At { end: END, core: CoreId(0) };

struct Simulated {
    world: World,
    io: SimIo,
    limits: Limits,
    root: Fd,
    ports: u16,
}

impl Simulated {
    fn new(seed: u64, limits: &Limits, plan: FaultPlan) -> Self {
        let ends = vec![EndConfig { cores: 1, ..EndConfig::default() }];
        let config = WorldConfig { seed, limits: limits.clone(), plan, ends, blocking: true };
        let world = World::new(config);
        world.disk(END, |disk| disk.build_dir(b"root"));
        let io = world.boot(END).remove(0);
        let root = world.open_dir(END, b"root");
        Self { world, io, limits: limits.clone(), root, ports: 1000 }
    }
}

impl Place for Simulated {
    type Io = SimIo;

    fn limits(&self) -> &Limits {
        &self.limits
    }

    fn io(&mut self) -> &mut SimIo {
        &mut self.io
    }

    fn core(&self) -> CoreId {
        AT.core
    }

    fn root(&mut self) -> Fd {
        self.root
    }

    fn listener(&mut self) -> (Fd, SocketAddr) {
        self.ports += 1;
        (self.world.listen(AT, self.ports), self.world.address(END, self.ports))
    }

    fn deaf_address(&mut self) -> SocketAddr {
        self.world.address(END, 9)
    }

    fn wake_from_outside(&mut self) {
        self.world.wake(AT);
    }

    fn make_fifo(&mut self, dir: Fd, name: Name<'_>) -> bool {
        self.world.make_special(END, dir, name.as_bytes());
        true
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let held = self.world.held(END);
        if std::thread::panicking() {
            eprintln!("{}", self.world.report());
        } else {
            assert_eq!(
                (held.operations, held.buffers, held.descriptors),
                (0, 0, 1),
                "the root alone is open"
            );
        }
    }
}

#[test]
fn the_simulator_conforms() {
    run_all(|| Simulated::new(1, &Limits::DEFAULT, FaultPlan::none()));
}

#[test]
fn the_simulator_conforms_when_tiny() {
    for seed in 0..20 {
        run_all(|| Simulated::new(seed, &Limits::TINY, FaultPlan::none()));
    }
}

/// What a kernel may do at any time is no fault: the suite holds under it.
#[test]
fn the_simulator_conforms_when_slow_and_unwilling() {
    let plan = FaultPlan::only(&[FaultKind::Slow, FaultKind::UnknownKind]);
    for seed in 0..20 {
        run_all(|| Simulated::new(seed, &Limits::TINY, plan.clone()));
    }
}
