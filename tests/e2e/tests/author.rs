//! An author's way, through the real programs: from an empty folder to a denied push that is explained, as the README
//! tells it; whose signature counts; what becomes of running transfers when a policy changes.
// proves: E4, E5

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Instant;
use xferd_e2e::{Scratch, Seed, World, bundled, program, tree};

/// A folder as `xferd plugin new` unpacks it, and whoever works in it. Tests that run at once take different names: they
/// build in one place.
struct Author {
    name: &'static str,
    home: PathBuf,
    folder: PathBuf,
}

impl Author {
    fn new(scratch: &Scratch, name: &'static str) -> Self {
        let (home, parent) = (scratch.dir("home"), scratch.dir("author"));
        let author = Self { name, home, folder: parent.join(name) };
        author.done_in(&parent, &["plugin", "new", name]);
        bundled::share(&author.folder);
        author
    }

    fn run_in(&self, folder: &Path, arguments: &[&str]) -> Output {
        let mut command = program::command("xferd");
        bundled::as_author(&mut command, &self.home).current_dir(folder).args(arguments);
        command.output().expect("xferd runs")
    }

    fn done_in(&self, folder: &Path, arguments: &[&str]) -> String {
        let done = self.run_in(folder, arguments);
        assert!(done.status.success(), "{arguments:?}: {}", said(&done));
        said(&done)
    }

    /// A command in the folder, exit 0.
    fn done(&self, arguments: &[&str]) -> String {
        self.done_in(&self.folder, arguments)
    }

    /// Makes a key; its public half.
    fn key(&self, name: &str) -> String {
        self.done(&["plugin", "keygen", name]).trim().to_owned()
    }

    fn sign(&self, key: &str) {
        self.done(&["plugin", "sign", &format!("{}.wasm", self.name), "--key", key]);
    }

    /// Changes a text that has to be there.
    fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.join(file);
        let text = std::fs::read_to_string(&path).expect("a file of the template");
        assert!(text.contains(from), "{file} has no {from}: {text}");
        std::fs::write(&path, text.replace(from, to)).expect("edited");
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn operator(world: &World, arguments: &[&str]) -> Output {
    let mut command = world.daemon().command(arguments);
    let config = world.path("daemon.toml");
    if config.is_file() {
        command.arg("--config").arg(config);
    }
    command.output().expect("xferd runs")
}

fn installed(world: &World, author: &Author, more: &[&str]) -> Output {
    let folder = author.folder.display().to_string();
    let mut arguments = vec!["plugin", "install", folder.as_str()];
    arguments.extend(more);
    operator(world, &arguments)
}

fn in_force(world: &World, author: &Author) {
    let done = operator(world, &["plugin", "reload"]);
    assert!(done.status.success() && said(&done).contains(author.name), "{}", said(&done));
}

/// The shell's lines of the README's section, in their order.
fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(path).expect("the README");
    let section = text.split_once("## Write a policy\n").expect("its section").1;
    let section = section.split("\n## ").next().expect("up to the next");
    let blocks = section.split("```sh\n").skip(1).map(|rest| rest.split("```").next().expect("its end"));
    blocks.collect()
}

#[test]
fn the_readme_followed_word_for_word_ends_with_a_denied_push_that_is_explained() {
    let test = "the_readme_followed_word_for_word_ends_with_a_denied_push_that_is_explained";
    if bundled::toolchain(test).is_none() {
        return;
    }
    let scratch = Scratch::new();
    let (home, folder) = (scratch.dir("home"), scratch.dir("empty"));
    let lines = readme();
    assert!(lines.contains("cd night-shift\n") && lines.contains("plugin explain"), "{lines}");
    // The core library is there from other tests: without this line it is built once more.
    let shared = format!("cd night-shift\nln -s '{}' target\n", bundled::shared().display());
    let lines = lines.replace("cd night-shift\n", &shared);
    let script = format!("set -e\ntrap '[ -z \"$XFERD_STATE\" ] || xferd stop' EXIT\n{lines}");
    let programs = program::binary("xferd").parent().expect("a folder").to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = std::process::Command::new("sh");
    shell.env_clear().env("PATH", format!("{}:{path}", programs.display()));
    bundled::as_author(&mut shell, &home).current_dir(&folder).args(["-c", &script]);
    let done = shell.stdin(std::process::Stdio::null()).output().expect("a shell runs");
    let log = std::fs::read_to_string(folder.join("night-shift/try/log")).unwrap_or_default();
    assert!(done.status.success(), "{}\n{log}", said(&done));
    for words in [
        "2 passed, 0 failed",
        "push is denied on /: plugin local/night-shift: kept-out: setup.exe: files ending in .exe stay out",
        "decided by plugin local/night-shift",
        "context path = \"setup.exe\"",
    ] {
        assert!(said(&done).contains(words), "{words}: {}", said(&done));
    }
    let names = xferd_e2e::compare::names(&folder.join("night-shift/try/root"));
    assert_eq!(names, [PathBuf::from("notes.txt")], "one came, one did not");
}

