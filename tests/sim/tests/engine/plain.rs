//! Transfers without a fault.

use crate::machine::{Machines, describe};
use crate::scene::{archive, bytes, pull, push, tree, under};
use crate::town::{HOME, ROOT};
use base::hooks::{FileAction, Obligations};
use base::limits::Limits;
use proto::transfer::offer::Options;
use shard::command::{Command, JobData, JobEnd, JobKind};
use sim::disk::View;
use sim::drive::Ended;
use sim::faults::{FaultKind, FaultPlan};
use sim::hooks::{Denial, Seen};
use sim::oracle::{Compare, differences};
use sim::world::{EndId, Held, World, WorldConfig};
use std::rc::Rc;

/// More turns than any of these transfers takes.
const TURNS_MAX: u64 = 200_000;

fn machines(seed: u64) -> Machines {
    machines_under(seed, FaultPlan::none())
}

fn machines_under(seed: u64, plan: FaultPlan) -> Machines {
    let world = World::new(WorldConfig::two_ends(seed, plan));
    let mut machines = Machines::new(world, Limits::TINY);
    machines.drive.start(EndId::DAEMON);
    machines
}

/// Runs one job to its end and the client to its exit.
fn run(machines: &mut Machines, job: impl Fn(base::io::Fd) -> JobKind + 'static) -> JobEnd {
    machines.begin(Rc::new(job));
    let desk = machines.desk.clone();
    let ended = machines.drive.run(TURNS_MAX, |_, _| desk.borrow().ended.is_some());
    assert_eq!(ended, Ended::Done, "the job ends");
    // What the job queued last still goes out.
    let start = desk.borrow().at_start[0];
    machines.drive.run(TURNS_MAX, |world, _| world.held(EndId::CLIENT) == start);
    assert_eq!(machines.world.held(EndId::CLIENT), start, "the client lets go of everything");
    machines.drive.stop(EndId::CLIENT);
    let start = Held { operations: 2, ..desk.borrow().at_start[1] };
    machines.drive.run(TURNS_MAX, |world, _| world.held(EndId::DAEMON) == start);
    assert_eq!(
        machines.world.held(EndId::DAEMON),
        start,
        "the daemon lets go of everything but its listeners"
    );
    assert_eq!(machines.world.violations(), Vec::<String>::new());
    let end = machines.desk.borrow_mut().ended.take();
    assert!(
        matches!(end, Some(JobEnd { result: Ok(JobData::Receipt(..)), .. })),
        "{}\n{}",
        describe(&end),
        machines.said()
    );
    end.expect("checked above")
}

/// Stops the daemon in order: what is left is what the program opened before its cores started.
fn stop(machines: &mut Machines) {
    machines.command(EndId::DAEMON, || Command::Stop);
    let desk = machines.desk.clone();
    let over = machines.drive.run(TURNS_MAX, |_, _| desk.borrow().over[1] == 2);
    assert_eq!(over, Ended::Done, "both cores close everything");
    let start = Held { operations: 0, ..desk.borrow().at_start[1] };
    machines.drive.run(TURNS_MAX, |world, _| world.held(EndId::DAEMON) == start);
    assert_eq!(machines.world.held(EndId::DAEMON), start);
}

fn assert_same(machines: &Machines, source: (EndId, &[u8]), destination: (EndId, &[u8]), how: Compare) {
    let tree = |(end, path): (EndId, &[u8]), view| machines.world.disk(end, |disk| disk.tree(path, view));
    // A tree's small files are synced with fdatasync: their attributes may be lost with the power.
    for (view, how) in [(View::Visible, how), (View::Durable, Compare::CONTENT)] {
        let found = differences(&tree(source, View::Visible), &tree(destination, view), how);
        let found: Vec<String> = found.iter().map(|path| path.escape_ascii().to_string()).collect();
        assert_eq!(found, Vec::<String>::new(), "{view:?}");
    }
}

const ARCHIVE: Compare = Compare { owner: false, ..Compare::ARCHIVE };

fn push_file(seed: u64, len: usize, streams: Option<u16>) -> JobEnd {
    let mut machines = machines(seed);
    let _guard = machines.world.guard();
    machines.world.disk(EndId::CLIENT, |disk| {
        disk.build_file(&under(HOME, "file"), &bytes(seed, len));
        disk.settle();
    });
    let end = run(&mut machines, push("file", archive(), streams, true));
    for view in [View::Visible, View::Durable] {
        let image = machines.world.disk(EndId::DAEMON, |disk| disk.image(&under(ROOT, "file"), view));
        let held = image.and_then(|image| image.bytes().map(<[u8]>::to_vec));
        assert_eq!(held, Some(bytes(seed, len)), "{view:?}");
    }
    end
}

#[test]
fn a_small_file_is_pushed() {
    for seed in 0..20 {
        let end = push_file(seed, 300, None);
        assert_eq!(end.totals.counted(FileAction::Failed), 0);
    }
}

#[test]
fn a_file_in_chunks_is_pushed() {
    for seed in 0..40 {
        push_file(seed, 600 + seed as usize * 700, None);
    }
}

#[test]
fn a_journalled_file_is_pushed() {
    for seed in 0..40 {
        push_file(seed, 9000 + seed as usize * 13_001, None);
    }
}

#[test]
fn a_large_file_is_pushed_over_two_streams() {
    for seed in 0..40 {
        push_file(seed, 100_000, Some(2));
    }
}

