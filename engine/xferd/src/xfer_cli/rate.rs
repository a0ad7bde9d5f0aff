//! A rate as rsync's --bwlimit spells it: KiB a second, or with a suffix.

/// Bytes a second: `100`, `1.5m`, `2MiB`, `10MB`, `512B`; 0 is no limit.
///
/// # Errors
/// It is none.
pub(super) fn parse(text: &str) -> Result<u64, String> {
    let wrong = || "a rate is a number with an optional suffix, such as 500, 1.5m or 10MB".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let suffix = suffix.to_ascii_lowercase();
    let (power, base) = match suffix.as_str() {
        "b" => (0, 1024_u64),
        "" | "k" | "kib" => (1, 1024),
        "m" | "mib" => (2, 1024),
        "g" | "gib" => (3, 1024),
        "t" | "tib" => (4, 1024),
        "kb" => (1, 1000),
        "mb" => (2, 1000),
        "gb" => (3, 1000),
        "tb" => (4, 1000),
        _ => return Err(wrong()),
    };
    let rate = number * base.pow(power) as f64;
    match rate {
        rate if rate >= u64::MAX as f64 / 2.0 => Err(wrong()),
        // Less than that does not get a record through within any patience.
        rate if rate > 0.0 && rate < 512.0 => Err("the lowest rate is 512B".to_owned()),
        rate => Ok(rate as u64),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn rates_are_spelled_as_rsyncs() {
        let cases = [
            ("0", 0),
            ("100", 102_400),
            ("1.5m", 1_572_864),
            ("2MiB", 2 << 20),
            ("10MB", 10_000_000),
            ("1G", 1 << 30),
            ("512b", 512),
        ];
        for (text, rate) in cases {
            assert_eq!(parse(text), Ok(rate), "{text}");
        }
        for text in ["", "m", "-1", "1x", "1 m", "1..2", "1b", "99999999999T"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
