//! The disk: Linux's errors for names, and what a kill and a loss of power leave.

use base::entry::{FileTime, Kind, Meta};
use base::io::{Errno, How, RenameHow};
use sim::disk::{DiskConfig, Image, Ino, SimDisk, View};
use sim::random::Random;
use std::collections::BTreeSet;

const ROOT: Ino = SimDisk::ROOT;

fn disk() -> SimDisk {
    SimDisk::new(DiskConfig::default())
}

fn bytes(disk: &SimDisk, path: &[u8], view: View) -> Option<Vec<u8>> {
    disk.image(path, view).and_then(|image| image.bytes().map(<[u8]>::to_vec))
}

/// Every outcome of a loss of power over many seeds, as `look` sees it.
fn outcomes<T: Ord>(disk: &SimDisk, look: impl Fn(&SimDisk) -> T) -> BTreeSet<T> {
    let after = |seed| {
        let mut disk = disk.clone();
        disk.lose_power(&mut Random::new(seed));
        look(&disk)
    };
    (0..200).map(after).collect()
}

#[test]
fn a_name_needs_its_directory_synced_and_bytes_need_their_file_synced() {
    let mut disk = disk();
    let ino = disk.build_file(b"f", &[1; 1024]);
    let there = |disk: &SimDisk| bytes(disk, b"f", View::Visible);
    let found = outcomes(&disk, there);
    assert!(found.contains(&None), "the name may be lost");
    assert!(found.contains(&Some(vec![1; 1024])), "all may survive");
    assert!(found.contains(&Some(vec![])), "the size may be lost");
    let half = [vec![0; 512], vec![1; 512]].concat();
    assert!(found.contains(&Some(half)), "a sector may be lost");

    disk.sync(ino, true);
    assert_eq!(outcomes(&disk, there), BTreeSet::from([None, Some(vec![1; 1024])]));
    disk.sync(ROOT, false);
    assert_eq!(outcomes(&disk, there), BTreeSet::from([Some(vec![1; 1024])]));
    assert_eq!(bytes(&disk, b"f", View::Durable), Some(vec![1; 1024]));
}

#[test]
fn fdatasync_leaves_attributes_behind_and_fsync_does_not() {
    let mut disk = disk();
    let ino = disk.build_file(b"f", b"x");
    disk.settle();
    let mtime = FileTime { seconds: 5, nanos: 6 };
    disk.build_meta(b"f", &Meta { mode: Some(0o751), mtime: Some(mtime), ..Meta::default() });
    let mode = |disk: &SimDisk| match disk.visible(b"f") {
        Some(Image::File { attributes, .. }) => (attributes.mode, attributes.mtime),
        other => panic!("{other:?}"),
    };
    disk.sync(ino, true);
    assert_eq!(outcomes(&disk, mode).len(), 2);
    disk.sync(ino, false);
    assert_eq!(outcomes(&disk, mode), BTreeSet::from([(0o751, mtime)]));
}

#[test]
fn changes_of_a_directory_survive_in_their_order() {
    let mut disk = disk();
    disk.build_file(b"old", b"old");
    disk.settle();
    let ino = disk.build_file(b"part", b"new");
    disk.sync(ino, false);
    disk.rename((ROOT, b"part"), (ROOT, b"old"), RenameHow::Replace).unwrap();
    disk.build_file(b"last", b"");
    let look = |disk: &SimDisk| {
        let names: Vec<_> = disk.tree(b"", View::Visible).into_keys().collect();
        (
            bytes(disk, b"old", View::Visible),
            names.iter().map(|name| name.escape_ascii().to_string()).collect(),
        )
    };
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = BTreeSet::from([
        (Some(b"old".to_vec()), names(&["old"])),
        (Some(b"old".to_vec()), names(&["old", "part"])),
        (Some(b"new".to_vec()), names(&["old"])),
        (Some(b"new".to_vec()), names(&["last", "old"])),
    ]);
    assert_eq!(outcomes(&disk, look), expected, "a rename within a directory is whole or not at all");
}

#[test]
fn a_kill_loses_nothing_and_frees_what_was_only_open() {
    let mut disk = disk();
    disk.build_file(b"f", &[7; 2048]);
    let (free, _) = disk.space();
    let (ino, _) = disk.open_absolute(b"f", How::Write).unwrap();
    disk.lock(ino, 1).unwrap();
    disk.write(ino, 2048, &[8; 512]).unwrap();
    disk.remove(ROOT, b"f", false).unwrap();
    assert_eq!(disk.space().0, free - 512, "an open file lives on");
    let mut buf = [0; 1];
    assert_eq!(disk.read(ino, 2048, &mut buf), Ok(1));
    disk.close_all();
    assert_eq!((disk.space().0, disk.opens()), (free + 2048, 0));
}

