//! The plugin thread: one answer for each call, applied before it is given.
// proves: E4

mod made;

use base::codes::Code;
use base::io::Now;
use base::limits::Limits;
use host::{
    Answer, Around, Buckets, Deed, Fault, Happening, Invocation, Kv, Lane, Lanes, LanesHandle, LogLine, Next,
};
use made::{ANN, Known, at, handler, manifest_of, observer, source};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A world that keeps what it is given and refuses to store while told so.
struct World {
    began: Instant,
    applied: Sender<(String, Vec<Deed>)>,
    full: Arc<Mutex<bool>>,
}

impl Around for World {
    fn now(&mut self) -> Now {
        let ns = self.began.elapsed().as_nanos() as u64;
        Now { mono_ns: ns, utc_ms: at(0).utc_ms + ns / 1_000_000 }
    }

    fn apply(&mut self, plugin: &str, deeds: Vec<Deed>) -> Result<(), String> {
        if *self.full.lock().expect("nobody panicked") {
            return Err("the disk is full".to_owned());
        }
        let _ = self.applied.send((plugin.to_owned(), deeds));
        Ok(())
    }

    fn log(&mut self, _: Vec<LogLine>) {}
}

fn lane(name: &str, world: &str, component: &[u8]) -> Lane {
    let grants = "grants.kv = { write = true }\ngrants.messages = { topics = [\"a\"] }";
    let source = source(manifest_of(world, name, grants), component);
    let (buckets, known) = (Arc::new(Buckets::new(16)), Arc::new(Known::default()));
    Lane::new(made::runtime(), source, &buckets, known, Vec::new(), at(0)).expect("it is taken in")
}

struct Running {
    lanes: Lanes,
    applied: Receiver<(String, Vec<Deed>)>,
    full: Arc<Mutex<bool>>,
}

fn start(lanes: Vec<Lane>, limits: &Limits) -> Running {
    let (to, applied) = channel();
    let full = Arc::new(Mutex::new(false));
    let world = World { began: Instant::now(), applied: to, full: full.clone() };
    Running { lanes: Lanes::start(lanes, Box::new(world), limits).expect("a thread"), applied, full }
}

fn ask(handle: &LanesHandle, name: &str, body: &[u8]) -> Receiver<Answer> {
    let (to, from) = channel();
    let call = Invocation {
        name: name.into(),
        caller: ANN,
        arguments: Vec::new(),
        body: body.to_vec(),
        facts: Vec::new(),
    };
    let reply = Box::new(move |answer| to.send(answer).expect("somebody waits"));
    handle.call(call, reply).expect("the queue has room");
    from
}

fn happened(handle: &LanesHandle, topic: &str) {
    let happening = Happening {
        topic: topic.into(),
        subject: None,
        ticket: None,
        at_ms: 0,
        attrs: Vec::new(),
        body: Vec::new(),
    };
    handle.happened(happening).expect("the queue has room");
}

#[test]
fn calls_are_answered_after_their_effects_were_applied_or_not_at_all() {
    let counts = "(call $increment (i32.const 64) (i32.const 1) (i64.const 1) (i32.const 2048))
        (call $done (local.get $body) (local.get $body_len))";
    let running = start(vec![lane("a", "handler", &handler("n", counts, ""))], &Limits::DEFAULT);
    let handle = running.lanes.handle();
    assert_eq!(ask(&handle, "ok", b"x").recv(), Ok(Answer::Done(b"x".to_vec())));
    let (plugin, deeds) = running.applied.try_recv().expect("applied before the answer");
    assert_eq!((plugin.as_str(), deeds.len()), ("test/a", 1));
    assert_eq!(ask(&handle, "nobody", b"").recv(), Ok(Answer::NotServed));
    *running.full.lock().expect("nobody panicked") = true;
    let answer = ask(&handle, "ok", b"x").recv().expect("one answer");
    assert_eq!(answer, Answer::NotStored("the disk is full".into()));
    assert_eq!(answer.code(), Some(Code::InternalError));
    let rests = ask(&handle, "ok", b"x").recv().expect("one answer");
    assert!(matches!(rests, Answer::Resting { .. }), "{rests:?}");
    assert_eq!(handle.served().expect("it runs")[0].1.name, "ok");
    assert_eq!(handle.status().expect("it runs")[0].gauges.calls, 2);
}

#[test]
fn a_fault_is_one_answer_and_the_others_are_served() {
    let hangs = "(loop $l (br $l)) (unreachable)";
    let fine = handler("n", "(call $done (i32.const 64) (i32.const 1))", "").to_vec();
    let running = start(vec![lane("bad", "handler", &handler("n", hangs, ""))], &Limits::DEFAULT);
    let handle = running.lanes.handle();
    let first = ask(&handle, "ok", b"");
    let answer = first.recv().expect("one answer");
    let expected = Answer::Failed { plugin: "test/bad".into(), fault: Fault::Timeout { ms: 40 } };
    assert_eq!((answer.code(), answer), (Some(Code::Timeout), expected));
    assert!(first.recv().is_err(), "no second answer");
    handle.install(lane("bad", "handler", &fine)).expect("the queue has room");
    assert_eq!(ask(&handle, "ok", b"").recv(), Ok(Answer::Done(b"n".to_vec())));
}

