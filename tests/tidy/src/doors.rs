//! Who may import whom, judged on what Cargo itself says.

use serde_json::Value;
use std::process::Command;

/// One dependency that a package of this workspace names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Import {
    /// The importing package's name, such as `xferd-proto`.
    pub from: String,
    /// The imported package's name, such as `blake3` or `xferd-base`.
    pub to: String,
    /// Whether only its tests and benches import it.
    pub for_tests: bool,
}

/// Which rooms a room may import outside its tests. `xferd` may import every room.
pub const DOORS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("proto", &["base"]),
    ("disk", &["base"]),
    ("ring", &["base"]),
    ("host", &["base"]),
    ("state", &["base"]),
    ("identity", &["base", "proto"]),
    ("shard", &["base", "proto", "disk"]),
    ("fleet", &["base", "state"]),
    ("plugin-sdk", &[]),
    ("plugin-builder", &["base"]),
];

/// Packages outside `engine/` that nothing in `engine/` may import.
pub const OUTSIDE: &[&str] = &["xferd-tidy", "xferd-e2e", "xferd-sim", "xferd-bench", "xferd-load", "xtask"];

/// What `cargo metadata` says of this workspace, without reaching the network.
pub fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--no-deps"])
        .current_dir(crate::repository::root())
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON")
}

/// The packages of the workspace as `cargo metadata` lists them.
pub fn packages(metadata: &Value) -> &[Value] {
    metadata["packages"].as_array().map_or(&[], Vec::as_slice)
}

/// Every dependency named in the workspace.
pub fn imports(metadata: &Value) -> Vec<Import> {
    let mut found = Vec::new();
    for package in packages(metadata) {
        for dependency in package["dependencies"].as_array().map_or(&[][..], Vec::as_slice) {
            found.push(Import {
                from: package["name"].as_str().unwrap_or_default().to_owned(),
                to: dependency["name"].as_str().unwrap_or_default().to_owned(),
                for_tests: dependency["kind"].as_str() == Some("dev"),
            });
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The doors between rooms that should not be there.
pub fn forbidden(imports: &[Import]) -> Vec<String> {
    let room = |package: &str| package.strip_prefix("xferd-").unwrap_or(package).to_owned();
    let is_ours = |package: &str| package.starts_with("xferd") || package == "xtask";
    let mut found = Vec::new();
    for import in imports.iter().filter(|import| is_ours(&import.to)) {
        let from = room(&import.from);
        let to = room(&import.to);
        let outside = OUTSIDE.contains(&import.from.as_str());
        if OUTSIDE.contains(&import.to.as_str()) && !outside {
            found.push(format!("{from} imports {to}: tests, bench and xtask are imported by nothing"));
        }
        let Some((_, allowed)) = DOORS.iter().find(|(name, _)| *name == from) else { continue };
        if !import.for_tests && !allowed.contains(&to.as_str()) {
            found.push(format!("{from} imports {to}: it may import {allowed:?}"));
        }
    }
    found
}

/// Dependencies from outside the workspace without a row, or imported by a room their row does not name.
/// A row is (names, rooms); `any` as a room means every room; tests of any room may import what has a row.
pub fn undeclared(imports: &[Import], rows: &[(Vec<String>, Vec<String>)]) -> Vec<String> {
    let mut found = Vec::new();
    for import in imports.iter().filter(|import| !import.to.starts_with("xferd") && import.to != "xtask") {
        let from = import.from.strip_prefix("xferd-").unwrap_or(&import.from);
        match rows.iter().find(|(names, _)| names.contains(&import.to)) {
            None => found.push(format!("{} ({from}) has no row in ARCHITECTURE.md, Dependencies", import.to)),
            Some((_, rooms)) => {
                let may = import.for_tests || rooms.iter().any(|room| room == from || room == "any");
                if !may {
                    found.push(format!("{from} imports {}: only {rooms:?} may", import.to));
                }
            }
        }
    }
    found
}

/// Rows of dependencies that nothing imports.
pub fn unused_rows(imports: &[Import], rows: &[(Vec<String>, Vec<String>)]) -> Vec<String> {
    let names = rows.iter().flat_map(|(names, _)| names);
    names
        .filter(|name| imports.iter().all(|import| import.to != **name))
        .map(|name| format!("{name} has a row in ARCHITECTURE.md, Dependencies, and nothing imports it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn import(from: &str, to: &str, for_tests: bool) -> Import {
        Import { from: from.into(), to: to.into(), for_tests }
    }

    #[test]
    fn a_door_that_should_not_be_there_is_found() {
        let good = [import("xferd-shard", "xferd-disk", false), import("xferd", "xferd-ring", false)];
        assert!(forbidden(&good).is_empty());
        assert_eq!(forbidden(&[import("xferd-shard", "xferd-ring", false)]).len(), 1);
        assert!(forbidden(&[import("xferd-shard", "xferd-ring", true)]).is_empty());
        assert_eq!(forbidden(&[import("xferd", "xferd-e2e", true)]).len(), 1);
        assert_eq!(forbidden(&[import("xferd-base", "xferd-proto", false)]).len(), 1);
    }

    #[test]
    fn a_dependency_without_a_row_or_in_the_wrong_room_is_found() {
        let rows = [(vec!["libc".to_owned()], vec!["ring".to_owned()])];
        assert!(undeclared(&[import("xferd-ring", "libc", false)], &rows).is_empty());
        assert!(undeclared(&[import("xferd-disk", "libc", true)], &rows).is_empty());
        assert_eq!(undeclared(&[import("xferd-disk", "libc", false)], &rows).len(), 1);
        assert_eq!(undeclared(&[import("xferd-ring", "nix", false)], &rows).len(), 1);
        assert_eq!(unused_rows(&[], &rows).len(), 1);
    }
}
