//! Trees pushed, pulled, made equal and made equal again, judged by a walk of our own.
// proves: L3, O7

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;
use xferd_e2e::compare::{assert_equal, snapshot};
use xferd_e2e::{Depth, Seed, World, tree};

#[test]
fn a_tree_of_every_kind_of_thing_goes_there_and_back() {
    let world = World::new();
    let source = world.local("tree");
    tree::make(&source, 120, 11);
    let run = world.push(&source, "/tree");
    assert_equal(&source, &world.root.join("tree"), Depth::Archive);
    world.assert_no_leftovers();

    let nodes = snapshot(&source);
    assert_eq!(run.number("files.created"), nodes.len() as u64, "the counts are those of a walk");
    let bytes: u64 = nodes.values().map(|node| node.size).sum();
    assert!(run.number("bytes") <= bytes, "no byte is sent twice");
    assert_eq!(run.number("files.failed"), 0);

    let again = world.push(&source, "/tree");
    assert_eq!(again.number("bytes"), 0, "an unchanged tree sends nothing");
    assert_eq!(again.number("files.created") + again.number("files.replaced"), 0);
    assert_eq!(again.number("files.unchanged"), nodes.len() as u64);

    let back = world.local("back");
    world.pull("/tree", &back);
    assert_equal(&source, &back, Depth::Archive);
    assert_eq!(world.pull("/tree", &back).number("bytes"), 0);
}

#[test]
fn rsync_finds_nothing_to_do_afterwards() {
    if Command::new("rsync").arg("--version").output().is_err() {
        println!("skipped: rsync_finds_nothing_to_do_afterwards: rsync is not installed");
        return;
    }
    let world = World::new();
    let source = world.local("tree");
    tree::make(&source, 60, 5);
    world.push(&source, "/tree");
    let mut rsync = Command::new("rsync");
    rsync.args(["-nac", "--delete", "--itemize-changes"]);
    rsync.arg(format!("{}/", source.display())).arg(format!("{}/", world.root.join("tree").display()));
    let out = rsync.output().expect("rsync runs");
    assert_eq!(String::from_utf8_lossy(&out.stdout), "");
    assert!(out.status.success());
}

#[test]
fn filters_choose_and_protect_from_deletion() {
    let world = World::new();
    let source = world.local("tree");
    for name in ["keep.txt", "drop.tmp", "sub/keep.txt", "sub/drop.tmp", "sub/need.tmp", "cache/x"] {
        let path = source.join(name);
        std::fs::create_dir_all(path.parent().expect("below the tree")).expect("made");
        std::fs::write(path, name).expect("written");
    }
    let target = world.root.join("tree");
    std::fs::create_dir_all(&target).expect("made");
    std::fs::write(target.join("theirs.tmp"), "theirs").expect("written");
    let from = format!("{}/", source.display());
    let filters = ["--include", "need.tmp", "--exclude", "*.tmp", "--exclude", "cache/"];
    world
        .client
        .json(["sync", "-a", "--delete"].into_iter().chain(filters).chain([from.as_str(), "lab:/tree"]))
        .ok();
    let mut names: Vec<_> = xferd_e2e::compare::names(&target);
    names.sort();
    let names: Vec<_> = names.iter().map(|path| path.display().to_string()).collect();
    assert_eq!(names, ["keep.txt", "sub", "sub/keep.txt", "sub/need.tmp", "theirs.tmp"]);
}

#[test]
fn checksum_finds_what_size_and_time_hide() {
    let world = World::new();
    let source = world.local("tree");
    std::fs::create_dir_all(&source).expect("made");
    tree::file(&source.join("file"), 300_000, &mut Seed(1));
    tree::set_mtime(&source.join("file"), 1_600_000_000, 1);
    world.push(&source, "/tree");
    let copy = world.root.join("tree/file");
    tree::file(&copy, 300_000, &mut Seed(2));
    tree::set_mtime(&copy, 1_600_000_000, 1);

    assert_eq!(world.push(&source, "/tree").number("bytes"), 0, "same size and time count as equal");
    let from = format!("{}/", source.display());
    world.client.json(["sync", "-a", "-c", from.as_str(), "lab:/tree"]).ok();
    assert_equal(&source, &world.root.join("tree"), Depth::Archive);
}

