//! Reads, writes, syncs and reservations of files.

use crate::drive::{Way, act, close, filled, open, put_file, run, take};
use crate::{Case, World};
use base::io::{Act, ActOut, Errno, How, Op, Out};

/// EBADF.
const BADF: Errno = Errno(9);

pub(crate) fn cases<W: World>() -> Vec<Case<W>> {
    vec![
        ("written bytes are read back", written_bytes_are_read_back),
        ("reads stop at the end of the file", reads_stop_at_the_end),
        ("uncached is a wish, not a condition", uncached_is_a_wish),
        ("a failed transfer gives its buffer back", a_failed_transfer_gives_its_buffer_back),
        ("sync takes files and directories", sync_takes_files_and_directories),
        ("a reservation leaves the size", a_reservation_leaves_the_size),
        ("a closed descriptor is closed", a_closed_descriptor_is_closed),
    ]
}

fn written_bytes_are_read_back<W: World>(world: &mut W) {
    let root = world.root();
    let file = open(world, Way::Inline, root, "f", How::Create { mode: 0o600 }).expect("created");
    let buf = filled(world, 100, b"hello, disk");
    let done = run(world, Op::Write { file, offset: 5, buf, at: 100, len: 11, uncached: false });
    assert_eq!(done.result, Ok(11));
    assert!(matches!(done.out, Out::Nothing));
    drop(done.buf.expect("the buffer comes back"));
    let buf = take(world);
    let done = run(world, Op::Read { file, offset: 12, buf, at: 7, len: 4, uncached: false });
    assert_eq!(done.result, Ok(4));
    assert_eq!(&done.buf.expect("the buffer").as_ref()[7..11], b"disk");
    let buf = take(world);
    let done = run(world, Op::Read { file, offset: 0, buf, at: 0, len: 5, uncached: false });
    assert_eq!(done.result, Ok(5));
    assert_eq!(&done.buf.expect("the buffer").as_ref()[..5], &[0; 5], "a gap reads as zeros");
    close(world, file);
}

fn reads_stop_at_the_end<W: World>(world: &mut W) {
    let root = world.root();
    put_file(world, root, "f", b"0123456789");
    let file = open(world, Way::Inline, root, "f", How::Read).expect("opened");
    let buf = take(world);
    let done = run(world, Op::Read { file, offset: 4, buf, at: 0, len: 100, uncached: false });
    assert_eq!(done.result, Ok(6));
    assert_eq!(&done.buf.expect("the buffer").as_ref()[..6], b"456789");
    for offset in [10, 1 << 40] {
        let buf = take(world);
        let done = run(world, Op::Read { file, offset, buf, at: 0, len: 8, uncached: false });
        assert_eq!(done.result, Ok(0), "at {offset}");
        assert!(done.buf.is_some());
    }
    close(world, file);
}

fn uncached_is_a_wish<W: World>(world: &mut W) {
    let root = world.root();
    let file = open(world, Way::Inline, root, "f", How::Create { mode: 0o600 }).expect("created");
    // Twice: the second time the refusal may be known.
    for round in 0..2u8 {
        let buf = filled(world, 0, &[round; 4096]);
        let offset = u64::from(round) * 4096;
        let done = run(world, Op::Write { file, offset, buf, at: 0, len: 4096, uncached: true });
        assert_eq!(done.result, Ok(4096));
        drop(done);
        let buf = take(world);
        let done = run(world, Op::Read { file, offset, buf, at: 1, len: 4096, uncached: true });
        assert_eq!(done.result, Ok(4096));
        assert_eq!(&done.buf.expect("the buffer").as_ref()[1..4097], &[round; 4096]);
    }
    close(world, file);
}

fn a_failed_transfer_gives_its_buffer_back<W: World>(world: &mut W) {
    let root = world.root();
    put_file(world, root, "f", b"x");
    let file = open(world, Way::Inline, root, "f", How::Read).expect("opened");
    for uncached in [false, true] {
        let buf = take(world);
        let done = run(world, Op::Write { file, offset: 0, buf, at: 0, len: 1, uncached });
        assert_eq!(done.result, Err(BADF), "not open for writing");
        assert!(done.buf.is_some());
    }
    let buf = take(world);
    let done = run(world, Op::Read { file: root, offset: 0, buf, at: 0, len: 1, uncached: false });
    assert_eq!(done.result, Err(Errno::ISDIR));
    assert!(done.buf.is_some());
    close(world, file);
}

fn sync_takes_files_and_directories<W: World>(world: &mut W) {
    let root = world.root();
    let file = open(world, Way::Inline, root, "f", How::Create { mode: 0o600 }).expect("created");
    for (file, data_only) in [(file, true), (file, false), (root, false), (root, true)] {
        assert_eq!(run(world, Op::Sync { file, data_only }).result, Ok(0));
    }
    close(world, file);
}

fn a_reservation_leaves_the_size<W: World>(world: &mut W) {
    let root = world.root();
    let file = open(world, Way::Inline, root, "f", How::Create { mode: 0o600 }).expect("created");
    assert_eq!(run(world, Op::Reserve { file, offset: 0, len: 8192 }).result, Ok(0));
    let Ok(ActOut::Stat(stat)) = act(world, |_| Act::Stat { dir: file, name: None }) else {
        panic!("a stat of the descriptor");
    };
    assert_eq!(stat.size, 0);
    assert!(stat.allocated >= 8192, "{} bytes", stat.allocated);
    close(world, file);
}

/// Seen by its lock: it goes with the last descriptor of the open file.
fn a_closed_descriptor_is_closed<W: World>(world: &mut W) {
    let root = world.root();
    put_file(world, root, "f", b"");
    let one = open(world, Way::Inline, root, "f", How::Write).expect("opened");
    let two = open(world, Way::Inline, root, "f", How::Write).expect("opened");
    assert_eq!(act(world, |_| Act::Lock { fd: one }), Ok(ActOut::Nothing));
    assert_eq!(act(world, |_| Act::Lock { fd: two }), Err(Errno::AGAIN));
    assert_eq!(run(world, Op::Close { fd: one }).result, Ok(0));
    assert_eq!(act(world, |_| Act::Lock { fd: two }), Ok(ActOut::Nothing));
    close(world, two);
}