#[test]
fn later_answers_come_from_events_from_the_deadline_or_from_the_end() {
    let mut limits = Limits::DEFAULT;
    limits.plugin_later_ms = 20;
    // Answers call 1 with the first timer, which it sets itself; other calls never.
    let run = "(if (i64.eq (local.get $call) (i64.const 1))
            (then (call $after (i64.const 1) (i32.const 2048))))
        (call $later )";
    let events = "(call $reply (i64.const 1) (i32.const 64) (i32.const 3) (i32.const 2048))";
    let running = start(vec![lane("a", "handler", &handler("yes", run, events))], &limits);
    let handle = running.lanes.handle();
    assert_eq!(ask(&handle, "ok", b"").recv(), Ok(Answer::Done(b"yes".to_vec())));
    assert_eq!(ask(&handle, "ok", b"").recv(), Ok(Answer::Late { plugin: "test/a".into() }));
    limits.plugin_later_ms = 60_000;
    let never = start(vec![lane("a", "handler", &handler("yes", "(call $later )", ""))], &limits);
    let handle = never.lanes.handle();
    let waits = ask(&handle, "ok", b"");
    drop(handle);
    drop(never);
    assert_eq!(waits.recv(), Ok(Answer::Ending));
}

#[test]
fn events_reach_who_wants_them_and_a_full_queue_is_said() {
    let counts = "(call $increment (i32.const 64) (i32.const 1) (i64.extend_i32_u (local.get $count)) (i32.const 2048))";
    let running = start(vec![lane("o", "observer", &observer("t*", counts))], &Limits::TINY);
    let handle = running.lanes.handle();
    happened(&handle, "t.a");
    happened(&handle, "other");
    happened(&handle, "t.b");
    let value = |deeds: &[Deed]| match deeds {
        [Deed::KvPut { entry, .. }] => entry.value.to_vec(),
        other => panic!("{other:?}"),
    };
    let (_, first) = running.applied.recv().expect("the first event");
    let (_, second) = running.applied.recv().expect("the second event");
    assert_eq!((value(&first), value(&second)), (b"1".to_vec(), b"2".to_vec()));
    // The thread waits in a look while its queue fills.
    let (let_go, wait) = channel::<()>();
    let (began, begins) = channel::<()>();
    let blocks = move |_: &[Lane]| {
        began.send(()).expect("the test waits");
        let _ = wait.recv();
    };
    handle.look(blocks).expect("the queue has room");
    begins.recv().expect("the thread waits");
    let fits = (0..100).take_while(|_| handle.look(|_| {}).is_ok()).count();
    assert_eq!(fits, Limits::TINY.plugin_queue_max as usize);
    drop(let_go);
}

#[test]
fn a_reload_takes_all_or_nothing_and_what_a_gone_lane_owes_is_answered() {
    let waits = handler("n", "(call $later )", "");
    let lanes = vec![lane("a", "handler", &waits), lane("b", "observer", &observer("t*", ""))];
    let running = start(lanes, &Limits::DEFAULT);
    let handle = running.lanes.handle();
    let owed = ask(&handle, "ok", b"");
    handle.reload(|_, _| None).expect("the queue has room");
    assert_eq!(handle.status().expect("it runs").len(), 2, "nothing changed");
    assert!(owed.try_recv().is_err(), "it waits on");
    let next = lane("a", "handler", &handler("n", "(call $done (i32.const 64) (i32.const 1))", ""));
    let make = move |lanes: &mut [Lane], _: Now| {
        assert_eq!(lanes.len(), 2);
        Some(vec![Next::Same("test/b".into()), Next::New(Box::new(next))])
    };
    handle.reload(make).expect("the queue has room");
    let answer = owed.recv().expect("one answer");
    assert_eq!(
        (answer.code(), answer),
        (Some(Code::Unavailable), Answer::Replaced { plugin: "test/a".into() })
    );
    assert_eq!(ask(&handle, "ok", b"").recv(), Ok(Answer::Done(b"n".to_vec())));
    handle.reload(|_, _| Some(vec![Next::Same("test/b".into())])).expect("the queue has room");
    assert_eq!(ask(&handle, "ok", b"").recv(), Ok(Answer::NotServed));
}

#[test]
fn keys_of_a_lane_are_shown_to_policies_as_they_are() {
    let put = "(call $increment (i32.const 64) (i32.const 1) (i64.const 1) (i32.const 2048))
        (call $done (i32.const 64) (i32.const 1))";
    let running = start(vec![lane("a", "handler", &handler("n", put, ""))], &Limits::DEFAULT);
    let handle = running.lanes.handle();
    assert!(matches!(ask(&handle, "ok", b"").recv(), Ok(Answer::Done(_))));
    let (to, from) = channel::<Kv>();
    handle.look(move |lanes| to.send(lanes[0].kv().clone()).expect("the test waits")).expect("room");
    let before = from.recv().expect("its keys");
    assert!(matches!(ask(&handle, "ok", b"").recv(), Ok(Answer::Done(_))));
    assert_eq!(&*before.entry("n", 0).expect("it was put").value, b"1", "a snapshot stays as it was");
}
