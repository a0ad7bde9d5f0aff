//! The turn itself: timers, cancellation, bounds, wakes, buffers.

use crate::drive::{Way, assert_quiet, close, finish, finish_some, name, open, run, submit, take, token};
use crate::{Case, World};
use base::io::{Act, Batch, Done, Errno, How, Io, Op, Out, Token};

pub(crate) fn cases<W: World>() -> Vec<Case<W>> {
    vec![
        ("timers come in order and never early", timers_come_in_order),
        ("a cancelled timer ends once", a_cancelled_timer_ends_once),
        ("cancelling nothing does nothing", cancelling_nothing_does_nothing),
        ("a full queue gives operations back", a_full_queue_gives_back),
        ("done keeps its capacity", done_keeps_its_capacity),
        ("wakes before a turn are one", wakes_before_a_turn_are_one),
        ("a core wakes itself", a_core_wakes_itself),
        ("background batches come back whole", background_batches_come_back),
        ("a cancelled batch comes back", a_cancelled_batch_comes_back),
        ("many operations at once", many_operations_at_once),
        ("buffers are bounded and distinct", buffers_are_bounded_and_distinct),
        ("random bytes differ", random_bytes_differ),
        ("time goes forward", time_goes_forward),
    ]
}

fn timers_come_in_order<W: World>(world: &mut W) {
    let start = world.io().now().mono_ns;
    for (slot, after_ms) in [(1, 30), (2, 10), (3, 20), (4, 0)] {
        submit(world, slot, Op::Timer { at_ns: start + after_ms * 1_000_000 });
    }
    let mut order = Vec::new();
    while order.len() < 4 {
        for done in finish_some(world) {
            assert_eq!(done.result, Ok(0));
            assert!(done.buf.is_none() && matches!(done.out, Out::Nothing));
            let slot = done.token.slot();
            let due = start + [30, 10, 20, 0][slot as usize - 1] * 1_000_000;
            assert!(world.io().now().mono_ns >= due, "timer {slot} is early");
            order.push(slot);
        }
    }
    assert_eq!(order, [4, 2, 3, 1]);
}

fn a_cancelled_timer_ends_once<W: World>(world: &mut W) {
    let far = world.io().now().mono_ns + 3_600_000_000_000;
    submit(world, 1, Op::Timer { at_ns: far });
    submit(world, 2, Op::Timer { at_ns: far });
    world.io().cancel(token(1));
    world.io().cancel(token(1));
    let done = finish(world, 1).pop().expect("one");
    assert_eq!((done.token, done.result), (token(1), Err(Errno::CANCELED)));
    assert_quiet(world);
    world.io().cancel(token(2));
    assert_eq!(finish(world, 1)[0].result, Err(Errno::CANCELED));
}

fn cancelling_nothing_does_nothing<W: World>(world: &mut W) {
    world.io().cancel(token(99));
    let now = world.io().now().mono_ns;
    assert_eq!(run(world, Op::Timer { at_ns: now }).result, Ok(0));
    world.io().cancel(token(1));
    assert_quiet(world);
}

fn a_full_queue_gives_back<W: World>(world: &mut W) {
    let far = world.io().now().mono_ns + 3_600_000_000_000;
    let most = world.limits().ops_in_flight_per_core;
    for slot in 0..most {
        submit(world, slot, Op::Timer { at_ns: far + u64::from(slot) });
    }
    let root = world.root();
    let buf = take(world);
    match world
        .io()
        .submit(token(most), Op::Read { file: root, offset: 7, buf, at: 1, len: 2, uncached: false })
    {
        Err(Op::Read { offset: 7, at: 1, len: 2, .. }) => {}
        _ => panic!("the operation is given back untouched"),
    }
    let batch = Box::new(Batch::new());
    assert!(matches!(world.io().submit(token(most), Op::Acts(batch)), Err(Op::Acts(_))));
    assert!(matches!(world.io().submit(token(most), Op::Timer { at_ns: 5 }), Err(Op::Timer { at_ns: 5 })));
    world.io().cancel(token(0));
    assert_eq!(finish(world, 1)[0].token, token(0));
    submit(world, 0, Op::Timer { at_ns: far });
    for slot in 0..most {
        world.io().cancel(token(slot));
    }
    // In flight until it was handed out: what has ended in here is bounded too.
    assert!(world.io().submit(token(most), Op::Timer { at_ns: far }).is_err());
    let mut slots: Vec<u32> = finish(world, most as usize).iter().map(|done| done.token.slot()).collect();
    slots.sort_unstable();
    assert!(slots.into_iter().eq(0..most), "each once");
}

fn done_keeps_its_capacity<W: World>(world: &mut W) {
    let now = world.io().now().mono_ns;
    for slot in 0..7 {
        submit(world, slot, Op::Timer { at_ns: now });
    }
    let mut done: Vec<Done<_>> = Vec::with_capacity(3);
    let most = done.capacity();
    let mut seen = 0;
    for round in 0..100 {
        world.io().turn(0, &mut done);
        assert_eq!(done.capacity(), most);
        if round == 0 {
            world.wake_from_outside();
        }
        // Left full once: a turn without room takes nothing and loses nothing.
        world.io().turn(0, &mut done);
        assert_eq!(done.capacity(), most);
        seen += done.len();
        done.clear();
        if seen == 8 {
            return;
        }
    }
    panic!("{seen} of 8 came");
}

