//! A plugin's own keys: an immutable snapshot that cores read without asking anybody.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

/// One key's value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KvEntry {
    /// Its bytes.
    pub value: Arc<[u8]>,
    /// From 1; grows with each write of any key of the plugin.
    pub version: u64,
    /// UTC milliseconds after which it is gone; `u64::MAX`: never.
    pub until_ms: u64,
}

/// All keys of one plugin at one moment. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Kv {
    entries: Arc<BTreeMap<String, KvEntry>>,
    /// Version of the last write, also of one that removed a key.
    written: u64,
}

impl Kv {
    /// From what the store holds; `written` is the version of the last write.
    pub fn new(entries: impl IntoIterator<Item = (String, KvEntry)>, written: u64) -> Self {
        let entries: BTreeMap<String, KvEntry> = entries.into_iter().collect();
        let written = entries.values().map(|entry| entry.version).max().unwrap_or(0).max(written);
        Self { entries: Arc::new(entries), written }
    }

    /// The entry of this key, unless its time is over.
    pub fn entry(&self, key: &str, now_ms: u64) -> Option<&KvEntry> {
        self.entries.get(key).filter(|entry| entry.until_ms > now_ms)
    }

    /// Entries from the first after `after` (or from `prefix`) that begin with `prefix`, by key.
    pub fn scan<'s>(
        &'s self,
        prefix: &'s str,
        after: Option<&str>,
        now_ms: u64,
    ) -> impl Iterator<Item = (&'s str, &'s KvEntry)> {
        let from = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        self.entries
            .range::<str, _>((from, Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(prefix))
            .filter(move |(_, entry)| entry.until_ms > now_ms)
            .map(|(key, entry)| (key.as_str(), entry))
    }

    /// Bytes of all keys and values.
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|(key, entry)| (key.len() + entry.value.len()) as u64).sum()
    }

    /// Version of the last write.
    pub fn version(&self) -> u64 {
        self.written
    }

    /// Notes the version of the last write.
    pub(crate) fn wrote(&mut self, version: u64) {
        self.written = version;
    }

    /// Puts (`Some`) or removes (`None`) one key, gives what was there. Copies the map only where it is shared.
    pub(crate) fn change(&mut self, key: &str, to: Option<KvEntry>) -> Option<KvEntry> {
        let map = Arc::make_mut(&mut self.entries);
        match to {
            Some(entry) => map.insert(key.to_owned(), entry),
            None => map.remove(key),
        }
    }

    /// The entry of this key, also when its time is over.
    pub(crate) fn any(&self, key: &str) -> Option<&KvEntry> {
        self.entries.get(key)
    }

    /// Keys whose time is over.
    pub(crate) fn over(&self, now_ms: u64) -> Vec<String> {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.until_ms <= now_ms)
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// The same with some keys put (`Some`) or removed (`None`).
    pub fn with(&self, changes: impl IntoIterator<Item = (String, Option<KvEntry>)>) -> Self {
        let mut entries = (*self.entries).clone();
        for (key, change) in changes {
            match change {
                Some(entry) => entries.insert(key, entry),
                None => entries.remove(&key),
            };
        }
        Self::new(entries, self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(version: u64, until_ms: u64) -> KvEntry {
        KvEntry { value: Arc::from(&b"x"[..]), version, until_ms }
    }

    #[test]
    fn a_scan_sees_one_prefix_in_order_without_what_is_over() {
        let kv = Kv::new(
            [
                ("a/1".into(), entry(1, u64::MAX)),
                ("a/2".into(), entry(2, 10)),
                ("a/3".into(), entry(3, u64::MAX)),
                ("b".into(), entry(4, u64::MAX)),
            ],
            9,
        );
        assert_eq!(kv.version(), 9);
        let keys = |after, now| kv.scan("a/", after, now).map(|(key, _)| key.to_owned()).collect::<Vec<_>>();
        assert_eq!(keys(None, 5), ["a/1", "a/2", "a/3"]);
        assert_eq!(keys(None, 10), ["a/1", "a/3"]);
        assert_eq!(keys(Some("a/1"), 5), ["a/2", "a/3"]);
        assert!(kv.entry("a/2", 10).is_none());
        let less = kv.with([("a/1".into(), None), ("c".into(), Some(entry(1, u64::MAX)))]);
        assert!(
            less.entry("a/1", 0).is_none() && less.entry("c", 0).is_some() && kv.entry("a/1", 0).is_some()
        );
    }
}
