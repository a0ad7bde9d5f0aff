//! Acts on files: opening, metadata, sizes, whole small files; each inline and in the background.

use crate::drive::{
    WAYS, Way, act, close, content, filled, name, one, open, put_file, run, run_batch, stat, take,
};
use crate::{Case, World};
use base::entry::{FileTime, Kind, Meta};
use base::io::{Act, ActOut, Batch, Errno, How, Io, Op};

pub(crate) fn cases<W: World>() -> Vec<Case<W>> {
    vec![
        ("opening finds, makes and refuses", opening_finds_makes_and_refuses),
        ("modes are literal", modes_are_literal),
        ("a FIFO blocks nobody", a_fifo_blocks_nobody),
        ("metadata is set as told", metadata_is_set_as_told),
        ("a file is resized", a_file_is_resized),
        ("holes are made and found", holes_are_made_and_found),
        ("content is shared or left alone", content_is_shared_or_left_alone),
        ("space is told", space_is_told),
        ("a lock excludes", a_lock_excludes),
        ("a small file is got whole", a_small_file_is_got_whole),
        ("a small file is put whole", a_small_file_is_put_whole),
        ("a failed put leaves no name", a_failed_put_leaves_no_name),
        ("a batch goes on after a failure", a_batch_goes_on_after_a_failure),
    ]
}

fn opening_finds_makes_and_refuses<W: World>(world: &mut W) {
    let root = world.root();
    for way in WAYS {
        assert_eq!(open(world, way, root, "f", How::Read), Err(Errno::NOENT));
        assert_eq!(open(world, way, root, "f", How::Write), Err(Errno::NOENT));
        let file = open(world, way, root, "f", How::Create { mode: 0o600 }).expect("created");
        assert_eq!(open(world, way, root, "f", How::Create { mode: 0o600 }), Err(Errno::EXIST));
        assert_eq!(open(world, way, root, "f", How::Directory), Err(Errno::NOTDIR));
        assert_eq!(open(world, way, root, "f/g", How::Read), Err(Errno::NOTDIR));
        let again = open(world, way, root, "f", How::CreateOrOpen { mode: 0o600 }).expect("opened");
        let write = open(world, way, root, "f", How::Write).expect("opened");
        let own = open(world, way, root, "", How::Directory).expect("the directory itself");
        assert_eq!(
            act(world, |b| Act::MakeDir { dir: own, name: b.name(name("d")), mode: 0o700 }),
            Ok(ActOut::Nothing)
        );
        let below = open(world, way, root, "d/x", How::CreateOrOpen { mode: 0o600 }).expect("made below");
        assert_eq!(open(world, way, root, "d", How::Write), Err(Errno::ISDIR));
        for fd in [file, again, write, own, below] {
            close(world, fd);
        }
        let dir = open(world, way, root, "d", How::Directory).expect("a directory");
        for (dir, file, directory) in [(dir, "x", false), (root, "d", true), (root, "f", false)] {
            let removed = act(world, |b| Act::Remove { dir, name: b.name(name(file)), directory });
            assert_eq!(removed, Ok(ActOut::Nothing));
        }
        close(world, dir);
    }
}

fn modes_are_literal<W: World>(world: &mut W) {
    let root = world.root();
    let file = open(world, Way::Inline, root, "f", How::Create { mode: 0o666 }).expect("created");
    close(world, file);
    assert_eq!(stat(world, root, "f").expect("there").mode, 0o666);
    let made = act(world, |b| Act::MakeDir { dir: root, name: b.name(name("d")), mode: 0o777 });
    assert_eq!(made, Ok(ActOut::Nothing));
    assert_eq!(stat(world, root, "d").expect("there").mode, 0o777);
}

fn a_fifo_blocks_nobody<W: World>(world: &mut W) {
    let root = world.root();
    if !world.make_fifo(root, name("pipe")) {
        return;
    }
    assert_eq!(stat(world, root, "pipe").expect("there").kind, None);
    for way in WAYS {
        let fd = open(world, way, root, "pipe", How::Read).expect("opened at once");
        close(world, fd);
        let buf = take(world);
        let (result, _) = one(world, way, |b| {
            b.data = Some(buf);
            Act::Get { dir: root, name: b.name(name("pipe")), at: 0, len: 10 }
        });
        let Ok(ActOut::Got { len: 0, before, .. }) = result else { panic!("{result:?}") };
        assert_eq!(before.kind, None);
    }
}

