//! Rooms and dependencies, as Cargo sees them, against ARCHITECTURE.md.

use xferd_tidy::doors::{DOORS, forbidden, imports, metadata, packages, undeclared, unused_rows};
use xferd_tidy::repository::root;
use xferd_tidy::table::{quoted, rows_under};

fn architecture() -> String {
    std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md is there")
}

#[test]
fn rooms_import_only_through_their_doors() {
    let imports = imports(&metadata());
    assert!(imports.iter().any(|import| import.from == "xferd-proto"), "the rooms were not found");
    let found = forbidden(&imports);
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn the_doors_here_are_those_of_the_document() {
    let rows = rows_under(&architecture(), "Who may import whom");
    for (room, allowed) in DOORS {
        let Some(row) = rows.iter().find(|row| quoted(&row[0]).contains(&(*room).to_owned())) else {
            continue;
        };
        assert_eq!(quoted(&row[1]), *allowed, "ARCHITECTURE.md on {room}");
    }
    assert!(rows.len() >= 7, "ARCHITECTURE.md lists its rooms");
}

#[test]
fn every_dependency_is_a_decision() {
    let rows = rows_under(&architecture(), "Dependencies");
    let rows: Vec<_> =
        rows.iter().map(|row| (quoted(&row[0]), quoted(row.last().expect("a row has cells")))).collect();
    let imports = imports(&metadata());
    let mut found = undeclared(&imports, &rows);
    found.extend(unused_rows(&imports, &rows));
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn every_package_takes_the_lints_and_is_never_published() {
    let metadata = metadata();
    for package in packages(&metadata) {
        let path = package["manifest_path"].as_str().expect("a package has a manifest");
        let manifest = std::fs::read_to_string(path).expect("a manifest can be read");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{path}: the workspace's lints are missing");
        assert!(manifest.contains("publish = false"), "{path}: publish = false is missing");
    }
}
