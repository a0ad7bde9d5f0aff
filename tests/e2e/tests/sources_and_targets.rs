//! Sources that change under the reader, targets that cannot take what comes: said, and nothing lost.
// proves: V6, V8

use std::path::Path;
use std::process::Command;
use xferd_e2e::compare::{assert_equal, differences, snapshot, without_parts};
use xferd_e2e::{Depth, Direction, Proxy, Scratch, Seed, SmallDisk, World, tree};

/// Changes the file `big` of a tree while it travels; the run, its world and the wire between.
fn while_it_travels(change: impl FnOnce(&Path)) -> (World, Proxy, xferd_e2e::Run) {
    let (world, proxy) = World::behind_proxy(Scratch::new(), |start| start);
    let source = world.local("tree");
    std::fs::create_dir_all(&source).expect("made");
    tree::file(&source.join("big"), 96 << 20, &mut Seed(1));
    tree::file(&source.join("small"), 1000, &mut Seed(2));
    let before = proxy.total(Direction::Up);
    proxy.slow(Some(200 << 20));
    let running = world.client.start(["sync", "-a", "--streams", "1", "tree/", "lab:/tree", "--json"]);
    assert!(proxy.wait_for(Direction::Up, before + (20 << 20)));
    change(&source.join("big"));
    proxy.slow(None);
    let run = running.end();
    (world, proxy, run)
}

#[test]
fn a_source_that_shrinks_is_reported_and_not_mixed() {
    let (world, _proxy, run) = while_it_travels(|path| {
        std::fs::File::options().write(true).open(path).and_then(|file| file.set_len(30 << 20)).expect("cut");
    });
    assert!([23, 24].contains(&run.code()), "exit {}: {}", run.code(), run.stderr);
    assert!(!world.root.join("tree/big").exists(), "a mix was published");
    assert_equal(&world.local("tree/small"), &world.root.join("tree/small"), Depth::Copied);
    world.client.json(["sync", "-a", "tree/", "lab:/tree"]).ok();
    let (was, is) = (snapshot(&world.local("tree")), without_parts(snapshot(&world.root.join("tree"))));
    assert_eq!(differences(&was, &is, Depth::Archive), [""; 0]);
}

#[test]
fn a_source_that_grows_or_is_rewritten_is_reported_and_not_mixed() {
    let (world, _proxy, run) = while_it_travels(|path| tree::file(path, 100 << 20, &mut Seed(3)));
    assert!([23, 24].contains(&run.code()), "exit {}: {}", run.code(), run.stderr);
    assert!(!world.root.join("tree/big").exists(), "a mix was published");
    world.client.json(["sync", "-a", "tree/", "lab:/tree"]).ok();
    let (was, is) = (snapshot(&world.local("tree")), without_parts(snapshot(&world.root.join("tree"))));
    assert_eq!(differences(&was, &is, Depth::Archive), [""; 0]);
}

#[test]
fn an_unreadable_source_is_exit_23_and_deletes_nothing() {
    let world = World::new();
    let source = world.local("tree");
    tree::make(&source, 8, 71);
    // A FIFO is refused whoever asks; that it is there must not stop the rest, nor delete anything.
    let status = Command::new("mkfifo").arg(source.join("pipe")).status().expect("mkfifo runs");
    assert!(status.success());
    let run = world.client.json(["sync", "-a", "tree/", "lab:/tree"]);
    assert!(run.events().iter().any(|event| event["event"] == "warning"), "a special file is warned about");
    assert!(world.root.join("tree/odd/-rf").exists());
}

#[test]
fn a_directory_never_gives_way_to_a_file() {
    let world = World::new();
    tree::file(&world.local("name"), 100, &mut Seed(1));
    std::fs::create_dir_all(world.root.join("tree/name/inside")).expect("made");
    std::fs::create_dir_all(world.local("tree")).expect("made");
    std::fs::rename(world.local("name"), world.local("tree/name")).expect("moved");
    tree::file(&world.local("tree/other"), 100, &mut Seed(2));
    let run = world.client.json(["sync", "-a", "tree/", "lab:/tree"]).fails(23);
    assert_eq!(run.files("failed").len(), 1, "{}", run.text());
    assert!(world.root.join("tree/name/inside").is_dir());
    assert_equal(&world.local("tree/other"), &world.root.join("tree/other"), Depth::Copied);
}

