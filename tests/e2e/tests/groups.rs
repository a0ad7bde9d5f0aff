//! Groups of accounts: rules, grants and the policy `acl` are about them, and a change is in force at once.
// proves: E5

use serde_json::Value;
use std::path::Path;
use xferd_e2e::client::Running;
use xferd_e2e::package::{Said, xferd};
use xferd_e2e::program::command;
use xferd_e2e::{Client, Run, Scratch, Seed, World, bundled, tree};

/// Far more than a transfer at the rate of [`slow`] brings over within any test.
const BIG: u64 = 128 << 20;

/// A world with the share `data`, whose grants are `grants`, and these rules.
fn world(grants: &str, rules: &str) -> World {
    world_on(2, grants, rules)
}

/// The same on so many cores.
fn world_on(cores: u16, grants: &str, rules: &str) -> World {
    let scratch = Scratch::new();
    let data = scratch.dir("data");
    tree::file(&data.join("file"), 1000, &mut Seed(1));
    let world = World::shares_with(scratch, &config(&data, grants, rules), |start| start.cores(cores));
    tree::file(&world.local("mine"), 1000, &mut Seed(2));
    world
}

fn config(data: &Path, grants: &str, rules: &str) -> String {
    format!("[[share]]\nname = \"data\"\npath = \"{}\"\n{grants}\n{rules}", data.display())
}

fn group(world: &World, arguments: &[&str]) -> Said {
    xferd(world, &[&["group"], arguments].concat())
}

fn push(client: &Client) -> Run {
    client.run(["copy", "mine", "lab:/data/theirs"])
}

fn pull(client: &Client) -> Run {
    client.run(["copy", "lab:/data/file", "got"])
}

/// A push that would take minutes, once it is under way.
fn slow(client: &Client) -> Running {
    tree::file(&client.folder.join("big"), BIG, &mut Seed(6));
    let mut running = client.start(["copy", "--json", "--bwlimit", "1m", "big", "lab:/data/big"]);
    let begun = |event: &Value| event["event"] == "progress" && event["bytes"].as_u64() > Some(0);
    running.event(begun).expect("it is under way");
    running
}

/// Asserts that a push ended because it is no longer allowed, by this.
fn ended(run: &Run, by: &str) {
    let text = format!("{}{}", run.stderr, run.text());
    assert!(text.contains("no longer allowed") && text.contains(by), "{text}");
}

#[test]
fn a_share_allows_a_group_as_it_is_at_each_moment() {
    let world = world("allow = [\"@ops:rw\", \"@readers:r\"]", "");
    let bob = world.further_client("bob");
    // Nobody is in a group that is not there, and the log says where it is named.
    push(&world.client).fails(42);
    let log = world.daemon().log();
    let told = "daemon.toml:1: allow of share data: there is no group ops, so nobody is in it";
    assert!(log.contains(told) && log.contains("no group readers"), "{log}");
    group(&world, &["create", "ops", "alice"]).ok();
    push(&world.client).ok();
    pull(&bob).fails(42);
    group(&world, &["create", "readers"]).ok();
    group(&world, &["add", "readers", "bob"]).ok();
    pull(&bob).ok();
    bob.run(["copy", "got", "lab:/data/bobs"]).fails(42);
    let running = slow(&world.client);
    // What does not concern it leaves it alone.
    group(&world, &["remove", "readers", "bob"]).ok();
    group(&world, &["remove", "ops", "alice"]).ok();
    ended(&running.end().fails(42), "not in allow of share data");
    assert!(!world.path("data/big").exists());
    pull(&bob).fails(42);
}

