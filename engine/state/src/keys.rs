//! The keys of plugins: what a call wrote is there all at once or not at all, and after a restart.
//!
//! A plugin's keys are counted in pages of the database: one that does not fit a quarter of a page takes whole pages,
//! smaller ones share them.

use crate::error::StoreError;
use crate::store::{Store, given, stored};
use rusqlite::{OptionalExtension, Transaction, params};

/// Bytes of a page.
const PAGE: u64 = 4096;
/// What a key takes beside itself and its value.
const ROW: u64 = 64;
/// A larger row goes to pages of its own.
const SHARED_MAX: u64 = 1000;

/// One key of a plugin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRow {
    /// Which.
    pub key: String,
    /// What it holds.
    pub value: Vec<u8>,
    /// Grows with each write of any key of the plugin.
    pub version: u64,
    /// UTC milliseconds after which it is gone; `u64::MAX`: never.
    pub until_ms: u64,
}

/// All keys of a plugin.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PluginKeys {
    /// By key.
    pub rows: Vec<KeyRow>,
    /// Version of the last write, also of one that removed a key.
    pub version: u64,
}

/// One change of a plugin's keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeyChange {
    /// The key holds this from now on.
    Put(KeyRow),
    /// The key is gone.
    Remove {
        /// Which.
        key: String,
        /// Version of this write.
        version: u64,
    },
}

impl Store {
    /// The keys of a plugin; what is over at `now_ms` is left out, and removed with the next change.
    ///
    /// # Errors
    /// The database refuses.
    pub fn plugin_keys(&mut self, plugin: &str, now_ms: u64) -> Result<PluginKeys, StoreError> {
        let sql = "SELECT key, value, version, until_ms FROM plugin_keys WHERE plugin = ?1 AND until_ms > ?2";
        let mut select = self.db.prepare_cached(sql)?;
        let rows = select.query_map(params![plugin, stored(now_ms)], |row| {
            Ok(KeyRow {
                key: row.get(0)?,
                value: row.get(1)?,
                version: row.get::<_, i64>(2)? as u64,
                until_ms: given(row.get(3)?),
            })
        })?;
        let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        let sql = "SELECT version FROM plugin_usage WHERE plugin = ?1";
        let version = self.db.query_row(sql, [plugin], |row| row.get::<_, i64>(0)).optional()?;
        Ok(PluginKeys { rows, version: version.unwrap_or(0) as u64 })
    }

