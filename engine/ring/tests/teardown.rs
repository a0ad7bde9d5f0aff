//! An engine dropped in mid-work: nothing is touched afterwards, nothing is left open. One test, since it
//! counts the process's descriptors.

use base::ids::CoreId;
use base::io::{Act, ActOut, Batch, Fd, How, Io, Op, Out, Token};
use base::limits::Limits;
use base::name::RelPath;
use ring::{Buf, Engine, Mode, listen, open_root};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("procfs").count()
}

fn close(engine: &mut Engine, fds: &[Fd]) {
    let mut batch = Batch::new();
    fds.iter().for_each(|&fd| batch.push(Act::Close { fd }));
    engine.act(&mut batch);
    assert!(batch.results.iter().all(Result::is_ok));
}

/// A connected pair made by the engine itself.
fn pair(engine: &mut Engine) -> (Fd, Fd) {
    let (listener, address) = listen("127.0.0.1:0".parse().expect("valid"), 4).expect("listens");
    assert!(engine.submit(Token(1), Op::Accept { listener }).is_ok());
    assert!(engine.submit(Token(2), Op::Connect { to: address }).is_ok());
    let (mut near, mut far) = (None, None);
    let mut done = Vec::with_capacity(4);
    while near.is_none() || far.is_none() {
        engine.turn(u64::MAX, &mut done);
        for ended in done.drain(..) {
            match ended.out {
                Out::Accepted { socket, .. } => far = Some(socket),
                Out::Connected(socket) => near = Some(socket),
                _ => panic!("neither"),
            }
        }
    }
    close(engine, &[listener]);
    (near.expect("connected"), far.expect("accepted"))
}

fn drop_in_mid_work(mode: Mode) {
    let directory = tempfile::TempDir::new().expect("a directory");
    let limits = Limits::TINY;
    let mut engine = Engine::new(mode, CoreId(0), &limits).expect("an engine");
    let mut other = Engine::new(mode, CoreId(1), &limits).expect("an engine");
    other.set_peers(vec![engine.waker(), other.waker()]);
    let root = open_root(directory.path()).expect("opened");
    let mut batch: Batch<Buf> = Batch::new();
    let path = batch.path(RelPath::new(b"f").expect("valid"));
    batch.push(Act::Open { dir: root, path, how: How::Create { mode: 0o600 } });
    engine.act(&mut batch);
    let Ok(ActOut::Fd(file)) = batch.results[0] else { panic!("created") };
    let (near, far) = pair(&mut engine);
    let (listener, _) = listen("127.0.0.1:0".parse().expect("valid"), 4).expect("listens");
    let take = |engine: &mut Engine| engine.take().expect("a buffer");
    let kept = take(&mut engine);
    let buf = take(&mut engine);
    let mut batch = Box::new(Batch::new());
    batch.push(Act::Stat { dir: root, name: None });
    batch.data = Some(take(&mut engine));
    let ops = [
        Op::Recv { socket: near, buf, at: 0, len: 100 },
        Op::Head { socket: far, at: 0 },
        Op::Accept { listener },
        Op::Timer { at_ns: u64::MAX - 1 },
        Op::Write { file, offset: 0, buf: take(&mut engine), at: 0, len: 4096, uncached: true },
        Op::Sync { file, data_only: false },
        Op::Acts(batch),
    ];
    for (slot, op) in ops.into_iter().enumerate() {
        assert!(engine.submit(Token(slot as u64), op).is_ok());
    }
    // Some have begun, some have not.
    let mut done = Vec::with_capacity(1);
    engine.turn(0, &mut done);
    drop(engine);
    // A buffer that its user still holds outlives the engine; waking an engine that is gone is harmless.
    drop(done);
    assert_eq!(kept.as_ref().len(), limits.buffer_bytes as usize);
    drop(kept);
    other.wake(CoreId(0));
    let mut done = Vec::with_capacity(1);
    other.turn(0, &mut done);
    assert!(done.is_empty());
    close(&mut other, &[root, file, near, far, listener]);
}

#[test]
fn engines_dropped_in_mid_work_leave_nothing() {
    let before = descriptors();
    for _ in 0..10 {
        drop_in_mid_work(Mode::Threads);
        if let Err(refusal) = ring::probe::probe() {
            eprintln!("skipped for io_uring: {refusal}");
            continue;
        }
        drop_in_mid_work(Mode::Uring);
    }
    assert_eq!(descriptors(), before);
}
