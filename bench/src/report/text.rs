//! Tables: Markdown for the repository, columns for the terminal.

use super::{OURS, Table};
use crate::measure::{Kind, Sample};
use crate::rounds::Series;

/// A word for a kind.
fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Ours => "ours",
        Kind::Encrypted => "encrypted",
        Kind::Plain => "plain",
        Kind::Floor => "no network",
        Kind::Ceiling => "no files",
    }
}

fn heads(table: &Table) -> Vec<String> {
    let rate = if table.head.counts_files { "files/s" } else { "GB/s" };
    let fixed =
        ["", "connection", "median s", "spread s", rate, "CPU s/GB", "RSS MiB near+far", "wire MB", "runs"];
    let own = table.head.columns.iter().map(|(_, head)| *head);
    let ratios = OURS.iter().filter(|ours| table.seconds(ours).is_some()).map(|ours| format!("vs {ours}"));
    fixed.into_iter().chain(own).map(str::to_owned).chain(ratios).collect()
}

/// The cells of one contender; of one without a run only what became of it.
fn cells(table: &Table, one: &Series) -> Vec<String> {
    let mut cells = vec![one.name.clone(), kind_word(one.kind).to_owned()];
    let Some(seconds) = one.median(|sample| sample.wall_s) else {
        let why = one.failures.last().map_or("no round", String::as_str);
        cells.push(format!("failed: {why}"));
        return cells;
    };
    let number = |value: fn(&Sample) -> f64| one.median(value).unwrap_or(0.0);
    let (least, most) = one.spread();
    let amount = if table.head.counts_files {
        format!("{:.0}", table.head.files as f64 / seconds)
    } else {
        format!("{:.2}", table.head.bytes as f64 / 1e9 / seconds)
    };
    cells.extend([
        format!("{seconds:.3}"),
        format!("{least:.3}..{most:.3}"),
        amount,
        format!("{:.2}", table.cpu_per_gb(one).unwrap_or(0.0)),
        format!(
            "{:.0} + {:.0}",
            number(|sample| sample.rss_near as f64) / 1048576.0,
            number(|sample| sample.rss_far as f64) / 1048576.0
        ),
        format!("{:.2}", number(|sample| sample.wire as f64) / 1e6),
        runs(one),
    ]);
    for (key, _) in &table.head.columns {
        let value = one.median(|sample| sample.extra.get(key).copied().unwrap_or(f64::NAN));
        cells.push(value.filter(|value| !value.is_nan()).map_or("-".into(), |value| format!("{value:.3}")));
    }
    for ours in OURS.iter().filter(|ours| table.seconds(ours).is_some()) {
        let ratio = table.ratio(ours, one).filter(|_| one.kind != Kind::Ours);
        cells.push(ratio.map_or("-".into(), |ratio| {
            format!("{ratio:.2}x {}", if ratio >= 1.0 { "won" } else { "LOST" })
        }));
    }
    cells
}

fn runs(one: &Series) -> String {
    let mut text = one.counted().len().to_string();
    if one.samples.is_empty() {
        text.push_str(" (all disturbed)");
    } else if !one.disturbed.is_empty() {
        text.push_str(&format!(" ({} disturbed, dropped)", one.disturbed.len()));
    }
    if !one.failures.is_empty() {
        text.push_str(&format!(" ({} failed)", one.failures.len()));
    }
    text
}

fn rows(table: &Table) -> Vec<Vec<String>> {
    let ran = table.series.iter().map(|one| cells(table, one));
    let absent = table
        .absent
        .iter()
        .map(|one| vec![one.name.clone(), String::new(), format!("not run: {}", one.reason)]);
    ran.chain(absent).collect()
}

/// As a Markdown section.
pub fn markdown(table: &Table) -> String {
    let head = &table.head;
    let mut text = format!("## {}: {}\n\n", head.name, head.title);
    if table.quick {
        text.push_str("A quick run: small sizes, to see that it works, not how fast.\n\n");
    }
    let heads = heads(table);
    text.push_str(&format!("| {} |\n|{}\n", heads.join(" | "), "---|".repeat(heads.len())));
    for row in rows(table) {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace(['|', '\n'], "¦")).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ").replace("|  |", "| |")));
    }
    text.push('\n');
    for verdict in table.verdicts() {
        text.push_str(&format!("- {verdict}\n"));
    }
    text
}

/// In columns.
pub fn terminal(table: &Table) -> String {
    let head = &table.head;
    let mut text = format!("\n{}: {}; {} bytes in {} files\n", head.name, head.title, head.bytes, head.files);
    let all: Vec<Vec<String>> = std::iter::once(heads(table)).chain(rows(table)).collect();
    let full = all[0].len();
    let width = |column: usize| {
        let cells = all.iter().filter(|row| row.len() == full).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..full).map(width).collect();
    for row in &all {
        for (index, cell) in row.iter().enumerate() {
            let width = widths[index];
            text.push_str(&if index < 2 { format!("{cell:<width$}  ") } else { format!("{cell:>width$}  ") });
        }
        text.push('\n');
    }
    for verdict in table.verdicts() {
        text.push_str(&format!("{verdict}\n"));
    }
    text
}
