//! Numbers for people.

use crate::escape::shown;
use std::fmt::Write as _;

/// Bytes with a decimal unit: `999 B`, `1.5 kB`, `12.3 GB`.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if count < 1000 {
        return format!("{count} B");
    }
    let mut value = count as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// Seconds: `0.42 s`, `12.3 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 9.995 => format!("{s:.2} s"),
        s if s < 59.95 => format!("{s:.1} s"),
        s if s < 3599.5 => format!("{} min {} s", s.round() as u64 / 60, s.round() as u64 % 60),
        s => format!("{} h {} min", s as u64 / 3600, s as u64 % 3600 / 60),
    }
}

/// UTC milliseconds since 1970 as `2026-11-20 09:38:00Z`.
pub fn date(utc_ms: u64) -> String {
    let seconds = utc_ms / 1000;
    let (year, month, day) = civil(seconds / 86_400);
    let of_day = seconds % 86_400;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}Z", of_day / 3600, of_day / 60 % 60, of_day % 60)
}

/// Days since 1970 as a Gregorian date (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// A JSON object as `key value` lines; nested objects indented, lists one item a line.
pub fn lines(data: &serde_json::Value) -> String {
    let mut out = String::new();
    put(&mut out, data, 0);
    out
}

fn put(out: &mut String, data: &serde_json::Value, depth: usize) {
    use serde_json::Value as V;
    let Some(object) = data.as_object() else {
        let _ = writeln!(out, "{:indent$}{}", "", flat(data), indent = depth * 2);
        return;
    };
    for (key, value) in object {
        match value {
            V::Object(_) => {
                let _ = writeln!(out, "{:indent$}{key}", "", indent = depth * 2);
                put(out, value, depth + 1);
            }
            V::Array(items) if items.iter().any(V::is_object) => {
                let _ = writeln!(out, "{:indent$}{key}", "", indent = depth * 2);
                for item in items {
                    let row: Vec<String> = item
                        .as_object()
                        .into_iter()
                        .flatten()
                        .filter(|(_, v)| !v.is_object())
                        .map(|(k, v)| format!("{k} {}", flat(v)))
                        .collect();
                    let _ = writeln!(out, "{:indent$}{}", "", row.join("  "), indent = depth * 2 + 2);
                }
            }
            _ => {
                let width = 18_usize.saturating_sub(depth * 2);
                let _ = writeln!(out, "{:indent$}{key:<width$}  {}", "", flat(value), indent = depth * 2);
            }
        }
    }
}

fn flat(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => shown(text),
        serde_json::Value::Array(items) => items.iter().map(flat).collect::<Vec<_>>().join(" "),
        serde_json::Value::Null => "-".to_owned(),
        serde_json::Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        other => shown(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_well_at_every_size() {
        assert_eq!((bytes(0), bytes(999), bytes(1000)), ("0 B".into(), "999 B".into(), "1.0 kB".into()));
        assert_eq!((bytes(999_999), bytes(u64::MAX)), ("1.0 MB".into(), "18.4 EB".into()));
        assert_eq!((duration(0.123), duration(59.97)), ("0.12 s".into(), "1 min 0 s".into()));
        assert_eq!((duration(200.2), duration(7500.0)), ("3 min 20 s".into(), "2 h 5 min".into()));
    }

    #[test]
    fn dates_are_gregorian() {
        assert_eq!(date(0), "1970-01-01 00:00:00Z");
        assert_eq!(date(951_782_400_000), "2000-02-29 00:00:00Z");
        assert_eq!(date(1_795_167_480_999), "2026-11-20 09:38:00Z");
    }
}
