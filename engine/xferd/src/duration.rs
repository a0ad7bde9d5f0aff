//! Times as people write them: `90s`, `15m`, `2h`, `1d`.

use std::time::Duration;

/// Reads a whole number with a unit; a bare number is seconds.
///
/// # Errors
/// What would be right.
pub fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "ms" => 1,
        "" | "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("write a number and s, m, h or d, such as 15m".to_owned()),
    };
    let number: u64 =
        digits.parse().map_err(|_| "write a number and s, m, h or d, such as 15m".to_owned())?;
    match number.checked_mul(unit) {
        Some(ms) if ms > 0 => Ok(Duration::from_millis(ms)),
        _ => Err("it must be longer than nothing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_read_and_nonsense_is_not() {
        assert_eq!(parse("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(parse("90"), Ok(Duration::from_secs(90)));
        assert_eq!(parse("2h"), Ok(Duration::from_secs(7200)));
        for bad in ["", "m", "-1s", "1.5h", "0s", "1w", "99999999999999999999d", "18446744073709551615d"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