#[test]
fn a_rule_about_a_group_ends_the_sessions_of_who_comes_into_it() {
    let world = world("", "[[rule]]\neffect = \"deny\"\ngroup = \"out\"\n");
    group(&world, &["create", "out", "bob"]).ok();
    // Whoever joins has no account yet, and so is in no group.
    let bob = world.further_client("bob");
    pull(&bob).fails(42);
    let running = slow(&world.client);
    group(&world, &["add", "out", "alice"]).ok();
    ended(&running.end().fails(42), "rule at");
    pull(&world.client).fails(42);
    let warned = || world.daemon().log().matches("rule.group: there is no group out").count();
    xferd(&world, &["reload"]).ok();
    assert_eq!(warned(), 1, "at the start, before it was made");
    group(&world, &["delete", "out"]).ok();
    xferd(&world, &["reload"]).ok();
    assert_eq!(warned(), 3, "when it goes, and at a reload");
    pull(&world.client).ok();
    pull(&bob).ok();
}

/// What the policy did: calls and answers that were kept.
fn counts(world: &World) -> (u64, u64) {
    let said = xferd(world, &["status", "--plugins", "--json"]).ok();
    let status: Value = serde_json::from_str(&said.text).expect("JSON");
    let plugins = status["plugins"].as_array().expect("a list");
    let acl = plugins.iter().find(|plugin| plugin["name"] == "xferd/acl").expect("it decides");
    (acl["calls"].as_u64().expect("a number"), acl["cache_hits"].as_u64().expect("a number"))
}

#[test]
fn acl_is_about_a_group_by_its_name_as_it_is_at_each_moment() {
    let test = "acl_is_about_a_group_by_its_name_as_it_is_at_each_moment";
    let Some(toolchain) = bundled::toolchain(test) else { return };
    // One core: answers are kept by each core for itself.
    let world = world_on(1, "", "");
    let (bob, carol) = (world.further_client("bob"), world.further_client("carol"));
    let package = world.path("acl");
    std::fs::create_dir(&package).expect("made");
    bundled::package(&toolchain, &bundled::folder("acl"), &package);
    let package = package.display().to_string();
    let install = ["plugin", "install", package.as_str(), "--unsigned", "--grant", "all"];
    xferd(&world, &install).ok();
    let rules =
        "[plugin.settings.\"xferd/acl\"]\nrules = [\"allow account:carol *\", \"allow group:ops *\"]\n";
    let path = world.daemon().state.with_extension("toml");
    std::fs::write(path, config(&world.path("data"), "", rules)).expect("written");
    group(&world, &["create", "ops", "alice"]).ok();
    xferd(&world, &["reload"]).ok();
    pull(&world.client).ok();
    let denied = pull(&bob).fails(42);
    let decision = denied.stderr.split_once("(decision ").and_then(|(_, rest)| rest.split(')').next());
    let told = xferd(&world, &["plugin", "explain", decision.expect("a decision is named")]).ok().text;
    assert!(told.contains("decided by plugin xferd/acl") && told.contains("claim groups of"), "{told}");
    // What did not read groups is answered from what is kept, also after a change of groups.
    pull(&carol).ok();
    pull(&carol).ok();
    let (calls, kept) = counts(&world);
    group(&world, &["add", "ops", "dave"]).ok();
    pull(&carol).ok();
    assert_eq!(counts(&world).0, calls, "carol's answers were made anew");
    assert!(counts(&world).1 > kept);
    let running = slow(&world.client);
    group(&world, &["add", "ops", "bob"]).ok();
    pull(&bob).ok();
    group(&world, &["remove", "ops", "alice"]).ok();
    ended(&running.end().fails(42), "plugin xferd/acl");
    pull(&bob).ok();
    pull(&world.client).fails(42);
}

/// The group of this name, as `list --json` has it.
fn listed(said: &Said, name: &str) -> Value {
    let data: Value = serde_json::from_str(&said.text).expect("JSON");
    let groups = data["groups"].as_array().expect("a list");
    groups.iter().find(|group| group["name"] == name).cloned().unwrap_or_default()
}

fn members(group: &Value) -> Vec<(String, bool)> {
    let members = group["members"].as_array().into_iter().flatten();
    let one = |member: &Value| Some((member["account"].as_str()?.to_owned(), member["admin"].as_bool()?));
    members.filter_map(one).collect()
}

