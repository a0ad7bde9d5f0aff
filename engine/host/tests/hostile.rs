//! Policies that misbehave: each ends, is named, and leaves the next decision as it was.
// proves: E4

mod made;

use host::{CODE_FAULT, Effect, Fault, Level, PluginError};
use made::{Given, Parts, decider, deciding, manifest, policy, push, set, source};

/// The fault of a policy's decision; and that a second decision meets the same host.
fn fault_of(component: &[u8], more: &str) -> Fault {
    let mut decider = decider(component, manifest("bad", more));
    let verdict = push(&mut decider, &Given::default(), 0);
    assert_eq!((verdict.effect, &*verdict.code), (Effect::Deny, CODE_FAULT));
    assert_eq!(verdict.plugin.as_deref(), Some("test/bad"));
    let fault = verdict.answers[0].opinion.fault.clone().expect("a fault");
    assert_eq!(verdict.detail.as_deref(), Some(fault.to_string().as_str()));
    assert!(
        decider
            .take_lines()
            .iter()
            .any(|line| line.level == Level::Error && line.message.contains(&fault.to_string()))
    );
    let again = push(&mut decider, &Given::default(), 1);
    assert!(!again.answers[0].cached, "a fault is not kept");
    let mut good = made::decider(&deciding("(call $answer (i32.const 0))"), manifest("good", ""));
    assert_eq!(push(&mut good, &Given::default(), 0).effect, Effect::Allow);
    fault
}

#[test]
fn an_endless_loop_ends_at_the_deadline_and_says_timeout() {
    let fault = fault_of(&deciding("(loop $l (br $l)) (unreachable)"), "");
    assert_eq!(fault, Fault::Timeout { ms: 3 });
    assert_eq!(fault.to_string(), "timeout: it took more than 3 ms");
}

#[test]
fn an_endless_loop_in_configure_is_never_taken_in() {
    let component =
        policy(Parts { configure: "(loop $l (br $l))", decide: "(unreachable)", ..Parts::default() });
    let error = set(vec![source(manifest("bad", ""), &component)]).expect_err("it never ends");
    assert_eq!(error, PluginError::Fault { plugin: "test/bad".into(), fault: Fault::Timeout { ms: 3 } });
}

#[test]
fn memory_ends_at_its_bound() {
    // Grows until it is refused, then traps as an allocator would.
    let decide = "(loop $l (br_if $l (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) (unreachable)";
    let asked = 4 * 1024 * 1024 + 65_536;
    assert_eq!(fault_of(&deciding(decide), ""), Fault::Memory { asked, most: 4 * 1024 * 1024 });
    let fault = fault_of(&deciding(decide), "limits.memory = \"1MiB\"");
    assert_eq!(fault, Fault::Memory { asked: 1024 * 1024 + 65_536, most: 1024 * 1024 });
}

#[test]
fn a_table_ends_at_its_bound() {
    let more = "(table $t 1 funcref)";
    let decide =
        "(loop $l (br_if $l (i32.ne (table.grow $t (ref.null func) (i32.const 4096)) (i32.const -1))))
        (unreachable)";
    let fault = fault_of(&policy(Parts { decide, more, ..Parts::default() }), "");
    assert_eq!(fault, Fault::Table { asked: 16_385, most: 16_384 });
}

#[test]
fn recursion_ends_at_the_stack_bound_direct_and_indirect() {
    let direct = "(func $r (result i32) (i32.add (call $r) (i32.const 1)))";
    let indirect = "(type $f (func (result i32))) (table 1 funcref) (elem (i32.const 0) $r)
        (func $r (result i32) (i32.add (call_indirect (type $f) (i32.const 0)) (i32.const 1)))";
    for more in [direct, indirect] {
        let fault = fault_of(&policy(Parts { decide: "(call $r)", more, ..Parts::default() }), "");
        assert_eq!(fault, Fault::Stack { bytes: 256 * 1024 });
    }
}

#[test]
fn a_panic_shows_its_text() {
    let decide = r#"(call $emit (i32.const 4) (i32.const 64) (i32.const 14) (i32.const 0) (i32.const 0)) (unreachable)"#;
    let fault = fault_of(&policy(Parts { text: "index out of 4", decide, ..Parts::default() }), "");
    assert!(matches!(&fault, Fault::Trap { said: Some(said), .. } if said == "index out of 4"), "{fault}");
    assert!(fault.to_string().starts_with("it panicked: index out of 4 ("), "{fault}");
}

