//! Tokens, keys and trust, through the real binaries.
// proves: O5, O6, L2, V2

use std::os::unix::fs::PermissionsExt;
use xferd_e2e::{Client, Proxy, Scratch, World};

#[test]
fn a_token_is_good_once() {
    let world = World::new();
    let token = world.daemon().invite("bob", &[]);
    let first = Client::new(&world.path("first"), &world.path("client"));
    first.run(["join", token.as_str(), "--name", "lab"]).ok();
    let second = Client::new(&world.path("second"), &world.path("client"));
    second.run(["join", token.as_str(), "--name", "lab"]).fails(41);
    first.run(["ls", "lab:/"]).ok();
    second.run(["ls", "lab:/"]).fails(3);
}

#[test]
fn the_same_device_may_ask_again_with_its_token() {
    let world = World::new();
    let token = world.daemon().invite("bob", &[]);
    let client = Client::new(&world.path("again"), &world.path("client"));
    client.run(["join", token.as_str(), "--name", "lab"]).ok();
    client.run(["join", token.as_str(), "--name", "lab"]).ok();
}

#[test]
fn an_expired_token_is_refused() {
    let world = World::new();
    let token = world.daemon().invite("bob", &["--ttl", "1ms"]);
    let client = Client::new(&world.path("late"), &world.path("client"));
    client.run(["join", token.as_str(), "--name", "lab"]).fails(41);
}

#[test]
fn an_altered_token_is_refused_wherever_it_was_altered() {
    let world = World::new();
    let token = world.daemon().invite("bob", &[]);
    let client = Client::new(&world.path("altered"), &world.path("client"));
    for at in [7, 20, 40, 70, 100, token.len() - 1] {
        let mut altered = token.clone().into_bytes();
        altered[at] = if altered[at].eq_ignore_ascii_case(&b'a') { b'b' } else { b'a' };
        let altered = String::from_utf8(altered).expect("a token is ASCII");
        let run = client.run(["join", altered.as_str(), "--name", "lab"]);
        assert!([1, 2, 10, 41].contains(&run.code()), "byte {at}: {}: {}", run.code(), run.stderr);
    }
    client.run(["join", token.as_str(), "--name", "lab"]).ok();
}

#[test]
fn a_token_is_read_from_standard_input() {
    let world = World::new();
    for (name, arguments) in
        [("dash", vec!["join", "-", "--name", "lab"]), ("none", vec!["join", "--name", "lab"])]
    {
        let token = world.daemon().invite("bob", &[]);
        let client = Client::new(&world.path(name), &world.path("client"));
        client.run_with_input(arguments, format!("{token}\n").as_bytes()).ok();
        client.run(["ls", "lab:/"]).ok();
    }
}

#[test]
fn racers_for_one_token_make_one_device() {
    let world = World::new();
    let token = world.daemon().invite("bob", &[]);
    let running: Vec<_> = (0..20)
        .map(|index| {
            let client = Client::new(&world.path(&format!("racer-{index}")), &world.path("client"));
            client.start(["join", token.as_str(), "--name", "lab"])
        })
        .collect();
    let codes: Vec<i32> = running.into_iter().map(|run| run.end().code()).collect();
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1, "{codes:?}");
}

#[test]
fn a_daemon_with_another_identity_is_not_trusted() {
    let world = World::apart(Scratch::new(), |start| start);
    let proxy = Proxy::new(world.daemon().addr);
    let token = world.daemon().invite("alice", &["--address", &proxy.addr.to_string()]);
    world.client.run(["join", token.as_str(), "--name", "lab"]).ok();
    world.client.run(["ls", "lab:/"]).ok();
    let impostor = World::new();
    proxy.retarget(impostor.daemon().addr);
    world.client.run(["ls", "lab:/"]).fails(41);
}

#[test]
fn a_loose_key_is_refused_and_named() {
    let world = World::new();
    let key = world.client.state.join("device.key");
    assert_eq!(std::fs::metadata(&key).expect("a key").permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o640)).expect("set");
    let run = world.client.run(["ls", "lab:/"]);
    assert_ne!(run.code(), 0);
    assert!(run.stderr.contains("device.key"), "{}", run.stderr);
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).expect("set");
    world.client.run(["ls", "lab:/"]).ok();
}

#[test]
fn secrets_stay_where_they_are() {
    let mut world = World::new();
    let key = std::fs::read(world.client.state.join("device.key")).expect("a key");
    let seed = &key[key.len() - 32..];
    let hex: String = seed.iter().map(|byte| format!("{byte:02x}")).collect();
    let run = world.client.json(["ls", "lab:/", "-l"]).ok();
    let log = world.daemon().log();
    world.terminate();
    for text in [run.text(), run.stderr, log] {
        assert!(!text.contains(&hex), "a key in the output");
    }
}

#[test]
fn a_restarted_daemon_knows_its_devices() {
    let mut world = World::new();
    let address = world.daemon().addr;
    world.client.run(["ls", "lab:/"]).ok();
    world.kill();
    world.start_again(Some(address));
    world.client.run(["ls", "lab:/"]).ok();
}