#[test]
fn copy_goes_into_a_directory_and_else_to_the_name() {
    let world = World::new();
    tree::file(&world.local("one"), 10, &mut Seed(1));
    tree::file(&world.local("two"), 200_000, &mut Seed(2));
    std::fs::create_dir_all(world.local("dir/sub")).expect("made");
    tree::file(&world.local("dir/sub/three"), 3_000_000, &mut Seed(3));
    std::fs::create_dir(world.root.join("incoming")).expect("made");

    world.client.json(["copy", "one", "two", "dir", "lab:/incoming"]).ok();
    assert_equal(&world.local("dir"), &world.root.join("incoming/dir"), Depth::Content);
    assert_equal(&world.local("two"), &world.root.join("incoming/two"), Depth::Copied);
    world.client.json(["copy", "one", "lab:/other"]).ok();
    assert_equal(&world.local("one"), &world.root.join("other"), Depth::Copied);

    world.client.json(["copy", "lab:/incoming/two", "."]).ok();
    world.client.json(["copy", "lab:/incoming/dir", "fresh"]).ok();
    assert_equal(&world.local("dir"), &world.local("fresh"), Depth::Content);
}

#[test]
fn a_large_file_names_the_root_that_b3sum_prints() {
    let world = World::new();
    let big = world.local("big");
    tree::file(&big, 200 << 20, &mut Seed(9));
    let run = world.client.json(["copy", "big", "lab:/big"]).ok();
    let own = xferd_e2e::compare::hash(&big);
    assert_eq!(run.files("created")[0]["root"], own);
    assert_eq!(xferd_e2e::compare::hash(&world.root.join("big")), own);
    assert_eq!(run.number("bytes"), 200 << 20);
}

#[test]
fn in_place_overwrites_and_says_so() {
    let world = World::new();
    let big = world.local("big");
    tree::file(&big, 40 << 20, &mut Seed(1));
    tree::file(&world.root.join("big"), 50 << 20, &mut Seed(2));
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&std::fs::metadata(path).expect("there"));
    let before = inode(&world.root.join("big"));
    let run = world.client.json(["copy", "--inplace", "big", "lab:/big"]).ok();
    assert_equal(&big, &world.root.join("big"), Depth::Copied);
    assert_eq!(inode(&world.root.join("big")), before);
    assert_eq!(run.result()["inplace"], true);
}

#[test]
fn a_file_that_is_replaced_is_replaced_whole() {
    let world = World::new();
    let big = world.local("big");
    tree::file(&world.root.join("big"), 30 << 20, &mut Seed(2));
    tree::file(&big, 20 << 20, &mut Seed(1));
    let run = world.client.json(["copy", "big", "lab:/big"]).ok();
    assert_equal(&big, &world.root.join("big"), Depth::Copied);
    assert_eq!(run.number("files.replaced"), 1);
    world.assert_no_leftovers();
}

#[test]
fn each_durability_is_reached_and_said() {
    let world = World::new();
    let source = world.local("tree");
    tree::make(&source, 20, 51);
    for level in ["none", "tree", "file"] {
        let from = format!("{}/", source.display());
        let run =
            world.client.json(["sync", "-a", "--durability", level, &from, &format!("lab:/{level}")]).ok();
        assert_eq!(run.result()["durability"], level);
        assert_equal(&source, &world.root.join(level), Depth::Archive);
    }
}

#[test]
fn what_changed_is_sent_and_nothing_else() {
    let world = World::new();
    let source = world.local("tree");
    tree::make(&source, 40, 21);
    world.push(&source, "/tree");

    std::fs::write(source.join("odd/-rf"), "other content").expect("written");
    std::fs::remove_file(source.join("odd/to-file")).expect("removed");
    symlink("elsewhere", source.join("odd/to-file")).expect("linked");
    std::fs::set_permissions(source.join("odd/a:b"), PermissionsExt::from_mode(0o600)).expect("set");
    tree::set_mtime(&source.join("odd/private"), 1_234_567_890, 123_456_789);
    std::fs::write(source.join("odd/added"), "added").expect("written");

    let run = world.push(&source, "/tree");
    assert_equal(&source, &world.root.join("tree"), Depth::Archive);
    let sent = run.number("bytes");
    assert!((18..4096).contains(&sent), "{sent} bytes for a change of 18");
    assert_eq!(run.files("created").len(), 1);
}

