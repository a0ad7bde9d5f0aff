//! What a release build must not contain.

use std::path::PathBuf;
use xferd_tidy::doors::metadata;

/// The variable that makes a test build kill itself; written in two halves so that this file stays clean.
const CRASH: (&str, &str) = ("XFERD", "_CRASH");

#[test]
fn a_release_binary_knows_no_crash_points() {
    let target =
        metadata()["target_directory"].as_str().map(PathBuf::from).expect("cargo names its target directory");
    let word = format!("{}{}", CRASH.0, CRASH.1);
    for name in ["xferd", "xfer"] {
        let path = target.join("release").join(name);
        let Ok(bytes) = std::fs::read(&path) else {
            println!("skipped: {name}: no release build at {}", path.display());
            continue;
        };
        let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!found, "{}: contains {word}", path.display());
    }
}
