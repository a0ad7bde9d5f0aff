//! What accounts store: counted as files come and go, bounded file by file, right after every kill.
// proves: V9, C12

use base::points::Point;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::sync::Barrier;
use xferd_e2e::compare::snapshot;
use xferd_e2e::crash::{self, Death};
use xferd_e2e::{Client, Daemon, Scratch, Seed, World, bundled, tree};

/// A world whose share `data` is counted, with these rules.
fn world(rules: &str) -> World {
    let scratch = Scratch::new();
    let config = config(&scratch.dir("data"), rules);
    World::shares(scratch, &config)
}

fn config(data: &Path, rules: &str) -> String {
    let path = data.display();
    format!("[[share]]\nname = \"data\"\npath = \"{path}\"\ncount-stored = true\n\n{rules}")
}

fn bound(bytes: u64) -> String {
    format!("[[rule]]\neffect = \"allow\"\nshare = \"data\"\nmax-stored-bytes = {bytes}\n")
}

fn put(path: &Path, size: u64) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    tree::file(path, size, &mut Seed(size));
}

/// Bytes and files of each account, as `xferd stored` tells them.
fn stored(daemon: &Daemon, flags: &[&str]) -> BTreeMap<String, (u64, u64)> {
    let out = daemon.command(&["stored", "--json"]).args(flags).output().expect("xferd runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let told: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let number = |row: &serde_json::Value, key: &str| row[key].as_u64().expect("a number");
    let row = |row: &serde_json::Value| {
        (row["account"].as_str().expect("text").to_owned(), (number(row, "bytes"), number(row, "files")))
    };
    told["stored"].as_array().expect("rows").iter().map(row).collect()
}

/// Bytes and files of all regular files in a folder, but for what an interrupted transfer has staged.
fn on_disk(folder: &Path) -> (u64, u64) {
    let staged = |path: &[u8]| path.windows(7).any(|bytes| bytes == b".xferd-");
    let files = snapshot(folder).into_iter().filter(|(path, node)| node.kind == 'f' && !staged(path));
    let sizes = files.map(|(path, _)| {
        let path: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(&path[..]);
        fs::metadata(folder.join(path)).expect("a file").len()
    });
    sizes.fold((0, 0), |(bytes, files), size| (bytes + size, files + 1))
}

fn alice(bytes: u64, files: u64) -> BTreeMap<String, (u64, u64)> {
    BTreeMap::from([("alice".to_owned(), (bytes, files))])
}

#[test]
fn files_count_for_whom_pushed_them_last_until_they_are_gone() {
    let mut world = world("");
    let data = world.path("data");
    put(&data.join("before"), 5000);
    put(&world.local("tree/a"), 100);
    put(&world.local("tree/sub/b"), 200_000);
    put(&world.local("tree/sub/c"), 3 << 20);
    std::os::unix::fs::symlink("a", world.local("tree/link")).expect("made");
    world.client.run(["sync", "-a", "tree/", "lab:/data/tree"]).ok();
    let all = 100 + 200_000 + (3 << 20);
    assert_eq!(stored(world.daemon(), &[]), alice(all, 3), "what was there before is nobody's");
    world.client.run(["sync", "-a", "tree/", "lab:/data/tree"]).ok();
    assert_eq!(stored(world.daemon(), &[]), alice(all, 3), "what is equal counts once");

    let bob = world.further_client("bob");
    put(&bob.folder.join("b"), 70);
    bob.run(["copy", "b", "lab:/data/tree/sub/b"]).ok();
    let both = BTreeMap::from([("alice".to_owned(), (all - 200_000, 2)), ("bob".to_owned(), (70, 1))]);
    assert_eq!(stored(world.daemon(), &[]), both);
    assert_eq!(stored(world.daemon(), &["--account", "bob"]).len(), 1);

    // Gone by --delete, by rm, by a symlink in its place.
    fs::remove_file(world.local("tree/sub/c")).expect("removed");
    fs::remove_file(world.local("tree/a")).expect("removed");
    std::os::unix::fs::symlink("nowhere", world.local("tree/a")).expect("made");
    fs::remove_file(world.local("tree/sub/b")).expect("removed");
    put(&world.local("tree/new"), 11);
    let dry = world.client.run(["sync", "-a", "-n", "--delete", "tree/", "lab:/data/tree"]).ok();
    assert!(dry.text().contains("delet"), "{}", dry.text());
    assert_eq!(stored(world.daemon(), &[]), both, "a dry run changes nothing");
    world.client.run(["sync", "-a", "--delete", "tree/", "lab:/data/tree"]).ok();
    assert_eq!(stored(world.daemon(), &[]), alice(11, 1));
    let address = world.daemon().addr;
    world.terminate();
    world.start_again(Some(address));
    assert_eq!(stored(world.daemon(), &[]), alice(11, 1), "also after a restart");
    world.client.run(["rm", "-r", "lab:/data/tree"]).ok();
    assert_eq!(stored(world.daemon(), &[]), BTreeMap::new());
    assert_eq!(on_disk(&data), (5000, 1));
}

#[test]
fn what_would_be_too_much_is_refused_file_by_file() {
    let world = world(&bound(100_000));
    let data = world.path("data");
    for (name, size) in [("a", 40_000), ("b", 90_000), ("c", 30_000)] {
        put(&world.local("tree").join(name), size);
    }
    let run = world.client.json(["sync", "-a", "tree/", "lab:/data/tree"]).fails(23);
    let failed = run.files("failed");
    assert_eq!((failed.len(), &failed[0]["path"]), (1, &"b".into()), "{}", run.text());
    assert!(run.text().contains("max-stored-bytes = 100000 of rule at"), "{}", run.text());
    assert_eq!(stored(world.daemon(), &[]), alice(70_000, 2));
    assert_eq!(on_disk(&data), (70_000, 2));
    // What is equal or smaller is never too much; what is gone makes room.
    put(&world.local("tree/a"), 30_000);
    put(&world.local("tree/b"), 40_000);
    world.client.run(["sync", "-a", "tree/", "lab:/data/tree"]).fails(23);
    assert_eq!(stored(world.daemon(), &[]), alice(60_000, 2), "room is there once it was made");
    world.client.run(["sync", "-a", "tree/", "lab:/data/tree"]).ok();
    assert_eq!(stored(world.daemon(), &[]), alice(100_000, 3));
    world.client.run(["sync", "-a", "tree/", "lab:/data/tree"]).ok();
    put(&world.local("more"), 1);
    world.client.run(["copy", "more", "lab:/data/more"]).fails(23);
    world.client.run(["rm", "lab:/data/tree/a"]).ok();
    world.client.run(["copy", "more", "lab:/data/more"]).ok();
    // Of somebody else's file every byte is more: that shows only once it has come.
    let bob = world.further_client("bob");
    put(&bob.folder.join("big"), 99_990);
    bob.run(["copy", "big", "lab:/data/big"]).ok();
    put(&bob.folder.join("c"), 30_000);
    fs::write(bob.folder.join("c"), vec![9; 30_000]).expect("written");
    let run = bob.json(["copy", "c", "lab:/data/tree/c"]).fails(23);
    assert_eq!(run.files("failed").len(), 1, "{}", run.text());
    assert_eq!(stored(world.daemon(), &["--account", "bob"])["bob"], (99_990, 1));
    assert_eq!(on_disk(&data), (30_000 + 40_000 + 1 + 99_990, 4));
    let left: Vec<_> = fs::read_dir(data.join("tree")).expect("read").flatten().collect();
    assert_eq!(left.len(), 2, "nothing staged is left: {left:?}");
}

#[test]
fn many_at_once_do_not_store_more_than_one_may() {
    let world = world(&bound(100_000));
    let names: Vec<String> = (0..6).map(|number| format!("device-{number}")).collect();
    let clients: Vec<Client> = names
        .iter()
        .map(|name| {
            let (state, home) = (world.path(name), world.path(&format!("{name}-home")));
            fs::create_dir(&home).expect("made");
            Client::joined(&state, &home, world.daemon(), "alice", "lab")
        })
        .collect();
    for (client, name) in clients.iter().zip(&names) {
        for number in 0..4 {
            put(&client.folder.join(format!("{name}/{number}")), 9000 + number);
        }
    }
    let barrier = Barrier::new(clients.len());
    std::thread::scope(|scope| {
        for (client, name) in clients.iter().zip(&names) {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                let run = client.run(["copy", name, "lab:/data/"]);
                assert!([0, 23].contains(&run.code()), "{}", run.stderr);
            });
        }
    });
    let (bytes, files) = on_disk(&world.path("data"));
    assert_eq!(stored(world.daemon(), &[]), alice(bytes, files));
    assert!((91_000..=100_000).contains(&bytes), "{bytes}");
}

