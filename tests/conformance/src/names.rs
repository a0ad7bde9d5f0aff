//! Acts on names: links, renames, removals, listings; and that no link leads anywhere.

use crate::drive::{WAYS, Way, act, close, content, name, one, open, put_file, stat, take};
use crate::{Case, World};
use base::entry::{FileTime, Kind, Meta};
use base::io::{Act, ActOut, Errno, Fd, How, RenameHow};

pub(crate) fn cases<W: World>() -> Vec<Case<W>> {
    vec![
        ("no link is followed", no_link_is_followed),
        ("a symlink keeps its target", a_symlink_keeps_its_target),
        ("a symlink has its own times", a_symlink_has_its_own_times),
        ("a hard link is the same file", a_hard_link_is_the_same_file),
        ("renames replace, refuse, exchange", renames_replace_refuse_exchange),
        ("removal knows files from directories", removal_knows_files_from_directories),
        ("a directory is made once", a_directory_is_made_once),
        ("a listing comes in bounded pieces", a_listing_comes_in_bounded_pieces),
        ("a listing tells kinds", a_listing_tells_kinds),
        ("names are bytes", names_are_bytes),
    ]
}

fn make_dir<W: World>(world: &mut W, dir: Fd, text: &str) {
    let made = act(world, |b| Act::MakeDir { dir, name: b.name(name(text)), mode: 0o700 });
    assert_eq!(made, Ok(ActOut::Nothing));
}

fn symlink<W: World>(world: &mut W, dir: Fd, text: &str, target: &[u8]) {
    let made = act(world, |b| Act::Symlink { dir, name: b.name(name(text)), target: b.text(target) });
    assert_eq!(made, Ok(ActOut::Nothing));
}

/// proves: no byte outside the root.
fn no_link_is_followed<W: World>(world: &mut W) {
    let root = world.root();
    make_dir(world, root, "d");
    let dir = open(world, Way::Inline, root, "d", How::Directory).expect("opened");
    put_file(world, dir, "secret", b"s");
    for (link, target) in [("inner", &b"d"[..]), ("up", b".."), ("absolute", b"/"), ("file", b"d/secret")] {
        symlink(world, root, link, target);
    }
    for way in WAYS {
        for through in ["inner/secret", "up/x", "absolute/etc"] {
            for how in [How::Read, How::Write, How::Create { mode: 0o600 }, How::CreateOrOpen { mode: 0o600 }]
            {
                assert_eq!(open(world, way, root, through, how), Err(Errno::LOOP), "{through}");
            }
        }
        for last in ["inner", "up", "absolute", "file"] {
            assert_eq!(open(world, way, root, last, How::Read), Err(Errno::LOOP), "{last}");
            assert_eq!(
                open(world, way, root, last, How::CreateOrOpen { mode: 0o600 }),
                Err(Errno::LOOP),
                "{last}"
            );
            let as_directory = open(world, way, root, last, How::Directory);
            assert!(matches!(as_directory, Err(Errno::LOOP | Errno::NOTDIR)), "{as_directory:?}");
            let buf = take(world);
            let (got, _) = one(world, way, |b| {
                b.data = Some(buf);
                Act::Get { dir: root, name: b.name(name(last)), at: 0, len: 1 }
            });
            assert_eq!(got, Err(Errno::LOOP), "{last}");
            let meta = Meta::default();
            let (put, _) = one(world, way, |b| Act::Put {
                dir: root,
                name: b.name(name(last)),
                at: 0,
                len: 0,
                meta,
                keep: false,
            });
            assert_eq!(put, Err(Errno::EXIST), "{last}");
        }
    }
    assert_eq!(stat(world, root, "file").expect("there").kind, Some(Kind::Symlink));
    close(world, dir);
}

fn a_symlink_keeps_its_target<W: World>(world: &mut W) {
    let root = world.root();
    put_file(world, root, "f", b"");
    for (way, link) in WAYS.into_iter().zip(["a", "b"]) {
        let target = b"../\xff odd \n//target";
        symlink(world, root, link, target);
        let (result, batch) = one(world, way, |b| Act::ReadLink { dir: root, name: b.name(name(link)) });
        let Ok(ActOut::Text(text)) = result else { panic!("{result:?}") };
        assert_eq!(batch.out_text(text), target);
        let (result, _) = one(world, way, |b| Act::ReadLink { dir: root, name: b.name(name("f")) });
        assert_eq!(result, Err(Errno::INVAL), "a file is no link");
        let again =
            one(world, way, |b| Act::Symlink { dir: root, name: b.name(name(link)), target: b.text(b"x") });
        assert_eq!(again.0, Err(Errno::EXIST));
    }
}

