//! `ls`, `rm`, `status`, and the rules that stop each action before the first byte.
// proves: P3, V9

use xferd_e2e::compare::{names, snapshot};
use xferd_e2e::{Client, Run, Scratch, Seed, World, tree};

#[test]
fn ls_names_what_is_there() {
    let world = World::new();
    tree::make(&world.root.join("tree"), 10, 81);
    let short = world.client.run(["ls", "lab:/tree/odd"]).ok().text();
    assert!(short.lines().any(|line| line.contains("all-hole")), "{short}");
    assert!(!short.contains('\x1b'), "an escape sequence reached the terminal");
    let listed = world.client.run(["ls", "-l", "lab:/tree/odd"]).ok().text();
    assert!(listed.lines().any(|line| line.contains("sparse-large") && line.contains("41")), "{listed}");
    world.client.run(["ls", "lab:/nowhere"]).fails(3);
    world.client.json(["ls", "lab:/tree"]).ok().result();
}

#[test]
fn rm_removes_what_it_is_told_and_a_directory_only_when_asked() {
    let world = World::new();
    tree::make(&world.root.join("tree"), 10, 82);
    world.client.run(["rm", "lab:/tree/odd/-rf"]).ok();
    assert!(!world.root.join("tree/odd/-rf").exists());
    assert_ne!(world.client.run(["rm", "lab:/tree"]).code(), 0);
    assert!(world.root.join("tree/odd").is_dir());
    std::os::unix::fs::symlink(world.path("client"), world.root.join("tree/out")).expect("linked");
    tree::file(&world.local("safe"), 5, &mut Seed(1));
    world.client.run(["rm", "-r", "lab:/tree"]).ok();
    assert!(names(&world.root).is_empty());
    assert!(world.local("safe").exists(), "a link was followed");
    world.client.run(["rm", "lab:/nothing"]).fails(3);
}

#[test]
fn status_says_what_the_daemon_is() {
    let world = World::new();
    let text = world.client.run(["status", "lab"]).ok().text();
    assert!(text.contains(&world.daemon().io) || text.contains("cores"), "{text}");
    let own = world.daemon().command(&["status"]).output().expect("xferd runs");
    assert!(own.status.success());
    assert!(String::from_utf8_lossy(&own.stdout).contains(&world.daemon().io));
}

#[test]
fn an_unknown_remote_is_named_with_what_to_do() {
    let world = World::new();
    let run = world.client.run(["ls", "nowhere:/"]).fails(3);
    assert!(run.stderr.contains("nowhere") && run.stderr.contains("join"), "{}", run.stderr);
}

/// A world whose configuration denies one action to everybody, before what is allowed.
fn denied(rule: &str) -> World {
    let scratch = Scratch::new();
    let data = scratch.dir("data");
    tree::file(&data.join("file"), 1000, &mut Seed(1));
    let config = format!(
        "[[share]]\nname = \"data\"\npath = \"{}\"\n\n[[rule]]\neffect = \"deny\"\n{rule}\n",
        data.display()
    );
    let world = World::shares(scratch, &config);
    tree::file(&world.local("mine"), 1 << 20, &mut Seed(2));
    world
}

fn refused(world: &World, run: Run) {
    let run = run.fails(42);
    assert!(
        run.stderr.contains("denied") || run.text().contains("ACCESS_DENIED"),
        "{}{}",
        run.stderr,
        run.text()
    );
    let data = snapshot(&world.path("data"));
    assert_eq!(
        data.keys().map(Vec::as_slice).collect::<Vec<_>>(),
        [&b""[..], b"file"],
        "something was written"
    );
}

#[test]
fn a_rule_stops_browsing() {
    let world = denied("action = \"browse\"");
    refused(&world, world.client.run(["ls", "lab:/data"]));
    world.client.run(["copy", "lab:/data/file", "got"]).ok();
}

#[test]
fn a_rule_stops_pulling() {
    let world = denied("action = \"pull\"");
    refused(&world, world.client.run(["copy", "lab:/data/file", "got"]));
    assert!(!world.local("got").exists());
    world.client.run(["ls", "lab:/data"]).ok();
}

#[test]
fn a_rule_stops_pushing() {
    let world = denied("action = \"push\"");
    refused(&world, world.client.run(["copy", "mine", "lab:/data/mine"]));
    world.client.run(["copy", "lab:/data/file", "got"]).ok();
}

#[test]
fn a_rule_stops_removing() {
    let world = denied("action = \"remove\"");
    refused(&world, world.client.run(["rm", "lab:/data/file"]));
    world.client.run(["copy", "mine", "lab:/data/mine"]).ok();
    assert_eq!(
        world.client.run(["sync", "-a", "--delete", "./", "lab:/data"]).code(),
        42,
        "sync --delete removes"
    );
}

#[test]
fn a_rule_stops_invoking() {
    let world = denied("action = \"invoke\"\nprotocol = \"xferd.status\"");
    refused(&world, world.client.run(["status", "lab"]));
    world.client.run(["ls", "lab:/data"]).ok();
}

#[test]
fn a_rule_stops_connecting() {
    let world = denied("action = \"connect\"\naccount = \"alice\"");
    refused(&world, world.client.run(["ls", "lab:/data"]));
    let bob = world.further_client("bob");
    bob.run(["ls", "lab:/data"]).ok();
}

#[test]
fn a_share_allows_only_whom_it_names() {
    let scratch = Scratch::new();
    let data = scratch.dir("data");
    tree::file(&data.join("file"), 1000, &mut Seed(1));
    let config = format!(
        "[[share]]\nname = \"data\"\npath = \"{}\"\nallow = [\"alice:r\", \"bob:rw\"]\n",
        data.display()
    );
    let world = World::shares(scratch, &config);
    tree::file(&world.local("mine"), 1000, &mut Seed(2));
    world.client.run(["copy", "lab:/data/file", "got"]).ok();
    world.client.run(["copy", "mine", "lab:/data/mine"]).fails(42);
    let bob = world.further_client("bob");
    bob.run(["copy", "lab:/data/file", "got"]).ok();
    bob.run(["copy", "got", "lab:/data/theirs"]).ok();
    let carol = world.further_client("carol");
    carol.run(["copy", "lab:/data/file", "got"]).fails(42);
    let top = world.client.run(["ls", "lab:/"]).ok().text();
    assert!(top.contains("data"), "the top lists the shares: {top}");
}

#[test]
fn two_accounts_work_side_by_side() {
    let world = World::new();
    let clients: Vec<Client> = ["bob", "carol"].iter().map(|name| world.further_client(name)).collect();
    for (index, client) in clients.iter().enumerate() {
        tree::file(&client.folder.join("big"), 24 << 20, &mut Seed(index as u64));
    }
    let running: Vec<_> = clients
        .iter()
        .enumerate()
        .map(|(index, client)| client.start(["copy", "big", &format!("lab:/{index}"), "--json"]))
        .collect();
    for (index, run) in running.into_iter().enumerate() {
        run.end().ok();
        let copy = world.root.join(index.to_string());
        assert_eq!(
            xferd_e2e::compare::hash(&copy),
            xferd_e2e::compare::hash(&clients[index].folder.join("big"))
        );
    }
}
