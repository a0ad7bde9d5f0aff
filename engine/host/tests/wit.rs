//! What was shipped never changes, and what is current still fits it.

use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use wit_parser::Resolve;

fn wit() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

fn frozen() -> Vec<(String, String)> {
    let folder = wit().join("frozen");
    let digests = std::fs::read_to_string(folder.join("DIGESTS")).expect("frozen/DIGESTS");
    let rows = digests.lines().map(|line| line.split_once("  ").expect("digest, two spaces, path"));
    rows.map(|(digest, path)| {
        let text = std::fs::read_to_string(folder.join(path)).expect("a frozen version");
        let found: String = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, digest, "frozen/{path} was shipped: change xferd.wit and make another version");
        (path.to_owned(), text)
    })
    .collect()
}

#[test]
fn every_frozen_version_is_as_it_was_shipped() {
    let listed = frozen();
    assert!(!listed.is_empty());
    for entry in std::fs::read_dir(wit().join("frozen")).expect("wit/frozen") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            let name = format!("{}/xferd.wit", path.file_name().expect("a name").to_string_lossy());
            assert!(listed.iter().any(|(path, _)| *path == name), "{name} is not in DIGESTS");
        }
    }
}

/// Every world of `old` against the one of its name in `new`.
fn fits(old: &str, new: &str) -> Result<(), String> {
    let version =
        |text: &str| text.lines().find(|line| line.starts_with("package ")).expect("a package").to_owned();
    // Two versions of one package lie side by side only under different numbers.
    let old = old.replace(&version(old), "package xferd:plugin@0.0.1;").replace("@0.1.0", "@0.0.1");
    let mut resolve = Resolve::default();
    let before = resolve.push_str("old.wit", &old).map_err(|error| error.to_string())?;
    let after = resolve.push_str("new.wit", new).map_err(|error| error.to_string())?;
    let worlds: Vec<_> =
        resolve.packages[before].worlds.iter().map(|(name, id)| (name.clone(), *id)).collect();
    for (name, before) in worlds {
        let after = *resolve.packages[after].worlds.get(&name).ok_or(format!("world {name} is gone"))?;
        wit_component::semver_check(resolve.clone(), before, after)
            .map_err(|error| format!("world {name}: {error:#}"))?;
    }
    Ok(())
}

#[test]
fn the_current_text_takes_components_of_every_frozen_version() {
    let current = std::fs::read_to_string(wit().join("xferd.wit")).expect("wit/xferd.wit");
    for (path, text) in frozen() {
        fits(&text, &current).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let grown = current.replace("unix-ms: func() -> u64;", "unix-ms: func() -> u64; leap: func() -> u64;");
    fits(&current, &grown).expect("a host function more is compatible");
    let broken = current
        .replace("enum effect { allow, deny, abstain }", "enum effect { allow, deny, abstain, maybe }");
    fits(&current, &broken).expect_err("a case more is not");
    let broken = current.replace("unix-ms: func() -> u64;", "");
    fits(&current, &broken).expect_err("a function less is not");
}
