//! What a person meets before anything runs: help, mistakes in flags and configuration.

use std::process::Output;
use xferd_e2e::{Client, Scratch, program};

fn xferd(arguments: &[&str]) -> Output {
    program::command("xferd").args(arguments).output().expect("xferd runs")
}

fn errors(out: &Output) -> String {
    String::from_utf8_lossy(&out.stderr).into_owned()
}

#[test]
fn mistakes_in_a_configuration_are_told_with_line_and_nearest_key() {
    let scratch = Scratch::new();
    let file = scratch.join("bad.toml");
    std::fs::write(&file, "cores = 2\n\n[[share]]\nname = \"a\"\npaht = \"/tmp\"\n").expect("written");
    let out = xferd(&["check-config", &file.display().to_string()]);
    assert_eq!(out.status.code(), Some(1));
    let text = errors(&out);
    assert!(text.contains(":5") && text.contains("paht") && text.contains("path"), "{text}");
    let good = scratch.join("good.toml");
    let root = scratch.dir("root");
    std::fs::write(&good, format!("cores = 2\n[[share]]\nname = \"a\"\npath = \"{}\"\n", root.display()))
        .expect("written");
    let out = xferd(&["check-config", &good.display().to_string()]);
    assert!(out.status.success(), "{}", errors(&out));
}

#[test]
fn wrong_flags_are_exit_1_and_json_still_has_its_result() {
    let scratch = Scratch::new();
    let client = Client::new(&scratch.join("state"), scratch.path());
    let wrong: &[&[&str]] = &[
        &["frobnicate"],
        &["copy"],
        &["copy", "a", "b"],
        &["copy", "lab:/a", "lab:/b"],
        &["sync", "--frobnicate", "a", "lab:/b"],
        &["sync", "-H", "a", "lab:/b"],
        &["copy", "--timeout=10", "a", "lab:/b"],
    ];
    for arguments in wrong {
        let run = client.run(*arguments).fails(1);
        assert!(!run.stderr.is_empty(), "{arguments:?}");
        assert_eq!(client.json(arguments.iter().copied()).result()["exit"], 1, "{arguments:?}");
    }
    let run = client.run(["sync", "-H", "a", "lab:/b"]).fails(1);
    assert!(run.stderr.contains("-H"), "a refused flag is named: {}", run.stderr);
}

#[test]
fn every_command_explains_itself() {
    for (name, commands) in [
        ("xfer", &["", "join", "copy", "sync", "ls", "rm", "status"][..]),
        ("xferd", &["", "invite", "status", "check-config"]),
    ] {
        for command in commands {
            let mut help = program::command(name);
            help.args(command.split_whitespace()).arg("--help");
            let out = help.output().expect("it runs");
            let text = String::from_utf8_lossy(&out.stdout).into_owned();
            assert!(out.status.success() && text.contains("Usage"), "{name} {command}: {text}");
            assert!(
                text.lines().all(|line| line.chars().count() <= 100),
                "{name} {command}: a line is too long"
            );
        }
        let out = program::command(name).arg("--version").output().expect("it runs");
        assert!(String::from_utf8_lossy(&out.stdout).starts_with(name));
    }
}
