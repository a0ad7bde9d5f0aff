//! What plugins outside the data cores may do: write own keys, set timers, answer calls, report peers.

use crate::bindings::xferd::plugin::types::{Error, PeerId, Ticket};
use crate::bindings::xferd::plugin::{candidates, kv_write, random, timers};
use crate::effects::{Candidate, Deed};
use crate::guest::{Bound, Guest};
use crate::value::{Value, id_of_guest};
use base::ids::DeviceId;
use std::sync::Arc;
use wasmtime::Result;

impl Guest {
    /// Room for one more effect.
    pub(super) fn effect(&self) -> Result<(), Bound> {
        let most = u64::from(self.plugin.limits.plugin_effects_max);
        let asked = (self.work.effects.len() + self.work.timers.len()) as u64 + 1;
        if asked > most {
            return Err(Bound::Count { what: "effects", asked, most });
        }
        Ok(())
    }

    /// Puts a key, within the bytes of its grant.
    fn put_own(&mut self, key: &str, value: Vec<u8>, until_ms: u64) -> Result<Result<u64, Error>> {
        self.charge(value.len())?;
        self.effect()?;
        if key.is_empty() {
            return Ok(Err(Error::Invalid("a key has 1 to 128 bytes".into())));
        }
        if value.len() > self.plugin.limits.plugin_kv_value_bytes_max as usize {
            return Ok(Err(Error::Limit));
        }
        let Some(grant) = self.plugin.manifest.grants.kv.clone().filter(|grant| grant.write) else {
            return Ok(Err(Error::Denied));
        };
        let before = self.kv.any(key).map_or(0, |entry| key.len() + entry.value.len()) as u64;
        let more = (key.len() + value.len()) as u64;
        let fits = |bytes: u64| bytes - before + more <= u64::from(grant.bytes_max);
        if !fits(self.work.kv_bytes) {
            for over in self.kv.over(self.now.utc_ms).iter().filter(|over| *over != key) {
                self.effect()?;
                self.work.write(&mut self.kv, over, None);
            }
        }
        if !fits(self.work.kv_bytes) {
            return Ok(Err(Error::Limit));
        }
        Ok(Ok(self.work.write(&mut self.kv, key, Some((Arc::from(value), until_ms)))))
    }
}

impl kv_write::Host for Guest {
    fn put(&mut self, key: String, val: Vec<u8>, ttl_ms: Option<u64>) -> Result<Result<u64, Error>> {
        self.charge_name(&key)?;
        let until = ttl_ms.map_or(u64::MAX, |ttl| self.now.utc_ms.saturating_add(ttl));
        self.put_own(&key, val, until)
    }

    fn compare_and_put(&mut self, key: String, expect: u64, val: Vec<u8>) -> Result<Result<u64, Error>> {
        self.charge_name(&key)?;
        let found = self.kv.entry(&key, self.now.utc_ms).map_or(0, |entry| entry.version);
        if found != expect {
            return Ok(Err(Error::Conflict));
        }
        self.put_own(&key, val, u64::MAX)
    }

    fn remove(&mut self, key: String) -> Result<Result<(), Error>> {
        self.charge_name(&key)?;
        self.effect()?;
        if !self.plugin.manifest.grants.kv.as_ref().is_some_and(|grant| grant.write) {
            return Ok(Err(Error::Denied));
        }
        if self.kv.entry(&key, self.now.utc_ms).is_none() {
            return Ok(Err(Error::NotFound));
        }
        self.work.write(&mut self.kv, &key, None);
        Ok(Ok(()))
    }

    fn increment(&mut self, key: String, by: i64) -> Result<Result<i64, Error>> {
        self.charge_name(&key)?;
        let (number, until) = match self.kv.entry(&key, self.now.utc_ms) {
            None => (Some(0), u64::MAX),
            Some(entry) => {
                let text = std::str::from_utf8(&entry.value).ok();
                (text.and_then(|text| text.parse::<i64>().ok()), entry.until_ms)
            }
        };
        let Some(sum) = number.and_then(|number| number.checked_add(by)) else {
            return Ok(Err(Error::Conflict));
        };
        let put = self.put_own(&key, sum.to_string().into_bytes(), until)?;
        Ok(put.map(|_| sum))
    }
}

impl timers::Host for Guest {
    fn after(&mut self, ms: u64) -> Result<Result<Ticket, Error>> {
        self.charge(0)?;
        self.effect()?;
        let limits = &self.plugin.limits;
        if ms > limits.plugin_timer_ms_max {
            return Ok(Err(Error::Invalid("a timer takes at most 30 days".into())));
        }
        if self.work.timers_before as usize + self.work.timers.len() >= limits.plugin_timers_max as usize {
            return Ok(Err(Error::Limit));
        }
        let ticket = self.work.next_ticket();
        self.work.timers.push((ticket, ms));
        Ok(Ok(ticket))
    }

    fn cancel(&mut self, which: Ticket) -> Result<()> {
        self.charge(0)?;
        self.work.timers.retain(|(ticket, _)| *ticket != which);
        if self.work.cancelled.len() < self.plugin.limits.plugin_timers_max as usize {
            self.work.cancelled.push(which);
        }
        Ok(())
    }
}

impl random::Host for Guest {
    fn next_u64(&mut self) -> Result<u64> {
        self.charge(8)?;
        let mut bytes = [0; 8];
        random_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn fill(&mut self, len: u32) -> Result<Vec<u8>> {
        let most = self.plugin.limits.plugin_random_bytes_max;
        if len > most {
            return Err(Bound::Count { what: "random bytes", asked: len.into(), most: most.into() }.into());
        }
        self.charge(len as usize)?;
        let mut bytes = vec![0; len as usize];
        random_bytes(&mut bytes)?;
        Ok(bytes)
    }
}

fn random_bytes(out: &mut [u8]) -> Result<()> {
    let mut at = 0;
    while at < out.len() {
        at += rustix::rand::getrandom(&mut out[at..], rustix::rand::GetRandomFlags::empty())
            .map_err(std::io::Error::from)?;
    }
    Ok(())
}

impl candidates::Host for Guest {
    fn report(&mut self, found: Vec<candidates::Candidate>) -> Result<()> {
        self.charge(0)?;
        self.effect()?;
        let most = u64::from(self.plugin.limits.plugin_page_max);
        if found.len() as u64 > most {
            return Err(Bound::Count { what: "candidates", asked: found.len() as u64, most }.into());
        }
        let found = found.into_iter().map(|candidate| Candidate {
            peer: candidate.peer.map(|peer| DeviceId(id_of_guest(peer))),
            address: candidate.address,
            port: candidate.port,
            ttl_ms: candidate.ttl_ms,
            attrs: candidate
                .attrs
                .into_iter()
                .map(|attr| (attr.key, Value::from(attr.val).to_string()))
                .collect(),
        });
        let found: Vec<_> = found.collect();
        self.work.effects.push(Deed::Found(found));
        Ok(())
    }

    fn withdraw(&mut self, peer: PeerId) -> Result<()> {
        self.charge(32)?;
        self.effect()?;
        self.work.effects.push(Deed::Lost(DeviceId(id_of_guest(peer))));
        Ok(())
    }
}
