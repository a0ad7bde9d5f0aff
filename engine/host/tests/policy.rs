//! Policies: answers, obligations, what is kept and what never is.
// proves: E4

mod made;

use base::hooks::Action;
use host::{CODE_NO_ANSWER, CODE_OBLIGATION, Effect, Identity, Kv, KvEntry, Lifetime, Obligation, Value};
use made::{ANN, Given, Known, Parts, ask, decider, deciding, manifest, policy, push, set, source};
use std::sync::Arc;

const ALLOW: &str = "(call $answer (i32.const 0))";
const DENY: &str = "(call $answer (i32.const 1))";
const ABSTAIN: &str = "(call $answer (i32.const 2))";

#[test]
fn deny_overrides_allow_and_all_abstaining_is_no_answer() {
    let plugin = |name, decide| source(manifest(name, ""), &deciding(decide));
    let verdict =
        |plugins| push(&mut host::Decider::new(Arc::new(set(plugins).unwrap())), &Given::default(), 0);
    let denied = verdict(vec![plugin("a", ALLOW), plugin("b", DENY), plugin("c", ALLOW)]);
    assert_eq!((denied.effect, denied.plugin.as_deref()), (Effect::Deny, Some("test/b")));
    assert_eq!(denied.answers.len(), 2, "nobody is asked after a deny");
    let allowed = verdict(vec![plugin("a", ABSTAIN), plugin("b", ALLOW)]);
    assert_eq!((allowed.effect, allowed.plugin.as_deref()), (Effect::Allow, Some("test/b")));
    assert_eq!((&*allowed.code, allowed.lifetime), ("ok", Lifetime::Session));
    let nobody = verdict(vec![plugin("a", ABSTAIN)]);
    assert_eq!((nobody.effect, &*nobody.code, nobody.plugin), (Effect::Abstain, CODE_NO_ANSWER, None));
}

#[test]
fn obligations_arrive_as_they_were_written_also_from_one_that_abstains() {
    // Two obligations: max-bytes(7) and paths([rule]).
    let body = r#"
        (drop (call $answer (i32.const 2)))
        (i32.store (i32.const 1056) (i32.const 3072)) (i32.store (i32.const 1060) (i32.const 2))
        (i64.store (i32.const 3080) (i64.const 7))
        (i32.store8 (i32.const 3128) (i32.const 8))
        (i32.store (i32.const 3136) (i32.const 4096)) (i32.store (i32.const 3140) (i32.const 1))
        (i32.store (i32.const 4096) (i32.const 64)) (i32.store (i32.const 4100) (i32.const 5))
        (i32.store8 (i32.const 4104) (i32.const 1)) (i64.store (i32.const 4112) (i64.const 99))
        (i32.store8 (i32.const 4120) (i32.const 1))
        (i32.store (i32.const 4136) (i32.const 16)) (i32.store (i32.const 4140) (i32.const 2))
        (i32.const 1024)"#;
    let quota = policy(Parts { text: "*.iso", decide: body, ..Parts::default() });
    let set =
        set(vec![source(manifest("limits", ""), &quota), source(manifest("yes", ""), &deciding(ALLOW))]);
    let verdict = push(&mut host::Decider::new(Arc::new(set.unwrap())), &Given::default(), 0);
    assert_eq!(verdict.effect, Effect::Allow);
    let Obligation::Paths(rules) = &verdict.obligations[1] else { panic!("{:?}", verdict.obligations) };
    assert_eq!(verdict.obligations[0], Obligation::MaxBytes(7));
    assert_eq!(
        (rules[0].glob.as_str(), rules[0].bytes_max, rules[0].effect),
        ("*.iso", Some(99), Effect::Deny)
    );
    assert_eq!((rules[0].store_as.as_deref(), rules[0].code.as_str()), (None, "ok"));
}

#[test]
fn an_obligation_that_is_not_known_denies() {
    let body = r#"
        (drop (call $answer (i32.const 0)))
        (i32.store (i32.const 1056) (i32.const 3072)) (i32.store (i32.const 1060) (i32.const 1))
        (i32.store8 (i32.const 3072) (i32.const 9))
        (i32.store (i32.const 3080) (i32.const 64)) (i32.store (i32.const 3084) (i32.const 9))
        (i32.const 1024)"#;
    let component = policy(Parts { text: "watermark", decide: body, ..Parts::default() });
    let verdict = push(&mut decider(&component, manifest("m", "")), &Given::default(), 0);
    assert_eq!((verdict.effect, &*verdict.code), (Effect::Deny, CODE_OBLIGATION));
    assert!(verdict.detail.unwrap().contains("watermark"));
}

