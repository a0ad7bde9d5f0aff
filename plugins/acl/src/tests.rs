use super::*;
use xferd_plugin_sdk::double::Double;
use xferd_plugin_sdk::policy::Obligation;
use xferd_plugin_sdk::value::Id32;

const ALICE: Id32 = Id32 { a: 1, b: 0, c: 0, d: 0 };
const GROUP: Id32 = Id32 { a: 0, b: 0, c: 0, d: 10 };

fn acl(rules: &[&str], otherwise: &str) -> Acl {
    let settings = Settings::of([("rules", rules)]).with("otherwise", otherwise);
    Acl::configure(&settings).expect("good rules")
}

fn asked(acl: &Acl, action: Action, root: &str, path: Option<&str>) -> (Decision, Vec<String>) {
    let mut world = Double::default();
    world.fact("account", "alice").member(ALICE, GROUP).claim(ALICE, "groups", ["ops", "staff"]);
    if let Some(path) = path {
        world.fact("path", path);
    }
    let request = Request { subject: ALICE, action, root: root.into() };
    let decision = world.run(|| acl.decide(&request));
    (decision, world.reads().to_vec())
}

fn effect(acl: &Acl, action: Action, root: &str, path: &str) -> Effect {
    asked(acl, action, root, Some(path)).0.effect
}

fn globs(decision: &Decision) -> Vec<(String, Effect)> {
    match decision.obligations.first() {
        Some(Obligation::Paths(rules)) => rules.iter().map(|rule| (rule.glob.clone(), rule.effect)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_first_rule_that_fits_decides() {
    let acl = acl(
        &["deny * write home:/alice/keep", "allow account:alice * home:/alice", "allow * read /public"],
        "deny",
    );
    assert_eq!(effect(&acl, Action::Push, "home", "alice/new.txt"), Effect::Allow);
    assert_eq!(effect(&acl, Action::Push, "home", "alice/keep/a"), Effect::Deny);
    assert_eq!(effect(&acl, Action::Pull, "home", "alice/keep/a"), Effect::Allow);
    assert_eq!(effect(&acl, Action::Push, "home", "alicent/a"), Effect::Deny);
    assert_eq!(effect(&acl, Action::Push, "work", "alice/a"), Effect::Deny);
    assert_eq!(effect(&acl, Action::Pull, "work", "public"), Effect::Allow);
    let (denied, _) = asked(&acl, Action::Remove, "home", Some("alice/keep"));
    assert_eq!(denied.code, "acl");
    assert_eq!(
        denied.detail.as_deref(),
        Some("remove at home:/alice/keep: rule 'deny * write home:/alice/keep'")
    );
}

#[test]
fn a_tree_takes_the_rules_below_it_along() {
    let acl = acl(&["deny * write /a/b", "allow * * /a", "deny * *"], "deny");
    let (decision, _) = asked(&acl, Action::Push, "r", Some("a"));
    assert_eq!(decision.effect, Effect::Allow);
    assert_eq!(globs(&decision), [("/a/b".into(), Effect::Deny), ("/a/b/**".into(), Effect::Deny)]);
    let (decision, _) = asked(&acl, Action::Browse, "r", Some(""));
    assert_eq!(decision.effect, Effect::Allow);
    let expected =
        [("/a/b", Effect::Deny), ("/a/b/**", Effect::Deny), ("/a", Effect::Allow), ("/a/**", Effect::Allow)];
    let expected = expected.iter().map(|(glob, effect)| ((*glob).to_owned(), *effect));
    assert_eq!(globs(&decision), expected.chain([("**".to_owned(), Effect::Deny)]).collect::<Vec<_>>());
    let (decision, _) = asked(&acl, Action::Browse, "r", Some("c"));
    assert_eq!(decision.effect, Effect::Deny);
}

#[test]
fn whoever_may_do_anything_may_connect() {
    let some = acl(&["allow account:alice pull /a"], "deny");
    assert_eq!(asked(&some, Action::Connect, "", None).0.effect, Effect::Allow);
    let other = acl(&["allow account:bob * /a"], "deny");
    assert_eq!(asked(&other, Action::Connect, "", None).0.effect, Effect::Deny);
    let shut = acl(&["deny account:alice connect", "allow * *"], "deny");
    assert_eq!(asked(&shut, Action::Connect, "", None).0.effect, Effect::Deny);
    let invoke = Action::Invoke("share".into());
    assert_eq!(asked(&some, invoke.clone(), "", None).0.effect, Effect::Deny);
    assert_eq!(asked(&shut, invoke, "", None).0.effect, Effect::Allow);
}

#[test]
fn only_what_rules_name_is_read() {
    let (_, reads) = asked(&acl(&["allow * *"], "deny"), Action::Push, "r", Some("a"));
    assert_eq!(reads, ["context path"]);
    let hex = format!("{}0a", "00".repeat(31));
    let grouped = acl(&[&format!("deny group:{hex} push")], "abstain");
    let (decision, reads) = asked(&grouped, Action::Push, "r", Some("a"));
    assert_eq!(
        (decision.effect, reads),
        (Effect::Deny, vec!["context path".to_owned(), "groups".to_owned()])
    );
    assert_eq!(effect(&grouped, Action::Pull, "r", "a"), Effect::Abstain);
    // Names are read once, however many rules name groups.
    let named = acl(&["deny group:dev push", "allow group:out,group:staff push"], "deny");
    let (decision, reads) = asked(&named, Action::Push, "r", Some("a"));
    assert_eq!(
        (decision.effect, reads),
        (Effect::Allow, vec!["context path".to_owned(), "claim groups".to_owned()])
    );
}

#[test]
fn a_group_is_named_by_its_name_or_by_its_id() {
    let named = acl(&["allow group:ops,account:bob write home:/ops", "deny group:staff connect"], "deny");
    assert_eq!(effect(&named, Action::Push, "home", "ops/a"), Effect::Allow);
    assert_eq!(effect(&named, Action::Pull, "home", "ops/a"), Effect::Deny);
    assert_eq!(asked(&named, Action::Connect, "", None).0.effect, Effect::Allow);
    let others = acl(
        &["allow group:dev *", "allow group:op *", &format!("allow group:{} *", "0b".repeat(32))],
        "deny",
    );
    assert_eq!(effect(&others, Action::Push, "home", "ops/a"), Effect::Deny);
    // Nothing is known of the device's groups: it is in none.
    let request = Request { subject: GROUP, action: Action::Push, root: "home".into() };
    let mut world = Double::default();
    world.fact("path", "ops/a");
    assert_eq!(world.run(|| named.decide(&request)).effect, Effect::Deny);
}

#[test]
fn wrong_rules_are_named() {
    for rule in [
        "allow *",
        "permit * *",
        "allow alice *",
        "allow * fly",
        "allow * * a",
        "allow * * /a/../b",
        "allow * * /*.exe",
        "allow group: *",
        "allow * * /a /b",
    ] {
        let settings = Settings::of([("rules", [rule])]).with("otherwise", "deny");
        let error = Acl::configure(&settings).expect_err(rule);
        assert!(error.starts_with(&format!("rules: \"{rule}\": ")), "{error}");
    }
}
