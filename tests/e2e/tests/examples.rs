//! The programs in `examples/`, built and run as their READMEs say.
// proves: E4, E5, V9

use plugin_builder::{Order, Toolchain, build, template, write};
use std::path::{Path, PathBuf};
use std::process::Output;
use xferd_e2e::{Run, Seed, World, tree};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn xferd(world: &World, arguments: &[&str]) -> String {
    let output = world.daemon().command(arguments).output().expect("xferd runs");
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    said(&output)
}

/// Builds an example, installs it with all it asks for, and has the daemon take it in.
fn take_in(world: &World, toolchain: &Toolchain, example: &str) {
    take_in_from(world, toolchain, &root().join("examples").join(example), example);
}

fn take_in_from(world: &World, toolchain: &Toolchain, folder: &Path, example: &str) {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let built =
        build(toolchain, &Order::new(folder, &target.join("plugin-build"))).expect("the example builds");
    let package = world.path(&format!("{example}.package"));
    write(&built, &package).expect("written");
    std::fs::copy(folder.join("plugin.toml"), package.join("plugin.toml")).expect("copied");
    let package = package.display().to_string();
    let wasm = format!("{package}/{}.wasm", built.name);
    xferd(world, &["plugin", "install", &wasm, "--unsigned", "--grant", "all"]);
    xferd(world, &["plugin", "reload"]);
}

/// A world and what plugins are built with; `None`, said aloud: this machine cannot build any.
fn world(test: &str) -> Option<(World, Toolchain)> {
    match Toolchain::find() {
        Ok(toolchain) => {
            let world = World::new();
            tree::file(&world.local("mine"), 1000, &mut Seed(1));
            Some((world, toolchain))
        }
        Err(missing) => {
            println!("skipped: {test}: {missing}; {}", missing.next());
            None
        }
    }
}

fn push(world: &World, to: &str) -> Run {
    world.client.run(["copy", "mine", to])
}

#[test]
fn a_first_policy_keeps_names_where_they_are() {
    let Some((world, toolchain)) = world("a_first_policy_keeps_names_where_they_are") else { return };
    take_in(&world, &toolchain, "01-first-policy");
    push(&world, "lab:/mine").ok();
    let denied = world.client.run(["rm", "lab:/mine"]).fails(42);
    assert!(denied.stderr.contains("mine stays where it is"), "{}", denied.stderr);
    world.client.run(["ls", "lab:/"]).ok();
}

#[test]
fn a_policy_with_settings_follows_the_operator_s_keys() {
    let Some((world, toolchain)) = world("a_policy_with_settings_follows_the_operator_s_keys") else {
        return;
    };
    take_in(&world, &toolchain, "02-policy-with-settings");
    push(&world, "lab:/first").ok();
    let keys =
        xferd(&world, &["plugin", "keys", "example/allowance", "--put", "alice=999", "--put", "bob=0"]);
    assert!(keys.contains("alice: 999") && keys.contains("bob: 0"), "{keys}");
    let short = push(&world, "lab:/second");
    assert_ne!(short.code(), 0, "1000 bytes are more than 999");
    xferd(&world, &["plugin", "keys", "example/allowance", "--put", "alice=1000", "--remove", "bob"]);
    push(&world, "lab:/third").ok();
    xferd(&world, &["plugin", "keys", "example/allowance", "--put", "alice=0"]);
    let denied = push(&world, "lab:/fourth").fails(42);
    assert!(denied.stderr.contains("brings nothing"), "{}", denied.stderr);
    // Another account has what the setting says.
    let bob = world.further_client("bob");
    tree::file(&bob.folder.join("mine"), 1000, &mut Seed(2));
    bob.run(["copy", "mine", "lab:/fifth"]).ok();
}

#[test]
fn an_observer_keeps_a_report() {
    let Some((mut world, toolchain)) = world("an_observer_keeps_a_report") else { return };
    take_in(&world, &toolchain, "03-observer-report");
    push(&world, "lab:/mine").ok();
    // What was reported is delivered before the daemon ends.
    let addr = world.daemon().addr;
    assert!(world.terminate().success());
    world.start_again(Some(addr));
    let report = xferd(&world, &["plugin", "keys", "example/report", "--prefix", "ali"]);
    assert!(report.contains("push / mine: 1 names, 1000 bytes"), "{report}");
}

