//! Whether a copy is what it should be: by a walk and BLAKE3 that share no code with the engine.

use crate::Outcome;
use std::path::Path;
use xferd_e2e::compare::{Depth, Snapshot, differences, hash, snapshot, without_parts};

/// Both files hold the same bytes.
///
/// # Errors
/// They do not.
pub fn same_file(source: &Path, copy: &Path) -> Outcome<()> {
    is_hash(&hash(source), copy)
}

/// The file has this BLAKE3.
///
/// # Errors
/// It does not, or is not there.
pub fn is_hash(wanted: &str, copy: &Path) -> Outcome<()> {
    if copy.is_file() && hash(copy) == wanted {
        return Ok(());
    }
    Err(format!("{} is not what was sent", copy.display()))
}

/// The tree at `copy` equals the one that was walked.
///
/// # Errors
/// It does not; the first differences.
pub fn same_tree(source: &Snapshot, copy: &Path, depth: Depth) -> Outcome<()> {
    if !copy.is_dir() {
        return Err(format!("{} is not there", copy.display()));
    }
    let found = differences(source, &without_parts(snapshot(copy)), depth);
    if found.is_empty() {
        Ok(())
    } else {
        Err(format!("the copy differs: {}", found[..found.len().min(3)].join("; ")))
    }
}
