//! Connections that carry data, cores that count it, and the stage that is named as the limit.
// proves: E1, O8

use xferd_e2e::compare::assert_equal;
use xferd_e2e::{Depth, Scratch, Seed, World, tree};

#[test]
fn four_streams_are_four_connections_that_carry_data() {
    let (world, proxy) = World::behind_proxy(Scratch::new(), |start| start);
    tree::file(&world.local("big"), 128 << 20, &mut Seed(1));
    let joined = proxy.carried().len();
    let run = world.client.json(["copy", "--streams", "4", "--cores", "2", "big", "lab:/big"]).ok();
    assert_equal(&world.local("big"), &world.root.join("big"), Depth::Copied);
    let busy = proxy.carried()[joined..].iter().filter(|one| one.up > 1 << 20).count();
    assert!(busy >= 4, "{:?}", proxy.carried());
    assert_eq!(run.number("bytes"), 128 << 20);

    let status = world.daemon().command(&["status", "--json"]).output().expect("xferd runs");
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).expect("status is JSON");
    let cores = status["cores"].as_array().expect("status lists its cores").clone();
    let counted: Vec<u64> = cores.iter().filter_map(|core| core["bytes_received"].as_u64()).collect();
    assert_eq!(counted.len(), 2, "{status}");
    assert!(counted.iter().all(|bytes| *bytes > 16 << 20), "both cores count: {counted:?}");
}

#[test]
fn a_starved_link_is_named_as_the_limit() {
    let (world, proxy) = World::behind_proxy(Scratch::new(), |start| start);
    tree::file(&world.local("big"), 24 << 20, &mut Seed(1));
    proxy.slow(Some(24 << 20));
    let run = world.client.json(["copy", "--streams", "1", "big", "lab:/big"]).ok();
    let limiting = run.result()["limiting"].clone();
    assert!(["send", "credit", "receive"].iter().any(|stage| limiting == *stage), "{limiting}");
    let pull = world.client.json(["copy", "--streams", "1", "lab:/big", "back"]).ok();
    let limiting = pull.result()["limiting"].clone();
    assert!(["receive", "peer", "credit", "send"].iter().any(|stage| limiting == *stage), "{limiting}");
}

#[test]
fn stages_and_times_are_in_the_result() {
    let world = World::new();
    tree::file(&world.local("big"), 64 << 20, &mut Seed(1));
    let result = world.client.json(["copy", "big", "lab:/big"]).ok().result();
    for stage in [
        "read", "hash", "seal", "send", "receive", "open", "write", "sync", "credit", "peer", "bwlimit",
        "compress",
    ] {
        assert!(result["stages"][stage].is_number(), "{stage}: {result}");
    }
    assert!(result["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert!(result["cpu_s"]["local"].as_f64().is_some_and(|seconds| seconds > 0.0));
    assert!(result["bytes_wire"].as_u64().is_some_and(|bytes| bytes > 64 << 20));
}

/// What is sent between the records of files, as their seals are, comes between no record and the one it announces.
#[test]
fn several_files_at_a_rate_come_whole() {
    let world = World::new();
    let top = world.local("tree");
    std::fs::create_dir(&top).expect("made");
    for name in 0..6 {
        tree::file(&top.join(name.to_string()), (2 << 20) + name * 100_000, &mut Seed(name));
    }
    world.client.json(["sync", "-a", "--bwlimit", "8m", &format!("{}/", top.display()), "lab:/tree"]).ok();
    assert_equal(&top, &world.root.join("tree"), Depth::Archive);
}

#[test]
fn a_rate_that_was_asked_for_is_named_as_the_limit() {
    let world = World::new();
    tree::file(&world.local("big"), 6 << 20, &mut Seed(1));
    let push = world.client.json(["copy", "--bwlimit", "4m", "--streams", "4", "big", "lab:/big"]).ok();
    assert_eq!(push.result()["limiting"], "bwlimit", "{}", push.result());
    assert_equal(&world.local("big"), &world.root.join("big"), Depth::Copied);
    let pull = world.client.json(["copy", "--bwlimit=4m", "lab:/big", "back"]).ok();
    assert_eq!(pull.result()["limiting"], "bwlimit", "{}", pull.result());
    assert_equal(&world.local("big"), &world.local("back"), Depth::Copied);
    let run = world.client.run(["copy", "--bwlimit", "4m", "--bwlimit-typo", "big", "lab:/x"]).fails(1);
    assert!(run.stderr.contains("--bwlimit"), "{}", run.stderr);
}
