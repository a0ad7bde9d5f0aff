//! Formatting, clippy, every test; one closing line.

use crate::setup;
use crate::shell::{Outcome, cargo, describe, shown, target};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::Stdio;

/// `cargo xtask test`.
pub(crate) fn run(arguments: &[String]) -> Outcome<()> {
    setup::ensure();
    shown(cargo().args(["fmt", "--all", "--check"]))?;
    shown(cargo().args(["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))?;
    let programs = programs()?;

    let mut command = cargo();
    command.args(BUILD).args(["--no-fail-fast", "--", "--show-output"]).args(arguments);
    command.env("XFERD_BIN_DIR", &programs).stdout(Stdio::piped());
    println!("$ {}", describe(&command));
    let mut child = command.spawn().map_err(|error| format!("cargo test: {error}"))?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            if tally.take(&line) {
                println!("{line}");
            }
        }
    }
    let status = child.wait().map_err(|error| format!("cargo test: {error}"))?;
    println!("{} passed, {} failed", tally.passed, tally.failed);
    if !status.success() || tally.failed > 0 {
        return Err(format!("cargo test: {status}"));
    }
    if tally.passed == 0 && arguments.is_empty() {
        return Err("cargo test ran nothing".into());
    }
    Ok(())
}

/// What both steps build: one selection of packages and features, so that no dependency is compiled twice.
const BUILD: [&str; 4] = ["test", "--workspace", "--features", "xferd/crash-points"];

/// Builds everything, and puts the two programs where no later build will replace them while tests run them.
fn programs() -> Outcome<PathBuf> {
    shown(cargo().args(BUILD).args(["--no-run", "--quiet"]))?;
    let folder = target().join("test-bin");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for name in ["xferd", "xfer"] {
        let (from, to) = (target().join("debug").join(name), folder.join(name));
        // A rename replaces a program that still runs somewhere; writing into it would fail with ETXTBSY.
        let fresh = folder.join(format!("{name}.fresh"));
        std::fs::copy(&from, &fresh)
            .and_then(|_| std::fs::rename(&fresh, &to))
            .map_err(|error| format!("{} to {}: {error}", from.display(), to.display()))?;
    }
    Ok(folder)
}

/// Reads what the test programs print.
#[derive(Default)]
struct Tally {
    passed: u64,
    failed: u64,
    in_successes: bool,
}

impl Tally {
    /// Counts a line; whether it is worth showing. What passing tests print is not, but for what they skipped.
    fn take(&mut self, line: &str) -> bool {
        if line == "successes:" {
            self.in_successes = true;
        }
        if line == "failures:" || line.starts_with("test result:") {
            self.in_successes = false;
        }
        if let Some(rest) = line.strip_prefix("test result:") {
            let number = |word: &str| {
                let before = rest.split(word).next().unwrap_or_default();
                before.split_whitespace().last().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0)
            };
            self.passed += number(" passed");
            self.failed += number(" failed");
            return number(" passed") + number(" failed") > 0;
        }
        if self.in_successes {
            return ["skipped:", "long:", "seeds:", "faults:"].iter().any(|word| line.starts_with(word));
        }
        !(line.is_empty() || line == "running 0 tests")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_summed_and_skips_are_shown() {
        let mut tally = Tally::default();
        let text = "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nsuccesses:\n\n---- a stdout ----\nnoise\nskipped: a: no strace\n\nsuccesses:\n    a\n\nfailures:\n\n---- b stdout ----\nreason\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured\ntest result: ok. 3 passed; 0 failed; 0 ignored\ntest result: ok. 0 passed; 0 failed; 0 ignored";
        let shown: Vec<&str> = text.lines().filter(|line| tally.take(line)).collect();
        assert_eq!((tally.passed, tally.failed), (4, 1));
        assert!(shown.contains(&"skipped: a: no strace"));
        assert!(shown.contains(&"reason"));
        assert!(!shown.contains(&"noise"));
    }
}
