//! `-z`: fewer bytes on the wire where that pays, the same bytes at the destination always.
// proves: E1, O7

use xferd_e2e::compare::assert_equal;
use xferd_e2e::{Depth, Direction, Run, Scratch, Seed, World, tree};

const MIB: usize = 1 << 20;

fn noise(seed: u64, len: usize) -> Vec<u8> {
    Seed(seed).bytes(len)
}

/// Words in no order: a third of it or less is left.
fn text(seed: u64, len: usize) -> Vec<u8> {
    let words = [
        "the ",
        "quick ",
        "transfer ",
        "of ",
        "records ",
        "was ",
        "sealed, ",
        "acknowledged ",
        "and\n",
        "then ",
    ];
    let mut seed = Seed(seed);
    let mut out = Vec::with_capacity(len + 16);
    while out.len() < len {
        out.extend_from_slice(seed.pick(&words).as_bytes());
    }
    out.truncate(len);
    out
}

/// Text and noise by turns, `piece` bytes each.
fn mixed(seed: u64, len: usize, piece: usize) -> Vec<u8> {
    let mut out = text(seed, len);
    for (at, piece) in out.chunks_mut(piece).enumerate().filter(|(at, _)| at % 2 == 1) {
        Seed(seed + at as u64).fill(piece);
    }
    out
}

fn push(world: &World, flags: &[&str]) -> Run {
    let run = world.client.json(["copy", "file", "lab:/file"].iter().chain(flags)).ok();
    assert_equal(&world.local("file"), &world.root.join("file"), Depth::Copied);
    world.assert_no_leftovers();
    run
}

#[test]
fn text_shrinks_on_the_wire_in_both_directions() {
    let world = World::new();
    let content = text(1, 8 * MIB + 12_345);
    std::fs::write(world.local("file"), &content).expect("written");
    let few = |run: &Run, what: &str| {
        assert_eq!(run.number("bytes"), content.len() as u64, "{what}: content is counted as it is");
        let wire = run.number("bytes_wire");
        assert!(wire < content.len() as u64 / 2, "{what}: {wire} bytes on the wire");
    };
    for (what, flags) in [
        ("push", &["-z"][..]),
        ("long flag, transport", &["--compress", "--verify=transport"]),
        ("in place", &["-z", "--inplace"]),
    ] {
        few(&push(&world, flags), what);
        let plain = std::fs::read(world.root.join("file")).expect("there");
        assert!(plain == content, "{what}");
        // Of equal content with another time only a delta would travel.
        std::fs::remove_file(world.root.join("file")).expect("removed");
        if what.starts_with("long") {
            std::fs::write(world.root.join("file"), noise(2, 5 * MIB)).expect("written");
        }
    }
    std::fs::write(world.root.join("back"), &content).expect("written");
    few(&world.client.json(["copy", "-z", "lab:/back", "back"]).ok(), "pull");
    assert_equal(&world.root.join("back"), &world.local("back"), Depth::Copied);
}

#[test]
fn without_the_flag_and_without_gain_nothing_is_compressed() {
    let world = World::new();
    let len = 8 * MIB;
    let least = len as u64;
    let most = least + least / 100;
    std::fs::write(world.local("file"), text(3, len)).expect("written");
    let wire = push(&world, &[]).number("bytes_wire");
    assert!((least..most).contains(&wire), "text without the flag: {wire} bytes on the wire");
    std::fs::write(world.local("file"), noise(4, len)).expect("written");
    let wire = push(&world, &["-z", "-W"]).number("bytes_wire");
    assert!((least..most).contains(&wire), "noise: {wire} bytes on the wire");
}

#[test]
fn what_changes_its_nature_within_a_file_is_noticed() {
    let world = World::new();
    let content = mixed(5, 64 * MIB, 16 * MIB);
    std::fs::write(world.local("file"), &content).expect("written");
    let wire = push(&world, &["-z"]).number("bytes_wire");
    assert!(wire < 50 * MIB as u64, "{wire} bytes on the wire");
    let content = mixed(6, 4 * MIB + 77, 100_000);
    std::fs::write(world.local("file"), &content).expect("written");
    push(&world, &["-z", "-W"]);
}

