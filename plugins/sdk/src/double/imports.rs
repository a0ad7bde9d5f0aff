//! The imports of a component, answered by the test's world. The names are those of the generated bindings.

use super::world;

/// Facts.
pub mod context {
    use super::world;
    use crate::value::Value;
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    /// As `context.get`.
    pub fn get(key: &str) -> Option<Value> {
        world(|world| {
            world.read(format!("context {key}"));
            world.facts.get(key).cloned()
        })
    }

    /// As `context.get-many`.
    pub fn get_many(keys: &[String]) -> Vec<Option<Value>> {
        keys.iter().map(|key| get(key)).collect()
    }
}

/// Time.
pub mod clock {
    use super::world;

    /// As `clock.unix-ms`.
    pub fn unix_ms() -> u64 {
        world(|world| {
            world.read("clock".into());
            world.now_ms
        })
    }

    /// As `clock.monotonic-ms`.
    pub fn monotonic_ms() -> u64 {
        unix_ms()
    }
}

/// Buckets.
pub mod quota {
    use super::world;
    use std::format;

    /// As `quota.take`.
    pub fn take(bucket: &str, amount: u64) -> bool {
        world(|world| {
            world.read(format!("quota {bucket}"));
            let Some(left) = world.buckets.get_mut(bucket) else { return false };
            let Some(rest) = left.checked_sub(amount) else { return false };
            *left = rest;
            true
        })
    }
}

/// Devices.
pub mod identity {
    use super::world;
    use crate::value::{GroupId, Id32, PeerId, Value};
    use std::format;
    use std::vec::Vec;

    /// As `identity.me`.
    pub fn me() -> PeerId {
        world(|world| world.me.unwrap_or(Id32 { a: 0, b: 0, c: 0, d: 0 }))
    }

    /// As `identity.claim`.
    pub fn claim(peer: PeerId, name: &str) -> Option<Value> {
        world(|world| {
            world.read(format!("claim {name}"));
            let found = world.claims.iter().find(|(of, claim, _)| *of == peer && claim == name);
            found.map(|(_, _, value)| value.clone())
        })
    }

    /// As `identity.is-member`.
    pub fn is_member(peer: PeerId, group: GroupId) -> bool {
        world(|world| {
            world.read("groups".into());
            world.members.contains(&(peer, group))
        })
    }

    /// As `identity.groups-of`.
    pub fn groups_of(peer: PeerId) -> Vec<GroupId> {
        world(|world| {
            world.read("groups".into());
            world.members.iter().filter(|(of, _)| *of == peer).map(|(_, group)| *group).collect()
        })
    }
}

/// Keys.
pub mod kv_read {
    use super::world;
    pub use crate::bindings::imports::xferd::plugin::kv_read::Entry;
    use crate::value::PageReq;
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    fn entry((key, (val, version)): (&String, &(Vec<u8>, u64))) -> Entry {
        Entry { key: key.clone(), val: val.clone(), version: *version }
    }

    /// As `kv-read.get`.
    pub fn get(key: &str) -> Option<Entry> {
        world(|world| {
            world.read(format!("kv {key}"));
            world.keys.get_key_value(key).map(entry)
        })
    }

    /// As `kv-read.get-many`.
    pub fn get_many(keys: &[String]) -> Vec<Option<Entry>> {
        keys.iter().map(|key| get(key)).collect()
    }

    /// As `kv-read.scan`.
    pub fn scan(prefix: &str, page: &PageReq) -> Vec<Entry> {
        world(|world| {
            world.read(format!("kv {prefix}*"));
            let is_after = |key: &String| page.after.as_ref().is_none_or(|after| key > after);
            let found = world.keys.iter().filter(|(key, _)| key.starts_with(prefix) && is_after(key));
            found.take(page.limit.clamp(1, 256) as usize).map(entry).collect()
        })
    }
}

/// Writes. Times to live are not kept: no time passes within a test.
pub mod kv_write {
    use super::world;
    use crate::value::Error;
    use std::string::ToString as _;

    /// As `kv-write.put`.
    pub fn put(key: &str, val: &[u8], _ttl_ms: Option<u64>) -> Result<u64, Error> {
        world(|world| {
            world.entry(key, val);
            Ok(world.keys.get(key).map_or(0, |(_, version)| *version))
        })
    }

    /// As `kv-write.compare-and-put`.
    pub fn compare_and_put(key: &str, expect: u64, val: &[u8]) -> Result<u64, Error> {
        let version = world(|world| world.keys.get(key).map_or(0, |(_, version)| *version));
        if version == expect { put(key, val, None) } else { Err(Error::Conflict) }
    }

