//! Several cores: each on its own thread, waking one another.

use base::ids::CoreId;
use base::io::{Io, Out, Token};
use base::limits::Limits;
use ring::{Engine, Mode};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

const CORES: u16 = 3;
const ROUNDS: u64 = 2000;

/// A count goes round from core to core; a lost wake would stop it.
fn pass_round(mode: Mode) {
    let (give, wakers) = mpsc::channel();
    let mut peers_to: Vec<mpsc::Sender<Vec<ring::Waker>>> = Vec::new();
    let mut from = Vec::new();
    for _ in 0..CORES {
        let (send, receive) = mpsc::channel();
        peers_to.push(send);
        from.push(Mutex::new(receive));
    }
    let baton = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for core in 0..CORES {
            let (give, from, baton) = (give.clone(), &from, &baton);
            scope.spawn(move || {
                let mut engine = Engine::new(mode, CoreId(core), &Limits::TINY).expect("an engine");
                give.send((core, engine.waker())).expect("heard");
                let peers = from[usize::from(core)].lock().expect("ours").recv().expect("sent");
                engine.set_peers(peers);
                let next = CoreId((core + 1) % CORES);
                let mut done = Vec::with_capacity(4);
                loop {
                    let count = baton.load(Ordering::SeqCst);
                    if count >= ROUNDS {
                        engine.wake(next);
                        // Waking is handed to the kernel by the next turn.
                        engine.turn(0, &mut done);
                        return;
                    }
                    if count % u64::from(CORES) == u64::from(core) {
                        baton.store(count + 1, Ordering::SeqCst);
                        engine.wake(next);
                    }
                    engine.turn(u64::MAX, &mut done);
                    for woken in done.drain(..) {
                        assert_eq!(woken.token, Token::new(0xff, 0, 0));
                        assert!(matches!(woken.out, Out::Woken));
                    }
                }
            });
        }
        let mut peers: Vec<_> = (0..CORES).map(|_| wakers.recv().expect("a waker")).collect();
        peers.sort_by_key(|(core, _)| *core);
        for send in &peers_to {
            send.send(peers.iter().map(|(_, waker)| waker.clone()).collect()).expect("heard");
        }
    });
    assert!(baton.load(Ordering::SeqCst) >= ROUNDS);
}

#[test]
fn wakes_between_rings_are_not_lost() {
    match ring::probe::probe() {
        Ok(_) => pass_round(Mode::Uring),
        Err(refusal) => eprintln!("skipped: {refusal}"),
    }
}

#[test]
fn wakes_between_cores_on_threads_are_not_lost() {
    pass_round(Mode::Threads);
}
