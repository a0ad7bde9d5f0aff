//! Facts: context, identity, clock. What is read is noted.

use crate::bindings::xferd::plugin::types::{GroupId, PeerId, Value as GuestValue};
use crate::bindings::xferd::plugin::{clock, context, identity};
use crate::guest::{Bound, Guest};
use crate::read::Read;
use crate::value::{Value, id_of_guest, id_to_guest};
use base::ids::DeviceId;
use wasmtime::Result;

impl Guest {
    fn fact(&mut self, key: String) -> Result<Option<GuestValue>> {
        self.charge_name(&key)?;
        let value = self.facts.iter().find(|(name, _)| *name == key).map(|(_, value)| value.clone());
        self.charge(value.as_ref().map_or(0, Value::bytes))?;
        self.note(Read::Context(key.into(), value.clone()));
        Ok(value.map(Into::into))
    }

    pub(super) fn several(&self, what: &'static str, asked: usize) -> Result<(), Bound> {
        let most = self.plugin.limits.plugin_keys_per_call_max as usize;
        if asked > most {
            return Err(Bound::Count { what, asked: asked as u64, most: most as u64 });
        }
        Ok(())
    }
}

impl context::Host for Guest {
    fn get(&mut self, key: String) -> Result<Option<GuestValue>> {
        self.fact(key)
    }

    fn get_many(&mut self, keys: Vec<String>) -> Result<Vec<Option<GuestValue>>> {
        self.several("keys", keys.len())?;
        keys.into_iter().map(|key| self.fact(key)).collect()
    }
}

impl clock::Host for Guest {
    fn unix_ms(&mut self) -> Result<u64> {
        self.charge(0)?;
        self.note(Read::Clock(self.now.utc_ms));
        Ok(self.now.utc_ms)
    }

    fn monotonic_ms(&mut self) -> Result<u64> {
        self.charge(0)?;
        self.note(Read::Clock(self.now.utc_ms));
        Ok(self.now.mono_ns / 1_000_000)
    }
}

/// Claims that need no grant beside `identity` itself.
const FREE_CLAIMS: [&str; 2] = ["account", "name"];

impl identity::Host for Guest {
    fn me(&mut self) -> Result<PeerId> {
        self.charge(0)?;
        Ok(id_to_guest(&self.identity.me().0))
    }

    fn claim(&mut self, peer: PeerId, name: String) -> Result<Option<GuestValue>> {
        self.charge_name(&name)?;
        let granted = self.plugin.manifest.grants.identity.as_ref();
        let granted = granted.is_some_and(|claims| claims.contains(&name));
        if !granted && !FREE_CLAIMS.contains(&name.as_str()) {
            return Ok(None);
        }
        let peer = DeviceId(id_of_guest(peer));
        let value = self.identity.claim(&peer, &name);
        self.charge(value.as_ref().map_or(0, Value::bytes))?;
        self.note(Read::Claim(peer, name.into(), value.clone()));
        Ok(value.map(Into::into))
    }

    fn is_member(&mut self, peer: PeerId, group: GroupId) -> Result<bool> {
        self.charge(64)?;
        let (peer, group) = (DeviceId(id_of_guest(peer)), id_of_guest(group));
        let member = self.identity.is_member(&peer, &group);
        self.note(Read::Member(peer, group, member));
        Ok(member)
    }

    fn groups_of(&mut self, peer: PeerId) -> Result<Vec<GroupId>> {
        let peer = DeviceId(id_of_guest(peer));
        let mut groups = self.identity.groups_of(&peer);
        groups.truncate(self.plugin.limits.plugin_page_max as usize);
        self.charge(32 * groups.len())?;
        let seen = groups.iter().map(id_to_guest).collect();
        self.note(Read::Groups(peer, groups));
        Ok(seen)
    }
}
