//! Verified facts about devices, for policies: what the store knew at the last reload, and who connected since.

use base::ids::DeviceId;
use host::{Identity, Value};
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

/// Who is known.
pub struct Known {
    me: DeviceId,
    devices: RwLock<BTreeMap<DeviceId, (String, String)>>,
}

impl Known {
    /// From (device, account, name) of every device that joined.
    pub fn new(me: DeviceId, devices: impl IntoIterator<Item = (DeviceId, String, String)>) -> Self {
        let devices = devices.into_iter().map(|(device, account, name)| (device, (account, name))).collect();
        Self { me, devices: RwLock::new(devices) }
    }

    /// A device proved its account: it may have joined since.
    pub fn met(&self, device: DeviceId, account: &str) {
        let known = self.devices.read().unwrap_or_else(PoisonError::into_inner);
        if known.get(&device).is_some_and(|(known, _)| known == account) {
            return;
        }
        drop(known);
        let mut devices = self.devices.write().unwrap_or_else(PoisonError::into_inner);
        devices.entry(device).or_default().0 = account.to_owned();
    }
}

impl Identity for Known {
    fn me(&self) -> DeviceId {
        self.me
    }

    fn claim(&self, peer: &DeviceId, name: &str) -> Option<Value> {
        let devices = self.devices.read().unwrap_or_else(PoisonError::into_inner);
        let (account, device_name) = devices.get(peer)?;
        match name {
            "account" => Some(Value::Text(account.clone())),
            "name" if !device_name.is_empty() => Some(Value::Text(device_name.clone())),
            _ => None,
        }
    }

    fn is_member(&self, _: &DeviceId, _: &[u8; 32]) -> bool {
        false
    }

    fn groups_of(&self, _: &DeviceId) -> Vec<[u8; 32]> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_known_from_the_store_or_once_it_was_met() {
        let (ann, bob) = (DeviceId([1; 32]), DeviceId([2; 32]));
        let known = Known::new(DeviceId([9; 32]), [(ann, "ann".into(), "laptop".into())]);
        assert_eq!(known.claim(&ann, "name"), Some(Value::Text("laptop".into())));
        assert_eq!(known.claim(&bob, "account"), None);
        known.met(bob, "bob");
        assert_eq!(known.claim(&bob, "account"), Some(Value::Text("bob".into())));
        assert_eq!((known.claim(&bob, "name"), known.claim(&ann, "email")), (None, None));
    }
}
