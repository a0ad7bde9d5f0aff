//! The keys of plugins, between the host and the store.

use super::load::Keys;
use super::place::Place;
use crate::clock::utc_ms;
use crate::escape::shown;
use crate::failure::Failure;
use base::codes::Code;
use base::limits::Limits;
use host::{Deed, Kv, KvEntry};
use state::{KeyChange, KeyRow, PluginKeys, Store};
use std::path::Path;

/// The keys of every plugin that is installed; those of others are forgotten.
///
/// # Errors
/// The store or the folder refuses.
pub fn keys(store: &mut Store, state: &Path) -> Result<Keys, Failure> {
    let refused = |error: state::StoreError| Failure::start(error.code(), error.to_string(), "");
    let installed = Place::of(state).installed()?;
    let names: Vec<String> = installed.into_iter().map(|plugin| plugin.name).collect();
    store.keep_plugins(&names).map_err(refused)?;
    let mut all = Keys::new();
    for name in names {
        let keys = store.plugin_keys(&name, utc_ms()).map_err(refused)?;
        all.insert(name, kv(keys));
    }
    Ok(all)
}

fn kv(keys: PluginKeys) -> Kv {
    Kv::new(keys.rows.into_iter().map(|row| (row.key.clone(), entry(row))), keys.version)
}

/// What an operator does to the keys of a policy.
#[derive(Clone, Debug, Default)]
pub struct KeysChange {
    /// Keys and what they hold from now on.
    pub put: Vec<(String, String)>,
    /// Keys that go.
    pub remove: Vec<String>,
}

impl KeysChange {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.put.is_empty() && self.remove.is_empty()
    }
}

/// Changes keys of a policy, all or nothing, and gives what there is then. Other plugins write theirs themselves.
///
/// # Errors
/// It is not installed, has no keys or writes them itself, or they would be more than it asks for.
pub fn change_keys(
    store: &mut Store,
    state: &Path,
    plugin: &str,
    change: &KeysChange,
    limits: &Limits,
) -> Result<Kv, Failure> {
    let refused = |error: state::StoreError| Failure::new(error.code(), error.to_string(), "");
    let place = Place::of(state);
    let manifest = super::load::manifest(&place, &place.find(plugin)?, limits)?;
    let Some(grant) = &manifest.grants.kv else {
        return Err(Failure::usage(format!("{plugin} has no keys"), "its plugin.toml does not ask for kv"));
    };
    if !change.is_empty() && !manifest.world.is_policy() {
        let next = "only the keys of a policy are changed so";
        return Err(Failure::usage(format!("{plugin} writes its keys itself"), next));
    }
    let before = store.plugin_keys(plugin, utc_ms()).map_err(refused)?;
    let mut version = before.version;
    let mut changes = Vec::new();
    for (key, value) in &change.put {
        version += 1;
        changes.push(KeyChange::Put(checked(key, value, version, limits)?));
    }
    for key in &change.remove {
        if !before.rows.iter().any(|row| row.key == *key) {
            return Err(Failure::new(Code::NotFound, format!("{plugin} has no key {}", shown(key)), ""));
        }
        version += 1;
        changes.push(KeyChange::Remove { key: key.clone(), version });
    }
    let entries = changes.iter().map(|change| match change {
        KeyChange::Put(row) => (row.key.clone(), Some(entry(row.clone()))),
        KeyChange::Remove { key, .. } => (key.clone(), None),
    });
    let after = kv(before).with(entries);
    if after.bytes() > u64::from(grant.bytes_max) {
        let message =
            format!("the keys of {plugin} would take {} bytes, at most {}", after.bytes(), grant.bytes_max);
        return Err(Failure::new(Code::TooLarge, message, "remove some, or have it ask for more"));
    }
    if !changes.is_empty() {
        store.change_plugin_keys(plugin, &changes, utc_ms()).map_err(refused)?;
    }
    Ok(after)
}

fn checked(key: &str, value: &str, version: u64, limits: &Limits) -> Result<KeyRow, Failure> {
    let most = limits.plugin_name_bytes_max as usize;
    if key.is_empty() || key.len() > most {
        return Err(Failure::usage(
            format!("\"{}\" cannot be a key", shown(key)),
            format!("use 1 to {most} bytes"),
        ));
    }
    let most = limits.plugin_kv_value_bytes_max;
    if value.len() > most as usize {
        let message = format!("the value of {} has {} bytes, at most {most}", shown(key), value.len());
        return Err(Failure::new(Code::TooLarge, message, ""));
    }
    Ok(KeyRow { key: key.to_owned(), value: value.as_bytes().to_vec(), version, until_ms: u64::MAX })
}

fn entry(row: KeyRow) -> KvEntry {
    KvEntry { value: row.value.into(), version: row.version, until_ms: row.until_ms }
}

/// What a call did to keys.
pub(super) fn changes(deeds: &[Deed]) -> Vec<KeyChange> {
    let change = |deed: &Deed| match deed {
        Deed::KvPut { key, entry } => Some(KeyChange::Put(KeyRow {
            key: key.clone(),
            value: entry.value.to_vec(),
            version: entry.version,
            until_ms: entry.until_ms,
        })),
        Deed::KvRemove { key, version } => Some(KeyChange::Remove { key: key.clone(), version: *version }),
        Deed::Answer { .. } | Deed::Found(_) | Deed::Lost(_) => None,
    };
    deeds.iter().filter_map(change).collect()
}
