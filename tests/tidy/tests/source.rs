//! Every Rust file of the repository against every rule that one file can break.

use std::collections::BTreeSet;
use xferd_tidy::repository::{RustFile, rust_files};
use xferd_tidy::rules;

fn none(rule: fn(&RustFile) -> Vec<String>) {
    let files = rust_files();
    assert!(files.len() > 20, "the repository was not found");
    let found: Vec<String> = files.iter().flat_map(rule).collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn unsafe_is_written_in_ring_only() {
    none(rules::stray_unsafe);
}

#[test]
fn every_unsafe_says_why_it_is_sound() {
    none(rules::unexplained_unsafe);
}

#[test]
fn base_proto_and_disk_reach_nothing() {
    none(rules::impure);
}

#[test]
fn the_core_sees_the_world_through_its_seam() {
    none(rules::around_the_seam);
}

#[test]
fn crate_roots_forbid_what_their_room_forbids() {
    none(rules::missing_attributes);
}

#[test]
fn the_engine_never_unwraps() {
    none(rules::unwraps);
}

#[test]
fn nothing_is_unfinished() {
    none(rules::unfinished);
}

#[test]
fn no_test_sleeps_or_is_switched_off() {
    none(rules::weak_tests);
}

#[test]
fn the_core_has_no_bounds_of_its_own() {
    none(rules::stray_bounds);
}

/// Files of one folder above which it is named in the list of crowded ones.
const FILES_WARN: usize = 12;

#[test]
fn files_have_names_and_bounds() {
    none(rules::bad_shape);
    for line in rust_files().iter().flat_map(rules::long) {
        println!("long: {line}");
    }
    let files: Vec<RustFile> =
        rust_files().into_iter().filter(|file| file.in_engine() && !file.is_test).collect();
    let folders: BTreeSet<_> = files.iter().filter_map(|file| file.path.parent()).collect();
    for folder in folders {
        let count = files.iter().filter(|file| file.path.parent() == Some(folder)).count();
        if count > FILES_WARN {
            println!("long: {}: {count} files", folder.display());
        }
    }
}