    /// Changes keys of a plugin, all of them or none; durable when it returns.
    ///
    /// # Errors
    /// They would take more than `plugin_kv_pages_max`, or the database refuses.
    pub fn change_plugin_keys(
        &mut self,
        plugin: &str,
        changes: &[KeyChange],
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let most = u64::from(self.limits.plugin_kv_pages_max);
        let change = self.change()?;
        let sql = "SELECT version, bytes FROM plugin_usage WHERE plugin = ?1";
        let usage = change.query_row(sql, [plugin], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        let (mut version, mut bytes): (i64, i64) = usage.unwrap_or_default();
        for key in over(&change, plugin, now_ms)? {
            bytes -= remove(&change, plugin, &key)?;
        }
        for one in changes {
            let (key, written) = match one {
                KeyChange::Put(row) => (&row.key, row.version),
                KeyChange::Remove { key, version } => (key, *version),
            };
            bytes -= remove(&change, plugin, key)?;
            version = version.max(stored(written));
            if let KeyChange::Put(row) = one {
                let sql = "INSERT INTO plugin_keys VALUES (?1, ?2, ?3, ?4, ?5)";
                let values = params![plugin, row.key, row.value, stored(row.version), stored(row.until_ms)];
                change.prepare_cached(sql)?.execute(values)?;
                bytes += taken(key.len() as u64, row.value.len() as u64);
            }
        }
        if (bytes as u64).div_ceil(PAGE) > most {
            return Err(StoreError::Full { limit: "plugin_kv_pages_max", most });
        }
        let sql = "INSERT OR REPLACE INTO plugin_usage VALUES (?1, ?2, ?3)";
        change.prepare_cached(sql)?.execute(params![plugin, version, bytes])?;
        Ok(change.commit()?)
    }

    /// Forgets the keys of every plugin but these.
    ///
    /// # Errors
    /// The database refuses.
    pub fn keep_plugins(&mut self, plugins: &[String]) -> Result<(), StoreError> {
        let known = {
            let mut select = self.db.prepare_cached("SELECT plugin FROM plugin_usage")?;
            let rows = select.query_map([], |row| row.get::<_, String>(0))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()?
        };
        let gone: Vec<&String> = known.iter().filter(|name| !plugins.contains(name)).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let change = self.change()?;
        for plugin in gone {
            change.execute("DELETE FROM plugin_keys WHERE plugin = ?1", [plugin])?;
            change.execute("DELETE FROM plugin_usage WHERE plugin = ?1", [plugin])?;
        }
        Ok(change.commit()?)
    }
}

/// Keys whose time is over.
fn over(change: &Transaction<'_>, plugin: &str, now_ms: u64) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT key FROM plugin_keys WHERE plugin = ?1 AND until_ms <= ?2";
    let mut select = change.prepare_cached(sql)?;
    let rows = select.query_map(params![plugin, stored(now_ms)], |row| row.get(0))?;
    rows.collect()
}

/// Removes a key, gives the bytes it took.
fn remove(change: &Transaction<'_>, plugin: &str, key: &str) -> rusqlite::Result<i64> {
    let sql = "DELETE FROM plugin_keys WHERE plugin = ?1 AND key = ?2 RETURNING length(value)";
    let mut delete = change.prepare_cached(sql)?;
    let gone = delete.query_row([plugin, key], |row| row.get::<_, i64>(0)).optional()?;
    Ok(gone.map_or(0, |value| taken(key.len() as u64, value as u64)))
}

/// Bytes that a key and its value take of pages.
fn taken(key: u64, value: u64) -> i64 {
    let bytes = key + value + ROW;
    (if bytes > SHARED_MAX { bytes.next_multiple_of(PAGE) } else { bytes }) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dir::StateDir;
    use crate::store::tests::store;
    use base::limits::Limits;
    use std::sync::Arc;

    fn put(key: &str, bytes: usize, version: u64, until_ms: u64) -> KeyChange {
        KeyChange::Put(KeyRow { key: key.to_owned(), value: vec![7; bytes], version, until_ms })
    }

    fn keys(store: &mut Store, plugin: &str, now_ms: u64) -> Vec<String> {
        store.plugin_keys(plugin, now_ms).unwrap().rows.into_iter().map(|row| row.key).collect()
    }

    #[test]
    fn keys_and_the_last_version_survive_a_restart() {
        let (home, mut store) = store(&Limits::TINY);
        store.change_plugin_keys("a/b", &[put("x", 3, 1, u64::MAX), put("y", 0, 2, 50)], 1).unwrap();
        let gone = KeyChange::Remove { key: "x".to_owned(), version: 3 };
        store.change_plugin_keys("a/b", &[gone], 1).unwrap();
        store.change_plugin_keys("a/c", &[put("other", 1, 1, u64::MAX)], 1).unwrap();
        drop(store);
        let dir = Arc::new(StateDir::open(&home.path().join("s")).unwrap());
        let mut store = Store::open(dir, &Limits::TINY).unwrap();
        let found = store.plugin_keys("a/b", 49).unwrap();
        let y = KeyRow { key: "y".to_owned(), value: Vec::new(), version: 2, until_ms: 50 };
        assert_eq!(found, PluginKeys { rows: vec![y], version: 3 });
        assert!(keys(&mut store, "a/b", 50).is_empty(), "its time is over");
        store.keep_plugins(&["a/c".to_owned()]).unwrap();
        assert_eq!(store.plugin_keys("a/b", 0).unwrap(), PluginKeys::default());
        assert_eq!(keys(&mut store, "a/c", 0), ["other"]);
    }

    #[test]
    fn a_plugin_has_its_pages_and_a_change_beyond_them_leaves_nothing() {
        let (_home, mut store) = store(&Limits::TINY);
        store.change_plugin_keys("a/b", &[put("big", 9000, 1, u64::MAX)], 1).unwrap();
        let error = store.change_plugin_keys("a/b", &[put("x", 1, 2, 9), put("more", 4500, 3, 9)], 1);
        assert!(
            matches!(error, Err(StoreError::Full { limit: "plugin_kv_pages_max", most: 4 })),
            "{error:?}"
        );
        assert_eq!(keys(&mut store, "a/b", 0), ["big"]);
        store.change_plugin_keys("a/c", &[put("big", 9000, 1, u64::MAX)], 1).unwrap();
        // What is over and what is replaced makes room.
        store.change_plugin_keys("a/b", &[put("soon", 3000, 4, 5)], 1).unwrap();
        store.change_plugin_keys("a/b", &[put("more", 3000, 5, 9)], 5).unwrap();
        store.change_plugin_keys("a/b", &[put("big", 1, 6, 9), put("third", 6000, 7, 9)], 5).unwrap();
        assert_eq!(keys(&mut store, "a/b", 6), ["big", "more", "third"]);
    }
}
