//! Windows of a week, in minutes since Monday 00:00 local time.

use core::fmt;
use core::str::FromStr;
use xferd_plugin_sdk::prelude::*;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MIN: u32 = 24 * 60;
const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = DAY_MIN as u64 * MINUTE_MS;
const WEEK_MS: u64 = 7 * DAY_MS;

/// Certain days from a minute to a minute; an end that is not after the begin is on the next day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Window {
    days: Vec<u32>,
    begin_min: u32,
    end_min: u32,
    text: String,
}

/// Local time minus UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Offset {
    minutes: i32,
}

/// How long the windows go on from now, through all that follow without a gap; none outside of them; `u64::MAX`
/// where they never end.
pub(crate) fn until_end(windows: &[Window], offset: Offset, now_ms: u64) -> Option<u64> {
    // 1970-01-01 was a Thursday.
    let local_ms = now_ms.wrapping_add_signed(i64::from(offset.minutes) * MINUTE_MS as i64);
    let begin_ms = local_ms.wrapping_add(3 * DAY_MS) % WEEK_MS;
    let mut left_ms = 0;
    loop {
        let at_ms = (begin_ms + left_ms) % WEEK_MS;
        match windows.iter().filter_map(|window| window.left_ms(at_ms)).max() {
            None if left_ms == 0 => return None,
            None => return Some(left_ms),
            Some(more_ms) => left_ms += more_ms,
        }
        if left_ms >= WEEK_MS {
            return Some(u64::MAX);
        }
    }
}

impl Window {
    /// Milliseconds until its end; none outside of it.
    fn left_ms(&self, at_ms: u64) -> Option<u64> {
        let minutes = match self.end_min > self.begin_min {
            true => self.end_min - self.begin_min,
            false => self.end_min + DAY_MIN - self.begin_min,
        };
        let length_ms = u64::from(minutes) * MINUTE_MS;
        self.days.iter().find_map(|day| {
            let begin_ms = u64::from(day * DAY_MIN + self.begin_min) * MINUTE_MS;
            let since_ms = (at_ms + WEEK_MS - begin_ms) % WEEK_MS;
            (since_ms < length_ms).then(|| length_ms - since_ms)
        })
    }
}

impl FromStr for Window {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "write it as 'mon-fri 08:00-18:00'".to_owned();
        let (days, times) = text.trim().split_once(' ').ok_or_else(form)?;
        let (begin, end) = times.trim().split_once('-').ok_or_else(form)?;
        let (begin_min, end_min) = (minute(begin).ok_or_else(form)?, minute(end).ok_or_else(form)?);
        Ok(Self { days: named_days(days)?, begin_min, end_min, text: text.trim().to_owned() })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Offset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "write it as '+01:00', at most 14 hours".to_owned();
        let (sign, time) = match text.split_at_checked(1) {
            Some(("+", time)) => (1, time),
            Some(("-", time)) => (-1, time),
            _ => return Err(form()),
        };
        let minutes = minute(time).filter(|minutes| *minutes <= 14 * 60).ok_or_else(form)?;
        Ok(Self { minutes: sign * i32::try_from(minutes).map_err(|_| form())? })
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = if self.minutes < 0 { ('-', -self.minutes) } else { ('+', self.minutes) };
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Minutes of `HH:MM`, up to 24:00.
fn minute(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| match text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse::<u32>().ok(),
        false => None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let at = hours * 60 + minutes;
    (minutes < 60 && at <= DAY_MIN).then_some(at)
}

/// `daily`, or names and ranges of days by commas; a range may cross Sunday.
fn named_days(text: &str) -> Result<Vec<u32>, String> {
    if text == "daily" {
        return Ok((0..7).collect());
    }
    let day = |name: &str| {
        let at = DAYS.iter().position(|day| *day == name);
        let at = at.and_then(|at| u32::try_from(at).ok());
        at.ok_or_else(|| format!("\"{name}\" is none of daily, {}", DAYS.join(", ")))
    };
    let mut days = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        days.extend((0..=(last + 7 - first) % 7).map(|after| (first + after) % 7));
    }
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: u64 = 60 * MINUTE_MS;
    /// Monday, 2026-11-16 00:00 UTC.
    const MONDAY_MS: u64 = 1_794_787_200_000;
    const UTC: Offset = Offset { minutes: 0 };

    fn windows(texts: &[&str]) -> Vec<Window> {
        texts.iter().map(|text| text.parse().expect("a window")).collect()
    }

    #[test]
    fn a_window_over_midnight_reaches_into_the_next_day_and_week() {
        let windows = windows(&["sun 22:00-04:00"]);
        let left = |hours: u64| until_end(&windows, UTC, MONDAY_MS + hours * HOUR_MS);
        assert_eq!(left(3), Some(HOUR_MS));
        assert_eq!(left(4), None);
        assert_eq!(left(6 * 24 + 23), Some(5 * HOUR_MS));
    }

    #[test]
    fn windows_without_a_gap_are_one_and_all_together_never_end() {
        let chained = windows(&["mon 08:00-24:00", "tue 00:00-06:00"]);
        assert_eq!(until_end(&chained, UTC, MONDAY_MS + 20 * HOUR_MS), Some(10 * HOUR_MS));
        assert_eq!(until_end(&windows(&["daily 00:00-24:00"]), UTC, MONDAY_MS), Some(u64::MAX));
        assert_eq!(until_end(&windows(&["daily 06:00-06:00"]), UTC, MONDAY_MS), Some(u64::MAX));
        assert_eq!(until_end(&[], UTC, MONDAY_MS), None);
    }

    #[test]
    fn days_are_names_and_ranges() {
        assert_eq!(named_days("sat-mon,wed"), Ok(vec![0, 2, 5, 6]));
        assert_eq!(named_days("daily").map(|days| days.len()), Ok(7));
        assert!(named_days("mon-").is_err());
    }

    #[test]
    fn an_offset_moves_the_day() {
        let windows = windows(&["mon 00:00-01:00"]);
        let offset: Offset = "-05:30".parse().expect("an offset");
        assert_eq!(offset.to_string(), "-05:30");
        let at = MONDAY_MS + 5 * HOUR_MS + 30 * MINUTE_MS;
        assert_eq!(until_end(&windows, offset, at), Some(HOUR_MS));
        assert_eq!(until_end(&windows, offset, at - 1), None);
    }
}
