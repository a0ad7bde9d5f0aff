//! Programs that start, run and end: what they refuse, print and leave behind.

use std::net::TcpListener;
use std::path::Path;
use xferd_e2e::daemon::Start;
use xferd_e2e::{Scratch, Seed, World, program, tree};

#[test]
fn a_port_in_use_is_exit_5_and_named() {
    let scratch = Scratch::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = taken.local_addr().expect("bound");
    let start = Start::new(&scratch.join("state")).root(&scratch.dir("root")).listen(addr);
    let (status, log) = start.refused();
    assert_eq!(status.code(), Some(5), "{log}");
    assert!(log.contains(&addr.port().to_string()), "{log}");
}

#[test]
fn a_root_that_does_not_exist_is_exit_5_and_named() {
    let scratch = Scratch::new();
    let (status, log) = Start::new(&scratch.join("state")).root(&scratch.join("missing")).refused();
    assert_eq!(status.code(), Some(5), "{log}");
    assert!(log.contains("missing"), "{log}");
}

#[test]
fn a_second_daemon_on_the_same_state_is_refused_with_the_pid_of_the_first() {
    let world = World::new();
    let (status, log) = Start::new(&world.daemon().state).root(&world.root).refused();
    assert_eq!(status.code(), Some(5), "{log}");
    assert!(log.contains(&world.daemon().id().to_string()), "{log}");
    world.client.run(["ls", "lab:/"]).ok();
}

#[test]
fn a_state_of_a_later_format_is_refused_by_name() {
    let mut world = World::new();
    world.terminate();
    std::fs::write(world.path("daemon/format"), "99\n").expect("written");
    let (status, log) = world.start.refused();
    assert_eq!(status.code(), Some(5), "{log}");
    assert!(log.contains("99"), "{log}");
}

#[test]
fn flags_win_over_environment_over_files() {
    let scratch = Scratch::new();
    let start = Start::new(&scratch.join("state"))
        .root(&scratch.dir("root"))
        .config("cores = 3\nio = \"threads\"\n")
        .environment("XFERD_IO", "threads");
    let daemon = start.ready();
    assert_eq!(daemon.io, "threads");
    let out = daemon.command(&["status", "--json"]).output().expect("xferd runs");
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(text.contains("\"cores\":2") || text.contains("\"cores\": 2"), "--cores 2 wins: {text}");
}

#[test]
fn threads_move_files_where_io_uring_is_not_used() {
    let world = World::with(Scratch::new(), |start| start.arguments(["--io", "threads"]));
    assert_eq!(world.daemon().io, "threads");
    let source = world.local("tree");
    tree::make(&source, 30, 91);
    world.client.json(["sync", "-a", "--io", "threads", "tree/", "lab:/tree"]).ok();
    xferd_e2e::compare::assert_equal(&source, &world.root.join("tree"), xferd_e2e::Depth::Archive);
}

#[test]
fn state_is_taken_from_flag_before_environment_before_or_after_the_command() {
    let world = World::new();
    let state = world.client.state.display().to_string();
    let run = |arguments: &[&str], environment: Option<&str>| {
        let mut command = program::command("xfer");
        command.args(arguments).current_dir(&world.client.folder);
        if let Some(value) = environment {
            command.env("XFER_STATE", value);
        }
        command.output().expect("xfer runs").status.code()
    };
    assert_eq!(run(&["--state", &state, "ls", "lab:/"], None), Some(0));
    assert_eq!(run(&["ls", "lab:/", "--state", &state], None), Some(0));
    assert_eq!(run(&["ls", "lab:/"], Some(&state)), Some(0));
    assert_eq!(run(&["--state", &state, "ls", "lab:/"], Some("/nonexistent")), Some(0));
    assert_ne!(run(&["ls", "lab:/"], Some("/nonexistent")), Some(0));
}

#[test]
fn a_daemon_that_is_not_there_is_exit_10() {
    let mut world = World::new();
    world.terminate();
    let run = world.client.run(["ls", "lab:/"]).fails(10);
    assert!(run.stderr.contains("127.0.0.1"), "{}", run.stderr);
    let run = world.client.json(["ls", "lab:/"]).fails(10);
    assert_eq!(run.result()["exit"], 10);
}

#[test]
fn names_that_are_not_text_travel_in_base64_and_never_raw() {
    let world = World::new();
    let source = world.local("tree");
    tree::make(&source, 5, 93);
    let run = world.push(&source, "/tree");
    let events = run.events();
    assert!(events.iter().any(|event| event["path_base64"].is_string()), "{}", run.text());
    let text = world.client.run(["sync", "-a", "-v", "tree/", "lab:/other"]).ok();
    for output in [text.text(), text.stderr, world.daemon().log()] {
        assert!(!output.contains('\x1b'), "an escape sequence was printed");
    }
}

#[test]
fn progress_goes_to_a_terminal_only() {
    let world = World::new();
    tree::file(&world.local("big"), 20 << 20, &mut Seed(1));
    let run = world.client.run(["copy", "-P", "big", "lab:/big"]).ok();
    assert!(!run.stderr.contains('\r') && !run.stderr.contains('\x1b'), "{:?}", run.stderr);
}

#[test]
fn the_first_start_makes_what_only_its_owner_may_read() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o7777;
    let state = &world.daemon().state;
    assert_eq!(mode(state), 0o700);
    for name in ["device.key", "authority.key", "admin.sock"] {
        assert_eq!(mode(&state.join(name)), 0o600, "{name}");
    }
    assert_eq!(mode(&world.client.state), 0o700);
}

#[test]
fn sigterm_ends_an_idle_daemon_in_order_and_frees_its_state() {
    let mut world = World::new();
    assert!(world.terminate().success());
    world.start_again(None);
    world.client.run(["ls", "lab:/"]);
}

#[test]
fn a_daemon_leaves_no_core_dumps() {
    let world = World::new();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", world.daemon().id())).expect("there");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("listed");
    assert!(core.split_whitespace().nth(4) == Some("0"), "{core}");
}