#[test]
fn a_full_disk_takes_what_fits() {
    let mut disk = SimDisk::new(DiskConfig { capacity_bytes: 2048, ..DiskConfig::default() });
    let (ino, _) = disk.open_absolute(b"f", How::Create { mode: 0o600 }).unwrap();
    assert_eq!(disk.reserve(ino, 0, 4096), Err(Errno::NOSPC));
    assert_eq!(disk.write(ino, 100, &[1; 4000]), Ok(1948));
    assert_eq!(disk.write(ino, 2048, &[1]), Err(Errno::NOSPC));
    assert_eq!(disk.write(ino, 0, &[2; 2048]), Ok(2048), "what is allocated can be written again");
    assert_eq!(disk.make_dir(ROOT, b"d", 0o700), Err(Errno::NOSPC));
    disk.resize(ino, 1024).unwrap();
    assert_eq!(disk.write(ino, 1024, &[3; 1024]), Ok(1024));
}

#[test]
fn names_fail_as_on_linux() {
    let mut disk = disk();
    let dir = disk.build_dir(b"d/e");
    disk.build_file(b"d/f", b"f");
    disk.build_symlink(b"link", b"d");
    let d = disk.find(b"d", View::Visible).unwrap();
    let rename =
        |disk: &mut SimDisk, from: &[u8], to: (Ino, &[u8])| disk.rename((ROOT, from), to, RenameHow::Replace);
    assert_eq!(rename(&mut disk, b"d", (dir, b"x")), Err(Errno::INVAL), "into itself");
    assert_eq!(rename(&mut disk, b"link", (d, b"e")), Err(Errno::ISDIR));
    assert_eq!(rename(&mut disk, b"d", (ROOT, b"link")), Err(Errno::NOTDIR));
    disk.build_dir(b"other");
    assert_eq!(rename(&mut disk, b"other", (ROOT, b"d")), Err(Errno::NOTEMPTY));
    assert_eq!(rename(&mut disk, b"other", (d, b"e")), Ok(()), "an empty directory is replaced");
    assert_eq!(disk.remove(ROOT, b"d", true), Err(Errno::NOTEMPTY));
    assert_eq!(disk.remove(ROOT, b"d", false), Err(Errno::ISDIR));
    assert_eq!(disk.remove(d, b"f", true), Err(Errno::NOTDIR));
    assert_eq!(disk.link(ROOT, b"d", ROOT, b"again"), Err(Errno::PERM));
    assert_eq!(disk.walk(ROOT, b"link/e"), Err(Errno::LOOP));
    assert_eq!(disk.open(ROOT, b"link", How::Read), Err(Errno::LOOP));
    assert_eq!(disk.open(ROOT, b"link", How::Directory), Err(Errno::NOTDIR));
    assert_eq!(disk.open(ROOT, b"link", How::Create { mode: 0 }), Err(Errno::EXIST));
    assert_eq!(disk.lookup(ROOT, &[b'x'; 256]), Err(Errno::NAMETOOLONG));
    disk.remove(d, b"e", true).unwrap();
    assert_eq!(disk.make_dir(dir, b"x", 0o700), Err(Errno::NOENT), "in a directory that is gone");
}

#[test]
fn a_process_without_privilege_meets_permissions_and_a_read_only_mount() {
    let mut disk = SimDisk::new(DiskConfig { uid: 1000, ..DiskConfig::default() });
    disk.build_file(b"d/secret", b"x");
    disk.build_meta(b"d/secret", &Meta { mode: Some(0), ..Meta::default() });
    assert_eq!(disk.open_absolute(b"d/secret", How::Read), Err(Errno::ACCES));
    disk.build_meta(b"d", &Meta { mode: Some(0o500), ..Meta::default() });
    let d = disk.find(b"d", View::Visible).unwrap();
    assert_eq!(disk.make_dir(d, b"new", 0o700), Err(Errno::ACCES));
    assert_eq!(disk.remove(d, b"secret", false), Err(Errno::ACCES));
    let secret = disk.find(b"d/secret", View::Visible).unwrap();
    assert_eq!(disk.set_meta(secret, &Meta { uid: Some(0), ..Meta::default() }), Err(Errno::PERM));
    disk.config_mut().read_only = true;
    assert_eq!(disk.make_dir(ROOT, b"new", 0o700), Err(Errno::ROFS));
    assert_eq!(disk.open_absolute(b"new", How::Create { mode: 0o600 }), Err(Errno::ROFS));
    assert!(disk.space().1);
}

#[test]
fn a_listing_names_kinds_and_hard_links_share_an_inode() {
    let mut disk = disk();
    disk.build_file(b"f", b"1");
    disk.build_dir(b"d");
    disk.build_symlink(b"s", b"nowhere");
    disk.make_special(ROOT, b"fifo").unwrap();
    disk.link(ROOT, b"f", ROOT, b"g").unwrap();
    let mut names = disk.list(ROOT, &mut Random::new(1)).unwrap();
    names.sort();
    let kinds: Vec<_> = names.iter().map(|(kind, name)| (name.as_slice(), *kind)).collect();
    let file = Some(Kind::File);
    let expected: [(&[u8], _); 5] = [
        (b"fifo", None),
        (b"f", file),
        (b"g", file),
        (b"d", Some(Kind::Directory)),
        (b"s", Some(Kind::Symlink)),
    ];
    assert_eq!(kinds, expected);
    let f = disk.stat(disk.lookup(ROOT, b"f").unwrap());
    assert_eq!((f.links, f.inode), (2, disk.lookup(ROOT, b"g").unwrap().0));
}
