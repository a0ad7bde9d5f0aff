//! Handlers and observers: answers, effects in one transaction, timers, and what a fault leaves: nothing.
// proves: E4

mod made;

use base::ids::DeviceId;
use host::{
    Buckets, Called, Deed, Fault, Happening, Invocation, Kv, KvEntry, Lane, LaneError, Outcome, PluginError,
};
use made::{ANN, Known, at, handler, manifest_of, observer, source};
use std::sync::Arc;

const WRITES: &str =
    "grants.kv = { write = true }\ngrants.messages = { topics = [\"a\"] }\ngrants.shares = {}";

fn taken_in(world: &str, component: &[u8], more: &str, kv: Kv) -> Result<Lane, PluginError> {
    let mut source = source(manifest_of(world, "lane", more), component);
    source.kv = kv;
    Lane::new(
        made::runtime(),
        source,
        &Arc::new(Buckets::new(16)),
        Arc::new(Known::default()),
        Vec::new(),
        at(0),
    )
}

fn lane(component: &[u8]) -> Lane {
    taken_in("handler", component, WRITES, Kv::default()).expect("it is taken in")
}

fn call(lane: &mut Lane, body: &[u8], seconds: u64) -> Called<Outcome> {
    let call = Invocation {
        name: "ok".into(),
        caller: ANN,
        arguments: Vec::new(),
        body: body.to_vec(),
        facts: Vec::new(),
    };
    lane.run(call, at(seconds))
}

fn happening(topic: &str) -> Happening {
    Happening {
        topic: topic.into(),
        subject: Some(DeviceId([3; 32])),
        ticket: None,
        at_ms: 1,
        attrs: Vec::new(),
        body: Vec::new(),
    }
}

/// Counts its calls under the key `n` and gives the body back.
const COUNTS: &str = "(call $increment (i32.const 64) (i32.const 1) (i64.const 1) (i32.const 2048))
    (call $done (local.get $body) (local.get $body_len))";

#[test]
fn a_call_is_answered_and_what_it_wrote_is_given_away_once() {
    let mut lane = lane(&handler("n", COUNTS, ""));
    assert_eq!(lane.specs()[0].name, "ok");
    for number in 1..=3u64 {
        let called = call(&mut lane, b"hello", number);
        assert_eq!(called.result, Ok(Outcome::Done(b"hello".to_vec())));
        let value = number.to_string().into_bytes().into();
        let entry = KvEntry { value, version: number, until_ms: u64::MAX };
        assert_eq!(called.deeds, [Deed::KvPut { key: "n".into(), entry: entry.clone() }]);
        assert_eq!(lane.kv().entry("n", 0), Some(&entry));
    }
    let mut other = Invocation {
        name: "other".into(),
        caller: ANN,
        arguments: Vec::new(),
        body: Vec::new(),
        facts: Vec::new(),
    };
    assert_eq!(lane.run(other.clone(), at(9)).result, Err(LaneError::NotServed));
    (other.name, other.body) = ("ok".into(), vec![0; (1 << 20) + 1]);
    assert_eq!(lane.run(other, at(9)).result, Err(LaneError::Body { most: 1 << 20 }));
}

#[test]
fn refusals_and_later_answers() {
    let run = "(if (result i32) (local.get $body_len)
        (then (call $refused (i32.const 64) (i32.const 2))) (else (call $later )))";
    // Each batch of events answers call 2.
    let events = "(call $reply (i64.const 2) (i32.const 64) (i32.const 2) (i32.const 2048))";
    let mut lane = lane(&handler("no", run, events));
    assert_eq!(call(&mut lane, b"x", 0).result, Ok(Outcome::Refused("no".into())));
    assert_eq!(call(&mut lane, b"", 0).result, Ok(Outcome::Later(2)));
    let called = lane.deliver(&[happening("any")], at(1)).remove(0);
    assert_eq!(called.deeds, [Deed::Answer { ticket: 2, body: b"no".to_vec() }]);
}