fn a_symlink_has_its_own_times<W: World>(world: &mut W) {
    let root = world.root();
    put_file(world, root, "f", b"");
    let before = stat(world, root, "f").expect("there");
    symlink(world, root, "link", b"f");
    for (way, nanos) in WAYS.into_iter().zip([5, 6]) {
        let mtime = FileTime { seconds: 77, nanos };
        let meta = Meta { mode: Some(0o600), mtime: Some(mtime), ..Meta::default() };
        let (set, _) =
            one(world, way, |b| Act::SetMeta { dir: root, name: Some(b.name(name("link"))), meta });
        assert_eq!(set, Ok(ActOut::Nothing), "a link's mode is left alone");
        assert_eq!(stat(world, root, "link").expect("there").mtime, mtime);
    }
    let after = stat(world, root, "f").expect("there");
    assert_eq!((after.mode, after.mtime), (before.mode, before.mtime), "the target is untouched");
}

fn a_hard_link_is_the_same_file<W: World>(world: &mut W) {
    let root = world.root();
    put_file(world, root, "f", b"x");
    for (way, link, links) in [(Way::Inline, "a", 2), (Way::Background, "b", 3)] {
        let make = |b: &mut base::io::Batch<_>| Act::Link {
            from_dir: root,
            from: b.name(name("f")),
            to_dir: root,
            to: b.name(name(link)),
        };
        assert_eq!(one(world, way, make).0, Ok(ActOut::Nothing));
        assert_eq!(one(world, way, make).0, Err(Errno::EXIST));
        let (old, linked) = (stat(world, root, "f").expect("there"), stat(world, root, link).expect("there"));
        assert_eq!((old.inode, old.links), (linked.inode, links));
    }
}

fn renames_replace_refuse_exchange<W: World>(world: &mut W) {
    let root = world.root();
    make_dir(world, root, "d");
    let dir = open(world, Way::Inline, root, "d", How::Directory).expect("opened");
    for way in WAYS {
        put_file(world, root, "one", b"1");
        put_file(world, dir, "two", b"2");
        let rename = |world: &mut W, from: &str, how| {
            one(world, way, |b| {
                let (from, to) = (b.name(name(from)), b.name(name("two")));
                Act::Rename { from_dir: root, from, to_dir: dir, to, how }
            })
            .0
        };
        assert_eq!(rename(world, "one", RenameHow::NoReplace), Err(Errno::EXIST));
        assert_eq!(rename(world, "missing", RenameHow::Replace), Err(Errno::NOENT));
        assert_eq!(rename(world, "one", RenameHow::Exchange), Ok(ActOut::Nothing));
        assert_eq!(content(world, root, "one"), Ok(b"2".to_vec()));
        assert_eq!(content(world, dir, "two"), Ok(b"1".to_vec()));
        assert_eq!(rename(world, "one", RenameHow::Replace), Ok(ActOut::Nothing));
        assert_eq!(content(world, dir, "two"), Ok(b"2".to_vec()));
        assert_eq!(stat(world, root, "one"), Err(Errno::NOENT));
        let removed = act(world, |b| Act::Remove { dir, name: b.name(name("two")), directory: false });
        assert_eq!(removed, Ok(ActOut::Nothing));
        put_file(world, root, "one", b"1");
        assert_eq!(rename(world, "one", RenameHow::NoReplace), Ok(ActOut::Nothing));
        let removed = act(world, |b| Act::Remove { dir, name: b.name(name("two")), directory: false });
        assert_eq!(removed, Ok(ActOut::Nothing));
    }
    close(world, dir);
}