fn metadata_is_set_as_told<W: World>(world: &mut W) {
    let root = world.root();
    for (way, file) in WAYS.into_iter().zip(["f", "g"]) {
        put_file(world, root, file, b"12345");
        let own = stat(world, root, file).expect("there");
        assert_eq!((own.kind, own.size, own.links), (Some(Kind::File), 5, 1));
        let mtime = FileTime { seconds: 1_000_000_000, nanos: 123_456_789 };
        let meta = Meta { mode: Some(0o640), uid: Some(own.uid), gid: Some(own.gid), mtime: Some(mtime) };
        let (result, _) =
            one(world, way, |b| Act::SetMeta { dir: root, name: Some(b.name(name(file))), meta });
        assert_eq!(result, Ok(ActOut::Nothing));
        let after = stat(world, root, file).expect("there");
        assert_eq!((after.mode, after.mtime, after.uid, after.gid), (0o640, mtime, own.uid, own.gid));
        assert_eq!((after.inode, after.device), (own.inode, own.device));
        // By descriptor; what is None is left alone.
        let fd = open(world, way, root, file, How::Read).expect("opened");
        let earlier = FileTime { seconds: -5, nanos: 1 };
        let meta = Meta { mtime: Some(earlier), ..Meta::default() };
        assert_eq!(one(world, way, |_| Act::SetMeta { dir: fd, name: None, meta }).0, Ok(ActOut::Nothing));
        let (result, _) = one(world, way, |_| Act::Stat { dir: fd, name: None });
        let Ok(ActOut::Stat(last)) = result else { panic!("{result:?}") };
        assert_eq!((last.mode, last.mtime, last.size), (0o640, earlier, 5));
        close(world, fd);
        let meta = Meta { mode: Some(0o600), ..Meta::default() };
        let missing = one(world, way, |b| Act::SetMeta { dir: root, name: Some(b.name(name("no"))), meta }).0;
        assert_eq!(missing, Err(Errno::NOENT));
    }
}

fn a_file_is_resized<W: World>(world: &mut W) {
    let root = world.root();
    put_file(world, root, "f", b"12345");
    let fd = open(world, Way::Inline, root, "f", How::Write).expect("opened");
    for (way, size) in WAYS.into_iter().zip([3, 6]) {
        assert_eq!(one(world, way, |_| Act::Resize { fd, size }).0, Ok(ActOut::Nothing));
        assert_eq!(stat(world, root, "f").expect("there").size, size);
    }
    assert_eq!(content(world, root, "f"), Ok(b"123\0\0\0".to_vec()));
    close(world, fd);
}

fn holes_are_made_and_found<W: World>(world: &mut W) {
    const SIZE: u64 = 128 * 1024;
    const AT: u64 = 64 * 1024;
    let root = world.root();
    let fd = open(world, Way::Inline, root, "f", How::Create { mode: 0o600 }).expect("created");
    assert_eq!(act(world, |_| Act::Resize { fd, size: SIZE }), Ok(ActOut::Nothing));
    let buf = filled(world, 0, &[1; 8192]);
    let done = run(world, Op::Write { file: fd, offset: AT, buf, at: 0, len: 8192, uncached: false });
    assert_eq!(done.result, Ok(8192));
    drop(done);
    for way in WAYS {
        let (result, _) = one(world, way, |_| Act::Extent { fd, offset: 0 });
        let Ok(ActOut::Extent { from, to }) = result else { panic!("{result:?}") };
        assert!(from <= AT && (AT + 8192..=SIZE).contains(&to), "{from}..{to}");
        let (result, _) = one(world, way, |_| Act::Extent { fd, offset: AT + 10 });
        assert_eq!(result, Ok(ActOut::Extent { from: AT + 10, to }));
        for offset in [SIZE, SIZE + 1] {
            let (result, _) = one(world, way, |_| Act::Extent { fd, offset });
            assert_eq!(result, Ok(ActOut::Extent { from: SIZE, to: SIZE }));
        }
    }
    for (way, offset) in WAYS.into_iter().zip([AT, AT + 4096]) {
        assert_eq!(one(world, way, |_| Act::Punch { fd, offset, len: 4096 }).0, Ok(ActOut::Nothing));
    }
    assert_eq!(act(world, |_| Act::Extent { fd, offset: 0 }), Ok(ActOut::Extent { from: SIZE, to: SIZE }));
    assert_eq!(stat(world, root, "f").expect("there").size, SIZE, "a hole is not a cut");
    let buf = take(world);
    let done = run(world, Op::Read { file: fd, offset: AT, buf, at: 0, len: 8192, uncached: false });
    assert!(done.buf.expect("the buffer").as_ref()[..8192].iter().all(|&b| b == 0));
    close(world, fd);
}