#[test]
fn nothing_remains_of_a_call_that_traps_at_any_host_call() {
    let steps = [
        "(call $put (i32.const 64) (i32.const 1) (i32.const 16) (i32.const 2) (i32.const 0) (i64.const 0) (i32.const 2048))",
        "(call $increment (i32.const 65) (i32.const 1) (i64.const 5) (i32.const 2048))",
        "(call $after (i64.const 10) (i32.const 2048))",
        "(call $put (i32.const 64) (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 1) (i64.const 9) (i32.const 2048))",
        "(drop (call $random ))",
        "(call $shares (i64.const 1) (i32.const 2048))",
        "(call $reply (i64.const 1) (i32.const 64) (i32.const 1) (i32.const 2048))",
    ];
    let entry = |version, text: &str| KvEntry { value: text.as_bytes().into(), version, until_ms: u64::MAX };
    let before = Kv::new([("a".to_owned(), entry(4, "old")), ("b".to_owned(), entry(7, "1"))], 0);
    for traps_after in 0..=steps.len() {
        let run = format!("{} (unreachable)", steps[..traps_after].join("\n"));
        let component = handler("ab", &run, "");
        let mut lane = taken_in("handler", &component, WRITES, before.clone()).expect("it is taken in");
        let called = call(&mut lane, b"", 0);
        assert!(matches!(called.result, Err(LaneError::Fault(Fault::Trap { .. }))), "{:?}", called.result);
        assert!(called.deeds.is_empty() && called.lost);
        assert_eq!(lane.kv(), &before, "after {traps_after} host calls");
        assert_eq!(lane.next_timer_ns(), None);
        assert_eq!(call(&mut lane, b"", 0).result, Err(LaneError::Resting { wait_ms: 100 }));
    }
    let all = format!("{} (call $done (i32.const 64) (i32.const 1))", steps.join("\n"));
    let mut lane = taken_in("handler", &handler("ab", &all, ""), WRITES, before).expect("it is taken in");
    let called = call(&mut lane, b"", 0);
    assert_eq!(called.deeds.len(), 4, "{:?}", called.deeds);
    let a = lane.kv().entry("a", at(0).utc_ms).expect("it was put");
    assert_eq!((&*a.value, a.version, a.until_ms), (&b"o"[..], 10, at(0).utc_ms + 9));
    assert_eq!(&*lane.kv().entry("b", 0).expect("it was put").value, b"6");
    assert_eq!(lane.next_timer_ns(), Some(at(0).mono_ns + 10_000_000));
}

#[test]
fn imports_without_a_table_say_unavailable() {
    // The error of `shares.drop` as one byte: result disc 1, then the case.
    let run = "(call $shares (i64.const 1) (i32.const 2048)) (call $done (i32.const 2048) (i32.const 5))";
    let Ok(Outcome::Done(body)) = call(&mut lane(&handler("", run, "")), b"", 0).result else {
        panic!("it was not answered")
    };
    assert_eq!((body[0], body[4]), (1, 4), "an error, unavailable");
}

#[test]
fn a_timer_wakes_once_with_its_ticket() {
    let run = "(call $after (i64.const 1500) (i32.const 2048)) (call $done (i32.const 2056) (i32.const 8))";
    // Counts events.
    let events = "(call $increment (i32.const 64) (i32.const 1) (i64.extend_i32_u (local.get $count)) (i32.const 2048))";
    let mut lane = lane(&handler("n", run, events));
    let Ok(Outcome::Done(ticket)) = call(&mut lane, b"", 10).result else { panic!("it was not answered") };
    assert_eq!(ticket, (1u64 | 1 << 63).to_le_bytes());
    assert!(lane.wake(at(11)).is_none());
    let called = lane.wake(at(12)).expect("it is due");
    assert_eq!(called.deeds.len(), 1);
    assert!(lane.wake(at(13)).is_none() && lane.next_timer_ns().is_none());
}

#[test]
fn bytes_of_the_grant_are_the_bound_and_expired_keys_make_room() {
    let grant = "grants.kv = { bytes-max = 40, write = true }";
    // Puts the body under a key of its first byte, for a second; gives the result's first byte back.
    let run = "(call $put (local.get $body) (i32.const 1) (local.get $body) (local.get $body_len)
            (i32.const 1) (i64.const 1000) (i32.const 2048))
        (call $done (i32.const 2048) (i32.const 1))";
    let mut lane = taken_in("handler", &handler("", run, ""), grant, Kv::default()).expect("it is taken in");
    let mut put = |body: &[u8], seconds| match call(&mut lane, body, seconds).result {
        Ok(Outcome::Done(result)) => result[0] == 0,
        other => panic!("{other:?}"),
    };
    assert!(put(&[b'a'; 19], 0));
    assert!(put(&[b'b'; 19], 0));
    assert!(!put(&[b'c'; 19], 0), "40 bytes are full");
    assert!(put(&[b'a'; 18], 0), "a key makes way for itself");
    assert!(put(&[b'c'; 19], 2), "the others are over");
    assert_eq!(lane.kv().bytes(), 20);
}

