//! Submitting and waiting, as the cases do it.

use crate::World;
use base::io::{Act, ActOut, Batch, Done, Errno, Fd, How, Io, Op, Out, Token};
use base::name::{Name, RelPath};

pub(crate) type Buf<W> = <<W as World>::Io as Io>::Buf;

/// The world's clock may be virtual; a real one that comes this far has hung.
const HANG_NS: u64 = 20_000_000_000;

/// A token of the cases; `slot` tells operations apart.
pub(crate) fn token(slot: u32) -> Token {
    Token::new(7, 0x00ab_cdef, slot)
}

pub(crate) fn submit<W: World>(world: &mut W, slot: u32, op: Op<Buf<W>>) {
    assert!(world.io().submit(token(slot), op).is_ok(), "operation {slot} is taken");
}

/// Turns until at least one operation has ended.
pub(crate) fn finish_some<W: World>(world: &mut W) -> Vec<Done<Buf<W>>> {
    let capacity = world.limits().done_per_turn as usize;
    let deadline = world.io().now().mono_ns + HANG_NS;
    let mut done = Vec::with_capacity(capacity);
    while done.is_empty() {
        world.io().turn(deadline, &mut done);
        assert_eq!(done.capacity(), capacity, "done does not grow");
        assert!(!done.is_empty() || world.io().now().mono_ns < deadline, "nothing ends");
    }
    done
}

/// Turns until `count` operations have ended; no other may end meanwhile.
pub(crate) fn finish<W: World>(world: &mut W, count: usize) -> Vec<Done<Buf<W>>> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(finish_some(world));
    }
    assert_eq!(all.len(), count, "one Done for each operation: {:?}", tokens(&all));
    all
}

fn tokens<B>(done: &[Done<B>]) -> Vec<(Token, Result<u32, Errno>)> {
    done.iter().map(|d| (d.token, d.result)).collect()
}

/// Submits one operation and waits for its end.
pub(crate) fn run<W: World>(world: &mut W, op: Op<Buf<W>>) -> Done<Buf<W>> {
    submit(world, 1, op);
    let done = finish(world, 1).pop().expect("one");
    assert_eq!(done.token, token(1));
    done
}

/// Turns for a moment in which nothing may end.
pub(crate) fn assert_quiet<W: World>(world: &mut W) {
    let until = world.io().now().mono_ns + 20_000_000;
    let mut done = Vec::with_capacity(world.limits().done_per_turn as usize);
    while world.io().now().mono_ns < until {
        world.io().turn(until, &mut done);
        assert!(done.is_empty(), "nothing was to end: {:?}", tokens(&done));
    }
}

/// Nothing is in flight, nothing ends twice, every buffer is back.
pub(crate) fn assert_settled<W: World>(world: &mut W) {
    let mut done = Vec::with_capacity(world.limits().done_per_turn as usize);
    for _ in 0..3 {
        world.io().turn(0, &mut done);
        assert!(done.is_empty(), "left over: {:?}", tokens(&done));
    }
    let free: Vec<_> = std::iter::from_fn(|| world.io().take()).collect();
    assert_eq!(free.len() as u32, world.io().caps().buffers, "every buffer is back");
}

pub(crate) fn take<W: World>(world: &mut W) -> Buf<W> {
    world.io().take().expect("a free buffer")
}

/// A buffer with these bytes from `at`.
pub(crate) fn filled<W: World>(world: &mut W, at: u32, bytes: &[u8]) -> Buf<W> {
    let mut buf = take(world);
    buf.as_mut()[at as usize..at as usize + bytes.len()].copy_from_slice(bytes);
    buf
}

pub(crate) fn name(text: &str) -> Name<'_> {
    Name::new(text.as_bytes()).expect("a valid name")
}

/// The two ways a batch runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Inline,
    Background,
}

pub(crate) const WAYS: [Way; 2] = [Way::Inline, Way::Background];

/// Runs a batch.
pub(crate) fn run_batch<W: World>(world: &mut W, way: Way, mut batch: Batch<Buf<W>>) -> Batch<Buf<W>> {
    match way {
        Way::Inline => {
            world.io().act(&mut batch);
            batch
        }
        Way::Background => {
            let done = run(world, Op::Acts(Box::new(batch)));
            assert!(done.result.is_ok() && done.buf.is_none());
            match done.out {
                Out::Acts(batch) => *batch,
                _ => panic!("a batch comes back as Out::Acts"),
            }
        }
    }
}

/// Runs one act; beside its result the batch, for its `out` and `data`.
pub(crate) fn one<W: World>(
    world: &mut W,
    way: Way,
    make: impl FnOnce(&mut Batch<Buf<W>>) -> Act,
) -> (Result<ActOut, Errno>, Batch<Buf<W>>) {
    let mut batch = Batch::new();
    let act = make(&mut batch);
    batch.push(act);
    let batch = run_batch(world, way, batch);
    assert_eq!(batch.results.len(), 1, "one result for one act");
    (batch.results[0], batch)
}

/// As [`one`], inline, for acts whose result alone matters.
pub(crate) fn act<W: World>(
    world: &mut W,
    make: impl FnOnce(&mut Batch<Buf<W>>) -> Act,
) -> Result<ActOut, Errno> {
    one(world, Way::Inline, make).0
}

pub(crate) fn open<W: World>(world: &mut W, way: Way, dir: Fd, path: &str, how: How) -> Result<Fd, Errno> {
    let path = RelPath::new(path.as_bytes()).expect("a valid path");
    let (result, _) = one(world, way, |batch| Act::Open { dir, path: batch.path(path), how });
    match result? {
        ActOut::Fd(fd) => Ok(fd),
        other => panic!("Open yields a descriptor, not {other:?}"),
    }
}

pub(crate) fn close<W: World>(world: &mut W, fd: Fd) {
    assert_eq!(act(world, |_| Act::Close { fd }), Ok(ActOut::Nothing));
}

/// Makes a file of these bytes below `dir`.
pub(crate) fn put_file<W: World>(world: &mut W, dir: Fd, file: &str, bytes: &[u8]) {
    let buf = filled(world, 0, bytes);
    let (result, batch) = one(world, Way::Inline, |batch| {
        batch.data = Some(buf);
        let name = batch.name(name(file));
        Act::Put { dir, name, at: 0, len: bytes.len() as u32, meta: Default::default(), keep: false }
    });
    assert_eq!(result, Ok(ActOut::Put { inode: 0, fd: None }));
    assert!(batch.data.is_some(), "the buffer stays in the batch");
}

pub(crate) fn stat<W: World>(world: &mut W, dir: Fd, file: &str) -> Result<base::entry::Stat, Errno> {
    match act(world, |batch| Act::Stat { dir, name: Some(batch.name(name(file))) })? {
        ActOut::Stat(stat) => Ok(stat),
        other => panic!("Stat yields a stat, not {other:?}"),
    }
}

/// Reads a whole small file through Get.
pub(crate) fn content<W: World>(world: &mut W, dir: Fd, file: &str) -> Result<Vec<u8>, Errno> {
    let buf = take(world);
    let most = buf.as_ref().len() as u32;
    let (result, batch) = one(world, Way::Inline, |batch| {
        batch.data = Some(buf);
        Act::Get { dir, name: batch.name(name(file)), at: 0, len: most }
    });
    match result? {
        ActOut::Got { len, .. } => {
            Ok(batch.data.expect("the buffer stays").as_ref()[..len as usize].to_vec())
        }
        other => panic!("Get yields Got, not {other:?}"),
    }
}
