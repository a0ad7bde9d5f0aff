//! What a person sees of destinations, sessions and their connections.
// proves: V8, E1

use xferd_e2e::compare::assert_equal;
use xferd_e2e::{Depth, Scratch, Seed, World, tree};

#[test]
fn several_sources_need_a_directory() {
    let world = World::new();
    for (name, seed) in [("a", 1), ("b", 2)] {
        tree::file(&world.local(name), 1000, &mut Seed(seed));
    }
    let run = world.client.run(["copy", "a", "b", "lab:/nowhere"]).fails(3);
    assert!(
        run.stderr.contains("/nowhere does not exist; several sources need a directory"),
        "{}",
        run.stderr
    );
    assert!(run.stdout.is_empty(), "a summary of nothing: {}", run.text());
    assert_eq!(xferd_e2e::compare::names(&world.root).len(), 0, "nothing was made");

    world.client.run(["copy", "a", "b", "lab:/made/"]).ok();
    world.client.run(["copy", "a", "lab:/name"]).ok();
    for (from, to) in [("a", "made/a"), ("b", "made/b"), ("a", "name")] {
        assert_equal(&world.local(from), &world.root.join(to), Depth::Copied);
    }

    let run = world.client.run(["copy", "lab:/made/a", "lab:/made/b", "nowhere"]).fails(3);
    assert!(run.stderr.contains("several sources need a directory"), "{}", run.stderr);
    assert!(!world.local("nowhere").exists());
    world.client.run(["copy", "-n", "lab:/made/a", "lab:/made/b", "back/"]).ok();
    assert!(!world.local("back").exists(), "a rehearsal makes nothing");
    world.client.run(["copy", "lab:/made/a", "lab:/made/b", "back/"]).ok();
    assert_equal(&world.local("b"), &world.local("back/b"), Depth::Copied);
}

#[test]
fn a_transfer_that_failed_before_anything_moved_is_not_summed_up() {
    let world = World::new();
    let run = world.client.run(["copy", "lab:/gone", "here"]).fails(3);
    assert!(run.stderr.contains("does not exist"), "{}", run.stderr);
    assert!(run.stdout.is_empty(), "{}", run.text());
}

#[test]
fn streams_are_not_opened_for_little() {
    let (world, proxy) = World::behind_proxy(Scratch::new(), |start| start);
    tree::file(&world.local("little"), 8 << 20, &mut Seed(1));
    let joined = proxy.carried().len();
    world.client.json(["copy", "--streams", "4", "little", "lab:/little"]).ok();
    assert_equal(&world.local("little"), &world.root.join("little"), Depth::Copied);
    assert_eq!(proxy.carried()[joined..].len(), 1, "one connection for 8 MiB: {:?}", proxy.carried());
}

#[test]
fn a_transfer_that_only_its_transport_verified_says_so() {
    let world = World::new();
    tree::file(&world.local("big"), 3 << 20, &mut Seed(1));
    let run = world.client.json(["copy", "--verify=transport", "big", "lab:/big"]).ok();
    assert_eq!(run.result()["verify"], "transport");
    assert_equal(&world.local("big"), &world.root.join("big"), Depth::Copied);
    let run = world.client.run(["copy", "--verify=transport", "lab:/big", "back"]).ok();
    assert!(run.text().contains("not hashed by the receiver"), "{}", run.text());
    let run = world.client.json(["copy", "lab:/big", "again"]).ok();
    assert_eq!(run.result()["verify"], "full");
    let receipt = run.result()["receipt"].as_str().expect("a receipt").to_owned();
    let run = world.client.json(["verify", receipt.as_str(), "again"]);
    assert_eq!(run.result()["data"]["verify"], "full", "{}", run.text());
}
