//! Plugins that are never taken in: each refused by one line that names it, with all that was there untouched.
// proves: E4

#[path = "../../../engine/host/tests/made/mod.rs"]
mod made;

use made::{Parts, component_of, deciding, policy, policy_module};
use xferd_e2e::package::{Package, xferd};
use xferd_e2e::{Seed, World, tree};

const WIT: &str = include_str!("../../../wit/xferd.wit");
const ALLOW: &str = "(call $answer (i32.const 0))";
const NO_PUSH: &str = "(call $answer (i32.eq (local.get $action) (i32.const 3)))";

/// A policy built against other interfaces, its module changed.
fn built_against(wit: &str, change: impl Fn(String) -> String) -> Vec<u8> {
    component_of(wit, "policy", &change(policy_module(Parts { decide: ALLOW, ..Parts::default() })))
}

/// The module with one more import.
fn importing(from: &str, item: &str) -> impl Fn(String) -> String {
    let import = format!("(import \"{from}\" \"{item}\" (func)) (memory (export");
    move |module| module.replace("(memory (export", &import)
}

/// A component that is larger than a plugin may be, by a section that nobody reads.
fn too_large() -> Vec<u8> {
    let mut component = deciding(ALLOW);
    let bytes = 9u32 << 20;
    let mut section = vec![0];
    let mut left = bytes + 2;
    while left >= 0x80 {
        section.push(left as u8 | 0x80);
        left >>= 7;
    }
    section.extend([left as u8, 1, b'x']);
    component.extend(section);
    component.extend(std::iter::repeat_n(0, bytes as usize));
    component
}

fn wasi() -> Vec<u8> {
    let own = WIT.replace("world policy {", "world policy { import wasi:sockets/network@0.2.0;");
    let wit = format!("{own}\npackage wasi:sockets@0.2.0 {{ interface network {{ open: func(); }} }}");
    built_against(&wit, importing("wasi:sockets/network@0.2.0", "open"))
}

/// A world whose policy keeps pushes out.
fn guarded() -> World {
    let world = World::new();
    tree::file(&world.local("mine"), 1000, &mut Seed(1));
    Package::new(&world, "test/gate", "policy@0.1", &deciding(NO_PUSH), "").install(&world).ok();
    xferd(&world, &["plugin", "reload"]).ok();
    world
}

/// What is installed, and who may do what, as it was.
fn as_before(world: &World, installed: &str) {
    assert_eq!(xferd(world, &["plugin", "list", "--json"]).ok().text, installed);
    let reloaded = xferd(world, &["plugin", "reload"]).ok().text;
    assert!(reloaded.contains("test/gate"), "{reloaded}");
    let denied = world.client.run(["copy", "mine", "lab:/mine"]).fails(42).stderr;
    assert!(denied.contains("plugin test/gate"), "{denied}");
    world.client.run(["ls", "lab:/"]).ok();
}

#[test]
fn what_does_not_fit_is_refused_by_name_and_what_was_there_stays() {
    let world = guarded();
    let installed = xferd(&world, &["plugin", "list", "--json"]).ok().text;
    let loops = Parts { configure: "(loop $l (br $l))", decide: ALLOW, ..Parts::default() };
    let traps = Parts { configure: "(unreachable)", decide: ALLOW, ..Parts::default() };
    let later = WIT.replace("xferd:plugin@0.1.0", "xferd:plugin@0.7.0");
    let leaping = WIT.replace("unix-ms: func() -> u64;", "unix-ms: func() -> u64; leap: func();");
    let clock = "xferd:plugin/clock@0.1.0";
    let cases: Vec<(&str, &str, Vec<u8>, i32, &str)> = vec![
        ("configure-loops", "policy@0.1", policy(loops), 2, "timeout: it took more than 3 ms"),
        ("configure-traps", "policy@0.1", policy(traps), 2, "it trapped: "),
        ("wrong-world", "observer@0.1", deciding(ALLOW), 1, "the world observer exports observer-events"),
        ("wrong-manifest", "policy@0.9", deciding(ALLOW), 1, "0.9"),
        (
            "wrong-version",
            "policy@0.1",
            built_against(&later, |module| module.replace("@0.1.0", "@0.7.0")),
            1,
            "it was built against xferd:plugin/",
        ),
        (
            "no-such-import",
            "policy@0.1",
            built_against(&leaping, importing(clock, "leap")),
            1,
            "it imports clock.leap: the interface clock has unix-ms, monotonic-ms",
        ),
        ("sockets", "policy@0.1", wasi(), 1, "it imports wasi:sockets/network@0.2.0: a plugin gets no WASI"),
        ("too-large", "policy@0.1", too_large(), 1, "plugin_wasm_bytes_max"),
        ("machine-code", "policy@0.1", b"\x7fELF\x02\x01\x01".to_vec(), 1, "machine-code"),
        ("bare-module", "policy@0.1", wat::parse_str("(module)").expect("a module"), 1, "a core module"),
    ];
    for (name, kind, component, code, what) in cases {
        let name = format!("test/{name}");
        let package = Package::new(&world, &name, kind, &component, "");
        let named = if what == "0.9" { "package-test+wrong-manifest" } else { &name };
        package.install(&world).refused(code, named, what);
        // Also in place of one that is there.
        let taken = Package::new(&world, "test/gate", kind, &component, "");
        let said = taken.install(&world);
        assert!(!said.ok && said.text.contains("test"), "{}", said.text);
    }
    as_before(&world, &installed);
    assert_eq!(std::fs::read_dir(world.daemon().state.join("plugin")).expect("a folder").count(), 3);
}

