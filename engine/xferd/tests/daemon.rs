//! The daemon from outside: what it prints, refuses, answers over its socket, and how it ends.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

const XFER: &str = env!("CARGO_BIN_EXE_xfer");
const XFERD: &str = env!("CARGO_BIN_EXE_xferd");

/// A daemon over a temporary directory; it is killed when this is dropped.
struct Daemon {
    child: Child,
    stdout: BufReader<ChildStdout>,
    ready: String,
    home: tempfile::TempDir,
}

impl Daemon {
    fn with(arguments: &[&str], config: Option<&str>) -> Self {
        let home = tempfile::tempdir().expect("temporary directory");
        let mut command = command(&home);
        command.args(["--listen", "127.0.0.1:0", "--cores", "1"]).args(arguments);
        match config {
            Some(text) => {
                std::fs::create_dir(home.path().join("data")).expect("made");
                let text = text.replace("HOME", home.path().to_str().expect("text"));
                std::fs::write(home.path().join("x.toml"), text).expect("written");
                command.arg("--config").arg(home.path().join("x.toml"));
            }
            None => {
                std::fs::create_dir(home.path().join("root")).expect("made");
                command.arg("--root").arg(home.path().join("root"));
            }
        }
        let log = std::fs::File::create(home.path().join("log")).expect("made");
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().expect("starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut ready = String::new();
        stdout.read_line(&mut ready).expect("read");
        let daemon = Self { child, stdout, ready, home };
        assert!(daemon.ready.starts_with("ready listen=127.0.0.1:"), "{:?}: {}", daemon.ready, daemon.log());
        daemon
    }

    fn new() -> Self {
        Self::with(&[], None)
    }

    fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("log")).expect("readable")
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("signalled");
    }

    /// Waits for its end; nothing but the ready line may have come on stdout.
    fn end(mut self) -> (ExitStatus, String) {
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut self.stdout, &mut rest).expect("read");
        assert_eq!(rest, "", "more than the ready line on stdout");
        let status = self.child.wait().expect("waited");
        (status, self.log())
    }

    /// A subcommand: status, stdout, stderr.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let output = command(&self.home).args(arguments).output().expect("runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    /// Lines over the admin socket.
    fn talk(&self, lines: &[&str]) -> Vec<Value> {
        let stream = UnixStream::connect(self.state().join("admin.sock")).expect("connected");
        let mut reader = BufReader::new(stream.try_clone().expect("cloned"));
        lines
            .iter()
            .map(|line| {
                (&stream).write_all(format!("{line}\n").as_bytes()).expect("sent");
                let mut answer = String::new();
                reader.read_line(&mut answer).expect("read");
                serde_json::from_str(&answer).expect("JSON")
            })
            .collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(home: &tempfile::TempDir) -> Command {
    let mut command = Command::new(XFERD);
    command.env_clear().arg("--state").arg(home.path().join("state")).stdin(Stdio::null());
    command
}

#[test]
fn ready_stands_alone_and_status_and_stop_answer() {
    let daemon = Daemon::new();
    let words: Vec<&str> = daemon.ready.split_whitespace().collect();
    assert_eq!(words.len(), 5, "{words:?}");
    let (code, text, _) = daemon.run(&["status", "--json"]);
    let status: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, &status["running"], &status["settings"]["cores"]), (Some(0), &json!(true), &json!(1)));
    assert_eq!(status["cores"].as_array().map(Vec::len), Some(1), "{status}");
    assert_eq!(format!("io={}", status["io"].as_str().expect("text")), words[2]);
    let (code, text, _) = daemon.run(&["devices"]);
    assert_eq!((code, text.lines().count()), (Some(0), 1), "the daemon itself: {text}");
    assert_eq!(daemon.run(&["stop"]), (Some(0), "stopped\n".to_owned(), String::new()));
    assert!(!daemon.state().join("admin.sock").exists());
    let (status, log) = daemon.end();
    assert!(status.success(), "{log}");
}

#[test]
fn lines_that_are_no_requests_are_answered_and_the_next_one_is_served() {
    let daemon = Daemon::new();
    let answers = daemon.talk(&[
        "garbage",
        "{\"schema\":2,\"id\":5,\"command\":\"status\"}",
        "{\"schema\":1,\"id\":6,\"command\":\"explode\"}",
        "{\"schema\":1,\"id\":7,\"command\":\"invite\",\"arguments\":{\"account\":\"a/b\",\"ttl_ms\":1000}}",
        "{\"schema\":1,\"id\":8,\"command\":\"invite\",\"arguments\":{\"account\":\"a\",\"ttl_ms\":99999999999}}",
        "{\"schema\":1,\"id\":9,\"command\":\"status\"}",
    ]);
    let codes: Vec<&Value> = answers.iter().map(|answer| &answer["error"]["code"]).collect();
    let invalid = json!("INVALID_REQUEST");
    assert_eq!(codes, [&invalid, &json!("VERSION"), &invalid, &invalid, &invalid, &Value::Null]);
    assert_eq!(
        (&answers[1]["id"], &answers[5]["id"], &answers[5]["ok"]),
        (&json!(5), &json!(9), &json!(true))
    );
}

#[test]
fn an_invitation_names_the_listening_address() {
    let daemon = Daemon::new();
    let (code, token, errors) = daemon.run(&["invite", "--account", "alice"]);
    assert_eq!((code, token.lines().count()), (Some(0), 1), "{errors}");
    let (_, text, _) = daemon.run(&["invite", "--account", "alice", "--json"]);
    let data: Value = serde_json::from_str(&text).expect("JSON");
    let listen =
        daemon.ready.split_whitespace().nth(1).and_then(|word| word.strip_prefix("listen=")).expect("there");
    assert_eq!(data["addresses"], json!([listen]));
    assert!(!daemon.log().contains(token.trim()), "a token in the log");
}