#[test]
fn only_an_allowed_key_and_untouched_files_are_installed() {
    let test = "only_an_allowed_key_and_untouched_files_are_installed";
    if bundled::toolchain(test).is_none() {
        return;
    }
    let scratch = Scratch::new();
    let author = Author::new(&scratch, "signed-shift");
    let parent = author.folder.parent().expect("above it");
    author.done_in(parent, &["plugin", "build", "signed-shift"]);
    assert!(!author.folder.join("signed-shift").exists(), "it is built in its own folder");
    let (trusted, _) = (author.key("author.key"), author.key("other.key"));
    let world = World::with(scratch, |start| start.config(&format!("plugin.keys = [\"{trusted}\"]\n")));
    let refused = |words: &[&str]| {
        let done = installed(&world, &author, &[]);
        assert_eq!(done.status.code(), Some(41), "{}", said(&done));
        words.iter().for_each(|word| assert!(said(&done).contains(word), "{word}: {}", said(&done)));
    };
    refused(&["is not signed", "xferd plugin sign"]);
    author.sign("other.key");
    refused(&["a key that is not trusted here", "plugin.keys"]);
    author.sign("author.key");
    author.edit("plugin.toml", "\".exe\"", "\".com\"");
    refused(&["local/signed-shift"]);
    author.edit("plugin.toml", "\".com\"", "\".exe\"");
    let component = author.folder.join("signed-shift.wasm");
    let bytes = std::fs::read(&component).expect("a component");
    std::fs::write(&component, [&bytes[..], b"\0\x02\x01x"].concat()).expect("a section more");
    refused(&["local/signed-shift"]);
    std::fs::write(&component, bytes).expect("as it was");
    let listed = operator(&world, &["plugin", "list"]);
    assert!(said(&listed).contains("no plugin is installed"), "{}", said(&listed));
    let done = installed(&world, &author, &[]);
    assert!(done.status.success() && said(&done).contains(&trusted), "{}", said(&done));
    in_force(&world, &author);
}

/// The rate that the first policy bounds every push to: none ends before the second is in force.
const SLOW: &str = "allow().oblige(xferd_plugin_sdk::policy::Obligation::BytesPerSecond(1 << 20))";

#[test]
fn a_policy_edited_under_load_ends_what_it_denies_and_nothing_else() {
    let test = "a_policy_edited_under_load_ends_what_it_denies_and_nothing_else";
    if bundled::toolchain(test).is_none() {
        return;
    }
    let scratch = Scratch::new();
    let author = Author::new(&scratch, "live-shift");
    author.edit("plugin.toml", "\".exe\"", "\".com\"");
    author.edit("src/lib.rs", "allow().paths(", &format!("{SLOW}.paths("));
    author.done(&["plugin", "build"]);
    let world = World::new();
    assert!(installed(&world, &author, &["--unsigned"]).status.success());
    in_force(&world, &author);

    let names = ["one.bin", "two.bin", "setup.exe"];
    let bob = world.further_client("bob");
    let mut running = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        let client = if name == "two.bin" { &bob } else { &world.client };
        tree::file(&client.folder.join(name), 256 << 20, &mut Seed(index as u64));
        running.push(client.start(["copy", "--json", name, &format!("lab:/{name}")]));
    }
    let moves = |event: &serde_json::Value| event["event"] == "progress" && event["bytes"].as_u64() > Some(0);
    running.iter_mut().for_each(|transfer| drop(transfer.event(moves).expect("begun")));

    author.edit("src/lib.rs", SLOW, "allow()");
    author.edit("plugin.toml", "\".com\"", "\".exe\"");
    author.edit("plugin.toml", "version = \"0.1.0\"", "version = \"0.2.0\"");
    author.done(&["plugin", "build"]);
    let done = installed(&world, &author, &["--unsigned"]);
    assert!(done.status.success() && said(&done).contains("version 0.1.0"), "{}", said(&done));
    running.iter_mut().for_each(|transfer| drop(transfer.event(moves).expect("what is installed waits")));
    in_force(&world, &author);
    let reloaded = Instant::now();
    let denied = running.pop().expect("the program").end().fails(42);
    println!("long: {test}: the new rule ended a running push {:?} after the reload", reloaded.elapsed());
    assert!(denied.text().contains("plugin local/live-shift: kept-out"), "{}", denied.text());
    for (transfer, name) in running.into_iter().zip(names) {
        transfer.end().ok();
        assert_eq!(std::fs::metadata(world.root.join(name)).expect("published").len(), 256 << 20);
    }
    assert!(!world.root.join("setup.exe").exists());
}