#[test]
fn a_flood_of_host_calls_and_of_bytes_ends() {
    let calls = "(loop $l (drop (call $clock )) (br $l)) (unreachable)";
    assert_eq!(fault_of(&deciding(calls), ""), Fault::Bound("made more than 1000 host calls".into()));
    // 16 KiB of zeros as a line, again and again.
    let bytes =
        "(loop $l (call $emit (i32.const 2) (i32.const 8192) (i32.const 16384) (i32.const 0) (i32.const 0))
        (br $l)) (unreachable)";
    let fault = fault_of(&deciding(bytes), "");
    assert_eq!(fault, Fault::Bound("moved more than 262144 bytes through host calls".into()));
}

#[test]
fn a_huge_answer_is_not_taken() {
    let answer = |at: u32, bytes: u32| {
        format!(
            "(drop (call $answer (i32.const 0))) (i32.store (i32.const {at}) (i32.const {bytes})) (i32.const 1024)"
        )
    };
    // A code that lies beyond the memory, one of 40 kB, and 2^26 obligations in 64 KiB of memory.
    let fault = fault_of(&deciding(&answer(1032, 1 << 30)), "");
    assert!(matches!(fault, Fault::Trap { .. } | Fault::Bound(_)), "{fault}");
    let long = answer(1032, 40_000)
        .replace("(i32.const 1024)", "(i32.store (i32.const 1028) (i32.const 8192)) (i32.const 1024)");
    let fault = fault_of(&deciding(&long), "");
    assert_eq!(fault, Fault::Bound("asked for 40000 bytes of a code, at most 64 are given".into()));
    let fault = fault_of(&deciding(&answer(1060, 1 << 26)), "");
    assert!(matches!(fault, Fault::Trap { .. } | Fault::Bound(_)), "{fault}");
}

#[test]
fn texts_that_lie_over_each_other_are_paid_for_each() {
    // 1000 obligations `label`, each the same 32 KiB.
    let decide = r#"(drop (call $answer (i32.const 0)))
        (i32.store (i32.const 1056) (i32.const 65536)) (i32.store (i32.const 1060) (i32.const 1000))
        (drop (memory.grow (i32.const 2)))
        (local.set $action (i32.const 0))
        (loop $l
            (i32.store8 (i32.add (i32.const 65536) (local.get $action)) (i32.const 6))
            (i32.store (i32.add (i32.const 65544) (local.get $action)) (i32.const 8192))
            (i32.store (i32.add (i32.const 65548) (local.get $action)) (i32.const 32768))
            (local.set $action (i32.add (local.get $action) (i32.const 56)))
            (br_if $l (i32.lt_u (local.get $action) (i32.const 56000))))
        (i32.const 1024)"#;
    let fault = fault_of(&deciding(decide), "");
    assert_eq!(fault, Fault::Bound("moved more than 262144 bytes through host calls".into()));
}

#[test]
fn a_flood_of_lines_is_cut_and_counted() {
    let decide = r#"(loop $l
            (call $emit (i32.const 2) (i32.const 64) (i32.const 4) (i32.const 0) (i32.const 0))
            (local.set $action (i32.add (local.get $action) (i32.const 1)))
            (br_if $l (i32.lt_u (local.get $action) (i32.const 500))))
        (call $answer (i32.const 0))"#;
    let mut decider = decider(&policy(Parts { text: "spam", decide, ..Parts::default() }), manifest("m", ""));
    assert_eq!(push(&mut decider, &Given::default(), 0).effect, Effect::Allow);
    let lines = decider.take_lines();
    assert_eq!(lines.len(), 64);
    assert!(decider.set().status()[0].gauges.logs_dropped > 400);
}

#[test]
fn many_instances_one_after_another_leave_nothing() {
    let mut bad = decider(&deciding("(unreachable)"), manifest("bad", ""));
    for second in 0..1000 {
        assert_eq!(push(&mut bad, &Given::default(), second).effect, Effect::Deny);
    }
    assert_eq!(bad.set().status()[0].gauges.faults, 1000);
}
