//! The keys of a plugin, for its operator: to look at, and of a policy to change.

use super::control::Daemon;
use super::hooks::InForce;
use crate::clock::utc_ms;
use crate::failure::Failure;
use crate::plugins::{KeysChange, change_keys};
use crate::report::bytes_fields;
use crate::rules::Authorizer;
use base::limits::Limits;
use host::Kv;
use serde_json::{Value, json};
use state::Store;
use std::path::Path;
use std::sync::Arc;

/// Bytes of values in one answer.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// Changes keys, has the cores use them, and tells what there is.
pub(super) async fn of_daemon(
    daemon: &Daemon,
    plugin: String,
    prefix: String,
    change: KeysChange,
) -> Result<Value, Failure> {
    let _alone = daemon.changing.lock().await;
    let state = daemon.started.borrow().config.state.value.clone();
    let (limits, named, changes) = (daemon.shared.limits.clone(), plugin.clone(), !change.is_empty());
    let work = move |store: &mut Store| change_keys(store, &state, &named, &change, &limits);
    let keys = daemon.ask_store(work).await?;
    let rules = &daemon.shared.rules;
    let InForce { policies, .. } = rules.in_force();
    if let (true, Some(set)) = (changes, policies) {
        // Another generation, so that the cores look; the set's own stays, so that answers which read other keys do.
        let generation = rules.generation().wrapping_add(1);
        let groups = daemon.shared.known.groups();
        let table = Authorizer::new(&daemon.started.borrow().config, groups, generation);
        rules.replace(table, Some(Arc::new(set.with_kv(&plugin, &keys))));
        tracing::info!(target: "xferd::audit", plugin = %plugin, generation, "keys changed");
    }
    Ok(told(&plugin, &prefix, &keys))
}

/// The same without a daemon.
///
/// # Errors
/// As [`change_keys`].
pub(super) fn offline(
    store: &mut Store,
    state: &Path,
    (plugin, prefix): (&str, &str),
    change: &KeysChange,
    limits: &Limits,
) -> Result<Value, Failure> {
    Ok(told(plugin, prefix, &change_keys(store, state, plugin, change, limits)?))
}

fn told(plugin: &str, prefix: &str, keys: &Kv) -> Value {
    let (mut rows, mut bytes, mut left) = (Vec::new(), 0, 0_u64);
    for (key, entry) in keys.scan(prefix, None, utc_ms()) {
        bytes += key.len() + entry.value.len();
        if bytes > ANSWER_BYTES_MAX {
            left += 1;
            continue;
        }
        let mut row = bytes_fields("value", &entry.value);
        row.insert("key".to_owned(), key.into());
        row.insert("version".to_owned(), entry.version.into());
        row.insert("until_ms".to_owned(), (entry.until_ms < u64::MAX).then_some(entry.until_ms).into());
        rows.push(Value::Object(row));
    }
    json!({"plugin": plugin, "keys": rows, "left_out": left})
}