/// Reads `path` and allows.
fn reads_path() -> Vec<u8> {
    let decide = "(call $context (i32.const 64) (i32.const 4) (i32.const 2048)) (call $answer (i32.const 0))";
    policy(Parts { text: "path", decide, ..Parts::default() })
}

#[test]
fn a_decision_is_kept_under_what_it_read_and_nothing_else() {
    let mut decider = decider(&reads_path(), manifest("m", ""));
    let here = |path: &str| Given::default().with("path", path);
    let first = push(&mut decider, &here("a"), 0);
    assert!(!first.answers[0].cached);
    let reads: Vec<_> = first.answers[0].opinion.reads.iter().map(host::Read::render).collect();
    assert_eq!(reads, [("context path".to_owned(), "\"a\"".to_owned())]);
    assert!(push(&mut decider, &here("a"), 1).answers[0].cached);
    assert!(push(&mut decider, &here("a").with("size", "1"), 1).answers[0].cached, "size was not read");
    assert!(!push(&mut decider, &here("b"), 1).answers[0].cached, "path was read");
    assert!(push(&mut decider, &here("a"), 2).answers[0].cached, "both are kept");
    let identity: Arc<dyn Identity> = Arc::new(Known::default());
    assert!(!ask(&mut decider, Action::Pull, &here("a"), &identity, 2).answers[0].cached);
    assert!(!push(&mut decider, &here("a"), 61).answers[0].cached, "its ttl is over");
    let next = decider.set().with_generation(2);
    decider.replace(Arc::new(next));
    assert!(!push(&mut decider, &here("a"), 62).answers[0].cached, "another generation");
}

#[test]
fn one_that_read_the_clock_is_kept_for_a_second() {
    let mut decider =
        decider(&deciding("(drop (call $clock )) (call $answer (i32.const 0))"), manifest("m", ""));
    let first = push(&mut decider, &Given::default(), 10);
    assert_eq!(first.until_ms, made::at(11).utc_ms);
    assert!(push(&mut decider, &Given::default(), 10).answers[0].cached);
    assert!(!push(&mut decider, &Given::default(), 11).answers[0].cached);
}

#[test]
fn one_that_took_quota_is_never_kept_and_the_bucket_runs_dry() {
    let decide = r#"(call $answer (i32.eqz (call $take (i32.const 64) (i32.const 2) (i64.const 1))))"#;
    let component = policy(Parts { text: "up", decide, ..Parts::default() });
    let grants = "grants.quota = { up = { rate = \"1/s\", burst = 2 } }";
    let mut decider = decider(&component, manifest("m", grants));
    let mut effects = |seconds| {
        let verdict = push(&mut decider, &Given::default(), seconds);
        assert!(!verdict.answers[0].cached);
        verdict.effect
    };
    assert_eq!([effects(100), effects(100), effects(100)], [Effect::Allow, Effect::Allow, Effect::Deny]);
    assert_eq!([effects(101), effects(101)], [Effect::Allow, Effect::Deny]);
}

#[test]
fn own_keys_are_read_from_the_snapshot_and_their_version_joins_the_key() {
    // Allows where the key is there.
    let decide = r#"(call $kv (i32.const 64) (i32.const 4) (i32.const 2048))
        (call $answer (i32.eqz (i32.load8_u (i32.const 2048))))"#;
    let component = policy(Parts { text: "open", decide, ..Parts::default() });
    let grants = "instance = \"reused\"\n";
    let text = format!(
        "[plugin]\nname = \"test/kv\"\nversion = \"1\"\nworld = \"xferd:plugin/policy@0.1\"\n{grants}[grants]\nkv = {{}}\n"
    );
    let mut decider = decider(&component, host::Manifest::parse(&text).unwrap());
    assert_eq!(push(&mut decider, &Given::default(), 0).effect, Effect::Deny);
    let put = |version| {
        let entry = KvEntry { value: Arc::from(&b"1"[..]), version, until_ms: u64::MAX };
        Kv::new([("open".to_owned(), entry)], 0)
    };
    let next = decider.set().with_kv("test/kv", &put(1));
    decider.replace(Arc::new(next));
    assert_eq!(push(&mut decider, &Given::default(), 0).effect, Effect::Allow);
    assert!(push(&mut decider, &Given::default(), 0).answers[0].cached);
    let next = decider.set().with_kv("test/kv", &put(2));
    decider.replace(Arc::new(next));
    let again = push(&mut decider, &Given::default(), 0);
    assert!(!again.answers[0].cached, "the version changed");
    assert_eq!(again.answers[0].opinion.reads[0].render().1, "version 2");
}