fn content_is_shared_or_left_alone<W: World>(world: &mut W) {
    let root = world.root();
    put_file(world, root, "old", b"what is shared");
    for (way, name) in WAYS.into_iter().zip(["shared1", "shared2"]) {
        put_file(world, root, name, b"else");
        let from = open(world, Way::Inline, root, "old", How::Read).expect("opened");
        let to = open(world, Way::Inline, root, name, How::Write).expect("opened");
        let (result, _) = one(world, way, |_| Act::Clone { from, to });
        let expected: &[u8] = if result.is_ok() { b"what is shared" } else { b"else" };
        assert_eq!(content(world, root, name), Ok(expected.to_vec()), "{result:?}");
        let buf = filled(world, 0, b"W");
        let done = run(world, Op::Write { file: to, offset: 0, buf, at: 0, len: 1, uncached: false });
        assert_eq!(done.result, Ok(1));
        drop(done);
        assert_eq!(content(world, root, "old"), Ok(b"what is shared".to_vec()));
        let (result, _) = one(world, way, |_| Act::Clone { from: root, to });
        assert!(result.is_err(), "a directory has none to share");
        close(world, from);
        close(world, to);
    }
}

fn space_is_told<W: World>(world: &mut W) {
    let root = world.root();
    for way in WAYS {
        let (result, _) = one(world, way, |_| Act::SpaceOf { fd: root });
        let Ok(ActOut::Space { free, read_only }) = result else { panic!("{result:?}") };
        assert!(free > 0 && !read_only);
    }
}

fn a_lock_excludes<W: World>(world: &mut W) {
    let root = world.root();
    put_file(world, root, "lock", b"");
    for way in WAYS {
        let one_fd = open(world, way, root, "lock", How::Write).expect("opened");
        let two_fd = open(world, way, root, "lock", How::Write).expect("opened");
        assert_eq!(one(world, way, |_| Act::Lock { fd: one_fd }).0, Ok(ActOut::Nothing));
        assert_eq!(one(world, way, |_| Act::Lock { fd: two_fd }).0, Err(Errno::AGAIN));
        close(world, one_fd);
        assert_eq!(one(world, way, |_| Act::Lock { fd: two_fd }).0, Ok(ActOut::Nothing));
        close(world, two_fd);
    }
}

fn a_small_file_is_got_whole<W: World>(world: &mut W) {
    let root = world.root();
    put_file(world, root, "f", b"0123456789");
    put_file(world, root, "empty", b"");
    for way in WAYS {
        for (file, len, expected) in
            [("f", 10, &b"0123456789"[..]), ("f", 4, b"0123"), ("f", 50, b"0123456789"), ("empty", 9, b"")]
        {
            let buf = take(world);
            let (result, batch) = one(world, way, |b| {
                b.data = Some(buf);
                Act::Get { dir: root, name: b.name(name(file)), at: 20, len }
            });
            let Ok(ActOut::Got { len, before, after }) = result else { panic!("{result:?}") };
            let data = batch.data.expect("the buffer stays");
            assert_eq!(&data.as_ref()[20..20 + len as usize], expected);
            assert_eq!((before, before.kind), (after, Some(Kind::File)));
            assert_eq!(before.size, if file == "f" { 10 } else { 0 });
        }
        let (result, _) = one(world, way, |b| Act::Get { dir: root, name: b.name(name("f")), at: 0, len: 1 });
        assert_eq!(result, Err(Errno::INVAL), "no data to fill");
    }
    assert_eq!(content(world, root, "missing"), Err(Errno::NOENT));
}

