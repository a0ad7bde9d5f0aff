//! A bar for each contender: its median, and a line from its least to its most.

use super::Table;
use crate::measure::Kind;
use std::fmt::Write as _;

const LEFT: f64 = 170.0;
const WIDTH: f64 = 760.0;
const BAR: f64 = 18.0;
const STEP: f64 = 26.0;
const TOP: f64 = 44.0;

/// The chart of a table. Shorter is better.
pub(super) fn chart(table: &Table) -> String {
    let timed: Vec<_> = table.series.iter().filter(|one| !one.counted().is_empty()).collect();
    let most = timed.iter().map(|one| one.spread().1).fold(0.0, f64::max).max(1e-9);
    let height = TOP + STEP * timed.len() as f64 + 12.0;
    let scale = (WIDTH - LEFT - 90.0) / most;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    let title = format!("{}: {} (seconds, median and spread)", table.head.name, table.head.title);
    let _ = writeln!(text, "<text x=\"10\" y=\"24\" font-weight=\"bold\">{}</text>", escaped(&title));
    for (index, one) in timed.iter().enumerate() {
        let seconds = one.median(|sample| sample.wall_s).unwrap_or(0.0);
        let (least, slowest) = one.spread();
        let y = TOP + STEP * index as f64;
        let middle = y + BAR / 2.0;
        let _ = writeln!(
            text,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{LEFT}\" y=\"{y:.0}\" width=\"{:.1}\" height=\"{BAR}\" fill=\"{}\"/>\
             <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle:.0}\" y2=\"{middle:.0}\" stroke=\"#222222\"/>\
             <text x=\"{:.1}\" y=\"{:.0}\">{seconds:.2}</text>",
            LEFT - 8.0,
            y + 14.0,
            escaped(&one.name),
            seconds * scale,
            colour(one.kind),
            LEFT + least * scale,
            LEFT + slowest * scale,
            LEFT + slowest * scale + 6.0,
            y + 14.0,
        );
    }
    text.push_str("</svg>\n");
    text
}

fn colour(kind: Kind) -> &'static str {
    match kind {
        Kind::Ours => "#2a7f3f",
        Kind::Encrypted => "#3b6fb6",
        Kind::Plain => "#c98a1b",
        Kind::Floor | Kind::Ceiling => "#b0b0b0",
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