/// The receiver closes its streams once it has everything: what it said of them may come after that.
#[test]
fn the_sender_reads_nothing_twice_because_streams_close() {
    for seed in 0..60 {
        let mut machines = machines(seed);
        let _guard = machines.world.guard();
        machines.world.disk(EndId::DAEMON, |disk| {
            disk.build_file(&under(ROOT, "file"), &bytes(seed, 100_000));
            disk.settle();
        });
        run(&mut machines, pull("file", archive(), Some(2)));
        assert_eq!(machines.world.disk(EndId::DAEMON, |disk| disk.bytes_read()), 100_000, "seed {seed}");
    }
}

#[test]
fn a_tree_is_pushed_and_pulled_and_the_second_time_nothing_moves() {
    for seed in 0..40 {
        let streams = (seed % 2 == 0).then_some(2);
        let mut machines = machines(seed);
        let _guard = machines.world.guard();
        machines.world.disk(EndId::CLIENT, |disk| tree(disk, &under(HOME, "tree"), seed));
        run(&mut machines, push("tree", archive(), streams, true));
        let (from, to) = (under(HOME, "tree"), under(ROOT, "tree"));
        assert_same(&machines, (EndId::CLIENT, &from), (EndId::DAEMON, &to), ARCHIVE);

        let end = run(&mut machines, push("tree", archive(), streams, true));
        assert_eq!(end.totals.bytes, 0, "{:?}", end.totals);

        machines.world.disk(EndId::DAEMON, |disk| tree(disk, &under(ROOT, "other"), seed + 100));
        run(&mut machines, pull("other", archive(), streams));
        let (from, to) = (under(ROOT, "other"), under(HOME, "other"));
        assert_same(&machines, (EndId::DAEMON, &from), (EndId::CLIENT, &to), ARCHIVE);

        let end = run(&mut machines, pull("other", archive(), streams));
        assert_eq!(end.totals.bytes, 0, "{:?}", end.totals);
        stop(&mut machines);
    }
}

#[test]
fn sync_deletes_what_the_source_lacks() {
    for seed in 0..40 {
        let mut machines = machines(seed);
        let _guard = machines.world.guard();
        machines.world.disk(EndId::CLIENT, |disk| tree(disk, &under(HOME, "tree"), seed));
        machines.world.disk(EndId::DAEMON, |disk| {
            disk.build_file(&under(ROOT, "mirror/sub/extra/deep"), b"goes");
            disk.build_file(&under(ROOT, "mirror/zzz"), b"goes");
            disk.build_file(&under(ROOT, "mirror/a"), b"is replaced");
            disk.build_file(&under(ROOT, "stays"), b"stays");
            disk.settle();
        });
        let options = Options { delete: true, ..archive() };
        run(&mut machines, push("tree", options.clone(), None, false));
        let (from, to) = (under(HOME, "tree"), under(ROOT, "mirror"));
        assert_same(&machines, (EndId::CLIENT, &from), (EndId::DAEMON, &to), ARCHIVE);
        assert!(machines.world.disk(EndId::DAEMON, |disk| disk.visible(&under(ROOT, "stays"))).is_some());

        let end = run(&mut machines, push("tree", options, None, false));
        assert_eq!(end.totals.bytes, 0, "{:?}", end.totals);
    }
}

/// Whose transfer is ended by the other end says no more: also not what waits for a rate, or for a peer that reads at one.
#[test]
fn a_transfer_that_is_no_longer_allowed_ends_before_a_closing_link_is_cut_off() {
    for seed in 0..40 {
        // Half of the connections hold less than a record.
        let plan = FaultPlan::only(&[FaultKind::ShortSend]);
        let mut machines = machines_under(seed, plan);
        let _guard = machines.world.guard();
        machines.world.disk(EndId::CLIENT, |disk| {
            disk.build_file(&under(HOME, "file"), &bytes(seed, 200_000));
            disk.settle();
        });
        let office = machines.offices[1].clone();
        let slow = Obligations { bytes_per_second: 150_000, ..Obligations::NONE };
        office.borrow_mut().obligations = Some(slow);
        machines.begin(Rc::new(push("file", archive(), None, true)));
        let moved = |seen: &Seen| matches!(seen, Seen::Progress { bytes: 20_000.., .. });
        let under_way =
            machines.drive.run(TURNS_MAX, |_, _| office.borrow().seen.iter().any(|(_, seen)| moved(seen)));
        assert_eq!(under_way, Ended::Done, "seed {seed}");
        let denial = Denial { action: Some("push"), ..Denial::default() };
        office.borrow_mut().denials.push(denial);
        office.borrow_mut().generation += 1;
        let told_ns = machines.world.now(EndId::CLIENT).mono_ns;
        let desk = machines.desk.clone();
        let start = desk.borrow().at_start[0];
        let closed = machines
            .drive
            .run(TURNS_MAX, |world, _| desk.borrow().ended.is_some() && world.held(EndId::CLIENT) == start);
        assert_eq!(closed, Ended::Done, "seed {seed}");
        let took_ms = (machines.world.now(EndId::CLIENT).mono_ns - told_ns) / 1_000_000;
        assert!(took_ms < Limits::TINY.close_ms, "seed {seed}: {took_ms} ms");
        let end = describe(&desk.borrow_mut().ended.take());
        assert!(end.contains("no longer allowed"), "seed {seed}: {end}");
    }
}
