//! W10: what policies cost: the file of W1 and the files of W2 to daemons with none, with one and with ten of them.

use super::{Bench, Head, contender};
use crate::ground::{Area, Ground, flush, remove};
use crate::report::{Table, Target};
use crate::rounds::Rounds;
use crate::tools::{Absent, How, Job, Tool, Xfer};
use crate::{Outcome, data, judge};
use std::path::{Path, PathBuf};
use xferd_e2e::compare::{hash, snapshot};
use xferd_e2e::package::Package;

const NAMES: [&str; 3] = ["xfer, no policy", "xfer, one policy", "xfer, ten policies"];

/// The policies that ship, so often each, and what of their manifests is changed so that they let the bench through.
const TEN: [(&str, usize, &str, &str); 4] = [
    ("acl", 1, "", ""),
    ("content-rules", 3, "", ""),
    ("hours", 3, "\"mon-fri 08:00-18:00\"", "\"daily 00:00-24:00\""),
    ("quota", 3, "", ""),
];

/// W10.
pub(super) fn run(bench: &Bench<'_>) -> Outcome<Vec<Table>> {
    let mut tools = vec![Xfer::with_plugins(NAMES[0], bench.ground, &[])?];
    let mut absent = Vec::new();
    match packages(bench.ground) {
        Ok(packages) => {
            tools.push(Xfer::with_plugins(NAMES[1], bench.ground, &packages[..1])?);
            tools.push(Xfer::with_plugins(NAMES[2], bench.ground, &packages)?);
        }
        Err(reason) => {
            let not_run = |name: &&str| Absent { name: (*name).into(), reason: reason.clone() };
            absent = NAMES[1..].iter().map(not_run).collect();
        }
    }
    let mut tables = vec![large(bench, &tools)?, small(bench, &tools)?];
    for table in &mut tables {
        table.absent.extend(absent.clone());
    }
    Ok(tables)
}

/// More rounds than elsewhere: what is asked is a hundredth.
fn rounds(bench: &Bench<'_>) -> Rounds {
    let usual = bench.rounds(50);
    match bench.plan.rounds {
        None if !bench.plan.quick => Rounds { most: 11, ..usual },
        _ => usual,
    }
}

fn targets(ratio: f64) -> Vec<Target> {
    let target = |ours| Target::Faster { ours, than: NAMES[0], kind: None, ratio };
    vec![target(NAMES[1]), target(NAMES[2])]
}

fn large(bench: &Bench<'_>, tools: &[Xfer]) -> Outcome<Table> {
    let bytes = bench.size(4 << 30, 512 << 20);
    let from = bench.ground.sources(Area::Memory).join("big");
    let to = bench.ground.spot(Area::Memory, "big");
    data::file(&from, bytes, 1);
    let wanted = hash(&from);
    let ready = || {
        remove(&to.path)?;
        flush(bench.ground.desk());
        Ok(())
    };
    let verified = || {
        judge::is_hash(&wanted, &to.path)?;
        remove(&to.path)
    };
    let job = Job::File { from: &from, to: &to, how: How::Fresh };
    let mut contenders: Vec<_> =
        tools.iter().map(|tool| contender(bench, tool, job.clone(), ready, verified)).collect();
    let head = Head {
        name: "W10-large",
        title: "the file of W1 to daemons with policies".into(),
        bytes,
        files: 1,
        targets: targets(0.99),
        has_peers: false,
        counts_files: false,
        columns: Vec::new(),
    };
    let table = bench.table(head, &mut contenders, rounds(bench));
    drop(contenders);
    remove(&from)?;
    Ok(table)
}

fn small(bench: &Bench<'_>, tools: &[Xfer]) -> Outcome<Table> {
    let (folders, each) = (256, bench.size(391, 40));
    let from = bench.ground.sources(Area::Memory).join("small");
    let to = bench.ground.spot(Area::Memory, "small");
    data::small_files(&from, folders, each, 4096)?;
    let was = snapshot(&from);
    let ready = || remove(&to.path);
    let job = Job::Tree { from: &from, to: &to };
    let mut contenders = Vec::new();
    for tool in tools {
        let (was, to) = (&was, &to);
        let verified = move || {
            judge::same_tree(was, &to.path, tool.depth())?;
            remove(&to.path)
        };
        contenders.push(contender(bench, tool, job.clone(), ready, verified));
    }
    let head = Head {
        name: "W10-small",
        title: "the files of W2 to daemons with policies".into(),
        bytes: folders * each * 4096,
        files: folders * each,
        targets: targets(0.95),
        has_peers: false,
        counts_files: true,
        columns: Vec::new(),
    };
    let table = bench.table(head, &mut contenders, rounds(bench));
    drop(contenders);
    remove(&from)?;
    Ok(table)
}

/// Ten packages of the policies that `cargo xtask plugins` built, each with a name of its own.
fn packages(ground: &Ground) -> Outcome<Vec<Package>> {
    let programs = xferd_e2e::program::binary("xfer");
    let shelf = programs.ancestors().nth(2).map(|target| target.join("plugins")).unwrap_or_default();
    let mut packages = Vec::new();
    for (name, count, from, to) in TEN {
        for number in 0..count {
            packages.push(package(&shelf.join(name), ground.desk(), (name, number), (from, to))?);
        }
    }
    Ok(packages)
}

fn package(
    built: &Path,
    desk: &Path,
    (name, number): (&str, usize),
    change: (&str, &str),
) -> Outcome<Package> {
    let failed = |path: &Path, error: std::io::Error| {
        format!("{}: {error}; 'cargo xtask plugins' builds it", path.display())
    };
    let copied: PathBuf = desk.join("policies").join(format!("{name}-{number}"));
    std::fs::create_dir_all(&copied).map_err(|error| failed(&copied, error))?;
    let (component, manifest) = (built.join(format!("{name}.wasm")), built.join("plugin.toml"));
    std::fs::copy(&component, copied.join(format!("{name}-{number}.wasm")))
        .map_err(|error| failed(&component, error))?;
    let text = std::fs::read_to_string(&manifest).map_err(|error| failed(&manifest, error))?;
    let (own, ours) = (format!("\"xferd/{name}\""), format!("bench/{name}-{number}"));
    if !text.contains(&own) || !text.contains(change.0) {
        return Err(format!("{}: not as the bench expects it", manifest.display()));
    }
    let text = text.replace(&own, &format!("\"{ours}\"")).replacen(
        change.0,
        change.1,
        usize::from(!change.0.is_empty()),
    );
    let path = copied.join("plugin.toml");
    std::fs::write(&path, text).map_err(|error| failed(&path, error))?;
    Ok(Package { folder: copied, name: ours })
}