    /// As `kv-write.remove`.
    pub fn remove(key: &str) -> Result<(), Error> {
        world(|world| world.keys.remove(key).map(|_| ()).ok_or(Error::NotFound))
    }

    /// As `kv-write.increment`.
    pub fn increment(key: &str, by: i64) -> Result<i64, Error> {
        let there = world(|world| world.keys.get(key).map(|(value, _)| value.clone()));
        let number = match there {
            None => 0,
            Some(value) => {
                let text = core::str::from_utf8(&value).map_err(|_| Error::Conflict)?;
                text.parse::<i64>().map_err(|_| Error::Conflict)?
            }
        };
        let sum = number.checked_add(by).ok_or(Error::Conflict)?;
        put(key, sum.to_string().as_bytes(), None)?;
        Ok(sum)
    }
}

/// Log lines, all levels.
pub mod log {
    use super::world;
    pub use crate::bindings::imports::xferd::plugin::log::Level;
    use crate::value::Attr;

    /// As `log.enabled`: always.
    pub fn enabled(_at: Level) -> bool {
        true
    }

    /// As `log.emit`.
    pub fn emit(_at: Level, msg: &str, _fields: &[Attr]) {
        world(|world| world.lines.push(msg.into()));
    }
}

/// Numbers.
pub mod metrics {
    use super::world;

    /// As `metrics.add`.
    pub fn add(counter: &str, delta: u64) {
        world(|world| *world.counters.entry(counter.into()).or_default() += delta);
    }

    /// As `metrics.observe`.
    pub fn observe(histogram: &str, sample: f64) {
        world(|world| world.samples.entry(histogram.into()).or_default().push(sample));
    }
}

/// Numbers that look random and are the same in each run.
pub mod random {
    use super::world;
    use std::vec::Vec;

    /// As `random.next-u64`: SplitMix64 from 0 on.
    pub fn next_u64() -> u64 {
        world(|world| {
            world.random = world.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (world.random ^ world.random >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ mixed >> 31
        })
    }

    /// As `random.fill`.
    pub fn fill(len: u32) -> Vec<u8> {
        (0..len).map(|_| next_u64().to_le_bytes()[0]).collect()
    }
}

/// Timers: kept, never run out by themselves.
pub mod timers {
    use super::world;
    use crate::value::{Error, Ticket};

    /// As `timers.after`.
    pub fn after(ms: u64) -> Result<Ticket, Error> {
        world(|world| {
            let (ticket, at) = (world.ticket(), world.now_ms + ms);
            world.timers.push((ticket, at));
            Ok(ticket)
        })
    }

    /// As `timers.cancel`.
    pub fn cancel(which: Ticket) {
        world(|world| world.timers.retain(|(ticket, _)| *ticket != which));
    }
}

/// Messages: kept, never delivered.
pub mod messages {
    use super::super::Sent;
    use super::world;
    use crate::value::{Error, GroupId, PeerId, Ticket};

    fn sent(to: Option<PeerId>, ticket: Option<Ticket>, topic: &str, body: &[u8]) {
        world(|world| world.sent.push(Sent { to, ticket, topic: topic.into(), body: body.to_vec() }));
    }

    /// As `messages.send`.
    pub fn send(to: PeerId, topic: &str, body: &[u8]) -> Result<(), Error> {
        sent(Some(to), None, topic, body);
        Ok(())
    }

    /// As `messages.ask`.
    pub fn ask(to: PeerId, topic: &str, body: &[u8], _timeout_ms: u32) -> Result<Ticket, Error> {
        let ticket = world(super::super::Double::ticket);
        sent(Some(to), Some(ticket), topic, body);
        Ok(ticket)
    }

    /// As `messages.answer`.
    pub fn answer(to: Ticket, body: &[u8]) -> Result<(), Error> {
        sent(None, Some(to), "", body);
        Ok(())
    }

    /// As `messages.broadcast`: to every device of the group.
    pub fn broadcast(group: GroupId, topic: &str, body: &[u8]) -> Result<u32, Error> {
        let members: std::vec::Vec<PeerId> = world(|world| {
            world.members.iter().filter(|(_, of)| *of == group).map(|(peer, _)| *peer).collect()
        });
        for peer in &members {
            sent(Some(*peer), None, topic, body);
        }
        Ok(u32::try_from(members.len()).unwrap_or(u32::MAX))
    }
}