#[test]
fn a_read_only_share_takes_nothing_and_gives() {
    let scratch = Scratch::new();
    let shared = scratch.dir("shared");
    tree::file(&shared.join("file"), 1000, &mut Seed(1));
    let config = format!("[[share]]\nname = \"data\"\npath = \"{}\"\nread-only = true\n", shared.display());
    let world = World::shares(scratch, &config);
    tree::file(&world.local("mine"), 1000, &mut Seed(2));
    let run = world.client.run(["copy", "mine", "lab:/data/"]);
    assert!([11, 42].contains(&run.code()), "exit {}: {}", run.code(), run.stderr);
    assert_ne!(world.client.run(["rm", "lab:/data/file"]).code(), 0);
    assert_eq!(xferd_e2e::compare::names(&shared).len(), 1);
    world.client.run(["copy", "lab:/data/file", "."]).ok();
    assert_equal(&shared.join("file"), &world.local("file"), Depth::Copied);
}

#[test]
fn hostile_paths_reach_nothing_outside() {
    let world = World::new();
    std::fs::write(world.path("outside"), "secret").expect("written");
    std::os::unix::fs::symlink("..", world.root.join("up")).expect("linked");
    std::os::unix::fs::symlink(world.path("outside"), world.root.join("out")).expect("linked");
    tree::file(&world.local("mine"), 10, &mut Seed(1));
    for path in ["lab:/../outside", "lab:/up/outside", "lab:/a/../../outside", "lab:/.xferd-0123.part"] {
        assert_ne!(world.client.run(["copy", path, "got"]).code(), 0, "{path}");
        assert!(!world.local("got").exists(), "{path} was read");
        assert_ne!(world.client.run(["copy", "mine", path]).code(), 0, "{path}");
    }
    world.client.run(["copy", "mine", "lab:/out"]);
    assert_eq!(std::fs::read(world.path("outside")).expect("there"), b"secret");
    world.client.run(["ls", "lab:/"]).ok();
}

#[test]
fn a_full_destination_is_said_and_resumed_when_there_is_room() {
    let scratch = Scratch::new();
    let small = scratch.dir("small");
    let name = "a_full_destination_is_said_and_resumed_when_there_is_room";
    let Some(disk) = SmallDisk::mount(name, &small, 24) else { return };
    let config = format!("[[share]]\nname = \"small\"\npath = \"{}\"\n", small.display());
    let world = World::shares(scratch, &config);
    tree::file(&world.local("big"), 40 << 20, &mut Seed(1));
    tree::file(&world.local("fits"), 1 << 20, &mut Seed(2));
    let run = world.client.json(["copy", "big", "lab:/small/big"]);
    assert!([11, 23].contains(&run.code()), "exit {}: {}", run.code(), run.text());
    assert!(run.text().contains("NO_SPACE"), "{}", run.text());
    assert!(!small.join("big").exists());
    disk.grow(80);
    world.client.json(["copy", "big", "lab:/small/big"]).ok();
    assert_equal(&world.local("big"), &small.join("big"), Depth::Copied);
    world.client.json(["copy", "fits", "lab:/small/fits"]).ok();
    drop(world);
    drop(disk);
}

#[test]
fn a_source_that_vanishes_before_it_is_read_is_exit_24() {
    let (world, proxy) = World::behind_proxy(Scratch::new(), |start| start);
    let source = world.local("tree");
    std::fs::create_dir_all(&source).expect("made");
    for index in 0..96 {
        tree::file(&source.join(format!("{index:02}")), 1 << 20, &mut Seed(index));
    }
    let before = proxy.total(Direction::Up);
    proxy.slow(Some(100 << 20));
    let running = world.client.start(["sync", "-a", "--streams", "1", "tree/", "lab:/tree", "--json"]);
    assert!(proxy.wait_for(Direction::Up, before + (8 << 20)));
    std::fs::remove_file(source.join("95")).expect("removed");
    proxy.slow(None);
    let run = running.end();
    assert_eq!(run.code(), 24, "{}", run.text());
    assert_eq!(run.number("files.failed"), 1);
    assert_equal(&source, &world.root.join("tree"), Depth::Content);
}
