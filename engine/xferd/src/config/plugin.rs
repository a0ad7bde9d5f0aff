//! `[plugin]`: which plugins are taken in and in which order, whose signatures count, and their settings.

use super::file::{File, Keys, one_or_more, text_of};
use super::{PluginConfig, Problem, Setting};
use base::ids::Value as Hash;
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// Reads the section.
pub(super) fn plugin(file: &File<'_>, table: &DeTable<'_>, problems: &mut Vec<Problem>) -> PluginConfig {
    let mut keys = Keys::new(file, "plugin.", table, problems);
    let trusted = keys.take("keys", |value| one_or_more(value, key));
    let enabled = keys.take("enabled", |value| match value.as_array() {
        Some(array) => array.iter().map(|item| name(item.get_ref())).collect(),
        None => Err("a list of names is expected, such as [\"acme/hours\"]".to_owned()),
    });
    let all = keys.table("settings");
    keys.finish();
    let mut settings = BTreeMap::new();
    for (plugin, given) in all.into_iter().flatten() {
        let origin = file.origin(plugin.span().start);
        match owned(given.get_ref()) {
            toml::Value::Table(value) => {
                drop(settings.insert(plugin.get_ref().to_string(), Setting { value, origin }))
            }
            _ => {
                let message = format!("plugin.settings.{}: a table is expected", plugin.get_ref());
                problems.push(Problem { origin, message });
            }
        }
    }
    PluginConfig { keys: trusted.map(|keys| keys.value).unwrap_or_default(), enabled, settings }
}

fn key(value: &DeValue<'_>) -> Result<[u8; 32], String> {
    let text = text_of(value)?;
    Hash::from_hex(text).map(|key| key.0).ok_or_else(|| {
        format!(
            "\"{}\" is no public key: 64 hexadecimal digits, as 'xferd plugin keygen' prints",
            text.escape_debug()
        )
    })
}

fn name(value: &DeValue<'_>) -> Result<String, String> {
    let text = text_of(value)?;
    match text.split_once('/') {
        Some((owner, name)) if !owner.is_empty() && !name.is_empty() => Ok(text.to_owned()),
        _ => Err(format!("\"{}\" is no plugin's name: write \"owner/name\"", text.escape_debug())),
    }
}

/// The same value without its place in the file.
fn owned(value: &DeValue<'_>) -> toml::Value {
    match value {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Integer(_) => {
            match value.as_integer().map(|it| i64::from_str_radix(it.as_str(), it.radix())) {
                Some(Ok(number)) => toml::Value::Integer(number),
                _ => toml::Value::String(String::new()),
            }
        }
        DeValue::Float(number) => toml::Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => toml::Value::Boolean(*flag),
        DeValue::Datetime(moment) => toml::Value::Datetime(*moment),
        DeValue::Array(items) => items.iter().map(|item| owned(item.get_ref())).collect::<Vec<_>>().into(),
        DeValue::Table(table) => {
            let rows = table.iter().map(|(key, value)| (key.get_ref().to_string(), owned(value.get_ref())));
            toml::Value::Table(rows.collect())
        }
    }
}