#[test]
fn small_files_are_compressed_by_the_pack() {
    let world = World::new();
    let make = |name: &str, fill: fn(u64, usize) -> Vec<u8>| {
        let top = world.local(name);
        for file in 0..800 {
            let folder = top.join((file % 7).to_string());
            std::fs::create_dir_all(&folder).expect("made");
            std::fs::write(folder.join(file.to_string()), fill(file, file as usize * 5)).expect("written");
        }
        top
    };
    for (name, fill, share) in [("text", text as fn(u64, usize) -> Vec<u8>, 2), ("noise", noise, 0)] {
        let top = make(name, fill);
        let mut wire = Vec::new();
        for flags in [&["-a"][..], &["-a", "-z"]] {
            let to = format!("/{name}{}", wire.len());
            let run = world.client.json(
                ["sync"]
                    .iter()
                    .chain(flags)
                    .map(|word| word.to_string())
                    .chain([format!("{}/", top.display()), format!("lab:{to}")]),
            );
            let run = run.ok();
            assert_equal(&top, &world.root.join(&to[1..]), Depth::Archive);
            assert_eq!(run.number("files.created"), 808, "{name}: files and directories");
            wire.push(run.number("bytes_wire"));
        }
        match share {
            0 => assert!(wire[1] < wire[0] + wire[0] / 50, "{name}: {wire:?}"),
            share => assert!(wire[1] < wire[0] / share, "{name}: {wire:?}"),
        }
    }
    world.assert_no_leftovers();
}

#[test]
fn several_streams_and_holes_do_it_too() {
    let world = World::new();
    let mut seed = Seed(7);
    tree::sparse(&world.local("file"), 200 << 20, 3 << 20, &mut seed);
    push(&world, &["-z"]);
    std::fs::write(world.local("file"), text(8, 80 * MIB)).expect("written");
    let run = push(&world, &["-z", "-W", "--streams", "3", "--cores", "2"]);
    assert!(run.number("bytes_wire") < 40 * MIB as u64, "{} bytes", run.number("bytes_wire"));
}

#[test]
fn a_delta_sends_its_data_compressed() {
    let world = World::new();
    let old = noise(9, 16 * MIB);
    let mut new = old.clone();
    new.splice(5 * MIB..5 * MIB, text(10, 4 * MIB));
    for (path, content, seconds) in [(world.root.join("file"), &old, 1), (world.local("file"), &new, 2)] {
        std::fs::write(&path, content).expect("written");
        tree::set_mtime(&path, 1_700_000_000 + seconds, 0);
    }
    let run = push(&world, &["-z"]);
    assert_eq!(run.number("bytes") + run.number("bytes_reused"), new.len() as u64);
    assert!(run.number("bytes_reused") > 15 * MIB as u64);
    assert!(run.number("bytes_wire") < 2 * MIB as u64, "{} bytes on the wire", run.number("bytes_wire"));
}

#[test]
fn a_killed_transfer_goes_on_compressed_or_not() {
    let (world, proxy) = World::behind_proxy(Scratch::new(), |start| start);
    std::fs::write(world.local("file"), mixed(11, 64 * MIB, 3 * MIB)).expect("written");
    for again in [&["-z"][..], &[]] {
        let before = proxy.total(Direction::Up);
        let running = world.client.start(["copy", "-z", "--streams", "1", "file", "lab:/file", "--json"]);
        assert!(proxy.wait_for(Direction::Up, before + 25 * MIB as u64));
        running.kill();
        assert!(!world.root.join("file").exists());
        let run = push(&world, again);
        assert_eq!(run.number("bytes") + run.number("bytes_resumed"), 64 * MIB as u64);
        assert!(run.number("bytes_resumed") > 8 * MIB as u64, "{} resumed", run.number("bytes_resumed"));
        std::fs::remove_file(world.root.join("file")).expect("removed");
    }
}