fn a_small_file_is_put_whole<W: World>(world: &mut W) {
    let root = world.root();
    let mtime = FileTime { seconds: 1_234_567_890, nanos: 987_654_321 };
    let meta = Meta { mode: Some(0o755), mtime: Some(mtime), ..Meta::default() };
    for (way, file) in WAYS.into_iter().zip(["f", "g"]) {
        let buf = filled(world, 9, b"content");
        let mut batch = Batch::new();
        batch.data = Some(buf);
        let put = |batch: &mut Batch<_>, keep| {
            let name = batch.name(name(file));
            batch.push(Act::Put { dir: root, name, at: 9, len: 7, meta, keep });
        };
        put(&mut batch, true);
        put(&mut batch, false);
        let batch = run_batch(world, way, batch);
        let Ok(ActOut::Put { inode, fd: Some(fd) }) = batch.results[0] else { panic!("{:?}", batch.results) };
        assert_eq!(batch.results[1], Err(Errno::EXIST));
        drop(batch);
        let found = stat(world, root, file).expect("there");
        assert_eq!((found.inode, found.mode, found.mtime, found.size), (inode, 0o755, mtime, 7));
        assert_eq!(content(world, root, file), Ok(b"content".to_vec()));
        assert_eq!(run(world, Op::Sync { file: fd, data_only: true }).result, Ok(0));
        close(world, fd);
    }
    put_file(world, root, "plain", b"p");
    assert_eq!(stat(world, root, "plain").expect("there").mode, 0o600, "private unless told otherwise");
}

fn a_failed_put_leaves_no_name<W: World>(world: &mut W) {
    let root = world.root();
    let most = world.io().caps().buffer_bytes;
    let meta = Meta::default();
    for way in WAYS {
        let buf = take(world);
        let (result, _) = one(world, way, |b| {
            b.data = Some(buf);
            Act::Put { dir: root, name: b.name(name("f")), at: 1, len: most, meta, keep: false }
        });
        assert_eq!(result, Err(Errno::INVAL), "the span leaves the buffer");
        let (result, _) = one(world, way, |b| {
            let name = b.name(name("f"));
            Act::Put { dir: root, name, at: 0, len: 1, meta, keep: false }
        });
        assert_eq!(result, Err(Errno::INVAL), "no data at all");
        let wrong = FileTime { seconds: 0, nanos: 1_000_000_000 };
        let buf = take(world);
        let (result, _) = one(world, way, |b| {
            b.data = Some(buf);
            let meta = Meta { mtime: Some(wrong), ..Meta::default() };
            Act::Put { dir: root, name: b.name(name("f")), at: 0, len: 1, meta, keep: true }
        });
        assert_eq!(result, Err(Errno::INVAL), "no such time");
        assert_eq!(stat(world, root, "f"), Err(Errno::NOENT));
    }
}

fn a_batch_goes_on_after_a_failure<W: World>(world: &mut W) {
    let root = world.root();
    for (way, file) in WAYS.into_iter().zip(["a", "b"]) {
        let mut batch = Batch::new();
        let missing = batch.name(name("missing"));
        let made = batch.name(name(file));
        batch.push(Act::Remove { dir: root, name: missing, directory: false });
        batch.push(Act::MakeDir { dir: root, name: made, mode: 0o700 });
        let batch = run_batch(world, way, batch);
        assert_eq!(batch.results, [Err(Errno::NOENT), Ok(ActOut::Nothing)]);
        assert_eq!(stat(world, root, file).expect("there").kind, Some(Kind::Directory));
    }
}