#[test]
fn a_recount_takes_off_what_others_removed() {
    let mut world = world("");
    for (name, size) in [("a", 1000), ("b", 2000), ("sub/c", 3000)] {
        put(&world.local("tree").join(name), size);
    }
    world.client.run(["copy", "tree", "lab:/data/"]).ok();
    let data = world.path("data");
    fs::remove_file(data.join("tree/a")).expect("removed");
    fs::write(data.join("tree/b"), "short").expect("written");
    assert_eq!(stored(world.daemon(), &[]), alice(6000, 3));
    assert_eq!(stored(world.daemon(), &["--recount", "/data"]), alice(3005, 2));
    assert_eq!(stored(world.daemon(), &[]), alice(3005, 2));
    let unknown = world.daemon().command(&["stored", "nothing"]).output().expect("runs");
    assert_eq!(unknown.status.code(), Some(3), "{}", String::from_utf8_lossy(&unknown.stderr));
    // Without a daemon.
    let (state, config) = (world.daemon().state.clone(), world.daemon().state.with_extension("toml"));
    world.terminate();
    fs::remove_dir_all(data.join("tree/sub")).expect("removed");
    let mut offline = xferd_e2e::program::command("xferd");
    offline.args(["stored", "--recount", "--state"]).arg(state).arg("--config").arg(config);
    let told = offline.output().expect("runs");
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(text.contains("1 files corrected") && text.contains("alice"), "{text}");
    world.start_again(None);
    assert_eq!(stored(world.daemon(), &[]), alice(5, 1));
}

