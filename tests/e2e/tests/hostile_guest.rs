//! The hostile plugin of `tests/hostile`, compiled as its author would, in a daemon: everything it does ends, is named,
//! and whom a rule of the configuration lets through is served meanwhile.
// proves: E4

use hostile::{CALLS, EVILS};
use plugin_builder::{Order, Toolchain, build};
use std::path::Path;
use xferd_e2e::package::{Package, xferd};
use xferd_e2e::{Client, World};

/// What whoever is denied reads, by what the plugin was told to do. All else: that it panicked, or what is said here.
const TOLD: &[(&str, &str)] = &[
    ("none", "no policy allows it"),
    ("loop-decide", "policy-fault: timeout: it took more than 3 ms"),
    ("grow-memory", "bytes of memory, it may have 4194304"),
    ("recurse-direct", "policy-fault: its stack overflowed"),
    ("recurse-indirect", "policy-fault: its stack overflowed"),
    ("return-huge", "bytes of memory, it may have 4194304"),
    ("host-calls", "policy-fault: it made more than 1000 host calls"),
    ("host-bytes", "policy-fault: "),
    ("log-flood", ""),
    ("log-long", ""),
    ("metrics-flood", "policy-fault: "),
    ("many-rules", "policy-fault: "),
    ("odd-code", "\\u{202e}line\\nbreaks"),
    ("unknown-obligation", "levitate"),
    ("panic", "policy-fault: it panicked: panic: evil was asked for by"),
    ("trap-99", "no policy allows it"),
];

/// The component; `None` where no toolchain builds it.
fn component() -> Option<Vec<u8>> {
    let toolchain = match Toolchain::find() {
        Ok(toolchain) => toolchain,
        Err(missing) => {
            println!("skipped: hostile_guest: {missing}; {}", missing.next());
            return None;
        }
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let top = here.ancestors().nth(2).expect("a room lies two folders down");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| top.join("target"), Into::into);
    let (folder, shared) = (top.join("tests/hostile"), target.join("plugin-build"));
    let built = build(&toolchain, &Order::new(&folder, &shared)).expect("the hostile plugin builds");
    Some(built.component.bytes)
}

/// Puts this into force, and says whether the daemon took it.
fn told(world: &World, config: &str, evil: &str) -> bool {
    let path = world.daemon().state.with_extension("toml");
    std::fs::write(path, format!("{config}[plugin.settings.\"test/hostile\"]\nevil = \"{evil}\"\n"))
        .expect("written");
    let said = xferd(world, &["plugin", "reload"]);
    assert!(said.ok || said.text.contains("test/hostile"), "{evil}: {}", said.text);
    said.ok
}

/// Asks while the other client is served; what the one who asks is told.
fn asked(client: &Client, served: &Client) -> String {
    let asks = client.start(["ls", "lab:/files"]);
    served.run(["ls", "lab:/files"]).ok();
    asks.end().fails(42).stderr
}

#[test]
fn everything_it_does_ends_and_is_named() {
    let Some(component) = component() else { return };
    let scratch = xferd_e2e::Scratch::new();
    let files = scratch.dir("files");
    let config = format!(
        "[[share]]\nname = \"files\"\npath = \"{}\"\n[[rule]]\neffect = \"allow\"\naccount = \"bob\"\n",
        files.display()
    );
    let world = World::shares(scratch, &config);
    let bob = world.further_client("bob");
    let manifest = include_str!("../../hostile/plugin.toml");
    Package::with_manifest(&world, "test/hostile", manifest, &component).install(&world).ok();
    let (process, mut wrong) = (world.daemon().id(), Vec::new());
    let traps = (1..=CALLS + 1).map(|number| format!("trap-{number}"));
    for evil in EVILS.iter().map(|evil| (*evil).to_owned()).chain(traps).chain(["trap-99".to_owned()]) {
        let taken = told(&world, &config, &evil);
        assert_eq!(taken, !matches!(evil.as_str(), "refuse" | "loop-configure"), "{evil}");
        let denied = asked(&world.client, &bob);
        if !taken {
            continue;
        }
        let known = TOLD.iter().find(|(name, _)| *name == evil);
        let wanted = known.map_or("policy-fault: it panicked: panic: trap", |(_, told)| told);
        let named =
            denied.matches("plugin test/hostile: ").count() == 1 || denied.contains("no policy allows it");
        let plain = !denied.contains(['\x1b', '\u{202e}']) && denied.lines().count() <= 2;
        if !(denied.contains(wanted) && named && plain) {
            wrong.push(format!("{evil}: {wanted} in {denied}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(world.daemon().id(), process);
    let log = world.daemon().log();
    assert!(!log.contains("panicked at") && !log.contains('\x1b'), "{log}");
    let listed = xferd(&world, &["plugin", "list"]).ok().text;
    assert!(listed.contains("test/hostile") && listed.contains("enabled"), "{listed}");
    assert!(std::fs::read_dir(&files).expect("a folder").next().is_none(), "nothing was made");
}
