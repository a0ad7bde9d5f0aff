//! Results as files: for each table its raw numbers, its Markdown and its chart, and one page of all of them.

use super::{Table, markdown, svg};
use crate::Outcome;
use serde_json::{Value, json};
use std::path::Path;

/// Under what conditions the numbers were taken.
pub struct Conditions {
    /// The machine.
    pub machine: String,
    /// The commit.
    pub commit: String,
    /// How bytes on the wire are counted.
    pub wire: &'static str,
    /// Versions of the tools.
    pub versions: Vec<String>,
}

/// Writes `<name>.json`, `.md` and `.svg` into a folder.
///
/// # Errors
/// They cannot be written.
pub fn keep(folder: &Path, table: &Table, conditions: &Conditions) -> Outcome<()> {
    std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let name = table.head.name;
    let mut text = markdown(table);
    text.push_str(&format!("\n![{name}]({name}.svg)\n"));
    write(&folder.join(format!("{name}.md")), &text)?;
    write(&folder.join(format!("{name}.svg")), &svg::chart(table))?;
    write(&folder.join(format!("{name}.json")), &format!("{:#}\n", raw(table, conditions)))
}

/// Writes the page that holds every table of a folder.
///
/// # Errors
/// It cannot be written.
pub fn keep_index(folder: &Path, order: &[&str], conditions: &Conditions) -> Outcome<()> {
    let mut pages: Vec<(usize, String)> = std::fs::read_dir(folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter_map(|name| Some(name.strip_suffix(".md")?.to_owned()))
        .filter(|name| name != "README")
        .map(|name| {
            let workload = name.split('-').next().unwrap_or_default();
            (order.iter().position(|known| *known == workload).unwrap_or(order.len()), name)
        })
        .collect();
    pages.sort();
    let mut text = format!(
        "# Results\n\nWritten by `cargo xtask bench --compare`; the last run was of commit {}. What each column and \
         workload means: [`bench/README.md`](../README.md).\n\nMachine: {}. Bytes on the wire: {}.\n\nTools: {}.\n",
        conditions.commit,
        conditions.machine,
        conditions.wire,
        conditions.versions.join("; ")
    );
    for (_, name) in pages {
        let path = folder.join(format!("{name}.md"));
        let page = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        text.push_str(&format!("\n{page}"));
    }
    write(&folder.join("README.md"), &text)
}

fn raw(table: &Table, conditions: &Conditions) -> Value {
    let series: Vec<Value> = table
        .series
        .iter()
        .map(|one| {
            let samples = |of: &[crate::measure::Sample]| of.iter().map(|s| s.to_json()).collect::<Vec<_>>();
            json!({
                "name": one.name, "kind": format!("{:?}", one.kind), "samples": samples(&one.samples),
                "disturbed": samples(&one.disturbed), "failures": one.failures,
                "median_s": one.median(|sample| sample.wall_s),
            })
        })
        .collect();
    let absent: Vec<Value> =
        table.absent.iter().map(|one| json!({"name": one.name, "reason": one.reason})).collect();
    json!({
        "workload": table.head.name, "title": table.head.title, "quick": table.quick, "bytes": table.head.bytes,
        "files": table.head.files, "machine": conditions.machine, "commit": conditions.commit,
        "wire": conditions.wire, "tools": conditions.versions, "series": series, "absent": absent,
        "targets": table.verdicts(),
    })
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
