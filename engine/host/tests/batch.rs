//! Listings filtered name by name.
// proves: E4

mod made;

use base::hooks::Action;
use host::{CODE_FAULT, Decider, Entry, Identity, Manifest, Request};
use made::{ANN, Given, Known, Parts, at, component, policy_module, set};
use std::sync::Arc;

/// Denies the entries without a size. Decisions are 40 bytes each from 16384; entries 32 bytes each.
const FILTER: &str = r#"
    (func (export "xferd:plugin/batch-authorizer@0.1.0#decide-all")
        (param i64 i64 i64 i64 i32 i32 i32 i32 i32) (param $entries i32) (param $count i32) (result i32)
        (local $at i32) (local $out i32)
        (local.set $out (i32.const 131072))
        (if (i32.lt_u (memory.size) (i32.const 4)) (then (drop (memory.grow (i32.const 4)))))
        (block $done (loop $l
            (br_if $done (i32.ge_u (local.get $at) (local.get $count)))
            (i32.store8 (local.get $out)
                (i32.eqz (i32.load8_u offset=8 (i32.add (local.get $entries) (i32.mul (local.get $at) (i32.const 24))))))
            (i32.store offset=4 (local.get $out) (i32.const 16))
            (i32.store offset=8 (local.get $out) (i32.const 2))
            (local.set $out (i32.add (local.get $out) (i32.const 40)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br $l)))
        (i32.store (i32.const 600) (i32.const 131072))
        (i32.store (i32.const 604) COUNT)
        (i32.const 600))"#;

fn decider(count: &str) -> Decider {
    let more = FILTER.replace("COUNT", count);
    let parts = Parts { decide: "(call $answer (i32.const 0))", more: &more, ..Parts::default() };
    let component = component("batch-policy", &policy_module(parts));
    let text =
        "plugin.name = \"a/b\"\nplugin.version = \"1\"\nplugin.world = \"xferd:plugin/batch-policy@0.1\"";
    let source = made::source(Manifest::parse(text).expect("it is right"), &component);
    Decider::new(Arc::new(set(vec![source]).expect("it is taken in")))
}

fn denied(decider: &mut Decider, entries: &[Entry<'_>]) -> Vec<Option<Arc<str>>> {
    let request = Request { subject: &ANN, action: Action::Browse, root: "inbox" };
    let identity: Arc<dyn Identity> = Arc::new(Known::default());
    decider.decide_batch(&request, &Given::default(), &identity, at(0), entries)
}

#[test]
fn entries_are_denied_one_by_one_in_batches() {
    let mut decider = decider("(local.get $count)");
    assert!(decider.set().filters_entries());
    let entry = |n: usize| Entry { path: b"a", size: (!n.is_multiple_of(3)).then_some(1) };
    let entries: Vec<_> = (0..1500).map(entry).collect();
    let denied = denied(&mut decider, &entries);
    for (n, denied) in denied.iter().enumerate() {
        assert_eq!(denied.as_deref(), n.is_multiple_of(3).then_some("ok"), "entry {n}");
    }
    assert_eq!(decider.set().status()[0].gauges.calls, 2, "1024 entries a call");
}

#[test]
fn one_that_answers_too_few_denies_all() {
    let mut decider = decider("(i32.const 1)");
    let entries = [Entry { path: b"a", size: Some(1) }; 3];
    assert!(denied(&mut decider, &entries).iter().all(|denied| denied.as_deref() == Some(CODE_FAULT)));
    assert!(decider.take_lines()[0].message.contains("gave 1 decisions about 3 entries"));
}