#[test]
fn signals_end_an_idle_daemon_in_order() {
    let daemon = Daemon::new();
    daemon.signal(Signal::TERM);
    assert!(daemon.end().0.success());
    let daemon = Daemon::new();
    daemon.signal(Signal::INT);
    let (status, log) = daemon.end();
    assert!(status.success() && log.contains("SIGINT"), "{log}");
}

#[test]
fn a_reload_takes_effect_or_changes_nothing() {
    let config = "[[share]]\nname = \"data\"\npath = \"HOME/data\"\n";
    let daemon = Daemon::with(&[], Some(config));
    let path = daemon.home.path().join("x.toml");
    let write = |text: &str| {
        let text = text.replace("HOME", daemon.home.path().to_str().expect("text"));
        std::fs::write(&path, text).expect("written");
    };
    write(
        "[[share]]\nname = \"data\"\npath = \"HOME/data\"\nread-only = true\n[limits]\nseal_files_max = 9\n",
    );
    let (code, text, errors) = daemon.run(&["reload", "--json"]);
    assert_eq!(code, Some(0), "{errors}");
    let data: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(data, json!({"generation": 2, "needs_restart": ["limits"], "plugins": []}));
    let shares = |daemon: &Daemon| {
        let (_, text, _) = daemon.run(&["status", "--json"]);
        serde_json::from_str::<Value>(&text).expect("JSON")["shares"].clone()
    };
    assert_eq!(shares(&daemon)[0]["read_only"], true);
    write("[[share]]\nname = \"data\"\npaht = \"HOME/data\"\n");
    let (code, _, errors) = daemon.run(&["reload"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("x.toml:3: unknown key \"share.paht\""), "{errors}");
    write("[[share]]\nname = \"data\"\npath = \"HOME/gone\"\n");
    let (code, _, errors) = daemon.run(&["reload"]);
    assert_eq!(code, Some(1));
    assert!(errors.contains("gone"), "{errors}");
    assert_eq!(shares(&daemon)[0]["read_only"], true, "nothing changed");
}

#[test]
fn what_cannot_start_says_why_and_leaves_with_5() {
    let daemon = Daemon::new();
    let root = daemon.home.path().join("root");
    let refused = |arguments: &[&str], parts: &[&str]| {
        let output = Command::new(XFERD).env_clear().args(arguments).output().expect("runs");
        let errors = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(5), "{arguments:?}: {errors}");
        assert!(output.stdout.is_empty());
        for part in parts {
            assert!(errors.contains(part), "{arguments:?} lacks {part:?}: {errors}");
        }
    };
    let (root, state) = (root.to_str().expect("text"), daemon.state());
    let state = state.to_str().expect("text");
    let pid = daemon.child.id().to_string();
    refused(&["--state", state, "--root", root, "--listen", "127.0.0.1:0"], &[&pid, "next:"]);
    let other = daemon.home.path().join("other");
    let other = other.to_str().expect("text");
    let gone = format!("{root}/gone");
    refused(&["--state", other, "--root", &gone, "--listen", "127.0.0.1:0"], &[&gone, "next:"]);
    let listen =
        daemon.ready.split_whitespace().nth(1).and_then(|word| word.strip_prefix("listen=")).expect("there");
    refused(&["--state", other, "--root", root, "--listen", listen], &[listen, "in use", "next:"]);
    let output = Command::new(XFERD).env_clear().args(["--state", other]).output().expect("runs");
    assert_eq!(output.status.code(), Some(1), "nothing to serve is a mistake of the caller");
}

#[test]
fn logs_can_be_json_one_object_a_line() {
    let daemon = Daemon::with(&["--log-format", "json", "--log", "debug"], None);
    daemon.run(&["invite", "--account", "alice"]);
    daemon.signal(Signal::TERM);
    let (_, log) = daemon.end();
    assert!(log.lines().count() >= 2, "{log}");
    for line in log.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(event["target"].as_str().is_some_and(|target| target.starts_with("xferd")), "{line}");
    }
}

#[test]
fn a_client_without_its_daemon_is_told_so_in_one_result() {
    let daemon = Daemon::new();
    let (_, token, _) = daemon.run(&["invite", "--account", "alice"]);
    let client = |arguments: &[&str]| {
        let state = daemon.home.path().join("client");
        let output =
            Command::new(XFER).env_clear().arg("--state").arg(state).args(arguments).output().expect("runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let result = lines.last().cloned().expect("a result");
        assert_eq!(result["event"], "result");
        assert_eq!(Some(&result["exit"]), output.status.code().map(Value::from).as_ref());
        result
    };
    let joined = client(&["join", "--json", token.trim(), "--name", "lab"]);
    assert_eq!((&joined["ok"], &joined["data"]["account"]), (&json!(true), &json!("alice")), "{joined}");
    assert_eq!(client(&["remotes", "--json"])["ok"], true);
    assert_eq!(
        client(&["ls", "--json", "lba:/"])["next"].as_str().map(|next| next.contains("lab")),
        Some(true)
    );
    assert_eq!(client(&["status", "--json", "lab"])["data"]["account"], "alice");
    daemon.run(&["stop"]);
    let refused = client(&["ls", "--json", "lab:/"]);
    assert_eq!((&refused["exit"], &refused["code"]), (&json!(10), &json!("UNAVAILABLE")), "{refused}");
}
