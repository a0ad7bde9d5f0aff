//! The golden of every command's help. `GOLDEN=write cargo test -p xferd --test help` writes them again.

use std::path::Path;
use std::process::Command;

fn compare(program: &str, path: &str, command: &[&str]) {
    let output = Command::new(path).args(command).arg("--help").env_clear().output().expect("runs");
    assert!(output.status.success(), "{program} {command:?}");
    assert!(output.stderr.is_empty(), "{program} {command:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let name = std::iter::once(program).chain(command.iter().copied()).collect::<Vec<_>>().join("-");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/help").join(format!("{name}.txt"));
    if std::env::var_os("GOLDEN").is_some_and(|value| value == "write") {
        std::fs::write(&golden, &text).expect("golden written");
    }
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    assert_eq!(text, expected, "{} differs; if that is meant: GOLDEN=write", golden.display());
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    assert!(widest <= 100, "{name}: a line of {widest} characters");
}

#[test]
fn xferd_help_is_the_golden() {
    let plugin = [
        "new", "build", "test", "bench", "keygen", "sign", "install", "grant", "list", "show", "keys",
        "remove", "reload", "explain",
    ];
    let plugin = plugin.map(|name| format!("plugin {name}"));
    let group = ["create", "delete", "add", "remove", "list"].map(|name| format!("group {name}"));
    let plain = [
        "",
        "invite",
        "status",
        "check-config",
        "doctor",
        "devices",
        "group",
        "stored",
        "reload",
        "stop",
        "plugin",
    ];
    let below = plugin.iter().chain(&group).map(String::as_str);
    for command in plain.into_iter().chain(below) {
        let command: Vec<&str> = command.split_terminator(' ').collect();
        compare("xferd", env!("CARGO_BIN_EXE_xferd"), &command);
    }
}

#[test]
fn xfer_help_is_the_golden() {
    for command in ["", "join", "copy", "sync", "ls", "rm", "status", "call", "remotes", "verify"] {
        let command: Vec<&str> = command.split_terminator(' ').collect();
        compare("xfer", env!("CARGO_BIN_EXE_xfer"), &command);
    }
}
