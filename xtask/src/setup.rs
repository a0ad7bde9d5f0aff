//! Installs what is missing, where that is possible, and says what it did.

use crate::shell::{Outcome, cargo, find, shown};
use std::process::Command;

/// Programs that tests and demo use, and their Debian packages.
const PROGRAMS: &[(&str, &str, &str)] = &[
    ("rsync", "rsync", "the judge of trees, and the peer of benches"),
    ("b3sum", "b3sum", "the judge of hashes"),
    ("strace", "strace", "the judge of the order of syncs"),
    ("mkfs.ext4", "e2fsprogs", "small file systems that fill up"),
];

/// Parts of the Rust toolchain that `cargo xtask test` needs, and how their presence is seen.
const COMPONENTS: &[(&str, &str)] = &[("rustfmt", "fmt"), ("clippy", "clippy")];

/// `cargo xtask setup`.
pub(crate) fn run() -> Outcome<()> {
    let missing = ensure();
    if missing.is_empty() { Ok(()) } else { Err(format!("still missing: {}", missing.join(", "))) }
}

/// Installs what is missing; what still is missing afterwards. A test that needs one of these says by name
/// that it was skipped.
pub(crate) fn ensure() -> Vec<String> {
    components();
    let missing = || PROGRAMS.iter().filter(|(program, _, _)| find(program).is_none());
    let packages: Vec<&str> = missing().map(|(_, package, _)| *package).collect();
    if packages.is_empty() {
        println!(
            "setup: {} are here",
            PROGRAMS.iter().map(|(program, _, _)| *program).collect::<Vec<_>>().join(", ")
        );
        return Vec::new();
    }
    if find("apt-get").is_none() {
        println!("setup: no apt-get here; install {} yourself", packages.join(" "));
    } else if !rustix::process::geteuid().is_root() {
        println!("setup: not root; run: apt-get install {}", packages.join(" "));
    } else if let Err(error) = install(&packages) {
        println!("setup: {error}");
    }
    for (program, package, purpose) in missing() {
        println!("setup: {program} ({package}) is missing: {purpose}");
    }
    missing().map(|(program, _, _)| (*program).to_owned()).collect()
}

fn install(packages: &[&str]) -> Outcome<()> {
    let attempt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args([
            "install",
            "-y",
            "-q",
            "--no-install-recommends",
        ]);
        shown(command.args(packages))
    };
    if attempt().is_ok() {
        return Ok(());
    }
    shown(Command::new("apt-get").args(["update", "-q"]))?;
    attempt()
}

fn components() {
    for (component, subcommand) in COMPONENTS {
        let there = cargo().args([subcommand, "--version"]).output().is_ok_and(|out| out.status.success());
        if there {
            continue;
        }
        if find("rustup").is_none() {
            println!("setup: {component} is missing and there is no rustup; install it yourself");
        } else if let Err(error) = shown(Command::new("rustup").args(["component", "add", component])) {
            println!("setup: {error}");
        }
    }
}
