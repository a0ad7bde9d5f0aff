//! A file system that cannot bypass its cache is asked once, then read as any other.

use base::ids::CoreId;
use base::io::{Act, ActOut, Batch, How, Io, Op, Token};
use base::limits::Limits;
use base::name::RelPath;
use ring::{Buf, Engine, Mode, open_root};
use std::path::Path;

/// procfs has no RWF_DONTCACHE and never will.
fn read_procfs(mode: Mode) {
    let mut engine = Engine::new(mode, CoreId(0), &Limits::TINY).expect("an engine");
    let root = open_root(Path::new("/proc/self")).expect("opened");
    let mut batch: Batch<Buf> = Batch::new();
    let path = batch.path(RelPath::new(b"limits").expect("valid"));
    batch.push(Act::Open { dir: root, path, how: How::Read });
    engine.act(&mut batch);
    let Ok(ActOut::Fd(file)) = batch.results[0] else { panic!("{:?}", batch.results) };
    for slot in 0..3 {
        let buf = engine.take().expect("a buffer");
        let op = Op::Read { file, offset: 0, buf, at: 10, len: 5, uncached: true };
        assert!(engine.submit(Token(slot), op).is_ok());
        let mut done = Vec::with_capacity(1);
        engine.turn(u64::MAX, &mut done);
        let ended = done.pop().expect("one");
        assert_eq!((ended.token, ended.result), (Token(slot), Ok(5)));
        assert_eq!(&ended.buf.expect("the buffer").as_ref()[10..15], b"Limit");
    }
    batch.clear();
    batch.push(Act::Close { fd: file });
    batch.push(Act::Close { fd: root });
    engine.act(&mut batch);
}

#[test]
fn a_refused_uncached_read_goes_again_without_on_uring() {
    match ring::probe::probe() {
        Ok(_) => read_procfs(Mode::Uring),
        Err(refusal) => eprintln!("skipped: {refusal}"),
    }
}

#[test]
fn a_refused_uncached_read_goes_again_without_on_threads() {
    read_procfs(Mode::Threads);
}
