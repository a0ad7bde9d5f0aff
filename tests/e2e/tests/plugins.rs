//! Policies from their installation to the explanation of what they decided, through the real programs.
// proves: E4, E5

#[path = "../../../engine/host/tests/made/mod.rs"]
mod made;

use made::{Parts, deciding, policy};
use std::path::PathBuf;
use std::process::Output;
use xferd_e2e::{Run, Seed, World, tree};

/// Denies what is pushed, allows the rest.
const NO_PUSH: &str = "(call $answer (i32.eq (local.get $action) (i32.const 3)))";
const ALLOW: &str = "(call $answer (i32.const 0))";

/// A package of this version.
fn package(world: &World, version: &str, component: &[u8], more: &str) -> PathBuf {
    let folder = world.path(&format!("package-{version}"));
    std::fs::create_dir_all(&folder).expect("made");
    let text = format!(
        "plugin.name = \"test/gate\"\nplugin.version = \"{version}\"\nplugin.world = \"xferd:plugin/policy@0.1\"\n{more}"
    );
    std::fs::write(folder.join("plugin.toml"), text).expect("written");
    std::fs::write(folder.join("gate.wasm"), component).expect("written");
    folder
}

fn xferd(world: &World, arguments: &[&str]) -> Output {
    world.daemon().command(arguments).output().expect("xferd runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn install(world: &World, version: &str, component: &[u8]) {
    let folder = package(world, version, component, "");
    let done = xferd(world, &["plugin", "install", &folder.display().to_string(), "--unsigned"]);
    assert!(done.status.success(), "{}", said(&done));
    assert!(said(&done).contains("not signed"), "{}", said(&done));
    let done = xferd(world, &["plugin", "reload"]);
    assert!(done.status.success() && said(&done).contains("test/gate"), "{}", said(&done));
}

fn push(world: &World) -> Run {
    world.client.run(["copy", "mine", "lab:/mine"])
}

#[test]
fn a_policy_that_is_installed_decides_and_is_explained() {
    let world = World::new();
    tree::file(&world.local("mine"), 1000, &mut Seed(1));
    let folder = package(&world, "1.0.0", &deciding(NO_PUSH), "");
    let unsigned = xferd(&world, &["plugin", "install", &folder.display().to_string()]);
    assert_eq!(unsigned.status.code(), Some(41), "{}", said(&unsigned));
    push(&world).ok();
    install(&world, "1.0.0", &deciding(NO_PUSH));
    let denied = push(&world).fails(42);
    assert!(denied.stderr.contains("plugin test/gate"), "{}", denied.stderr);
    world.client.run(["ls", "lab:/"]).ok();
    let decision = denied.stderr.split_once("(decision ").and_then(|(_, rest)| rest.split(')').next());
    let explained = xferd(&world, &["plugin", "explain", decision.expect("a decision is named")]);
    assert!(said(&explained).contains("decided by plugin test/gate"), "{}", said(&explained));
    let status = xferd(&world, &["status", "--plugins", "--json"]);
    assert!(said(&status).contains("\"test/gate\"") && said(&status).contains("calls"), "{}", said(&status));
    assert!(world.client.run(["status", "--plugins", "lab"]).ok().text().contains("test/gate"));
    assert!(xferd(&world, &["plugin", "remove", "test/gate"]).status.success());
    push(&world).fails(42);
    assert!(xferd(&world, &["plugin", "reload"]).status.success());
    push(&world).ok();
}

#[test]
fn a_policy_outlives_a_restart_and_one_that_does_not_load_stops_the_start() {
    let mut world = World::new();
    tree::file(&world.local("mine"), 1000, &mut Seed(1));
    install(&world, "1.0.0", &deciding(NO_PUSH));
    let state = world.daemon().state.clone();
    world.terminate();
    let addr = world.start_again(None).addr;
    world.terminate();
    let code = state.join("plugin/test+gate/code.xcw");
    let mut bytes = std::fs::read(&code).expect("sealed code");
    *bytes.last_mut().expect("some") ^= 1;
    std::fs::remove_file(&code).expect("removed");
    std::fs::write(&code, bytes).expect("written");
    let (status, log) = world.start.clone().listen(addr).refused();
    assert_eq!(status.code(), Some(5), "{log}");
    assert!(log.contains("test/gate") && log.contains("sealed by another node"), "{log}");
}

#[test]
fn what_does_not_fit_or_fails_never_replaces_what_did() {
    let world = World::new();
    tree::file(&world.local("mine"), 1000, &mut Seed(1));
    install(&world, "1.0.0", &deciding(NO_PUSH));
    let traps = policy(Parts { configure: "(unreachable)", decide: ALLOW, ..Parts::default() });
    for (version, component) in [("2.0.0", traps), ("3.0.0", b"no component".to_vec())] {
        let folder = package(&world, version, &component, "");
        let refused = xferd(&world, &["plugin", "install", &folder.display().to_string(), "--unsigned"]);
        assert!(!refused.status.success() && said(&refused).contains("test/gate"), "{}", said(&refused));
    }
    let listed = xferd(&world, &["plugin", "list"]);
    assert!(said(&listed).contains("1.0.0") && said(&listed).contains("enabled"), "{}", said(&listed));
    push(&world).fails(42);
}

#[test]
fn a_live_transfer_meets_the_policy_that_comes() {
    let world = World::new();
    tree::file(&world.local("big"), 128 << 20, &mut Seed(2));
    install(&world, "1.0.0", &deciding(ALLOW));
    let mut running = world.client.start(["copy", "--json", "--bwlimit", "1m", "big", "lab:/big"]);
    running.event(|event| event["event"] == "progress" && event["bytes"].as_u64() > Some(0)).expect("begun");
    install(&world, "1.1.0", &deciding(ALLOW));
    running.event(|event| event["event"] == "progress").expect("it goes on");
    install(&world, "2.0.0", &deciding(NO_PUSH));
    let run = running.end().fails(42);
    assert!(format!("{}{}", run.stderr, run.text()).contains("plugin test/gate"), "{}", run.stderr);
}
