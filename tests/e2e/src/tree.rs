//! Random trees of every kind of thing that a tree may hold.

use crate::seed::Seed;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
use std::ffi::OsStr;
use std::fs::{self, File, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// Names that break naive programs: control and escape characters, no UTF-8, leading dashes, right-to-left
/// override, trailing dots and blanks, glob characters, the longest there is.
pub fn odd_names() -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = [
        &b"new\nline"[..],
        b"\x1b[31mred\x1b[0m",
        b"\xff\xfe not utf-8 \x80",
        b"-rf",
        b"--delete",
        b" blank ",
        b"...",
        b"a:b",
        b"*?[x]{y}",
        b"\\back\\slash",
        b"'quote\"",
        b"tab\tcr\r",
        b"caf\xc3\xa9",
        b"cafe\xcc\x81",
        b"\xe2\x80\xaeabc",
        b"~",
        b"#hash",
        b".hidden",
    ]
    .into_iter()
    .map(<[u8]>::to_vec)
    .collect();
    names.push(vec![b'n'; 255]);
    names
}

/// Sizes around every bound of the protocol: pack, record, chunk, window.
pub const SIZES: &[u64] = &[
    0, 1, 4095, 4096, 65_537, 131_071, 131_072, 131_073, 262_143, 262_144, 262_145, 1_048_575, 1_048_576,
    1_048_577, 3_000_001,
];

/// Writes a file of random content.
pub fn file(path: &Path, size: u64, seed: &mut Seed) {
    let out = File::create(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut at = 0;
    while at < size {
        let piece = seed.bytes((size - at).min(1 << 20) as usize);
        out.write_all_at(&piece, at).expect("a test file can be written");
        at += piece.len() as u64;
    }
}

/// Writes a file with `data` bytes at its begin and end and a hole between.
pub fn sparse(path: &Path, size: u64, data: u64, seed: &mut Seed) {
    let out = File::create(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    out.set_len(size).expect("a test file can be sized");
    out.write_all_at(&seed.bytes(data as usize), 0).expect("a test file can be written");
    out.write_all_at(&seed.bytes(data as usize), size - data).expect("a test file can be written");
}

/// Sets the modification time of a name, a symlink itself.
pub fn set_mtime(path: &Path, seconds: i64, nanos: i64) {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanos };
    let times = Timestamps { last_access: time, last_modification: time };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

/// Makes a random tree at `top`: `files` files in nested folders, the first of each size of [`SIZES`], beside
/// every odd thing once.
pub fn make(top: &Path, files: u64, seed: u64) {
    let mut seed = Seed(seed);
    fs::create_dir_all(top).expect("the top can be made");
    let mut folders: Vec<PathBuf> = vec![top.to_owned()];
    for index in 0..files / 8 + 4 {
        let parent = seed.pick(&folders).clone();
        let folder = parent.join(format!("dir-{index:03}"));
        fs::create_dir(&folder).expect("a folder can be made");
        folders.push(folder);
    }
    for index in 0..files {
        let folder = seed.pick(&folders).clone();
        let size = SIZES.get(index as usize).copied().unwrap_or_else(|| seed.below(20_000));
        let path = folder.join(format!("file-{index:05}"));
        file(&path, size, &mut seed);
        let mode = *seed.pick(&[0o644, 0o600, 0o755, 0o444, 0o640]);
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("a mode can be set");
    }
    odd_things(top, &mut seed);
    random_times(top, &mut seed);
}

fn odd_things(top: &Path, seed: &mut Seed) {
    let odd = top.join("odd");
    fs::create_dir_all(odd.join("empty/nested/empty")).expect("a folder can be made");
    for name in odd_names() {
        file(&odd.join(OsStr::from_bytes(&name)), 7, seed);
    }
    fs::create_dir(odd.join(OsStr::from_bytes(b"dir \xff\n"))).expect("a folder can be made");
    file(&odd.join(OsStr::from_bytes(b"dir \xff\n")).join("inside"), 100, seed);
    for (name, target) in [
        ("to-file", "-rf"),
        ("to-folder", "empty"),
        ("dangling", "nowhere/at/all"),
        ("absolute", "/etc/hostname"),
        ("upward", "../../../../etc/passwd"),
        ("loop", "loop"),
    ] {
        symlink(target, odd.join(name)).expect("a symlink can be made");
    }
    symlink(OsStr::from_bytes(b"\xff target \n"), odd.join("to-bytes")).expect("a symlink can be made");
    sparse(&odd.join("sparse"), 8 << 20, 4096, seed);
    sparse(&odd.join("sparse-large"), 40 << 20, 100_000, seed);
    File::create(odd.join("all-hole")).and_then(|file| file.set_len(3 << 20)).expect("a hole can be made");
    let private = odd.join("private");
    fs::create_dir(&private).expect("a folder can be made");
    file(&private.join("inside"), 10, seed);
    fs::set_permissions(&private, Permissions::from_mode(0o700)).expect("a mode can be set");
}

/// Gives every name a time of its own, children before their folder; some before 1970, some after 2038.
fn random_times(folder: &Path, seed: &mut Seed) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder can be listed")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if fs::symlink_metadata(&path).expect("just listed").is_dir() {
            random_times(&path, seed);
        } else {
            set_mtime(&path, time(seed), seed.below(1_000_000_000) as i64);
        }
    }
    set_mtime(folder, time(seed), seed.below(1_000_000_000) as i64);
}

fn time(seed: &mut Seed) -> i64 {
    match seed.below(20) {
        0 => -1_000_000 + seed.below(1000) as i64,
        1 => 3_000_000_000 + seed.below(1000) as i64,
        _ => 1_500_000_000 + seed.below(200_000_000) as i64,
    }
}