fn removal_knows_files_from_directories<W: World>(world: &mut W) {
    let root = world.root();
    for way in WAYS {
        put_file(world, root, "f", b"");
        make_dir(world, root, "d");
        let dir = open(world, Way::Inline, root, "d", How::Directory).expect("opened");
        put_file(world, dir, "x", b"");
        let remove = |world: &mut W, dir: Fd, text: &str, directory| {
            one(world, way, |b| Act::Remove { dir, name: b.name(name(text)), directory }).0
        };
        assert_eq!(remove(world, root, "f", true), Err(Errno::NOTDIR));
        assert_eq!(remove(world, root, "d", false), Err(Errno::ISDIR));
        assert_eq!(remove(world, root, "d", true), Err(Errno::NOTEMPTY));
        assert_eq!(remove(world, dir, "x", false), Ok(ActOut::Nothing));
        assert_eq!(remove(world, root, "d", true), Ok(ActOut::Nothing));
        assert_eq!(remove(world, root, "f", false), Ok(ActOut::Nothing));
        assert_eq!(remove(world, root, "f", false), Err(Errno::NOENT));
        close(world, dir);
    }
}

fn a_directory_is_made_once<W: World>(world: &mut W) {
    let root = world.root();
    for (way, text) in WAYS.into_iter().zip(["a", "b"]) {
        let make =
            |b: &mut base::io::Batch<_>| Act::MakeDir { dir: root, name: b.name(name(text)), mode: 0o750 };
        assert_eq!(one(world, way, make).0, Ok(ActOut::Nothing));
        assert_eq!(one(world, way, make).0, Err(Errno::EXIST));
        let found = stat(world, root, text).expect("there");
        assert_eq!((found.kind, found.mode), (Some(Kind::Directory), 0o750));
    }
}

/// All names of a directory; how many pieces they came in.
fn list<W: World>(world: &mut W, way: Way, bytes_max: u32) -> (Vec<(u8, Vec<u8>)>, u32) {
    let root = world.root();
    let dir = open(world, way, root, "", How::Directory).expect("opened");
    let (mut names, mut pieces) = (Vec::new(), 0);
    loop {
        let (result, batch) = one(world, way, |_| Act::List { dir, bytes_max });
        let Ok(ActOut::Names { text, more }) = result else { panic!("{result:?}") };
        assert!(batch.out_text(text).len() <= bytes_max as usize, "a piece keeps its bound");
        names.extend(batch.names_of(text).map(|(kind, name)| (kind, name.to_vec())));
        pieces += 1;
        if !more {
            break;
        }
        assert!(pieces < 1000, "a listing ends");
    }
    close(world, dir);
    names.sort_by(|a, b| a.1.cmp(&b.1));
    (names, pieces)
}

fn a_listing_comes_in_bounded_pieces<W: World>(world: &mut W) {
    let root = world.root();
    let expected: Vec<String> = (0..40).map(|n| format!("name-{n:02}-{}", "x".repeat(20))).collect();
    for file in &expected {
        put_file(world, root, file, b"");
    }
    for way in WAYS {
        for bytes_max in [400, 100_000] {
            let (names, pieces) = list(world, way, bytes_max);
            let names: Vec<_> = names.into_iter().map(|(_, name)| name).collect();
            assert_eq!(names, expected.iter().map(|name| name.as_bytes().to_vec()).collect::<Vec<_>>());
            assert!(bytes_max > 400 || pieces > 2, "{pieces} pieces");
        }
    }
}

fn a_listing_tells_kinds<W: World>(world: &mut W) {
    let root = world.root();
    assert_eq!(list(world, Way::Inline, 4096).0, [], "neither . nor ..");
    put_file(world, root, "a", b"");
    make_dir(world, root, "b");
    symlink(world, root, "c", b"a");
    let mut expected = vec![(1, b"a".to_vec()), (2, b"b".to_vec()), (3, b"c".to_vec())];
    if world.make_fifo(root, name("d")) {
        expected.push((4, b"d".to_vec()));
    }
    for way in WAYS {
        let (names, _) = list(world, way, 4096);
        for ((kind, text), (expected_kind, expected)) in names.iter().zip(&expected) {
            assert_eq!(text, expected);
            assert!(kind == expected_kind || *kind == 0, "{kind} for {}", text.escape_ascii());
        }
        assert_eq!(names.len(), expected.len());
    }
}

fn names_are_bytes<W: World>(world: &mut W) {
    let root = world.root();
    let odd = base::name::Name::new(b"\xff\x1b[31m\n ~").expect("valid");
    let made = act(world, |b| Act::MakeDir { dir: root, name: b.name(odd), mode: 0o700 });
    assert_eq!(made, Ok(ActOut::Nothing));
    let (names, _) = list(world, Way::Inline, 4096);
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].1, odd.as_bytes());
}