#[test]
fn a_handler_answers_at_once_and_later() {
    let Some((world, toolchain)) = world("a_handler_answers_at_once_and_later") else { return };
    take_in(&world, &toolchain, "04-handler");
    let call = |arguments: &[&str], note: &[u8]| {
        world.client.run_with_input(["call", "lab"].iter().chain(arguments), note).ok().text()
    };
    assert_eq!(call(&["notes", "-"], b"buy milk\n"), "");
    assert_eq!(call(&["notes", "-"], b"and bread"), "");
    assert_eq!(call(&["notes"], b""), "buy milk\nand bread\n");
    assert_eq!(call(&["notes.later"], b""), "buy milk\nand bread\n");
    let refused = world.client.run_with_input(["call", "lab", "notes", "-"], b"\xff").fails(2);
    assert!(refused.stderr.contains("a note is text"), "{}", refused.stderr);
    assert_eq!(
        world.further_client("bob").run(["call", "lab", "notes"]).ok().text(),
        "",
        "notes are an account's own"
    );
}

const FINDER: &str = r#"
//! Reports the daemon itself.
#![cfg_attr(target_arch = "wasm32", no_std)]
#![forbid(unsafe_code)]

use xferd_plugin_sdk::discovery::{Candidate, Discovery, report};
use xferd_plugin_sdk::log;
use xferd_plugin_sdk::prelude::*;
use xferd_plugin_sdk::settings::Settings;
use xferd_plugin_sdk::value::{Attr, Event};

struct Finder;

impl Discovery for Finder {
    fn configure(_: &Settings) -> Result<Self, String> {
        Ok(Self)
    }

    fn begin(&mut self, local: &[Attr]) -> Result<(), String> {
        let port = local.iter().find(|attr| attr.key == "port").and_then(|attr| attr.val.as_uint());
        let port = port.and_then(|port| u16::try_from(port).ok()).ok_or("no port")?;
        let address = "192.0.2.7".to_owned();
        report(&[Candidate { peer: None, address, port, ttl_ms: 1000, attrs: Vec::new() }]);
        Ok(())
    }

    fn on_events(&mut self, _: &[Event]) {}

    fn end(&mut self) {
        log::info!("the finder ends");
    }
}

xferd_plugin_sdk::export_discovery!(Finder);
"#;

#[test]
fn a_discovery_plugin_begins_with_what_it_is_told_and_is_told_its_end() {
    let test = "a_discovery_plugin_begins_with_what_it_is_told_and_is_told_its_end";
    let Some((mut world, toolchain)) = world(test) else { return };
    let folder = world.path("finder");
    for (path, text) in template::files("finder", "observer") {
        let text = match path.as_str() {
            "src/lib.rs" => FINDER.to_owned(),
            "Cargo.toml" => text.replace("\"observer\"", "\"discovery\""),
            "plugin.toml" => "plugin.name = \"local/finder\"\nplugin.version = \"1.0.0\"\n\
                plugin.world = \"xferd:plugin/discovery@0.1\"\ngrants.candidates = {}\n"
                .to_owned(),
            _ => text,
        };
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().expect("in the folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }
    take_in_from(&world, &toolchain, &folder, "finder");
    let (port, log) = (world.daemon().addr.port(), world.daemon().state.with_extension("log"));
    assert!(world.terminate().success());
    let log = std::fs::read_to_string(log).expect("a log");
    let candidate = |line: &&str| line.contains("candidate") && line.contains("192.0.2.7");
    let found: Vec<&str> = log.lines().filter(candidate).collect();
    assert_eq!(found.len(), 1, "{log}");
    assert!(found[0].contains(&format!("port={port}")) && found[0].contains("local/finder"), "{}", found[0]);
    assert!(log.lines().any(|line| line.contains("the finder ends")), "{log}");
}
