//! `xferd plugin bench`: how long a policy's decisions take.

use super::Common;
use super::test::cases;
use crate::escape::shown;
use crate::failure::Failure;
use crate::plugin::author;
use crate::plugin::bench::{Measured, Times, run};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Measure how long a policy's decisions take
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Asks the cases in tests/*.toml of a policy many times, by the code that decides in the daemon, and tells for each its \
instructions, and how long decisions take: with a fresh instance each, with one instance for all, and when the daemon \
still has the decision. Instructions are exact and the same on every machine; times are of this one, half of the samples \
and 99 of 100.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin bench
  xferd plugin bench plugins/acl --against acl-before.wasm
  xferd plugin bench acl.wasm --cases plugins/acl/tests --samples 10000

EXIT STATUS
  0 measured; 2 the plugin does not fit its manifest, or a file of cases is wrong; 3 nothing to run; 23 the policy fails \
at a case; else as 'xferd plugin build'")]
pub(super) struct Bench {
    /// Folder with plugin.toml and tests/, built first; or a component with them beside it [default: the current folder]
    #[arg(value_name = "DIR|WASM")]
    plugin: Option<PathBuf>,
    /// Another component of the same plugin, to compare with: ratios are this one's numbers over the other's
    #[arg(long, value_name = "WASM")]
    against: Option<PathBuf>,
    /// Folder of the cases [default: tests/ beside plugin.toml]
    #[arg(long, value_name = "DIR")]
    cases: Option<PathBuf>,
    /// Decisions of each kind a case
    #[arg(long, value_name = "NUMBER", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    samples: u32,
}

impl Bench {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let given = self.plugin.as_deref().unwrap_or(Path::new("."));
        let (folder, component) = match given.is_dir() {
            true => (given, author::build(given)?.0),
            false => (given.parent().unwrap_or(Path::new("")), given.to_owned()),
        };
        let manifest = folder.join("plugin.toml");
        let files = cases(&self.cases.unwrap_or_else(|| folder.join("tests")))?;
        let measured = run(&component, &manifest, &files, self.samples)?;
        let before = match &self.against {
            Some(other) => Some(run(other, &manifest, &files, self.samples)?),
            None => None,
        };
        let mut data = json(&measured);
        data["samples"] = self.samples.into();
        if let Some(before) = &before {
            data["against"] = json(before);
        }
        common.print(&data, || match &before {
            None => table(&measured),
            Some(before) => format!("{}\n\n{}", table(&measured), compared(&measured, before)),
        })
    }
}

fn json(measured: &Measured) -> Value {
    let times = |times: &Times| json!({ "p50_ns": times.p50_ns, "p99_ns": times.p99_ns });
    let rows = measured.rows.iter().map(|row| {
        json!({
            "file": row.file, "case": row.name, "fuel": row.fuel, "fresh": times(&row.fresh),
            "reused": row.reused.as_ref().map(times), "kept": row.kept.as_ref().map(times),
        })
    });
    json!({ "instance": times(&measured.instance), "cases": rows.collect::<Vec<_>>() })
}

fn head(out: &mut String, columns: [&str; 4], rest: &str) {
    let [fuel, fresh, reused, kept] = columns;
    let _ = writeln!(out, "{fuel:>12}  {fresh:>17}  {reused:>17}  {kept:>17}  {rest}");
}

/// Microseconds: half, and 99 of 100.
fn table(measured: &Measured) -> String {
    let us = |ns: u64| ns as f64 / 1000.0;
    let times = |times: &Times| format!("{:.1} / {:.1} us", us(times.p50_ns), us(times.p99_ns));
    let some = |found: &Option<Times>| found.as_ref().map_or("-".to_owned(), times);
    let mut out = String::new();
    head(&mut out, ["instructions", "fresh p50 / p99", "reused", "kept"], "case");
    head(&mut out, ["-", &times(&measured.instance), "-", "-"], "(an instance, made and configured)");
    for row in &measured.rows {
        let fuel = row.fuel.map_or("-".to_owned(), |fuel| fuel.to_string());
        head(&mut out, [&fuel, &times(&row.fresh), &some(&row.reused), &some(&row.kept)], &shown(&row.name));
    }
    out.trim_end().to_owned()
}

/// This one's numbers over the other's.
fn compared(measured: &Measured, before: &Measured) -> String {
    let over = |new: u64, old: u64| match old {
        0 => "-".to_owned(),
        old => format!("{:.2}", new as f64 / old as f64),
    };
    let times = |new: &Times, old: &Times| {
        format!("{} / {}", over(new.p50_ns, old.p50_ns), over(new.p99_ns, old.p99_ns))
    };
    let both = |new: &Option<Times>, old: &Option<Times>| match (new, old) {
        (Some(new), Some(old)) => times(new, old),
        _ => "-".to_owned(),
    };
    let mut out = String::from("against the other: above 1 is slower\n");
    head(&mut out, ["instructions", "fresh p50 / p99", "reused", "kept"], "case");
    head(&mut out, ["-", &times(&measured.instance, &before.instance), "-", "-"], "(an instance)");
    for (new, old) in measured.rows.iter().zip(&before.rows) {
        let fuel = new.fuel.zip(old.fuel).map_or("-".to_owned(), |(new, old)| over(new, old));
        let columns = [
            &fuel,
            &times(&new.fresh, &old.fresh),
            &both(&new.reused, &old.reused),
            &both(&new.kept, &old.kept),
        ];
        head(&mut out, columns.map(String::as_str), &shown(&new.name));
    }
    out.trim_end().to_owned()
}
