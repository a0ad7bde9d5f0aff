//! Policies that misbehave while they decide, in a daemon that serves somebody else all the while.
// proves: E4

#[path = "../../../engine/host/tests/made/mod.rs"]
mod made;

use made::{Parts, policy};
use xferd_e2e::package::{Package, xferd};
use xferd_e2e::{Seed, World, compare, tree};

/// What it does to a push whose path begins with a letter, and what whoever pushes is told.
struct Evil {
    body: String,
    told: &'static str,
}

/// Grows by one page until that is refused, then traps as an allocator would.
const GROWS: &str = "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)";
const GROWS_TABLE: &str = "(loop $l (br_if $l (i32.ne (table.grow $t (ref.null func) (i32.const 4096)) (i32.const -1)))) (unreachable)";
/// A line of 16 KiB.
const LINE: &str =
    "(call $emit (i32.const 2) (i32.const 8192) (i32.const 16384) (i32.const 0) (i32.const 0))";
/// Items that the bodies use: a table, and functions that call themselves.
const ITEMS: &str = "(type $f (func (result i32))) (table $t 1 funcref) (elem (i32.const 0) $indirect)
    (func $direct (result i32) (i32.add (call $direct) (i32.const 1)))
    (func $indirect (result i32) (i32.add (call_indirect (type $f) (i32.const 0)) (i32.const 1)))";
/// Every import of a policy that these texts can call, once.
const CALLS: [&str; 7] = [
    "(call $context (i32.const 64) (i32.const 4) (i32.const 2048))",
    "(drop (call $clock ))",
    "(drop (call $take (i32.const 64) (i32.const 4) (i64.const 1)))",
    "(call $kv (i32.const 64) (i32.const 4) (i32.const 2048))",
    "(drop (call $member (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 0)
        (i64.const 0) (i64.const 0)))",
    "(call $count (i32.const 64) (i32.const 4) (i64.const 1))",
    "(call $emit (i32.const 1) (i32.const 64) (i32.const 4) (i32.const 0) (i32.const 0))",
];

/// An answer with this written over it.
fn answer(store: &str) -> String {
    format!("(drop (call $answer (i32.const 0))) {store} (return (i32.const 1024))")
}

/// 1000 obligations `label`, each the same 32 KiB.
fn overlapping() -> String {
    answer(
        "(i32.store (i32.const 1056) (i32.const 65536)) (i32.store (i32.const 1060) (i32.const 1000))
        (drop (memory.grow (i32.const 2)))
        (local.set $action (i32.const 0))
        (loop $l
            (i32.store8 (i32.add (i32.const 65536) (local.get $action)) (i32.const 6))
            (i32.store (i32.add (i32.const 65544) (local.get $action)) (i32.const 8192))
            (i32.store (i32.add (i32.const 65548) (local.get $action)) (i32.const 32768))
            (local.set $action (i32.add (local.get $action) (i32.const 56)))
            (br_if $l (i32.lt_u (local.get $action) (i32.const 56000))))",
    )
}

fn evils() -> Vec<Evil> {
    let evil = |body: &str, told| Evil { body: body.to_owned(), told };
    let mut all = vec![
        evil("(loop $l (br $l))", "timeout: it took more than 3 ms"),
        evil(GROWS, "bytes of memory, it may have 4194304 (limits.memory in plugin.toml)"),
        evil(GROWS_TABLE, "it asked for a table of 16385 elements, it may have 16384"),
        evil("(return (call $direct))", "its stack overflowed 262144 bytes"),
        evil("(return (call $indirect))", "its stack overflowed 262144 bytes"),
        // A code of 1 GiB, and 2^26 obligations, in 64 KiB of memory.
        evil(&answer("(i32.store (i32.const 1032) (i32.const 1073741824))"), "policy-fault"),
        evil(&answer("(i32.store (i32.const 1060) (i32.const 67108864))"), "policy-fault"),
        evil(&overlapping(), "it moved more than 262144 bytes through host calls"),
        evil("(loop $l (drop (call $clock )) (br $l))", "it made more than 1000 host calls"),
        evil(&format!("(loop $l {LINE} (br $l))"), "it moved more than 262144 bytes through host calls"),
        evil(
            &answer("(i32.store (i32.const 1028) (i32.const 0))(i32.store8 (i32.const 1024) (i32.const 9))"),
            "policy-fault",
        ),
        evil(
            "(call $emit (i32.const 4) (i32.const 64) (i32.const 4) (i32.const 0) (i32.const 0)) (unreachable)",
            "it panicked: path (",
        ),
    ];
    for calls in 0..=CALLS.len() {
        all.push(evil(&format!("{} (unreachable)", CALLS[..calls].join("\n")), "it trapped: "));
    }
    all
}

