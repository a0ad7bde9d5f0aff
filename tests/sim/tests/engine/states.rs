//! The declared machines of a link (C7), its sessions (V6) and their requests (P3), as the real engine drives them
//! through a link that is cut once and one whose daemon never comes back. `GOLDEN=write` writes the golden again.
// proves: C7 V6 P3 L10

use crate::machine::Machines;
use crate::scene::{archive, bytes, push, under};
use crate::town::HOME;
use base::codes::Code;
use base::hooks::Reply;
use base::limits::Limits;
use proto::wire::FrameType;
use shard::command::{JobData, JobEnd, JobKind};
use sim::drive::Ended;
use sim::faults::FaultPlan;
use sim::hooks::Seen;
use sim::world::{EndId, World, WorldConfig};
use std::fmt::Write;
use std::rc::Rc;

const TURNS_MAX: u64 = 200_000;

/// A push that has moved some of its bytes over one connection.
fn under_way(seed: u64) -> Machines {
    let world = World::new(WorldConfig::two_ends(seed, FaultPlan::none()));
    let mut machines = Machines::new(world, Limits::TINY);
    machines.drive.start(EndId::DAEMON);
    machines.world.disk(EndId::CLIENT, |disk| {
        disk.build_file(&under(HOME, "file"), &bytes(seed, 200_000));
        disk.settle();
    });
    machines.begin(Rc::new(push("file", archive(), Some(1), true)));
    let office = machines.offices[0].clone();
    let moved = machines.drive.run(TURNS_MAX, |_, _| {
        let office = office.borrow();
        office.frames.iter().filter(|frame| !frame.sent && frame.kind == FrameType::Ack.number()).count() == 3
    });
    assert_eq!(moved, Ended::Done, "bytes are acknowledged");
    machines
}

fn end(machines: &mut Machines) -> JobEnd {
    let desk = machines.desk.clone();
    let ended = machines.drive.run(TURNS_MAX, |_, _| desk.borrow().ended.is_some());
    assert_eq!(ended, Ended::Done, "the job ends");
    // What both ends still say to each other.
    machines.drive.run(2000, |_, _| false);
    assert_eq!(machines.world.violations(), Vec::<String>::new());
    machines.desk.borrow_mut().ended.take().expect("it ended")
}

fn print(out: &mut String, title: &str, machines: &Machines) {
    for (end, office) in ["client", "daemon"].into_iter().zip(&machines.offices) {
        for machine in ["link", "session", "request"] {
            let office = office.borrow();
            let mut steps = office.steps.iter().filter(|(name, _)| *name == machine).peekable();
            if steps.peek().is_some() {
                let _ = writeln!(out, "{title}: {machine} of the {end}");
                for (_, step) in steps {
                    let _ = writeln!(out, "  {step}");
                }
            }
        }
    }
}

/// Waits of the client's retries, in milliseconds.
fn waits(machines: &Machines) -> Vec<u64> {
    let office = machines.offices[0].borrow();
    let retries = office.seen.iter().filter_map(|(_, seen)| match seen {
        Seen::Retry { what: "link", attempt, wait_ms, code } => Some((*attempt, *wait_ms, *code)),
        _ => None,
    });
    let retries: Vec<_> = retries.collect();
    assert!(retries.iter().enumerate().all(|(index, retry)| retry.0 == index as u32 + 1), "{retries:?}");
    assert!(retries.iter().all(|retry| [Code::ConnectionLost, Code::Unavailable].contains(&retry.2)));
    retries.iter().map(|retry| retry.1).collect()
}

#[test]
fn a_cut_and_a_breaker_pass_the_declared_states() {
    let mut golden = String::new();

    let mut machines = under_way(7);
    let guard = machines.world.guard();
    machines.world.connections().iter().for_each(|connection| machines.world.cut(*connection));
    let ended = end(&mut machines);
    assert!(matches!(ended.result, Ok(JobData::Receipt(..))), "{ended:?}");
    assert_eq!(waits(&machines).len(), 1);
    print(&mut golden, "cut once", &machines);
    drop(guard);

    let mut machines = under_way(8);
    let guard = machines.world.guard();
    let before = machines.world.now_ns();
    machines.drive.stop(EndId::DAEMON);
    let ended = end(&mut machines);
    let Err(why) = &ended.result else { panic!("{ended:?}") };
    assert!(why.message.ends_with("given up after 10 failures in a row"), "{}", why.message);
    assert!(ended.totals.bytes == 0 || why.code == Code::ConnectionLost, "{ended:?}");
    let waits = waits(&machines);
    for (wait, second) in waits.iter().zip([1, 2, 4, 8, 16, 30, 30, 30, 30]) {
        assert!((second * 750..=second * 1250).contains(wait), "{waits:?}");
    }
    assert_eq!(waits.len(), 9);
    let passed_ms = (machines.world.now_ns() - before) / 1_000_000;
    assert!(passed_ms >= waits.iter().sum(), "{passed_ms} ms for {waits:?}");
    print(&mut golden, "daemon gone", &machines);
    drop(guard);

    let world = World::new(WorldConfig::two_ends(9, FaultPlan::none()));
    let mut machines = Machines::new(world, Limits::TINY);
    machines.drive.start(EndId::DAEMON);
    let busy = Reply::Error { code: Code::Busy, message: "too much to do".into() };
    machines.offices[1].borrow_mut().replies.insert("test.busy".into(), busy);
    let guard = machines.world.guard();
    machines.begin(Rc::new(|_| JobKind::Call {
        protocol: "test.busy".into(),
        payload: Vec::new(),
        once: false,
    }));
    let ended = end(&mut machines);
    assert!(matches!(&ended.result, Err(why) if why.code == Code::Busy), "{ended:?}");
    print(&mut golden, "too busy", &machines);
    drop(guard);

    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/states.txt");
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&path, &golden).expect("golden written");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(golden, expected, "{} differs; if that is meant: GOLDEN=write", path.display());
}
