//! What a rule demands of what it allows: bounds, path rules, other places; and rules that change meanwhile.
// proves: E5, V9

use std::path::Path;
use xferd_e2e::client::Running;
use xferd_e2e::program::command;
use xferd_e2e::{Client, Run, Scratch, Seed, World, tree};

/// Far more than a transfer at the rate of [`slow`] brings over within any test.
const BIG: u64 = 128 << 20;

/// A world with the share `data` and these rules.
fn world(rules: &str) -> World {
    let scratch = Scratch::new();
    let config = config(&scratch.dir("data"), rules);
    World::shares(scratch, &config)
}

fn config(data: &Path, rules: &str) -> String {
    format!("[[share]]\nname = \"data\"\npath = \"{}\"\n\n{rules}", data.display())
}

/// A file with its folders.
fn put(path: &Path, size: u64, seed: &mut Seed) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    tree::file(path, size, seed);
}

/// Puts other rules in force.
fn reload(world: &World, rules: &str) {
    let path = world.daemon().state.with_extension("toml");
    std::fs::write(path, config(&world.path("data"), rules)).expect("written");
    let reloaded = world.daemon().command(&["reload"]).output().expect("xferd runs");
    assert!(reloaded.status.success(), "{}", String::from_utf8_lossy(&reloaded.stderr));
}

