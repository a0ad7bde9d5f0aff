//! A changed file travels as what differs from the older one: byte-equal, and cheap on the wire.
// proves: O7

use std::path::Path;
use xferd_e2e::compare::assert_equal;
use xferd_e2e::{Depth, Direction, Run, Scratch, Seed, SmallDisk, World, tree};

const SIZE: usize = 24 << 20;

fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut out = vec![0; len];
    Seed(seed).fill(&mut out);
    out
}

/// Puts `old` at the destination and `new` at the source, an hour apart.
fn lay(world: &World, old: &[u8], new: &[u8]) {
    std::fs::write(world.root.join("file"), old).expect("written");
    tree::set_mtime(&world.root.join("file"), 1_700_000_000, 5);
    std::fs::write(world.local("file"), new).expect("written");
    tree::set_mtime(&world.local("file"), 1_700_003_600, 7);
}

fn send(world: &World, flags: &[&str]) -> Run {
    let run = world.client.json(["copy", "file", "lab:/file"].iter().chain(flags)).ok();
    assert_equal(&world.local("file"), &world.root.join("file"), Depth::Copied);
    world.assert_no_leftovers();
    run
}

/// Sends `new` over `old`; it may cost `most` bytes on the wire.
fn cheap(world: &World, name: &str, old: &[u8], new: &[u8], most: usize) -> Run {
    lay(world, old, new);
    let run = send(world, &[]);
    let wire = run.number("bytes_wire");
    assert!(wire <= most as u64, "{name}: {wire} bytes on the wire, {most} allowed");
    assert_eq!(run.number("bytes") + run.number("bytes_reused"), new.len() as u64, "{name}");
    assert_eq!(run.number("files.replaced"), 1, "{name}");
    let file = &run.files("replaced")[0];
    assert_eq!(file["bytes_reused"].as_u64(), Some(run.number("bytes_reused")), "{name}");
    run
}

/// What a delta of such a file costs when nothing differs: the list of its pieces and a record for each chunk.
const IDLE: usize = SIZE / 250 + 30_000;

#[test]
fn insertion_change_move_append_and_truncation_are_cheap() {
    let world = World::new();
    let old = noise(1, SIZE);
    let mut inserted = old.clone();
    inserted.splice(SIZE / 10..SIZE / 10, noise(2, 100_000));
    cheap(&world, "insertion", &old, &inserted, IDLE + 100_000 * 5 / 4);
    let mut removed = old.clone();
    removed.drain(SIZE / 3..SIZE / 3 + 777_777);
    cheap(&world, "removal", &old, &removed, IDLE + 60_000);
    let mut changed = old.clone();
    for at in [5, SIZE / 2, SIZE - 10] {
        changed[at] ^= 1;
    }
    cheap(&world, "three bytes", &old, &changed, IDLE + 200_000);
    let mut moved = old[SIZE / 2..].to_vec();
    moved.extend_from_slice(&old[..SIZE / 2]);
    cheap(&world, "halves exchanged", &old, &moved, IDLE + 100_000);
    let mut appended = old.clone();
    appended.extend(noise(3, 50_000));
    cheap(&world, "append", &old, &appended, IDLE + 50_000 + 60_000);
    cheap(&world, "truncation", &old, &old[..SIZE / 2 + 12_345], IDLE + 60_000);
}

#[test]
fn the_same_content_with_another_time_costs_its_list() {
    let world = World::new();
    let content = noise(4, SIZE);
    let run = cheap(&world, "same content", &content, &content, IDLE);
    assert_eq!((run.number("bytes"), run.number("bytes_reused")), (0, SIZE as u64));
}

#[test]
fn pulls_and_several_streams_do_it_too() {
    let world = World::new();
    let old = noise(5, SIZE);
    let mut new = old.clone();
    new.splice(SIZE / 2..SIZE / 2, noise(6, 70_000));
    lay(&world, &new, &old);
    std::fs::rename(world.local("file"), world.local("swap")).expect("moved");
    std::fs::rename(world.root.join("file"), world.local("fresh")).expect("moved");
    std::fs::rename(world.local("fresh"), world.root.join("file")).expect("moved");
    std::fs::rename(world.local("swap"), world.local("file")).expect("moved");
    let run = world.client.json(["copy", "lab:/file", "file"]).ok();
    assert_equal(&world.root.join("file"), &world.local("file"), Depth::Copied);
    assert!(run.number("bytes_wire") <= (IDLE + 70_000 * 5 / 4) as u64);
    assert!(run.number("bytes_reused") > SIZE as u64 * 9 / 10);

    lay(&world, &old, &new);
    let run = send(&world, &["--streams", "3", "--cores", "2"]);
    assert!(run.number("bytes_wire") <= (IDLE + 70_000 * 5 / 4 + 20_000) as u64);
}

#[test]
fn unrelated_content_goes_whole_and_so_does_what_has_no_older_one() {
    let world = World::new();
    lay(&world, &noise(7, SIZE), &noise(8, SIZE));
    let run = send(&world, &[]);
    assert_eq!((run.number("bytes"), run.number("bytes_reused")), (SIZE as u64, 0));
    assert!(run.number("bytes_wire") <= (SIZE + IDLE) as u64);
    // An empty one, a small one, none, a link.
    for old in [&b""[..], b"small"] {
        lay(&world, old, &noise(9, 3 << 20));
        assert_eq!(send(&world, &[]).number("bytes"), 3 << 20);
    }
    lay(&world, &noise(9, 3 << 20), b"");
    assert_eq!(send(&world, &[]).number("bytes"), 0);
}

