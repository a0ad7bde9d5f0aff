//! The policies that ship: each passes its cases within its ceilings of fuel, as `xferd plugin test` runs them, and no
//! plugin built here reaches outside its sandbox.
// proves: E4

use std::path::Path;
use xferd_e2e::{Scratch, bundled, program};

#[test]
fn every_policy_passes_its_cases_and_no_component_imports_wasi() {
    let test = "every_policy_passes_its_cases_and_no_component_imports_wasi";
    let Some(toolchain) = bundled::toolchain(test) else { return };
    let scratch = Scratch::new();
    let mut tested = Vec::new();
    for folder in bundled::folders() {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let component = bundled::package(&toolchain, &folder, &scratch.dir(&name));
        let bytes = std::fs::read(&component).expect("a component");
        let shape = host::inspect(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!shape.exports.is_empty(), "{name} exports nothing");
        for import in imports(&bytes) {
            assert!(import.starts_with("xferd:plugin/"), "{name} imports {import}");
        }
        if !folder.join("tests/cases.toml").is_file() {
            continue;
        }
        let (code, said) = tested_in(&folder, &component);
        assert!(code == Some(0) && said.contains(" passed, 0 failed"), "{name}: {said}");
        tested.push(name);
    }
    assert_eq!(tested, ["acl", "content-rules", "hours", "quota"], "every policy that ships has cases");
}

/// What a component imports, read without the host's own eyes.
fn imports(component: &[u8]) -> Vec<String> {
    match wit_component::decode(component).expect("a component") {
        wit_component::DecodedWasm::Component(resolve, world) => {
            resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key)).collect()
        }
        wit_component::DecodedWasm::WitPackage(..) => panic!("interfaces only"),
    }
}

/// `xferd plugin test` of a folder: its exit code and everything it says.
fn tested_in(folder: &Path, component: &Path) -> (Option<i32>, String) {
    let mut command = program::command("xferd");
    command.args(["plugin", "test"]).arg(folder).arg("--component").arg(component);
    let done = command.output().expect("xferd runs");
    let [stdout, stderr] = [&done.stdout, &done.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    (done.status.code(), format!("{stdout}{stderr}"))
}

#[test]
fn an_author_is_told_what_to_change() {
    let Some(toolchain) = bundled::toolchain("an_author_is_told_what_to_change") else { return };
    let scratch = Scratch::new();
    let folder = scratch.dir("hostile");
    let component = bundled::package(&toolchain, &bundled::workspace().join("tests/hostile"), &folder);
    std::fs::create_dir(folder.join("tests")).expect("made");
    let said_of = |evil: &str| {
        let case = format!(
            "[[case]]\nname = \"{evil}\"\nsettings = {{ evil = \"{evil}\" }}\n\
             request = {{ account = \"alice\", action = \"push\", root = \"r\", path = \"a\" }}\n\
             expect = {{ effect = \"allow\" }}\nfuel-max = 1\n"
        );
        std::fs::write(folder.join("tests/cases.toml"), case).expect("written");
        tested_in(&folder, &component)
    };
    for (evil, words) in [
        ("panic", "it panicked: panic: evil was asked for by \"push\" ("),
        ("panic", "src/lib.rs:"),
        ("loop-decide", "timeout: it took more than "),
        ("grow-memory", "limits.memory in plugin.toml"),
        ("refuse", "configure refused the settings: evil: these settings are refused"),
        ("none", "instructions, at most 1 are allowed"),
        ("none", "effect is abstain"),
    ] {
        let (code, said) = said_of(evil);
        assert_eq!(code, Some(23), "{evil}: {said}");
        assert!(said.contains(words), "{evil}: {words}: {said}");
    }
    let manifest = folder.join("plugin.toml");
    let text = std::fs::read_to_string(&manifest).expect("copied");
    let without = text.split("[grants]").next().expect("what is before");
    std::fs::write(&manifest, without).expect("written");
    let (code, said) = said_of("none");
    assert_eq!(code, Some(2), "{said}");
    for line in [
        "it imports what is not granted; add to [grants] in plugin.toml:",
        "identity = { claims = [] }   # for identity",
        "quota = { NAME = { rate = \"100/min\", burst = 20 } }   # for quota",
        "kv = { bytes-max = \"256KiB\" }   # for kv-read",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
}
