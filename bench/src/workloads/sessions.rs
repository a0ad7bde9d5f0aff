//! W8n: one session that pulls, many, and many beside thousands that only stand, from one load generator.

use super::{Bench, Head};
use crate::ground::{Area, remove};
use crate::measure::{Contender, Extra, Kind, SPENT_BEFORE_S};
use crate::process::{self, Kept};
use crate::report::{Table, Target};
use crate::rounds::Rounds;
use crate::tools::Crowd;
use crate::{Outcome, cpu, data};
use serde_json::Value;
use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{ChildStdout, Command, Stdio};
use std::rc::Rc;

/// Names, active sessions, idle sessions.
const CROWDS: [(&str, usize, usize); 3] =
    [("xfer, 1 session", 1, 0), ("xfer, 256 sessions", 256, 0), ("xfer, 256 and 2000 idle", 256, 2000)];

/// W8n.
pub(super) fn run(bench: &Bench<'_>) -> Outcome<Vec<Table>> {
    let program = generator()?;
    let bytes = bench.size(16 << 30, 2 << 30);
    let file = bench.ground.spot(Area::Memory, "load");
    data::file(&file.path, bench.size(1 << 30, 256 << 20), 11);
    let crowd = Crowd::new(bench.ground);
    let mut contenders: Vec<Contender<'_>> = CROWDS
        .iter()
        .map(|(name, active, idle)| {
            let mut command = Command::new(&program);
            command.args(["--file", "/memory/load", "--folder", "/memory", "--to", &crowd.address()]);
            command.args(crowd.states().iter().map(|state| format!("--state={}", state.display())));
            command
                .arg(format!("--active={active}"))
                .arg(format!("--idle={idle}"))
                .arg(format!("--bytes={bytes}"));
            contender(name, command, crowd.id())
        })
        .collect();
    let faster = |ours, ratio| Target::Faster { ours, than: CROWDS[0].0, kind: None, ratio };
    let head = Head {
        name: "W8n",
        title: format!(
            "{} GiB pulled in all by 1 and by 256 sessions, also beside 2000 idle ones",
            bytes >> 30
        ),
        bytes,
        files: 1,
        targets: vec![faster(CROWDS[1].0, 0.8), faster(CROWDS[2].0, 0.8)],
        has_peers: false,
        counts_files: false,
        columns: vec![("p50_ms", "small request p50 ms"), ("p99_ms", "p99 ms"), ("most_ms", "most ms")],
    };
    let usual = bench.rounds(50);
    let table = bench.table(head, &mut contenders, Rounds { least: usual.least.min(2), ..usual });
    drop(contenders);
    remove(&file.path)?;
    Ok(vec![table])
}

/// The generator, beside this program.
fn generator() -> Outcome<PathBuf> {
    let path = xferd_e2e::program::binary("xfer").with_file_name("load");
    if path.is_file() { Ok(path) } else { Err(format!("{} is not built", path.display())) }
}

/// A generator whose sessions stand.
struct Standing {
    child: Kept,
    output: BufReader<ChildStdout>,
}

fn contender<'a>(name: &str, mut command: Command, daemon: u32) -> Contender<'a> {
    let standing: Rc<RefCell<Option<Standing>>> = Rc::default();
    let of_work = Rc::clone(&standing);
    Contender {
        name: name.to_owned(),
        kind: Kind::Ours,
        rounds_max: usize::MAX,
        before: Box::new(move || {
            *standing.borrow_mut() = Some(connected(&mut command)?);
            Ok(vec![daemon])
        }),
        work: Box::new(move || {
            let found = of_work.borrow_mut().take().ok_or("the generator is gone")?;
            go(found)
        }),
        after: Box::new(|| Ok(())),
    }
}

fn connected(command: &mut Command) -> Outcome<Standing> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().map(Kept).map_err(|error| format!("load: {error}"))?;
    let stdout = child.0.stdout.take().ok_or("no output")?;
    let mut output = BufReader::new(stdout);
    let mut line = String::new();
    output.read_line(&mut line).map_err(|error| format!("load: {error}"))?;
    if line.trim() == "ready" { Ok(Standing { child, output }) } else { Err(format!("load said {line:?}")) }
}

fn go(mut standing: Standing) -> Outcome<Extra> {
    // What its handshakes cost is no part of the run.
    let began_s = cpu::of_family(standing.child.0.id());
    let mut stdin = standing.child.0.stdin.take().ok_or("no input")?;
    stdin.write_all(b"go\n").map_err(|error| format!("load: {error}"))?;
    let mut line = String::new();
    standing.output.read_line(&mut line).map_err(|error| format!("load: {error}"))?;
    let status = process::wait(&mut standing.child.0).map_err(|error| format!("load: {error}"))?;
    let said: Value =
        serde_json::from_str(&line).map_err(|_| format!("load ended with {status}: {line:?}"))?;
    if !status.success() {
        return Err(format!("load: {}", said["failures"]));
    }
    let number = |key: &'static str| (key, said[key].as_f64().unwrap_or(f64::NAN));
    let times = [number("p50_ms"), number("p99_ms"), number("most_ms"), number("requests")];
    Ok(times.into_iter().chain([(SPENT_BEFORE_S, began_s)]).collect())
}