fn is_woken<B>(done: &Done<B>) -> bool {
    done.token == Token::new(0xff, 0, 0) && matches!(done.out, Out::Woken) && done.result == Ok(0)
}

fn wakes_before_a_turn_are_one<W: World>(world: &mut W) {
    for _ in 0..2 {
        for _ in 0..5 {
            world.wake_from_outside();
        }
        assert!(is_woken(&finish(world, 1)[0]));
        assert_quiet(world);
    }
}

fn a_core_wakes_itself<W: World>(world: &mut W) {
    let core = world.core();
    world.io().wake(core);
    world.io().wake(core);
    assert!(is_woken(&finish(world, 1)[0]));
    assert_quiet(world);
}

fn background_batches_come_back<W: World>(world: &mut W) {
    let root = world.root();
    for slot in 0..3 {
        let mut batch = Box::new(Batch::new());
        let made = batch.name(name(["a", "b", "c"][slot as usize]));
        batch.push(Act::MakeDir { dir: root, name: made, mode: 0o700 });
        batch.push(Act::Stat { dir: root, name: Some(made) });
        batch.data = Some(take(world));
        submit(world, slot, Op::Acts(batch));
    }
    for done in finish(world, 3) {
        assert_eq!(done.result, Ok(0));
        let Out::Acts(batch) = done.out else { panic!("a batch comes back as Out::Acts") };
        assert!(batch.results.len() == 2 && batch.results.iter().all(Result::is_ok));
        assert!(batch.data.is_some());
    }
}

/// Whether it had begun or not, it comes back, with the buffer.
fn a_cancelled_batch_comes_back<W: World>(world: &mut W) {
    let root = world.root();
    for slot in 0..4 {
        let mut batch = Box::new(Batch::new());
        batch.push(Act::Stat { dir: root, name: None });
        batch.data = Some(take(world));
        submit(world, slot, Op::Acts(batch));
    }
    for slot in 0..4 {
        world.io().cancel(token(slot));
    }
    for done in finish(world, 4) {
        let Out::Acts(batch) = done.out else { panic!("a batch comes back as Out::Acts") };
        assert!(batch.data.is_some());
        match done.result {
            Ok(0) => assert_eq!(batch.results.len(), 1),
            Err(Errno::CANCELED) => assert_eq!(batch.results.len(), 0),
            other => panic!("{other:?}"),
        }
    }
}

fn many_operations_at_once<W: World>(world: &mut W) {
    let root = world.root();
    let file = open(world, Way::Inline, root, "f", How::Create { mode: 0o600 }).expect("created");
    let count = world.io().caps().buffers.min(64);
    for round in 0..4u32 {
        for slot in 0..count {
            let mut buf = take(world);
            buf.as_mut()[..512].fill((round * 50 + slot) as u8);
            let offset = u64::from(slot) * 512;
            submit(world, slot, Op::Write { file, offset, buf, at: 0, len: 512, uncached: false });
        }
        assert!(finish(world, count as usize).iter().all(|done| done.result == Ok(512)));
        for slot in 0..count {
            let (offset, buf) = (u64::from(slot) * 512, take(world));
            submit(world, slot, Op::Read { file, offset, buf, at: 8, len: 512, uncached: false });
        }
        for done in finish(world, count as usize) {
            let expected = (round * 50 + done.token.slot()) as u8;
            assert_eq!(done.result, Ok(512));
            assert!(done.buf.expect("the buffer").as_ref()[8..520].iter().all(|&b| b == expected));
        }
    }
    close(world, file);
}

fn buffers_are_bounded_and_distinct<W: World>(world: &mut W) {
    let (count, bytes) = (world.io().caps().buffers, world.io().caps().buffer_bytes);
    assert_eq!(bytes, world.limits().buffer_bytes);
    let mut all: Vec<_> = (0..count).map(|_| take(world)).collect();
    assert!(world.io().take().is_none());
    for (index, buf) in all.iter_mut().enumerate() {
        assert_eq!(buf.as_ref().len(), bytes as usize);
        buf.as_mut()[..4].copy_from_slice(&(index as u32).to_be_bytes());
    }
    for (index, buf) in all.iter().enumerate() {
        assert_eq!(&buf.as_ref()[..4], &(index as u32).to_be_bytes());
    }
    all.pop();
    let again = take(world);
    assert!(world.io().take().is_none());
    drop(again);
}

fn random_bytes_differ<W: World>(world: &mut W) {
    let (mut one, mut two) = ([0; 64], [0; 64]);
    world.io().random(&mut one);
    world.io().random(&mut two);
    assert_ne!(one, two);
    assert_ne!(one[..32], one[32..]);
    world.io().random(&mut []);
}

fn time_goes_forward<W: World>(world: &mut W) {
    let mut done = Vec::with_capacity(1);
    let mut last = world.io().now();
    for _ in 0..5 {
        let until = last.mono_ns + 1_000_000;
        world.io().turn(until, &mut done);
        let now = world.io().now();
        assert!(now.mono_ns >= until, "nothing to do: the turn waits");
        assert!(world.io().stamp() >= now.mono_ns);
        assert!(now.utc_ms > 0);
        last = now;
    }
    assert!(done.is_empty());
}
