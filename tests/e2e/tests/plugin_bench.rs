//! `xferd plugin bench`: a policy's cases, counted and timed.
// proves: E4

#[path = "../../../engine/host/tests/made/mod.rs"]
mod made;

use made::deciding;
use xferd_e2e::World;
use xferd_e2e::package::{Package, xferd};

const CASES: &str = "[[case]]\nname = \"a push\"\nrequest = { action = \"push\", root = \"inbox\", path = \"a\" }\n\
    expect = { effect = \"allow\" }\n";

/// A component of a folder with one case.
fn component(world: &World, name: &str, decide: &str) -> String {
    let package = Package::new(world, name, "policy@0.1", &deciding(decide), "");
    std::fs::create_dir(package.folder.join("tests")).expect("made");
    std::fs::write(package.folder.join("tests/cases.toml"), CASES).expect("written");
    let short = name.rsplit('/').next().unwrap_or(name);
    package.folder.join(format!("{short}.wasm")).display().to_string()
}

#[test]
fn cases_are_counted_timed_and_compared() {
    let world = World::new();
    let allows = component(&world, "test/allows", "(call $answer (i32.const 0))");
    let turns = "(loop $l (local.set $action (i32.add (local.get $action) (i32.const 1)))
        (br_if $l (i32.lt_u (local.get $action) (i32.const 200)))) (call $answer (i32.const 0))";
    let slower = component(&world, "test/slower", turns);
    let said =
        xferd(&world, &["plugin", "bench", &allows, "--samples", "20", "--against", &slower, "--json"]);
    let found: serde_json::Value = serde_json::from_str(&said.ok().text).expect("JSON");
    let (case, other) = (&found["cases"][0], &found["against"]["cases"][0]);
    assert_eq!((&case["case"], &found["samples"]), (&"a push".into(), &20.into()));
    assert!(case["fuel"].as_u64() > Some(0) && other["fuel"].as_u64() > case["fuel"].as_u64(), "{found}");
    for kind in ["fresh", "reused", "kept"] {
        let at = |key: &str| case[kind][key].as_u64();
        assert!(at("p50_ns") > Some(0) && at("p99_ns") >= at("p50_ns"), "{kind}: {found}");
    }
    let text = xferd(&world, &["plugin", "bench", &allows, "--samples", "5"]).ok().text;
    assert!(text.contains("a push") && text.contains("instructions"), "{text}");
    let traps = component(&world, "test/traps", "(unreachable)");
    xferd(&world, &["plugin", "bench", &traps, "--samples", "5"]).refused(23, "a push", "it trapped");
}