/// Every evil in one policy: the first letter of a pushed path chooses, from `a`; all else is allowed.
fn component(evils: &[Evil]) -> Vec<u8> {
    let branches: String = (b'a'..)
        .zip(evils)
        .map(|(letter, evil)| {
            format!("(if (i32.eq (local.get $action) (i32.const {letter})) (then {}))\n", evil.body)
        })
        .collect();
    let decide = format!(
        "(if (i32.ne (local.get $action) (i32.const 3)) (then (return (call $answer (i32.const 0)))))
        (call $context (i32.const 64) (i32.const 4) (i32.const 2048))
        (local.set $action (i32.load8_u (i32.load (i32.const 2064))))
        {branches} (call $answer (i32.const 0))"
    );
    policy(Parts { text: "path", decide: &decide, more: ITEMS, ..Parts::default() })
}

const GRANTS: &str =
    "grants.kv = {}\ngrants.quota = { path = { rate = \"1000/s\", burst = 1000 } }\ngrants.identity = {}";

#[test]
fn each_ends_is_named_and_leaves_everybody_else_served() {
    let world = World::new();
    tree::file(&world.local("mine"), 1000, &mut Seed(1));
    tree::file(&world.root.join("big"), 256 << 20, &mut Seed(2));
    let bob = world.further_client("bob");
    let evils = evils();
    Package::new(&world, "test/evil", "policy@0.1", &component(&evils), GRANTS).install(&world).ok();
    xferd(&world, &["plugin", "reload"]).ok();
    let mut pull = bob.start(["copy", "--json", "--bwlimit", "1m", "lab:/big", "big"]);
    pull.event(|event| event["event"] == "progress" && event["bytes"].as_u64() > Some(0)).expect("begun");
    let (process, before) = (world.daemon().id(), compare::names(&world.root));
    let installed = xferd(&world, &["plugin", "list", "--json"]).ok().text;
    for (letter, evil) in ('a'..).zip(&evils) {
        let push = world.client.start(["copy", "mine", &format!("lab:/{letter}")]);
        bob.run(["ls", "lab:/"]).ok();
        let denied = push.end().fails(42).stderr;
        let named = denied.matches("plugin test/evil: policy-fault: ").count();
        assert!(named == 1 && denied.contains(evil.told), "{letter}: {} in {denied}", evil.told);
    }
    pull.event(|event| event["event"] == "progress").expect("it goes on");
    assert_eq!(pull.kill().status.code(), None, "nothing else ended it");
    assert_eq!(compare::names(&world.root), before, "nothing was made");
    assert_eq!(xferd(&world, &["plugin", "list", "--json"]).ok().text, installed);
    assert_eq!(world.daemon().id(), process);
    let status = xferd(&world, &["status", "--plugins", "--json"]).ok().text;
    assert!(status.contains(&format!("\"faults\":{}", evils.len())), "{status}");
    let log = world.daemon().log();
    assert!(!log.contains("panicked at"), "{log}");
    // What behaves goes on: a fault is of one call.
    world.client.run(["copy", "mine", "lab:/zebra"]).ok();
}

#[test]
fn a_flood_of_lines_is_cut() {
    let world = World::new();
    tree::file(&world.local("mine"), 1000, &mut Seed(1));
    let decide =
        "(if (i32.ne (local.get $action) (i32.const 3)) (then (return (call $answer (i32.const 0)))))
        (loop $l
            (call $emit (i32.const 4) (i32.const 64) (i32.const 7) (i32.const 0) (i32.const 0))
            (local.set $action (i32.add (local.get $action) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $action) (i32.const 203))))
        (call $answer (i32.const 0))";
    let component = policy(Parts { text: "spamspam", decide, ..Parts::default() });
    Package::new(&world, "test/flood", "policy@0.1", &component, "").install(&world).ok();
    xferd(&world, &["plugin", "reload"]).ok();
    world.client.run(["copy", "mine", "lab:/mine"]).ok();
    xferd(&world, &["status"]).ok();
    let lines = world.daemon().log().matches("spamspa").count();
    assert!((1..=64).contains(&lines), "{lines} lines of 200");
}

#[test]
fn a_loop_in_configure_that_waits_for_the_daemon_denies_and_can_be_taken_away() {
    let world = World::new();
    tree::file(&world.local("mine"), 1000, &mut Seed(1));
    // When it is tried out nothing is known, not even the time.
    let configure = "(if (i64.ne (call $clock ) (i64.const 0)) (then (loop $l (br $l))))";
    let component = policy(Parts { configure, decide: "(call $answer (i32.const 0))", ..Parts::default() });
    let package = Package::new(&world, "test/late", "policy@0.1", &component, "");
    package.install(&world).ok();
    xferd(&world, &["plugin", "reload"]).ok();
    let denied = world.client.run(["copy", "mine", "lab:/mine"]).fails(42).stderr;
    assert!(denied.contains("plugin test/late: policy-fault: timeout: it took more than 3 ms"), "{denied}");
    xferd(&world, &["plugin", "remove", "test/late"]).ok();
    xferd(&world, &["plugin", "reload"]).ok();
    world.client.run(["copy", "mine", "lab:/mine"]).ok();
}
