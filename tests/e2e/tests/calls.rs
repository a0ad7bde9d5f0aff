//! Handlers, observers and `xfer call`, through the real programs.
// proves: E4, E5

#[path = "../../../engine/host/tests/made/mod.rs"]
mod made;

use made::{handler, observer};
use rustix::process::Signal;
use std::process::Output;
use xferd_e2e::{Run, Scratch, Seed, World, tree};

/// Answers with what was sent.
const ECHO: &str = "(call $done (local.get $body) (local.get $body_len))";
/// Adds one to its key "n" and answers with the sum, as eight bytes.
const COUNT: &str = "(call $increment (i32.const 64) (i32.const 1) (i64.const 1) (i32.const 2048))
    (call $done (i32.const 2056) (i32.const 8))";

fn xferd(world: &World, arguments: &[&str]) -> Output {
    world.daemon().command(arguments).output().expect("xferd runs")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Installs a plugin of this world and name, with all it asks for, without a reload.
fn put(world: &World, kind: &str, name: &str, version: &str, component: &[u8]) -> Output {
    let folder = world.path(&format!("package-{name}-{version}"));
    std::fs::create_dir_all(&folder).expect("made");
    let text = format!(
        "plugin.name = \"test/{name}\"\nplugin.version = \"{version}\"\nplugin.world = \"xferd:plugin/{kind}@0.1\"\n\
         grants.kv = {{ write = true }}\ngrants.messages = {{ topics = [\"a\"] }}\n"
    );
    std::fs::write(folder.join("plugin.toml"), text).expect("written");
    std::fs::write(folder.join(format!("{name}.wasm")), component).expect("written");
    xferd(world, &["plugin", "install", &folder.display().to_string(), "--unsigned", "--grant", "all"])
}

fn install(world: &World, kind: &str, name: &str, version: &str, component: &[u8]) {
    let done = put(world, kind, name, version, component);
    assert!(done.status.success(), "{}", said(&done));
    reload(world);
}

fn reload(world: &World) {
    let done = xferd(world, &["plugin", "reload"]);
    assert!(done.status.success(), "{}", said(&done));
}

/// Installs a handler of the protocol `ok`.
fn serve(world: &World, version: &str, run: &str) {
    install(world, "handler", "served", version, &handler("n", run, ""));
}

fn configured(config: &str) -> World {
    World::with(Scratch::new(), |start| start.config(config))
}

fn call(world: &World, body: &[u8]) -> Run {
    world.client.run_with_input(["call", "lab", "ok", "-"], body)
}

#[test]
fn a_call_is_answered_and_what_it_kept_survives_a_restart() {
    let mut world = World::new();
    serve(&world, "1.0.0", ECHO);
    let body = b"any\x00bytes\xff";
    assert_eq!(call(&world, body).ok().stdout, body);
    std::fs::write(world.local("sent"), b"from a file").expect("written");
    assert_eq!(world.client.run(["call", "lab", "ok", "sent"]).ok().text(), "from a file");
    assert_eq!(world.client.run(["call", "lab:", "ok"]).ok().stdout, b"", "nothing is sent");
    let run = world.client.json(["call", "lab", "ok", "sent"]).ok();
    assert_eq!(run.result()["data"]["answer"], "from a file");
    serve(&world, "1.1.0", COUNT);
    for count in 1..=3_u64 {
        assert_eq!(call(&world, b"").ok().stdout, count.to_le_bytes());
    }
    let status = said(&xferd(&world, &["status", "--plugins", "--json"]));
    assert!(status.contains("test/served") && status.contains("\"world\":\"handler\""), "{status}");
    assert!(world.client.run(["status", "--plugins", "lab"]).ok().text().contains("test/served"));
    let addr = world.daemon().addr;
    world.terminate();
    world.start_again(Some(addr));
    assert_eq!(call(&world, b"").ok().stdout, 4_u64.to_le_bytes(), "its keys are in the store");
    // The same version goes on with its memory, another one with its keys.
    serve(&world, "1.1.0", COUNT);
    serve(&world, "1.2.0", COUNT);
    assert_eq!(call(&world, b"").ok().stdout, 5_u64.to_le_bytes());
    assert!(xferd(&world, &["plugin", "remove", "test/served"]).status.success());
    reload(&world);
    call(&world, b"").fails(3);
}

#[test]
fn what_is_not_served_says_why() {
    let world = configured(
        "limits.plugin_body_bytes_max = 65536\n[[rule]]\naccount = \"bob\"\naction = \"invoke\"\n\
         protocol = \"ok\"\neffect = \"deny\"\n",
    );
    let missing = call(&world, b"").fails(3);
    assert!(missing.stderr.contains("nothing here serves the protocol ok"), "{}", missing.stderr);
    serve(&world, "1.0.0", ECHO);
    let bob = world.further_client("bob");
    let denied = bob.run(["call", "lab", "ok"]).fails(42);
    assert!(denied.stderr.contains("invoke of ok is denied"), "{}", denied.stderr);
    let large = call(&world, &vec![b'x'; 70_000]).fails(23);
    assert!(large.stderr.contains("a body has at most 65536 bytes"), "{}", large.stderr);
    let larger = call(&world, &vec![b'x'; 3 << 20]).fails(23);
    assert!(larger.stderr.contains("do not fit one call"), "{}", larger.stderr);
    world.client.run(["call", "lab", "No Name"]).fails(1);
    world.client.run(["call", "lab", "ok", "not-there"]).fails(3);
    serve(&world, "2.0.0", "(call $refused (i32.const 64) (i32.const 1))");
    let refused = call(&world, b"").fails(2);
    assert!(refused.stderr.contains("xfer: n"), "{}", refused.stderr);
    let run = world.client.json(["call", "lab", "nobody"]).fails(3);
    assert_eq!(run.result()["code"], "NOT_FOUND");
}

#[test]
fn a_handler_that_hangs_or_fails_is_one_answer_and_the_daemon_goes_on() {
    let world = World::new();
    tree::file(&world.local("mine"), 1000, &mut Seed(1));
    serve(&world, "1.0.0", "(loop $l (br $l)) (unreachable)");
    let late = call(&world, b"").fails(30);
    assert!(late.stderr.contains("timeout: it took more than 40 ms"), "{}", late.stderr);
    world.client.run(["copy", "mine", "lab:/mine"]).ok();
    serve(
        &world,
        "2.0.0",
        "(call $emit (i32.const 4) (i32.const 64) (i32.const 1) (i32.const 0) (i32.const 0)) (unreachable)",
    );
    let failed = call(&world, b"").fails(12);
    assert!(failed.stderr.contains("plugin test/served failed"), "{}", failed.stderr);
    serve(&world, "3.0.0", ECHO);
    assert_eq!(call(&world, b"x").ok().stdout, b"x", "another version begins anew");
    let log = world.daemon().log();
    assert!(log.contains("it panicked: n") && log.contains("test/served"), "{log}");
    // A version that does not begin changes nothing.
    let bad = put(&world, "handler", "served", "4.0.0", b"no component");
    assert!(!bad.status.success(), "{}", said(&bad));
    reload(&world);
    call(&world, b"x").ok();
}

#[test]
fn calls_that_wait_are_bounded_and_end_in_time() {
    let world = configured("limits.plugin_calls_per_device_max = 1\n");
    serve(&world, "1.0.0", "(call $later )");
    let mut waits = world.client.start(["call", "--json", "--timeout", "60s", "lab", "ok"]);
    // Its call is there once the plugin has run.
    while !said(&xferd(&world, &["status", "--plugins", "--json"])).contains("\"calls\":1") {
        std::thread::yield_now();
    }
    let many = world.client.run(["call", "lab", "ok"]).fails(30);
    assert!(
        many.stderr.contains("RATE_LIMITED") || many.stderr.contains("wait for their answers"),
        "{}",
        many.stderr
    );
    waits.signal(Signal::INT);
    waits.end().fails(20);
    // The call that was given up waits on in the daemon; a reload of another version answers it.
    serve(&world, "2.0.0", "(call $later ) ");
    let late = world.client.run(["call", "--timeout", "300ms", "lab", "ok"]).fails(30);
    assert!(late.stderr.contains("no answer of ok within"), "{}", late.stderr);
}

#[test]
fn an_observer_hears_what_it_asked_for() {
    let mut world = World::new();
    tree::file(&world.local("mine"), 1000, &mut Seed(1));
    let says = "(call $emit (i32.const 2) (i32.const 64) (i32.const 17) (i32.const 0) (i32.const 0))";
    install(&world, "observer", "ends", "1.0.0", &observer("transfer.finished", says));
    install(&world, "observer", "fails", "1.0.0", &observer("transfer.failed", says));
    install(&world, "observer", "joins", "1.0.0", &observer("peer.*", &says.replace("17", "6")));
    world.client.run(["copy", "mine", "lab:/mine"]).ok();
    world.further_client("bob");
    let log = world.daemon().state.with_extension("log");
    // What was reported is delivered before it ends.
    assert!(world.terminate().success());
    let log = std::fs::read_to_string(log).expect("a log");
    let of = |name: &str| log.lines().filter(|line| line.contains(&format!("plugin=test/{name}"))).count();
    assert_eq!((of("ends"), of("fails"), of("joins")), (1, 0, 1), "{log}");
}

#[test]
fn an_observer_whose_events_never_end_is_named_and_leaves_nothing() {
    let world = World::new();
    tree::file(&world.local("mine"), 1000, &mut Seed(1));
    serve(&world, "1.0.0", COUNT);
    let topic = "session.up";
    // It counts, then loops: what it counted is dropped with the call.
    let loops =
        "(call $increment (i32.const 64) (i32.const 1) (i64.const 1) (i32.const 2048)) (loop $l (br $l))";
    install(&world, "observer", "loops", "1.0.0", &observer(topic, loops));
    let traps = "(call $increment (i32.const 64) (i32.const 1) (i64.const 1) (i32.const 2048)) (unreachable)";
    install(&world, "observer", "traps", "1.0.0", &observer(topic, traps));
    for round in 1..=3_u64 {
        world.client.run(["copy", "mine", "lab:/mine"]).ok();
        assert_eq!(call(&world, b"").ok().stdout, round.to_le_bytes(), "the handler beside it goes on");
    }
    let state = world.daemon().state.clone();
    for (name, what) in [("loops", "timeout: it took more than 40 ms"), ("traps", "it trapped")] {
        let keys = said(&xferd(&world, &["plugin", "keys", &format!("test/{name}"), "--json"]));
        assert!(keys.contains("\"keys\":[]"), "{keys}");
        let log = std::fs::read_to_string(state.with_extension("log")).expect("a log");
        let named = |line: &&str| line.contains(&format!("plugin=test/{name}")) && line.contains(what);
        assert!(log.lines().any(|line| named(&line)), "{name}: {log}");
        let status = said(&xferd(&world, &["status", "--plugins", "--json"]));
        assert!(status.contains(&format!("\"test/{name}\"")) && status.contains("\"faults\":"), "{status}");
    }
}
