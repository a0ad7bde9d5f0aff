//! Installs what is missing, where that is possible, and says what it did.

use crate::shell::{Outcome, cargo, find, shown, target};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
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

/// Peers of `cargo xtask bench --compare`, and their Debian packages.
const PEERS: &[(&str, &str, &str)] = &[
    ("sshd", "openssh-server", "rsync, sftp and tar over ssh"),
    ("sftp", "openssh-client", "rsync, sftp and tar over ssh"),
    ("rclone", "rclone", "a peer of benches"),
    ("iperf3", "iperf3", "what the connection gives without files"),
    ("nc", "netcat-openbsd", "tar over a socket"),
];

/// The version of syq that is compared with.
const SYQ: &str = "0.7.1";

/// `cargo xtask setup`.
pub(crate) fn run(bench: bool) -> Outcome<()> {
    let mut missing = ensure();
    if bench {
        missing.extend(ensure_peers());
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("still missing: {}", missing.join(", "))) }
}

/// Installs what is missing; what still is missing afterwards. A test that needs one of these says by name
/// that it was skipped.
pub(crate) fn ensure() -> Vec<String> {
    components();
    let mut missing = packages(PROGRAMS);
    missing.extend(wasm());
    missing
}

/// A way to build plugins: the first that works of what is here, rustup's own library, Debian's packages with the
/// library's source.
fn wasm() -> Option<String> {
    for program in ["rustup", "apt-get"] {
        if plugin_builder::lacks().is_none() {
            break;
        }
        let packages = plugin_builder::apt_packages();
        let outcome = match program {
            _ if find(program).is_none() => continue,
            "rustup" => shown(Command::new(program).args(["target", "add", "wasm32-unknown-unknown"])),
            _ if rustix::process::geteuid().is_root() => install(packages),
            _ => Err(format!("not root; run: apt-get install {}", packages.join(" "))),
        };
        if let Err(error) = outcome {
            println!("setup: {error}");
        }
    }
    let missing = plugin_builder::lacks();
    match &missing {
        None => println!("setup: plugins can be built"),
        Some(missing) => println!("setup: plugins cannot be built: {missing}; {}", missing.next()),
    }
    missing.map(|_| "a way to build WASM".into())
}

/// Installs the peers of benches; what still is missing afterwards. A peer that is missing is printed "not run".
pub(crate) fn ensure_peers() -> Vec<String> {
    let mut missing = packages(PEERS);
    let folder = target().join("peers");
    if !folder.join("bin/syq").is_file() {
        let mut command = cargo();
        command.args(["install", "syq", "--version", SYQ, "--locked", "--quiet", "--root"]).arg(&folder);
        if let Err(error) = shown(command.arg("--target-dir").arg(folder.join("build"))) {
            println!("setup: {error}");
            missing.push("syq".into());
        }
    }
    missing
}

fn packages(programs: &[(&str, &str, &str)]) -> Vec<String> {
    let missing = || programs.iter().filter(|(program, _, _)| find(program).is_none());
    let packages: Vec<&str> = missing().map(|(_, package, _)| *package).collect();
    if packages.is_empty() {
        let names: Vec<&str> = programs.iter().map(|(program, _, _)| *program).collect();
        println!("setup: {} are here", names.join(", "));
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
    let _quiet = NoServices::begin();
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

/// Keeps apt from starting the services that a package brings: benches start their own. Debian asks this program
/// first (invoke-rc.d(8)); 101 forbids. One that is there already is left alone.
struct NoServices(Option<&'static Path>);

impl NoServices {
    fn begin() -> Self {
        let path = Path::new("/usr/sbin/policy-rc.d");
        let options = std::fs::File::options().write(true).create_new(true).mode(0o755).open(path);
        let written = options.and_then(|mut file| file.write_all(b"#!/bin/sh\nexit 101\n"));
        Self(written.is_ok().then_some(path))
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
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