#[test]
fn a_plugin_that_hangs_is_ended_restarted_and_then_rests() {
    let run = "(if (local.get $body_len) (then (loop $l (br $l))))
        (call $increment (i32.const 64) (i32.const 1) (i64.const 1) (i32.const 2048))
        (call $done (i32.const 64) (i32.const 1))";
    let mut lane = lane(&handler("n", run, ""));
    let mut second = 0;
    for fault in 1..=5 {
        second += 2;
        let called = call(&mut lane, b"x", second);
        assert_eq!(called.result, Err(LaneError::Fault(Fault::Timeout { ms: 40 })), "fault {fault}");
    }
    assert_eq!(call(&mut lane, b"", second + 59).result, Err(LaneError::Resting { wait_ms: 1000 }));
    assert!(call(&mut lane, b"", second + 60).result.is_ok());
    let gauges = lane.status().gauges;
    assert_eq!((gauges.faults, gauges.timeouts, gauges.restarts), (5, 5, 5));
    assert!(lane.take_lines().iter().any(|line| line.message.contains("timeout: it took more than 40 ms")));
}

#[test]
fn a_loop_in_on_events_ends_and_an_observer_gets_what_it_wants() {
    let component = observer("transfer.*", "(loop $l (br $l))");
    let mut bad = taken_in("observer", &component, "", Kv::default()).expect("it is taken in");
    assert!(bad.wants("transfer.done") && !bad.wants("session.up"));
    let called = bad.deliver(&[happening("transfer.done")], at(0)).remove(0);
    assert_eq!(called.result, Err(LaneError::Fault(Fault::Timeout { ms: 40 })));
    let counts = "(global.set $heap (i32.const 8192))
        (call $increment (i32.const 64) (i32.const 1) (i64.extend_i32_u (local.get $count)) (i32.const 2048))";
    let mut good =
        taken_in("observer", &observer("t*", counts), WRITES, Kv::default()).expect("it is taken in");
    let many = vec![happening("t"); 600];
    let batches = good.deliver(&many, at(0));
    assert_eq!(batches.len(), 3, "at most 256 a batch");
    assert_eq!(&*good.kv().entry("t", 0).expect("it counted").value, b"600");
}

#[test]
fn what_could_not_be_stored_is_taken_back() {
    let mut lane = lane(&handler("n", COUNTS, ""));
    assert!(call(&mut lane, b"", 0).result.is_ok());
    assert!(call(&mut lane, b"", 0).result.is_ok());
    lane.revert(at(0));
    assert_eq!(&*lane.kv().entry("n", 0).expect("the first call's").value, b"1");
    assert!(call(&mut lane, b"", 5).result.is_ok());
    assert_eq!(&*lane.kv().entry("n", 0).expect("the third call's").value, b"2");
}

#[test]
fn a_successor_has_the_keys_and_the_old_one_stays_when_the_new_one_fails() {
    let mut old = lane(&handler("n", COUNTS, ""));
    assert!(call(&mut old, b"", 0).result.is_ok());
    let bad = made::policy_module(made::Parts { decide: "(unreachable)", ..made::Parts::default() });
    let bad = source(manifest_of("handler", "lane", WRITES), &made::component("policy", &bad));
    assert!(matches!(old.successor(bad, at(1)), Err(PluginError::World { .. })));
    assert!(call(&mut old, b"", 1).result.is_ok());
    let next = source(manifest_of("handler", "lane", WRITES), &handler("n", COUNTS, ""));
    let mut next = old.successor(next, at(2)).expect("it fits");
    assert!(call(&mut next, b"", 2).result.is_ok());
    assert_eq!(&*next.kv().entry("n", 0).expect("all calls'").value, b"3");
}