fn explain(state: &Path, decision: &str) -> serde_json::Value {
    let mut explain = command("xferd");
    explain.args(["plugin", "explain", decision, "--json", "--state"]).arg(state);
    let out = explain.output().expect("xferd runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("JSON")
}

/// The decision that a refusal names.
fn decision_of(run: &Run) -> String {
    let text = format!("{}{}", run.stderr, run.text());
    let (_, rest) = text.split_once("(decision ").unwrap_or_else(|| panic!("no decision is named: {text}"));
    rest.split(')').next().expect("a name").to_owned()
}

#[test]
fn a_refusal_names_its_decision_and_explain_tells_it() {
    let mut world = world("[[rule]]\neffect = \"deny\"\naction = \"push\"\n");
    put(&world.local("mine"), 1000, &mut Seed(1));
    let run = world.client.run(["copy", "mine", "lab:/data/in/mine"]).fails(42);
    let decision = decision_of(&run);
    let state = world.daemon().state.clone();
    let told = explain(&state, &decision);
    assert_eq!(told["effect"], "deny");
    assert_eq!(told["code"], "ACCESS_DENIED");
    assert_eq!(told["account"], "alice");
    assert_eq!(
        (&told["action"], &told["share"], &told["path"]),
        (&"push".into(), &"data".into(), &"in/mine".into())
    );
    assert!(told["by"].as_str().is_some_and(|by| by.contains("daemon.toml:")), "{told}");
    world.terminate();
    assert_eq!(explain(&state, &decision), told, "also without a daemon");
    world.start_again(None);
    let unknown = world.daemon().command(&["plugin", "explain", "1"]).output().expect("runs");
    assert_eq!(unknown.status.code(), Some(3));
    let wrong = world.daemon().command(&["plugin", "explain", "xyz"]).output().expect("runs");
    assert_eq!(wrong.status.code(), Some(1));
}

const PROGRAMS: &str = "[[rule]]\neffect = \"allow\"\nshare = \"data\"\n\
    [[rule.path]]\nglob = \"/keep/**\"\n\
    [[rule.path]]\nglob = \"*.exe\"\neffect = \"deny\"\ncode = \"no-programs\"\n\
    [[rule.path]]\nglob = \"**\"\nmax-bytes = 5000\ncode = \"too-large-for-us\"\n";

fn programs(folder: &Path) {
    let mut seed = Seed(3);
    for (name, size) in
        [("a.txt", 10), ("b.exe", 20), ("sub/c.exe", 2 << 20), ("sub/d", 4000), ("sub/e", 6000)]
    {
        put(&folder.join(name), size, &mut seed);
    }
}

fn names(folder: &Path) -> Vec<String> {
    let names = xferd_e2e::compare::snapshot(folder).into_iter().filter(|(_, node)| node.kind == 'f');
    names.map(|(path, _)| String::from_utf8_lossy(&path).into_owned()).collect()
}

fn assert_kept_back(run: &Run) {
    assert_eq!(run.result()["exit"], 23, "{}", run.text());
    let failed: Vec<String> =
        run.files("failed").iter().filter_map(|file| Some(file["path"].as_str()?.to_owned())).collect();
    assert_eq!(failed.len(), 3, "{failed:?}");
    for words in ["no-programs", "too-large-for-us"] {
        assert!(run.text().contains(words), "{words} is not told: {}", run.text());
    }
}

#[test]
fn path_rules_refuse_files_of_a_push_and_the_rest_goes_on() {
    let world = world(PROGRAMS);
    programs(&world.local("tree"));
    let run = world.client.json(["sync", "-a", "tree/", "lab:/data/tree"]).fails(23);
    assert_kept_back(&run);
    assert_eq!(names(&world.path("data")), ["tree/a.txt", "tree/sub/d"]);
    // The first rule that matches lets these pass.
    world.client.run(["sync", "-a", "tree/", "lab:/data/keep"]).ok();
}

#[test]
fn path_rules_keep_files_back_from_a_pull_and_a_listing() {
    let world = world(PROGRAMS);
    programs(&world.path("data"));
    let run = world.client.json(["sync", "-a", "--delete", "lab:/data/", "got"]).fails(23);
    assert_kept_back(&run);
    assert_eq!(names(&world.local("got")), ["a.txt", "sub/d"]);
    let listed = |path: &str| world.client.run(["ls", path]).ok().text();
    let (top, sub) = (listed("lab:/data"), listed("lab:/data/sub"));
    assert!(top.contains("a.txt") && !top.contains("exe"), "{top}");
    assert!(sub.contains('d') && !sub.contains("exe") && !sub.contains('e'), "{sub}");
    // One file that is kept back, by its own name.
    world.client.run(["copy", "lab:/data/b.exe", "mine.exe"]).fails(23);
    assert!(!world.local("mine.exe").exists());
    // A name that the sender keeps back is not taken for one that is gone.
    put(&world.local("got/b.exe"), 5, &mut Seed(9));
    world.client.run(["sync", "-a", "--delete", "lab:/data/", "got"]).fails(23);
    assert!(world.local("got/b.exe").exists());
}

#[test]
fn path_rules_spare_files_from_removal() {
    let world = world(PROGRAMS);
    programs(&world.path("data"));
    assert_ne!(world.client.run(["rm", "lab:/data/b.exe"]).code(), 0);
    world.client.run(["rm", "-r", "lab:/data/sub"]);
    assert_eq!(names(&world.path("data")), ["a.txt", "b.exe", "sub/c.exe"]);
    std::fs::create_dir(world.local("empty")).expect("made");
    world.client.run(["sync", "-a", "--delete", "empty/", "lab:/data"]);
    assert_eq!(names(&world.path("data")), ["b.exe", "sub/c.exe"]);
}

#[test]
fn files_are_stored_where_a_rule_says() {
    let rules = "[[rule]]\neffect = \"allow\"\naction = \"push\"\n\
        [[rule.path]]\nglob = \"*.doc\"\nstore-as = \"checked/\"\n\
        [[rule.path]]\nglob = \"one*\"\nstore-as = \"the/one\"\n";
    let world = world(rules);
    let mut seed = Seed(4);
    for (name, size) in [("a.doc", 10), ("big.doc", 20 << 20), ("sub/b.doc", 2 << 20), ("c", 5)] {
        put(&world.local(&format!("tree/{name}")), size, &mut seed);
    }
    world.client.run(["sync", "-a", "tree/", "lab:/data/in"]).ok();
    let expected = ["checked/in/a.doc", "checked/in/big.doc", "checked/in/sub/b.doc", "in/c"];
    assert_eq!(names(&world.path("data")), expected);
    let again = world.client.json(["sync", "-a", "tree/", "lab:/data/in"]).ok();
    assert_eq!(again.number("bytes"), 0, "the same is there already");
    put(&world.local("tree/a.doc"), 11, &mut seed);
    world.client.run(["sync", "-a", "tree/", "lab:/data/in"]).fails(23);
    assert_eq!(std::fs::metadata(world.path("data/checked/in/a.doc")).expect("there").len(), 10);
    for name in ["one1", "one2"] {
        put(&world.local(&format!("two/{name}")), 9, &mut seed);
    }
    world.client.run(["sync", "-a", "two/", "lab:/data/two"]).fails(23);
    assert!(world.path("data/the/one").is_file());
}

#[test]
fn a_push_as_a_whole_is_stored_where_a_rule_says() {
    let world = world("[[rule]]\neffect = \"allow\"\naction = \"push\"\nstore-as = \"inbox\"\n");
    put(&world.local("tree/f"), 10, &mut Seed(4));
    world.client.run(["sync", "-a", "tree/", "lab:/data/anywhere"]).ok();
    assert_eq!(names(&world.path("data")), ["inbox/f"]);
}

#[test]
fn bounds_name_the_limit_and_the_rule() {
    let rules = "[[rule]]\neffect = \"allow\"\naccount = \"alice\"\nmax-files = 3\n\
        [[rule]]\neffect = \"allow\"\nmax-bytes = 5000\n";
    let world = world(rules);
    for number in 0..5 {
        put(&world.local(&format!("tree/{number}")), 2000, &mut Seed(number));
        put(&world.path(&format!("data/there/{number}")), 2000, &mut Seed(number));
    }
    let push = world.client.run(["sync", "-a", "tree/", "lab:/data/tree"]).fails(23);
    assert!(push.stderr.contains("max-files = 3 of rule at"), "{}", push.stderr);
    assert_eq!(names(&world.path("data/tree")).len(), 3);
    let bob = world.further_client("bob");
    let pull = bob.run(["sync", "-a", "lab:/data/there/", "got"]);
    assert_ne!(pull.code(), 0);
    assert!(pull.stderr.contains("max-bytes = 5000 of rule at"), "{}", pull.stderr);
}

#[test]
fn a_rule_that_makes_read_only_stops_writes() {
    let world = world("[[rule]]\neffect = \"allow\"\nread-only = true\n");
    put(&world.local("f"), 10, &mut Seed(4));
    let run = world.client.run(["copy", "f", "lab:/data/f"]);
    assert_ne!(run.code(), 0);
    assert!(run.stderr.contains("read-only"), "{}", run.stderr);
    world.client.run(["ls", "lab:/data"]).ok();
}

/// A transfer that would take minutes, once it is under way.
fn slow(client: &Client, arguments: &[&str]) -> Running {
    let mut running = client.start([&["copy", "--json", "--bwlimit", "1m"], arguments].concat());
    let begun = |event: &serde_json::Value| event["event"] == "progress" && event["bytes"].as_u64() > Some(0);
    running.event(begun).expect("it is under way");
    running
}

// proves: E5
#[test]
fn a_rule_that_comes_ends_a_running_push_and_leaves_others_alone() {
    let world = world("");
    put(&world.local("big"), BIG, &mut Seed(6));
    let bob = world.further_client("bob");
    put(&bob.folder.join("small"), 300_000, &mut Seed(7));
    let denied = slow(&world.client, &["big", "lab:/data/big"]);
    let allowed = bob.start(["copy", "--json", "--bwlimit", "1m", "small", "lab:/data/small"]);
    reload(&world, "[[rule]]\neffect = \"deny\"\naccount = \"alice\"\naction = \"push\"\n");
    // It would run for minutes.
    let run = denied.end().fails(42);
    let text = format!("{}{}", run.stderr, run.text());
    assert!(text.contains("no longer allowed") && text.contains("rule at"), "{text}");
    assert_eq!(explain(&world.daemon().state, &decision_of(&run))["effect"], "deny");
    allowed.end().ok();
    assert!(world.path("data/small").exists() && !world.path("data/big").exists());
}

#[test]
fn a_rule_that_comes_ends_a_running_pull() {
    let world = world("");
    put(&world.path("data/big"), BIG, &mut Seed(6));
    let denied = slow(&world.client, &["lab:/data/big", "big"]);
    reload(&world, "[[rule]]\neffect = \"deny\"\naction = \"pull\"\n");
    denied.end().fails(42);
    assert!(!world.local("big").exists());
}

#[test]
fn a_rule_that_comes_ends_the_sessions_it_denies() {
    let world = world("");
    put(&world.local("big"), BIG, &mut Seed(6));
    let denied = slow(&world.client, &["big", "lab:/data/big"]);
    reload(&world, "[[rule]]\neffect = \"deny\"\naction = \"connect\"\n");
    denied.end().fails(42);
}

#[test]
fn path_rules_that_come_end_what_they_refuse_and_a_rate_that_goes_lets_it_run() {
    let slowly = "[[rule]]\neffect = \"allow\"\naction = \"push\"\nbytes-per-second = 1048576\n";
    let world = world(slowly);
    put(&world.local("big"), 24 << 20, &mut Seed(6));
    let start = || {
        let mut running = world.client.start(["copy", "--json", "big", "lab:/data/big"]);
        let begun =
            |event: &serde_json::Value| event["event"] == "progress" && event["bytes"].as_u64() > Some(0);
        running.event(begun).expect("it is under way");
        running
    };
    let refused = start();
    reload(&world, &format!("{slowly}[[rule.path]]\nglob = \"b*\"\neffect = \"deny\"\ncode = \"no-b\"\n"));
    let run = refused.end().fails(42);
    assert!(format!("{}{}", run.stderr, run.text()).contains("no-b"), "{}", run.stderr);
    reload(&world, slowly);
    let freed = start();
    reload(&world, "");
    freed.end().ok();
    assert!(world.path("data/big").exists());
}

#[test]
fn a_time_that_is_over_ends_a_transfer() {
    let world = world("");
    put(&world.local("big"), BIG, &mut Seed(6));
    let running = slow(&world.client, &["big", "lab:/data/big"]);
    reload(&world, "[[rule]]\neffect = \"allow\"\nnot-after = 2020-01-01T00:00:00Z\n");
    let run = running.end().fails(42);
    let text = format!("{}{}", run.stderr, run.text());
    assert!(text.contains("not-after of rule at"), "{text}");
}
