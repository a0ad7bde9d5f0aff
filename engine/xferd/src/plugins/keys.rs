//! The keys of plugins, between the host and the store.

use super::load::Keys;
use super::place::Place;
use crate::clock::utc_ms;
use crate::failure::Failure;
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
    let entry = |row: KeyRow| {
        let KeyRow { key, value, version, until_ms } = row;
        (key, KvEntry { value: value.into(), version, until_ms })
    };
    Kv::new(keys.rows.into_iter().map(entry), keys.version)
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