/// A source, and a destination with names that it lacks: files, a link, a socket, directories within directories.
fn with_extraneous(source: &Path, target: &Path) {
    for (base, names) in [
        (source, &["same", "sub/same", "file-here"][..]),
        (
            target,
            &["same", "sub/same", "old", "sub/old", "sub/gone/deep/er/x", "gone/a", "gone/b/c", "gone/b/d"],
        ),
    ] {
        for name in names {
            let path = base.join(name);
            std::fs::create_dir_all(path.parent().expect("below the tree")).expect("made");
            std::fs::write(path, name).expect("written");
        }
    }
    std::fs::create_dir_all(target.join("gone/empty")).expect("made");
    symlink("same", target.join("gone/link")).expect("linked");
    symlink("gone", target.join("sub/link")).expect("linked");
    std::os::unix::net::UnixListener::bind(target.join("gone/socket")).expect("bound");
    for index in 0..300 {
        std::fs::write(target.join(format!("gone/b/{index}")), "").expect("written");
    }
}

/// Paths of the `deleted` events as rsync writes them: a directory ends in `/`.
fn deleted(run: &xferd_e2e::Run) -> Vec<String> {
    let mut paths: Vec<String> = run
        .files("deleted")
        .iter()
        .map(|event| {
            let slash = if event["kind"] == "directory" { "/" } else { "" };
            format!("{}{slash}", event["path"].as_str().expect("the names are text"))
        })
        .collect();
    paths.sort();
    paths
}

/// Every name below `target` that `source` lacks, by a walk of our own.
fn lacking(source: &Path, target: &Path) -> Vec<String> {
    let (here, there) = (snapshot(source), snapshot(target));
    let missing = there.iter().filter(|(path, _)| !here.contains_key(*path));
    let mut paths: Vec<String> = missing
        .map(|(path, node)| {
            let slash = if node.kind == 'd' { "/" } else { "" };
            format!("{}{slash}", String::from_utf8_lossy(path))
        })
        .collect();
    paths.sort();
    paths
}

/// What rsync says it would delete; `None` where there is no rsync.
fn rsync_would_delete(source: &Path, target: &Path) -> Option<Vec<String>> {
    let mut rsync = Command::new("rsync");
    rsync.args(["-na", "--delete", "--itemize-changes"]);
    rsync.arg(format!("{}/", source.display())).arg(format!("{}/", target.display()));
    let out = rsync.output().ok()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let mut paths: Vec<String> =
        text.lines().filter_map(|line| line.strip_prefix("*deleting   ")).map(str::to_owned).collect();
    paths.sort();
    Some(paths)
}

#[test]
fn every_deleted_name_is_named_and_counted_at_both_ends() {
    let world = World::new();
    for pull in [false, true] {
        let (here, there) = (world.local(&format!("{pull}")), world.root.join(format!("{pull}")));
        let (source, target) = if pull { (&there, &here) } else { (&here, &there) };
        with_extraneous(source, target);
        let expected = lacking(source, target);
        assert!(expected.len() > 310, "{expected:?}");
        match rsync_would_delete(source, target) {
            Some(said) => assert_eq!(said, expected),
            None => println!("skipped: the comparison with rsync, which is not installed"),
        }
        let (local, remote) = (here.display().to_string(), format!("lab:/{pull}"));
        let ends = if pull { [remote, local] } else { [local, remote] };
        let sync = |extra: &[&str]| {
            let flags = ["sync", "-a", "--delete"].iter().chain(extra).map(|flag| (*flag).to_owned());
            world.client.json(flags.chain(ends.clone()))
        };

        let before = snapshot(target);
        let dry = sync(&["-n"]).ok();
        assert_eq!((deleted(&dry), dry.number("files.deleted")), (expected.clone(), expected.len() as u64));
        let most = (expected.len() - 1).to_string();
        let limited = sync(&["-n", "--delete-max", &most]).fails(25);
        assert_eq!(deleted(&limited), expected, "a dry run names what the limit would spare");
        assert_eq!(snapshot(target), before, "a dry run changes nothing");

        let limited = sync(&["--delete-max", &most]).fails(25);
        assert_eq!((deleted(&limited), limited.number("files.deleted")), (Vec::new(), 0));
        assert_eq!(lacking(source, target), expected, "above the limit nothing is deleted");

        let most = expected.len().to_string();
        let run = sync(&["--delete-max", &most]).ok();
        assert_eq!((deleted(&run), run.number("files.deleted")), (expected.clone(), expected.len() as u64));
        assert_equal(source, target, Depth::Archive);
        assert_eq!(sync(&[]).ok().number("files.deleted"), 0);
    }
}