#[test]
fn a_bound_on_what_nobody_counts_is_a_mistake() {
    let scratch = Scratch::new();
    let text = config(&scratch.dir("data"), &bound(5)).replace("count-stored = true", "count-stored = false");
    let file = scratch.join("xferd.toml");
    fs::write(&file, text).expect("written");
    let mut check = xferd_e2e::program::command("xferd");
    let out = check.arg("check-config").arg(&file).output().expect("runs");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(
        said.contains("xferd.toml:6") && said.contains("add count-stored = true to share \"data\""),
        "{said}"
    );
}

/// Wherever the daemon dies in a push, what it counts after its next start is what lies there.
#[test]
fn after_a_kill_at_any_point_what_is_counted_is_what_is_there() {
    let test = "after_a_kill_at_any_point_what_is_counted_is_what_is_there";
    if !crash::is_compiled_in(test) {
        return;
    }
    let points = [
        Point::SealVerified,
        Point::MetadataSynced,
        Point::BatchFilesSynced,
        Point::CommittingWritten,
        Point::CommittingSynced,
        Point::RenamedFirst,
        Point::RenamedAll,
        Point::DirectorySynced,
        Point::DoneWritten,
        Point::ReceiptSigned,
        Point::ReceiptSynced,
    ];
    let mut world = world("");
    let (plain, address) = (world.start.clone(), world.daemon().addr);
    let (log, data) = (world.path("passed"), world.path("data"));
    for (name, size) in [("a", 1000), ("b", 0), ("sub/c", 300_000), ("sub/large", 18 << 20)] {
        put(&world.local("tree").join(name), size);
    }
    for (round, point) in points.into_iter().enumerate() {
        // Some of it is there in another size.
        for (name, size) in [("a", 7000), ("sub/c", 10)] {
            put(&world.local("older").join(name), size);
        }
        let target = format!("lab:/data/{round}");
        world.client.run(["copy", "older", &target]).ok();
        world.terminate();
        world.start = crash::daemon(&plain, &log, Some(Death::at(point)));
        world.start_again(Some(address));
        let running =
            world.client.start(["copy", "tree/a", "tree/b", "tree/sub", &target, "--durability", "tree"]);
        let status = world.wait_or_terminate(running);
        assert_eq!(status.signal(), Some(9), "{point:?} was not passed: {status}");
        world.start = plain.clone();
        world.start_again(Some(address));
        // Whoever is answered finds a daemon that has recovered.
        world.client.run(["ls", "lab:/data"]).ok();
        let (bytes, files) = on_disk(&data);
        assert_eq!(stored(world.daemon(), &[]), alice(bytes, files), "{point:?}");
        world.client.run(["copy", "tree/a", "tree/b", "tree/sub", &target]).ok();
        let (bytes, files) = on_disk(&data);
        assert_eq!(stored(world.daemon(), &[]), alice(bytes, files), "{point:?}, run again");
    }
}

#[test]
fn the_policy_quota_bounds_what_an_account_stores() {
    let test = "the_policy_quota_bounds_what_an_account_stores";
    let Some(toolchain) = bundled::toolchain(test) else { return };
    let scratch = Scratch::new();
    let open = format!("[[share]]\nname = \"open\"\npath = \"{}\"\n", scratch.dir("open").display());
    let settings = "[plugin.settings.\"xferd/quota\"]\nstored-max = \"100KiB\"\ninside = \"allow\"\n";
    let shares = format!("{}\n{open}", config(&scratch.dir("data"), ""));
    let world = World::shares(scratch, &shares);
    let folder = bundled::workspace().join("plugins/quota");
    let package = world.path("quota");
    fs::create_dir(&package).expect("made");
    bundled::package(&toolchain, &folder, &package);
    let package = package.display().to_string();
    let installed = world.daemon().command(&["plugin", "install", &package, "--unsigned", "--grant", "all"]);
    let installed = { installed }.output().expect("xferd runs");
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    fs::write(world.daemon().state.with_extension("toml"), format!("{shares}\n{settings}")).expect("written");
    let reloaded = world.daemon().command(&["reload"]).output().expect("xferd runs");
    assert!(reloaded.status.success(), "{}", String::from_utf8_lossy(&reloaded.stderr));

    put(&world.local("a"), 60 << 10);
    put(&world.local("b"), 50 << 10);
    let refused = world.client.run(["copy", "a", "lab:/open/a"]).fails(42);
    assert!(refused.stderr.contains("count-stored = true"), "{}", refused.stderr);
    world.client.run(["copy", "a", "lab:/data/a"]).ok();
    let refused = world.client.run(["copy", "b", "lab:/data/b"]).fails(23);
    assert!(refused.stderr.contains("max-stored-bytes = 102400 of plugin xferd/quota"), "{}", refused.stderr);
    world.client.run(["copy", "a", "lab:/data/a"]).ok();
    assert_eq!(stored(world.daemon(), &[]), alice(60 << 10, 1));
}
