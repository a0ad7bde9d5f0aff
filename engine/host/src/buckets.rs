//! Token buckets of all plugins, shared by the cores without a lock.
//!
//! A bucket that is full needs no memory, so the table holds only those that are not. Each is one number: the moment
//! at which it will be full again (the "theoretical arrival time" of GCRA, ITU-T I.371). It lives in the first slots
//! that its key hashes to; where they are all taken by buckets that are not full, nothing is given.

use crate::manifest::BucketGrant;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Slots that one key may lie in.
const PROBES: usize = 16;

struct Slot {
    key: AtomicU64,
    full_at: AtomicU64,
}

/// The table. One for the life of the process, so that a reload refills nothing.
pub struct Buckets {
    slots: Box<[Slot]>,
    hasher: RandomState,
}

impl Buckets {
    /// An empty table of about so many slots.
    pub fn new(slots: u32) -> Self {
        let slots = (slots as usize).next_power_of_two().max(PROBES);
        let slot = || Slot { key: AtomicU64::new(0), full_at: AtomicU64::new(0) };
        Self { slots: (0..slots).map(|_| slot()).collect(), hasher: RandomState::new() }
    }

    /// Takes `amount` tokens from the bucket of `who` in `plugin`, or none.
    pub(crate) fn take(
        &self,
        plugin: &str,
        grant: &BucketGrant,
        who: &[u8],
        amount: u64,
        now_ns: u64,
    ) -> bool {
        // Rates and bursts are part of the key: a changed grant begins with a full bucket.
        let key = self.hasher.hash_one((plugin, &grant.name, grant.token_ns, grant.burst, who)) | 1;
        let cost = grant.token_ns.saturating_mul(amount);
        let room = grant.token_ns.saturating_mul(grant.burst);
        let Some(slot) = self.slot(key, now_ns) else { return false };
        let mut full_at = slot.full_at.load(Ordering::Acquire);
        loop {
            let after = full_at.max(now_ns).saturating_add(cost);
            if after - now_ns > room {
                return false;
            }
            match slot.full_at.compare_exchange_weak(full_at, after, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return true,
                Err(seen) => full_at = seen,
            }
        }
    }

    /// The key's slot, or one that is free or full again.
    fn slot(&self, key: u64, now_ns: u64) -> Option<&Slot> {
        let mask = self.slots.len() - 1;
        let places = (0..PROBES).map(|step| &self.slots[(key as usize).wrapping_add(step) & mask]);
        if let Some(own) = places.clone().find(|slot| slot.key.load(Ordering::Acquire) == key) {
            return Some(own);
        }
        for slot in places {
            let seen = slot.key.load(Ordering::Acquire);
            let free = seen == 0 || slot.full_at.load(Ordering::Acquire) <= now_ns;
            if free && slot.key.compare_exchange(seen, key, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                return Some(slot);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Per;

    fn grant(token_ns: u64, burst: u64) -> BucketGrant {
        BucketGrant { name: "b".into(), token_ns, burst, per: Per::Device }
    }

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let (buckets, grant) = (Buckets::new(64), grant(10, 3));
        let take = |who: &[u8], amount, now| buckets.take("p", &grant, who, amount, now);
        assert!(take(b"a", 3, 1000));
        assert!(!take(b"a", 1, 1000));
        assert!(take(b"b", 1, 1000), "another's bucket is its own");
        assert!(!take(b"a", 1, 1009));
        assert!(take(b"a", 1, 1010));
        assert!(!take(b"a", 1, 1010));
        assert!(!take(b"a", 4, 100_000), "more than a full bucket is never given");
        assert!(take(b"a", 3, 100_000));
        assert!(!take(b"a", u64::MAX, 200_000));
    }

    #[test]
    fn a_table_full_of_spent_buckets_gives_nothing_and_recovers() {
        let (buckets, grant) = (Buckets::new(16), grant(10, 1));
        let given = (0..100u32).filter(|n| buckets.take("p", &grant, &n.to_be_bytes(), 1, 1000)).count();
        assert_eq!(given, 16);
        assert!(buckets.take("p", &grant, b"later", 1, 1010));
    }
}
