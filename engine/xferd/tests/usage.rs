//! What the two programs say to command lines that cannot be right: status, streams, and with `--json` exactly
//! one result.

use std::process::{Command, Output};

const XFER: &str = env!("CARGO_BIN_EXE_xfer");
const XFERD: &str = env!("CARGO_BIN_EXE_xferd");

fn run(program: &str, arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().expect("temporary directory");
    Command::new(program).args(arguments).env_clear().env("HOME", home.path()).output().expect("runs")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

#[track_caller]
fn refused(program: &str, arguments: &[&str], exit: i32, parts: &[&str]) {
    let output = run(program, arguments);
    let stderr = text(&output.stderr);
    assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {stderr}");
    assert!(output.stdout.is_empty(), "{arguments:?}: {}", text(&output.stdout));
    for part in parts {
        assert!(stderr.contains(part), "{arguments:?} lacks {part:?}: {stderr}");
    }
}

#[test]
fn wrong_command_lines_end_with_1() {
    refused(XFER, &[], 1, &["Usage: xfer"]);
    refused(XFER, &["frobnicate"], 1, &["unrecognized subcommand"]);
    refused(XFER, &["copy", "a"], 1, &["2 values required"]);
    refused(XFER, &["copy", "--frobnicate", "a", "lab:"], 1, &["--frobnicate"]);
    refused(XFER, &["copy", "--streams", "0", "a", "lab:"], 1, &["--streams"]);
    refused(XFER, &["copy", "-v", "-q", "a", "lab:"], 1, &["cannot be used with"]);
    refused(XFER, &["sync", "--delete-max", "3", "a", "lab:"], 1, &["--delete"]);
    refused(XFERD, &["frobnicate"], 1, &["unrecognized subcommand"]);
    refused(XFERD, &["invite"], 1, &["--account"]);
    refused(XFERD, &["invite", "--account", "a/b"], 1, &["cannot be the name of an account"]);
    refused(XFERD, &["invite", "--account", "a", "--ttl", "1w"], 1, &["write a number"]);
    refused(XFERD, &["--cores", "0"], 1, &["--cores"]);
    refused(XFERD, &["--cores", "2", "status"], 1, &["--cores is a flag of the daemon", "next:"]);
    refused(XFERD, &["--listen", "nowhere"], 1, &["--listen: \"nowhere\" is no address", "IP:PORT"]);
}

#[test]
fn both_ends_alike_are_refused_clearly() {
    refused(XFER, &["copy", "a", "b"], 1, &["both ends are local", "NAME:PATH"]);
    refused(XFER, &["sync", "lab:a", "hub:b"], 1, &["both ends are remote"]);
    refused(XFER, &["copy", "lab:a", "hub:b", "."], 1, &["two remotes: lab and hub"]);
    refused(XFER, &["copy", "lab:../x", "."], 3, &["..", "from the top"]);
    refused(XFER, &["ls", "./here"], 1, &["is local"]);
    refused(XFER, &["rm", "-r", "lab:/"], 1, &["top of a remote"]);
}

#[test]
fn unsupported_flags_are_refused_by_name() {
    for (flag, reason) in [
        ("--compress-level=9", "nothing to choose"),
        ("-aH", "hard links"),
        ("-H", "hard links"),
        ("-A", "access control"),
        ("-X", "extended attributes"),
        ("-D", "devices"),
        ("--timeout=10", "deadlines"),
        ("--partial", "resumed"),
        ("--max-delete=3", "--delete-max"),
    ] {
        refused(XFER, &["sync", flag, "a", "lab:a"], 1, &["is not supported", reason, "next:"]);
    }
}

#[test]
fn a_usage_error_in_json_is_one_result() {
    for arguments in [
        &["--json", "frobnicate"][..],
        &["copy", "--json", "-H", "a", "lab:"],
        &["copy", "a", "b", "--json"],
        &["--json"],
        &["--json", "copy", "-n", "--exclude-from", "/nowhere", "a", "lab:"],
    ] {
        let output = run(XFER, arguments);
        let lines: Vec<serde_json::Value> =
            text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.len(), 1, "{arguments:?}");
        let exit = output.status.code().expect("an exit status");
        assert_eq!((&lines[0]["event"], &lines[0]["ok"]), (&"result".into(), &false.into()), "{arguments:?}");
        assert_eq!(
            (&lines[0]["exit"], &lines[0]["seq"], &lines[0]["schema"]),
            (&exit.into(), &0.into(), &1.into())
        );
        assert!(exit == 1 || exit == 3, "{arguments:?}: {exit}");
        assert!(lines[0]["message"].as_str().is_some_and(|m| !m.is_empty()), "{arguments:?}");
    }
}

#[test]
fn versions_and_help_are_results() {
    for program in [XFER, XFERD] {
        let output = run(program, &["--version"]);
        assert!(
            output.status.success()
                && text(&output.stdout).ends_with(concat!(env!("CARGO_PKG_VERSION"), "\n"))
        );
        assert!(run(program, &["-h"]).status.success());
    }
}

#[test]
fn check_config_tells_all_mistakes_and_prints_what_is_in_force() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = directory.path().join("xferd.toml");
    let path = path.to_str().expect("UTF-8");
    std::fs::write(path, "cores = 2\nlissten = []\nroot = \"x\"\n").expect("written");
    refused(
        XFERD,
        &["check-config", path],
        1,
        &["xferd.toml:2: unknown key \"lissten\"", "\"listen\"", ":3: root"],
    );
    std::fs::write(path, "cores = 2\nroot = \"/srv\"\n").expect("written");
    for arguments in [
        &["check-config", path][..],
        &["--config", path, "check-config"],
        &["check-config", "--config", path],
    ] {
        let output = run(XFERD, arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).starts_with("cores = 2"), "{}", text(&output.stdout));
        assert!(text(&output.stdout).contains("xferd.toml:2"));
    }
    let limits = run(XFERD, &["check-config", path, "--limits"]);
    assert!(text(&limits.stdout).contains("sessions_per_core_max = 4096"));
}

#[test]
fn commands_for_a_daemon_that_is_not_there_end_with_10() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let state = directory.path().to_str().expect("UTF-8");
    for arguments in [["reload", "--state", state], ["stop", "--state", state], ["--state", state, "stop"]] {
        refused(XFERD, &arguments, 10, &["no daemon runs on", "next:"]);
    }
}

#[test]
fn names_with_control_sequences_are_escaped() {
    refused(XFER, &["copy", "\x1b[31m:x", "."], 1, &["\\u{1b}[31m"]);
}
