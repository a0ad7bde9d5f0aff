//! A listing shows the names that policies let through, looked at in batches.
// proves: E4

#[path = "../../../engine/host/tests/made/mod.rs"]
mod made;

use made::{Parts, component, policy_module};
use xferd_e2e::package::{Package, xferd};
use xferd_e2e::{Seed, World, tree};

/// Denies names that end with `x`. Entries have 24 bytes each, decisions 40, from 131072.
const FILTER: &str = r#"
    (func (export "xferd:plugin/batch-authorizer@0.1.0#decide-all")
        (param i64 i64 i64 i64 i32 i32 i32 i32 i32) (param $entries i32) (param $count i32) (result i32)
        (local $at i32) (local $out i32) (local $entry i32)
        BEGIN
        (local.set $out (i32.const 131072))
        (drop (memory.grow (i32.const 4)))
        (block $done (loop $l
            (br_if $done (i32.ge_u (local.get $at) (local.get $count)))
            (local.set $entry (i32.add (local.get $entries) (i32.mul (local.get $at) (i32.const 24))))
            (i32.store8 (local.get $out) (i32.eq (i32.const 120) (i32.load8_u (i32.sub
                (i32.add (i32.load (local.get $entry)) (i32.load offset=4 (local.get $entry)))
                (i32.const 1)))))
            (i32.store offset=4 (local.get $out) (i32.const 16))
            (i32.store offset=8 (local.get $out) (i32.const 2))
            (local.set $out (i32.add (local.get $out) (i32.const 40)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $l)))
        (i32.store (i32.const 600) (i32.const 131072))
        (i32.store (i32.const 604) (local.get $count))
        (i32.const 600))"#;

fn filter(begin: &str) -> Vec<u8> {
    let more = FILTER.replace("BEGIN", begin);
    let parts = Parts { decide: "(call $answer (i32.const 0))", more: &more, ..Parts::default() };
    component("batch-policy", &policy_module(parts))
}

fn install(world: &World, component: &[u8]) {
    Package::new(world, "test/filter", "batch-policy@0.1", component, "").install(world).ok();
    xferd(world, &["plugin", "reload"]).ok();
}

#[test]
fn names_that_a_policy_denies_are_not_listed() {
    let world = World::new();
    let mut kept = Vec::new();
    for number in 0..1500 {
        let end = if number % 7 == 0 { "x" } else { "" };
        let name = format!("f{number:04}{end}");
        std::fs::write(world.root.join(&name), b"1").expect("written");
        kept.extend(end.is_empty().then_some(name));
    }
    std::fs::create_dir(world.root.join("box")).expect("made");
    std::fs::create_dir(world.root.join("sub")).expect("made");
    tree::file(&world.root.join("sub/fox"), 10, &mut Seed(1));
    tree::file(&world.root.join("sub/hen"), 10, &mut Seed(1));
    let listed = |arguments: &[&str]| {
        let text = world.client.run(arguments).ok().text();
        text.lines().filter_map(|line| line.split_whitespace().last().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(listed(&["ls", "lab:/"]).len(), 1502, "nobody filters");
    install(&world, &filter(""));
    let names = listed(&["ls", "lab:/"]);
    let files: Vec<&String> = names.iter().filter(|name| name.starts_with('f')).collect();
    assert_eq!(files, kept.iter().collect::<Vec<_>>());
    assert!(!names.iter().any(|name| name.contains("box")) && names.len() == kept.len() + 1, "{names:?}");
    let below = listed(&["ls", "lab:/sub"]);
    assert!(below.len() == 1 && below[0].contains("hen"), "{below:?}");
    // A policy that fails at names shows none of them; the log names it.
    install(&world, &filter("(unreachable)"));
    assert_eq!(listed(&["ls", "lab:/"]), Vec::<String>::new());
    xferd(&world, &["status"]).ok();
    let log = world.daemon().log();
    assert!(log.contains("test/filter") && log.contains("did not answer"), "{log}");
}