#[test]
fn membership_joins_the_key_and_is_seen_at_once() {
    let decide = r#"(call $answer (i32.eqz (call $member
        (i64.const 0x0101010101010101) (i64.const 0x0101010101010101) (i64.const 0x0101010101010101)
        (i64.const 0x0101010101010101) (i64.const 0) (i64.const 0) (i64.const 0) (i64.const 5))))"#;
    let mut decider = decider(&deciding(decide), manifest("m", "grants.identity = {}"));
    let mut group = [0; 32];
    group[31] = 5;
    let known = |groups| -> Arc<dyn Identity> { Arc::new(Known { groups }) };
    let mut effect = |identity| ask(&mut decider, Action::Pull, &Given::default(), &identity, 0).effect;
    assert_eq!(effect(known(vec![])), Effect::Deny);
    assert_eq!(effect(known(vec![(ANN, group)])), Effect::Allow);
    assert_eq!(effect(known(vec![])), Effect::Deny);
}

#[test]
fn settings_reach_configure_which_may_refuse_them() {
    // Refuses when there is a setting at all: result disc 1, text "ok".
    let refuse = r#"
        (if (local.get 1) (then
            (i32.store8 (i32.const 512) (i32.const 1))
            (i32.store (i32.const 516) (i32.const 16)) (i32.store (i32.const 520) (i32.const 2))))"#;
    let component = policy(Parts { configure: refuse, decide: ALLOW, ..Parts::default() });
    assert!(set(vec![source(manifest("m", ""), &component)]).is_ok());
    let config = "config.hours = { type = \"text\", default = \"08-18\" }";
    let error = set(vec![source(manifest("m", config), &component)]).unwrap_err();
    assert_eq!(error.to_string(), "plugin test/m: configure refused the settings: ok");
    assert_eq!(
        manifest("m", config).settings(&toml::Table::new()).unwrap(),
        [("hours".to_owned(), Value::Text("08-18".into()))]
    );
}

#[test]
fn a_reused_instance_keeps_its_memory_a_fresh_one_does_not() {
    // Denies from the second call in the same memory on.
    let decide = r#"(i32.store (i32.const 2048) (i32.add (i32.load (i32.const 2048)) (i32.const 1)))
        (drop (call $answer (i32.gt_u (i32.load (i32.const 2048)) (i32.const 1))))
        (i32.store (i32.const 1052) (i32.const 0))
        (i32.const 1024)"#;
    let component = deciding(decide);
    let mut fresh = decider(&component, manifest("m", ""));
    let mut effects = [0; 3].map(|_| push(&mut fresh, &Given::default(), 0).effect);
    assert_eq!(effects, [Effect::Allow; 3]);
    let mut reused = decider(&component, manifest("m", "plugin.instance = \"reused\""));
    effects = [0; 3].map(|_| push(&mut reused, &Given::default(), 0).effect);
    assert_eq!(effects, [Effect::Allow, Effect::Deny, Effect::Deny]);
}

#[test]
fn numbers_and_lines_of_a_plugin_are_kept() {
    let decide = r#"(call $count (i32.const 64) (i32.const 4) (i64.const 3))
        (call $emit (i32.const 2) (i32.const 64) (i32.const 4) (i32.const 0) (i32.const 0))
        (call $answer (i32.const 1))"#;
    let component = policy(Parts { text: "seen", decide, ..Parts::default() });
    let mut decider = decider(&component, manifest("m", ""));
    push(&mut decider, &Given::default(), 0);
    push(&mut decider, &Given::default(), 0);
    let status = decider.set().status().remove(0);
    assert_eq!((status.gauges.calls, status.gauges.cached), (1, 1));
    assert_eq!(status.gauges.denials, [("ok".to_owned(), 2)]);
    assert_eq!(status.gauges.counters, [("seen".to_owned(), 3)]);
    assert_eq!(status.gauges.memory_peak, 65_536);
    let lines = decider.take_lines();
    assert_eq!((lines.len(), lines[0].message.as_str()), (1, "seen"));
}