#[test]
fn more_code_than_allowed_is_refused() {
    let world = guarded();
    let installed = xferd(&world, &["plugin", "list", "--json"]).ok().text;
    let package = Package::new(&world, "test/code", "policy@0.1", &deciding(ALLOW), "");
    let config = world.path("tight.toml");
    std::fs::write(&config, "limits.plugin_code_bytes_max = 4096\n").expect("written");
    let config = config.display().to_string();
    let said = package.install_with(&world, &["--unsigned", "--config", &config]);
    said.refused(1, "test/code", "plugin_code_bytes_max");
    as_before(&world, &installed);
}

#[test]
fn compiled_code_of_another_node_is_refused_at_reload_and_the_daemon_goes_on() {
    let (world, other) = (guarded(), World::new());
    Package::new(&other, "test/gate", "policy@0.1", &deciding(ALLOW), "").install(&other).ok();
    let code = |world: &World| world.daemon().state.join("plugin/test+gate/code.xcw");
    let own = std::fs::read(code(&world)).expect("sealed code");
    let plant = |bytes: &[u8]| {
        // The file is read-only; a folder's owner may replace it all the same.
        std::fs::remove_file(code(&world)).expect("removed");
        std::fs::write(code(&world), bytes).expect("written");
    };
    let foreign = std::fs::read(code(&other)).expect("sealed code");
    for bytes in [&foreign[..], b"\x7fELF", &own[..own.len() - 1]] {
        plant(bytes);
        let said = xferd(&world, &["plugin", "reload"]);
        assert!(!said.ok && said.text.contains("test/gate"), "{}", said.text);
        assert!(said.text.contains("install the plugin again"), "{}", said.text);
        let denied = world.client.run(["copy", "mine", "lab:/mine"]).fails(42).stderr;
        assert!(denied.contains("plugin test/gate"), "the rules before hold: {denied}");
    }
    plant(&own);
    xferd(&world, &["plugin", "reload"]).ok();
    world.client.run(["ls", "lab:/"]).ok();
}

#[test]
fn a_signature_by_another_key_is_refused_and_named() {
    let world = guarded();
    let installed = xferd(&world, &["plugin", "list", "--json"]).ok().text;
    let keys = [world.path("trusted.key"), world.path("stranger.key")].map(|key| key.display().to_string());
    let publics = keys.each_ref().map(|key| {
        let said = xferd(&world, &["plugin", "keygen", key, "--json"]).ok().text;
        let made: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        made["public"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    });
    let config = world.path("keys.toml");
    std::fs::write(&config, format!("plugin.keys = [\"{}\"]\n", publics[0])).expect("written");
    let config = config.display().to_string();
    let package = Package::new(&world, "test/signed", "policy@0.1", &deciding(ALLOW), "");
    let wasm = package.folder.join("signed.wasm");
    let sign = |key: &str| {
        xferd(&world, &["plugin", "sign", &wasm.display().to_string(), "--key", key]).ok();
    };
    let install = || package.install_with(&world, &["--config", &config]);
    install().refused(41, "test/signed", "is not signed");
    sign(&keys[1]);
    install().refused(41, "test/signed", &format!("signed by {}", publics[1]));
    sign(&keys[0]);
    let text = std::fs::read_to_string(package.folder.join("plugin.toml")).expect("its manifest");
    std::fs::write(package.folder.join("plugin.toml"), format!("{text}grants.kv = {{}}\n")).expect("written");
    install().refused(41, "test/signed", "not of this component with this plugin.toml");
    as_before(&world, &installed);
}