#[test]
fn whole_file_is_whole() {
    let world = World::new();
    let content = noise(10, 3 << 20);
    for flag in ["-W", "--whole-file"] {
        lay(&world, &content, &content);
        let run = send(&world, &[flag]);
        assert_eq!((run.number("bytes"), run.number("bytes_reused")), (3 << 20, 0), "{flag}");
    }
    lay(&world, &content, &content);
    assert_eq!(send(&world, &["--no-whole-file"]).number("bytes"), 0);
}

#[test]
fn many_changed_files_of_one_tree() {
    let world = World::new();
    let (from, to) = (world.local("tree"), world.root.join("tree"));
    let count = 12;
    for folder in [&from, &to] {
        std::fs::create_dir_all(folder).expect("made");
    }
    let put = |folder: &Path, name: usize, content: &[u8]| {
        std::fs::write(folder.join(name.to_string()), content).expect("written");
    };
    for name in 0..count {
        let content = noise(name as u64 + 20, (1 << 20) + name * 300_000);
        put(&to, name, &content);
        let mut changed = content;
        changed.splice(name * 10_000..name * 10_000, noise(1, 1000));
        put(&from, name, &changed);
    }
    let run = world.push(&from, "/tree");
    assert_equal(&from, &to, Depth::Archive);
    assert_eq!(run.number("files.replaced"), count as u64);
    let size: u64 = (0..count as u64).map(|name| (1 << 20) + name * 300_000 + 1000).sum();
    assert_eq!(run.number("bytes") + run.number("bytes_reused"), size);
    assert!(run.number("bytes") < size / 20, "{} of {size}", run.number("bytes"));
    world.assert_no_leftovers();
}

#[test]
fn a_delta_that_is_killed_goes_on_or_begins_anew_and_is_right() {
    let (world, proxy) = World::behind_proxy(Scratch::new(), |start| start);
    let old = noise(11, 40 << 20);
    // Every other MiB is new, so that data travels all the way.
    let mut new = old.clone();
    for (at, piece) in new.chunks_mut(1 << 20).enumerate().filter(|(at, _)| at % 2 == 1) {
        Seed(at as u64 + 500).fill(piece);
    }
    for (round, share) in [1, 5, 9].into_iter().enumerate() {
        lay(&world, &old, &new);
        let before = proxy.total(Direction::Up);
        let running = world.client.start(["copy", "--streams", "1", "file", "lab:/file", "--json"]);
        assert!(proxy.wait_for(Direction::Up, before + share * (2 << 20)), "round {round}");
        running.kill();
        assert!(
            std::fs::read(world.root.join("file")).expect("there") == old,
            "round {round}: the old one stands"
        );
        let run = send(&world, &[]);
        let told = run.number("bytes") + run.number("bytes_reused") + run.number("bytes_resumed");
        assert_eq!(told, new.len() as u64, "round {round}");
        assert!(run.number("bytes") <= 22 << 20, "round {round}: {} bytes again", run.number("bytes"));
    }
}

#[test]
fn without_room_for_a_second_copy_the_old_one_stands() {
    let name = "without_room_for_a_second_copy_the_old_one_stands";
    let scratch = Scratch::new();
    let small = scratch.dir("small");
    let Some(disk) = SmallDisk::mount(name, &small, 36) else { return };
    let config = format!("[[share]]\nname = \"small\"\npath = \"{}\"\n", small.display());
    let world = World::shares(scratch, &config);
    let old = noise(12, SIZE);
    let mut new = old.clone();
    new.splice(SIZE / 2..SIZE / 2, noise(13, 10_000));
    std::fs::write(small.join("file"), &old).expect("written");
    std::fs::write(world.local("file"), &new).expect("written");
    let run = world.client.json(["copy", "file", "lab:/small/file"]);
    assert!([11, 23].contains(&run.code()), "exit {}: {}", run.code(), run.text());
    assert!(run.text().contains("NO_SPACE"), "{}", run.text());
    assert!(std::fs::read(small.join("file")).expect("there") == old);
    disk.grow(80);
    let run = world.client.json(["copy", "file", "lab:/small/file"]).ok();
    assert_equal(&world.local("file"), &small.join("file"), Depth::Copied);
    assert!(run.number("bytes") < 200_000, "{} bytes", run.number("bytes"));
    drop(world);
    drop(disk);
}

#[test]
fn zeros_of_a_source_with_holes_become_holes() {
    use std::os::unix::fs::MetadataExt;
    let world = World::new();
    let content = noise(14, SIZE);
    for path in [world.local("file"), world.root.join("file")] {
        let file = std::fs::File::create(&path).expect("made");
        for (at, piece) in content.chunks(4 << 20).enumerate() {
            std::os::unix::fs::FileExt::write_all_at(&file, piece, (at as u64) * (6 << 20)).expect("written");
        }
        file.set_len(36 << 20).expect("sized");
    }
    std::os::unix::fs::FileExt::write_all_at(
        &std::fs::File::options().write(true).open(world.local("file")).expect("opened"),
        b"changed",
        1000,
    )
    .expect("written");
    tree::set_mtime(&world.local("file"), 1_700_003_600, 7);
    let run = send(&world, &[]);
    assert!(run.number("bytes_reused") > 30 << 20);
    let held = std::fs::metadata(world.root.join("file")).expect("there").blocks() * 512;
    assert!(held <= 28 << 20, "{held} bytes are held for a file with {SIZE} of content");
}
