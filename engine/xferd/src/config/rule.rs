//! `[[rule]]` and `[[rule.path]]`: one static rule, what it demands, and which files take part.

use super::file::{
    File, Keys, actions, boolean, entries, plain_name, star_or_name, text_of, whole_number, word,
};
use super::{ActionKind, Demands, PathRule, Problem, Rule};
use base::hooks::Effect;
use base::ids::DeviceId;
use base::limits::Limits;
use disk::paths::SharePath;
use proto::transfer::filter::{FilterRule, Filters};
use toml::de::{DeTable, DeValue};

/// Reads one rule; `None` when it lacks what every rule has.
pub(super) fn rule(
    file: &File<'_>,
    at: usize,
    table: &DeTable<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Rule> {
    let mut keys = Keys::new(file, "rule.", table, problems);
    let effect = keys.take("effect", effect);
    let account = keys.take("account", star_or_name);
    let group = keys.take("group", plain_name);
    let device = keys.take("device", |v| {
        let text = text_of(v)?;
        DeviceId::from_hex(text).ok_or_else(|| {
            format!("\"{text}\" is not a device id (64 hexadecimal digits; see 'xferd devices')")
        })
    });
    let actions = keys.take("action", actions);
    let share = keys.take("share", star_or_name);
    let protocol = keys.take("protocol", |v| text_of(v).map(str::to_owned));
    if !table.iter().any(|(name, _)| name.get_ref() == "effect") {
        keys.problem(file.origin(at), "effect", "missing; write effect = \"allow\" or effect = \"deny\"");
    }
    if let (Some(protocol), Some(actions)) = (&protocol, &actions)
        && !actions.value.is_empty()
        && !actions.value.contains(&ActionKind::Invoke)
    {
        keys.problem(protocol.origin.clone(), "protocol", "only action = \"invoke\" has a protocol");
    }
    let demands = demands(&mut keys);
    let paths = keys.tables("path");
    let denies = effect.as_ref().is_some_and(|effect| effect.value == Effect::Deny);
    if denies && (demands != Demands::default() || !paths.is_empty()) {
        keys.problem(
            file.origin(at),
            "effect",
            "\"deny\" demands nothing: only what is allowed can be bounded",
        );
    }
    keys.finish();
    let paths = paths.iter().filter_map(|(at, table)| path_rule(file, *at, table, problems)).collect();
    Some(Rule {
        effect: effect?.value,
        account: account.and_then(|s| s.value),
        group: group.map(|s| s.value),
        device: device.map(|s| s.value),
        actions: actions.map(|s| s.value).unwrap_or_default(),
        share: share.and_then(|s| s.value),
        protocol: protocol.map(|s| s.value),
        demands,
        paths,
        origin: file.origin(at),
    })
}

fn demands(keys: &mut Keys<'_, '_, '_>) -> Demands {
    let text = |v: &DeValue<'_>| text_of(v).map(str::to_owned);
    Demands {
        bytes_max: keys.take("max-bytes", whole_number).map(|s| s.value),
        files_max: keys.take("max-files", whole_number).map(|s| s.value),
        bytes_per_second: keys.take("bytes-per-second", positive).map(|s| s.value),
        stored_bytes_max: keys.take("max-stored-bytes", whole_number).map(|s| s.value),
        not_after_ms: keys.take("not-after", moment).map(|s| s.value),
        read_only: keys.take("read-only", boolean).is_some_and(|s| s.value),
        store_as: keys.take("store-as", store_as).map(|s| s.value),
        label: keys.take("label", text).map(|s| s.value),
        notify: keys.take("notify", text).map(|s| s.value),
    }
}

fn path_rule(
    file: &File<'_>,
    at: usize,
    table: &DeTable<'_>,
    problems: &mut Vec<Problem>,
) -> Option<PathRule> {
    let mut keys = Keys::new(file, "rule.path.", table, problems);
    let glob = keys.take("glob", glob);
    let effect = keys.take("effect", effect);
    let bytes_max = keys.take("max-bytes", whole_number);
    let store_as = keys.take("store-as", store_as);
    let code = keys.take("code", |v| text_of(v).map(str::to_owned));
    if !entries(table).any(|name| name == "glob") {
        keys.problem(file.origin(at), "glob", "missing; every [[rule.path]] needs one, such as \"*.exe\"");
    }
    keys.finish();
    Some(PathRule {
        glob: glob?.value,
        bytes_max: bytes_max.map(|s| s.value),
        effect: effect.map_or(Effect::Allow, |s| s.value),
        store_as: store_as.map(|s| s.value),
        code: code.map(|s| s.value),
    })
}

fn effect(value: &DeValue<'_>) -> Result<Effect, String> {
    let effects = |w: &str| match w {
        "allow" => Some(Effect::Allow),
        "deny" => Some(Effect::Deny),
        _ => None,
    };
    word(value, effects, &["allow", "deny"])
}

fn positive(value: &DeValue<'_>) -> Result<u64, String> {
    match whole_number(value)? {
        0 => Err("0 bytes a second would never end".to_owned()),
        number => Ok(number),
    }
}

fn glob(value: &DeValue<'_>) -> Result<String, String> {
    let text = text_of(value)?;
    let rule = FilterRule { include: false, pattern: text.as_bytes().to_vec() };
    match Filters::compile(vec![rule], &Limits::DEFAULT) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!("\"{}\" is no pattern; write one as for --exclude", text.escape_debug())),
    }
}

fn store_as(value: &DeValue<'_>) -> Result<String, String> {
    let text = text_of(value)?;
    match SharePath::parse(text.as_bytes(), &Limits::DEFAULT) {
        Ok(path) if !path.whole().as_bytes().is_empty() => Ok(text.to_owned()),
        Ok(_) => Err("a path beneath the share is expected".to_owned()),
        Err(refused) => {
            Err(format!("\"{}\" is no path beneath a share: {:?}", text.escape_debug(), refused.rule))
        }
    }
}

/// A moment with an offset, such as `2027-01-31T18:00:00Z`, in UTC milliseconds.
fn moment(value: &DeValue<'_>) -> Result<u64, String> {
    let wrong = || "a moment is expected, without quotes: 2027-01-31T18:00:00Z".to_owned();
    let DeValue::Datetime(moment) = value else { return Err(wrong()) };
    let (Some(date), Some(time), Some(offset)) = (moment.date, moment.time, moment.offset) else {
        return Err(wrong());
    };
    let offset_min = match offset {
        toml::value::Offset::Z => 0,
        toml::value::Offset::Custom { minutes } => i64::from(minutes),
    };
    let days = days_since_1970(i64::from(date.year), i64::from(date.month), i64::from(date.day));
    let minutes = (days * 24 + i64::from(time.hour)) * 60 + i64::from(time.minute) - offset_min;
    let ms = (minutes * 60 + i64::from(time.second.unwrap_or(0))) * 1000;
    u64::try_from(ms).map_err(|_| "it lies before 1970".to_owned())
}

/// Days from 1970-01-01 in the Gregorian calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_over_leap_years() {
        for (date, days) in
            [((1970, 1, 1), 0), ((2000, 2, 29), 11_016), ((2000, 3, 1), 11_017), ((2026, 11, 20), 20_777)]
        {
            assert_eq!(days_since_1970(date.0, date.1, date.2), days, "{date:?}");
        }
    }
}