/// Every command once, with what it says and how it ends.
fn play(run: impl Fn(&[&str]) -> Said) {
    let empty = run(&["list"]).ok().text;
    assert!(empty.contains("no group yet"), "{empty}");
    let made = run(&["create", "ops", "alice", "mallory"]).ok().text;
    assert!(made.contains("epoch 1, 2 members"), "{made}");
    assert!(made.contains("no device of mallory has joined yet") && !made.contains("of alice"), "{made}");
    let again = run(&["add", "ops", "alice", "alice"]).ok().text;
    assert!(again.contains("alice was in ops already") && again.contains("epoch 1, 2"), "{again}");
    let admin = run(&["add", "ops", "alice", "bob", "--admin"]).ok().text;
    assert!(admin.contains("epoch 2, 3 members") && !admin.contains("already"), "{admin}");
    for (arguments, code, words) in [
        (&["create", "ops"][..], 23, "xferd group add ops"),
        (&["create", "a b"], 1, "cannot be the name of a group"),
        (&["create", &"0a".repeat(32)], 1, "taken for a group's id"),
        (&["create", "dev", "a/b"], 1, "cannot be the name of an account"),
        (&["create"], 1, "NAME"),
        (&["add", "dev", "alice"], 3, "xferd group list"),
        (&["add", "ops"], 1, "ACCOUNT"),
        (&["add", "ops", "a:b"], 1, "cannot be the name of an account"),
        (&["remove", "dev", "alice"], 3, "there is no group dev"),
        (&["remove", "ops", "bob", "nobody"], 3, "nobody is not in group ops"),
        (&["delete", "dev"], 3, "there is no group dev"),
        (&["list", "dev"], 3, "there is no group dev"),
    ] {
        let said = run(arguments);
        assert!(said.code == Some(code) && said.text.contains(words), "{arguments:?}: {said:?}");
    }
    let ops = listed(&run(&["list", "ops", "--json"]).ok(), "ops");
    assert_eq!((&ops["epoch"], ops["id"].as_str().map(str::len)), (&2.into(), Some(64)));
    let expected = [("alice", true), ("bob", true), ("mallory", false)];
    assert_eq!(members(&ops), expected.map(|(account, admin)| (account.to_owned(), admin)));
    let text = run(&["list"]).ok().text;
    assert!(text.contains(ops["id"].as_str().expect("text")) && text.contains("  alice (admin)"), "{text}");
    assert!(run(&["remove", "ops", "bob", "mallory"]).ok().text.contains("epoch 3, 1 member\n"));
    run(&["create", "dev"]).ok();
    assert!(run(&["delete", "dev"]).ok().text.contains("group dev is gone"));
}

#[test]
fn groups_are_kept_with_a_daemon_and_without_one_alike() {
    let mut world = world("allow = \"@ops:rw\"", "");
    play(|arguments| group(&world, arguments));
    push(&world.client).ok();
    let (state, address) = (world.daemon().state.clone(), world.daemon().addr);
    let kept = listed(&group(&world, &["list", "--json"]).ok(), "ops");
    world.terminate();
    let offline = |arguments: &[&str]| {
        let mut command = command("xferd");
        command.arg("group").args(arguments).arg("--state").arg(&state);
        let done = command.output().expect("xferd runs");
        let [stdout, stderr] = [&done.stdout, &done.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        Said { ok: done.status.success(), code: done.status.code(), text: format!("{stdout}{stderr}") }
    };
    assert_eq!(listed(&offline(&["list", "--json"]), "ops"), kept, "what was told was kept");
    offline(&["delete", "ops"]).ok();
    play(offline);
    offline(&["remove", "ops", "alice"]).ok();
    world.start_again(Some(address));
    push(&world.client).fails(42);
    group(&world, &["add", "ops", "alice"]).ok();
    push(&world.client).ok();
    let log = world.daemon().log();
    assert_eq!(log.matches("there is no group ops").count(), 1, "at the first start only: {log}");
}
