//! What is the plugin's own: keys and token buckets.

use crate::bindings::xferd::plugin::types::PageReq;
use crate::bindings::xferd::plugin::{kv_read, quota};
use crate::guest::Guest;
use crate::kv::KvEntry;
use crate::manifest::Per;
use crate::read::Read;
use crate::value::Value;
use wasmtime::Result;

fn entry_of(key: &str, entry: &KvEntry) -> kv_read::Entry {
    kv_read::Entry { key: key.to_owned(), val: entry.value.to_vec(), version: entry.version }
}

impl Guest {
    fn own(&mut self, key: String) -> Result<Option<kv_read::Entry>> {
        self.charge_name(&key)?;
        let found = self.kv.entry(&key, self.now.utc_ms).map(|entry| entry_of(&key, entry));
        self.charge(found.as_ref().map_or(0, |entry| entry.val.len()))?;
        self.note(Read::Kv(key.into(), found.as_ref().map(|entry| entry.version)));
        Ok(found)
    }
}

impl kv_read::Host for Guest {
    fn get(&mut self, key: String) -> Result<Option<kv_read::Entry>> {
        self.own(key)
    }

    fn get_many(&mut self, keys: Vec<String>) -> Result<Vec<Option<kv_read::Entry>>> {
        self.several("keys", keys.len())?;
        keys.into_iter().map(|key| self.own(key)).collect()
    }

    fn scan(&mut self, prefix: String, page: PageReq) -> Result<Vec<kv_read::Entry>> {
        self.charge_name(&prefix)?;
        let limit = page.limit.clamp(1, self.plugin.limits.plugin_page_max);
        let (kv, now) = (self.kv.clone(), self.now.utc_ms);
        let mut rows = Vec::new();
        for (key, entry) in kv.scan(&prefix, page.after.as_deref(), now).take(limit as usize) {
            self.charge(key.len() + entry.value.len())?;
            rows.push(entry_of(key, entry));
        }
        let found = rows.iter().map(|row| (row.key.as_str().into(), row.version)).collect();
        let after = page.after.map(String::into_boxed_str);
        self.note(Read::Scan { prefix: prefix.into(), after, limit, found });
        Ok(rows)
    }
}

impl quota::Host for Guest {
    fn take(&mut self, bucket: String, amount: u64) -> Result<bool> {
        self.charge_name(&bucket)?;
        let plugin = self.plugin.clone();
        let grant = plugin.manifest.grants.quota.iter().find(|grant| grant.name == bucket);
        let given = grant.is_some_and(|grant| {
            let who = match grant.per {
                Per::Device => self.subject.0.to_vec(),
                Per::Account => match self.identity.claim(&self.subject, "account") {
                    Some(Value::Text(account)) => account.into_bytes(),
                    _ => self.subject.0.to_vec(),
                },
                Per::Node => Vec::new(),
            };
            plugin.buckets.take(&plugin.manifest.name, grant, &who, amount, self.now.mono_ns)
        });
        self.note(Read::Quota(bucket.into(), amount, given));
        Ok(given)
    }
}