#[test]
fn what_a_filter_protects_keeps_the_directories_it_is_in() {
    let world = World::new();
    let (source, target) = (world.local("tree"), world.root.join("tree"));
    with_extraneous(&source, &target);
    std::fs::write(target.join("gone/b/theirs.tmp"), "theirs").expect("written");
    std::fs::write(target.join("sub/gone/deep/.xferd-unknown"), "ours, who knows").expect("written");
    let from = format!("{}/", source.display());
    let run =
        world.client.json(["sync", "-a", "--delete", "--exclude", "*.tmp", from.as_str(), "lab:/tree"]).ok();
    let left = ["gone/", "gone/b/", "gone/b/theirs.tmp", "sub/gone/", "sub/gone/deep/"];
    let left = left.iter().map(|path| (*path).to_owned());
    let left: Vec<String> = left.chain(["sub/gone/deep/.xferd-unknown".to_owned()]).collect();
    assert_eq!(lacking(&source, &target), left);
    assert!(deleted(&run).iter().all(|path| !left.contains(path)));
    assert_eq!(run.number("files.failed"), 0, "what stays on purpose is no failure");
}

#[test]
fn a_file_that_is_made_equal_deletes_nothing_beside_it() {
    let world = World::new();
    tree::file(&world.local("file"), 10, &mut Seed(1));
    let target = world.root.join("dir");
    std::fs::create_dir(&target).expect("made");
    std::fs::write(target.join("beside"), "beside").expect("written");
    let run = world.client.json(["sync", "-a", "--delete", "file", "lab:/dir/"]).ok();
    assert_eq!(run.number("files.deleted"), 0);
    assert_eq!(std::fs::read(target.join("beside")).expect("still there"), b"beside");
}

#[test]
fn owner_and_group_are_kept_each_by_itself() {
    use std::os::unix::fs::{MetadataExt, chown};
    if !rustix::process::geteuid().is_root() {
        println!("skipped: owner_and_group_are_kept_each_by_itself: only root gives files away");
        return;
    }
    let world = World::new();
    let source = world.local("tree");
    std::fs::create_dir_all(source.join("sub")).expect("made");
    std::fs::write(source.join("sub/file"), "content").expect("written");
    symlink("file", source.join("sub/link")).expect("linked");
    for name in ["sub", "sub/file"] {
        chown(source.join(name), Some(4242), Some(2424)).expect("given away");
    }
    std::os::unix::fs::lchown(source.join("sub/link"), Some(4242), Some(2424)).expect("given away");
    std::fs::set_permissions(source.join("sub/file"), PermissionsExt::from_mode(0o6755)).expect("set");
    let from = format!("{}/", source.display());
    for (flags, owner, mode) in
        [("-rlpt", (0, 0), 0o755), ("-o", (4242, 0), 0o4755), ("-g", (0, 2424), 0o2755)]
    {
        let pulled = world.local(&format!("pulled{flags}"));
        world.client.json(["sync", flags, &from, &format!("lab:/pushed{flags}")]).ok();
        world.client.json(["sync", "-a", &from, "lab:/tree"]).ok();
        world.client.json(["sync", flags, "lab:/tree/", &pulled.display().to_string()]).ok();
        for target in [world.root.join(format!("pushed{flags}")), pulled] {
            for name in ["sub", "sub/file", "sub/link"] {
                let stat = std::fs::symlink_metadata(target.join(name)).expect("there");
                assert_eq!((stat.uid(), stat.gid()), owner, "{flags} {name}");
            }
            let stat = std::fs::metadata(target.join("sub/file")).expect("there");
            assert_eq!(stat.mode() & 0o7777, mode, "{flags}");
        }
    }
    assert_equal(&source, &world.root.join("tree"), Depth::Archive);
}
