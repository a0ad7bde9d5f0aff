//! The order of syncs and renames, as the kernel sees it: strace of the daemon while a tree arrives.
// proves: L3

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use xferd_e2e::{Scratch, World, tree};

/// strace on a running daemon; `None` where it is missing or not permitted.
struct Trace {
    strace: Child,
    output: PathBuf,
}

impl Trace {
    fn attach(world: &World) -> Option<Self> {
        let output = world.path("trace");
        let mut command = Command::new("strace");
        command.args([
            "-f",
            "-y",
            "-e",
            "trace=fsync,fdatasync,rename,renameat,renameat2,openat2,pwrite64,write,syncfs",
        ]);
        command.arg("-o").arg(&output).args(["-p", &world.daemon().id().to_string()]);
        let mut strace = command.stderr(Stdio::piped()).spawn().ok()?;
        // It says "attached" on its standard error once it sees everything.
        let mut said = std::io::BufReader::new(strace.stderr.take()?);
        let mut line = String::new();
        std::io::BufRead::read_line(&mut said, &mut line).ok()?;
        if line.contains("attached") {
            std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
            return Some(Self { strace, output });
        }
        let _ = strace.kill();
        let _ = strace.wait();
        None
    }

    fn end(mut self) -> String {
        let _ = self.strace.wait();
        std::fs::read_to_string(&self.output).unwrap_or_default()
    }
}

/// Where a line comes first that satisfies both; `usize::MAX` when none does.
fn first(lines: &[&str], what: &str, of: &str) -> usize {
    lines.iter().position(|line| line.contains(what) && line.contains(of)).unwrap_or(usize::MAX)
}

#[test]
fn a_tree_is_synced_journalled_renamed_and_its_directories_synced() {
    // With threads every sync is a system call that strace sees; io_uring's are not.
    let mut world = World::with(Scratch::new(), |start| start.cores(1).arguments(["--io", "threads"]));
    let source = world.local("tree");
    tree::make(&source, 12, 3);
    let Some(trace) = Trace::attach(&world) else {
        println!(
            "skipped: a_tree_is_synced_journalled_renamed_and_its_directories_synced: strace cannot attach"
        );
        return;
    };
    world.push(&source, "/tree");
    assert!(world.terminate().success());
    let text = trace.end();
    let lines: Vec<&str> = text.lines().collect();
    let tree = world.root.join("tree").display().to_string();
    let data = first(&lines, "sync(", ".part");
    let journal = first(&lines, "sync(", ".xt");
    let rename = lines
        .iter()
        .position(|line| line.contains("rename") && line.contains(".xferd-"))
        .unwrap_or(usize::MAX);
    let directory =
        lines.iter().rposition(|line| line.contains("fsync(") && line.contains(&tree)).unwrap_or(0);
    assert!(data < journal, "files are synced before COMMITTING: {data} {journal}\n{text}");
    assert!(journal < rename, "COMMITTING is synced before the first rename: {journal} {rename}\n{text}");
    assert!(rename < directory, "directories are synced after the renames: {rename} {directory}\n{text}");
}

#[test]
fn without_durability_nothing_is_synced_for_it() {
    let mut world = World::with(Scratch::new(), |start| start.cores(1).arguments(["--io", "threads"]));
    let source = world.local("tree");
    tree::make(&source, 12, 3);
    let Some(trace) = Trace::attach(&world) else {
        println!("skipped: without_durability_nothing_is_synced_for_it: strace cannot attach");
        return;
    };
    let from = format!("{}/", source.display());
    world.client.json(["sync", "-a", "--durability", "none", &from, "lab:/tree"]).ok();
    assert!(world.terminate().success());
    let text = trace.end();
    let synced = text.lines().filter(|line| line.contains("sync(") && line.contains(".part")).count();
    assert_eq!(synced, 0, "{text}");
}
