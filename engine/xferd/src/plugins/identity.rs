//! Verified facts about devices, for policies: what the store knew at the last reload, and who connected since.

use crate::groups::Groups;
use base::ids::{DeviceId, GroupId};
use host::{Identity, Value};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Who is known, and the groups as they are. Plugins of the plugin thread ask it itself, policies through
/// [`Known::as_of`].
pub struct Known {
    me: DeviceId,
    devices: RwLock<BTreeMap<DeviceId, (String, String)>>,
    groups: RwLock<Arc<Groups>>,
}

impl Known {
    /// From (device, account, name) of every device that joined.
    pub fn new(
        me: DeviceId,
        devices: impl IntoIterator<Item = (DeviceId, String, String)>,
        groups: Arc<Groups>,
    ) -> Self {
        let devices = devices.into_iter().map(|(device, account, name)| (device, (account, name))).collect();
        Self { me, devices: RwLock::new(devices), groups: RwLock::new(groups) }
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

    /// The groups as they are.
    pub fn groups(&self) -> Arc<Groups> {
        self.groups.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The groups are others from now on.
    pub fn regroup(&self, groups: Arc<Groups>) {
        *self.groups.write().unwrap_or_else(PoisonError::into_inner) = groups;
    }

    /// The same with the groups of one moment: what static rules and policies of one decision both ask.
    pub fn as_of(self: &Arc<Self>, groups: Arc<Groups>) -> Arc<dyn Identity> {
        Arc::new(AsOf { known: self.clone(), groups })
    }

    fn claim(&self, groups: &Groups, peer: &DeviceId, name: &str) -> Option<Value> {
        let devices = self.devices.read().unwrap_or_else(PoisonError::into_inner);
        let (account, device_name) = devices.get(peer)?;
        match name {
            "account" => Some(Value::Text(account.clone())),
            "name" if !device_name.is_empty() => Some(Value::Text(device_name.clone())),
            "groups" => Some(Value::Texts(groups.names(account))),
            _ => None,
        }
    }

    /// Asks about a device's account; nothing where it is not known.
    fn of_account<T: Default>(&self, peer: &DeviceId, ask: impl FnOnce(&str) -> T) -> T {
        let devices = self.devices.read().unwrap_or_else(PoisonError::into_inner);
        devices.get(peer).map(|(account, _)| ask(account)).unwrap_or_default()
    }
}

impl Identity for Known {
    fn me(&self) -> DeviceId {
        self.me
    }

    fn claim(&self, peer: &DeviceId, name: &str) -> Option<Value> {
        self.claim(&self.groups(), peer, name)
    }

    fn is_member(&self, peer: &DeviceId, group: &[u8; 32]) -> bool {
        let groups = self.groups();
        self.of_account(peer, |account| groups.is_member(account, &GroupId(*group)))
    }

    fn groups_of(&self, peer: &DeviceId) -> Vec<[u8; 32]> {
        let groups = self.groups();
        self.of_account(peer, |account| groups.ids(account))
    }
}

struct AsOf {
    known: Arc<Known>,
    groups: Arc<Groups>,
}

impl Identity for AsOf {
    fn me(&self) -> DeviceId {
        self.known.me
    }

    fn claim(&self, peer: &DeviceId, name: &str) -> Option<Value> {
        Known::claim(&self.known, &self.groups, peer, name)
    }

    fn is_member(&self, peer: &DeviceId, group: &[u8; 32]) -> bool {
        self.known.of_account(peer, |account| self.groups.is_member(account, &GroupId(*group)))
    }

    fn groups_of(&self, peer: &DeviceId) -> Vec<[u8; 32]> {
        self.known.of_account(peer, |account| self.groups.ids(account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::tests::group;

    const ANN: DeviceId = DeviceId([1; 32]);
    const BOB: DeviceId = DeviceId([2; 32]);

    fn known(groups: Groups) -> Arc<Known> {
        let devices = [(ANN, "ann".into(), "laptop".into())];
        Arc::new(Known::new(DeviceId([9; 32]), devices, Arc::new(groups)))
    }

    fn asked(identity: &dyn Identity, peer: &DeviceId, name: &str) -> Option<Value> {
        identity.claim(peer, name)
    }

    #[test]
    fn a_device_is_known_from_the_store_or_once_it_was_met() {
        let known = known(Groups::default());
        assert_eq!(asked(&*known, &ANN, "name"), Some(Value::Text("laptop".into())));
        assert_eq!(asked(&*known, &BOB, "account"), None);
        known.met(BOB, "bob");
        assert_eq!(asked(&*known, &BOB, "account"), Some(Value::Text("bob".into())));
        assert_eq!((asked(&*known, &BOB, "name"), asked(&*known, &ANN, "email")), (None, None));
    }

    #[test]
    fn a_device_is_in_the_groups_of_its_account_as_they_are_or_were() {
        let (ops, dev) = (group(3, "ops", &["ann"]), group(1, "z-dev", &["ann", "bob"]));
        let known = known(Groups::new(&[ops.clone(), dev]));
        let names = |identity: &dyn Identity, peer| asked(identity, peer, "groups");
        let texts = |names: &[&str]| Some(Value::Texts(names.iter().map(|&name| name.into()).collect()));
        assert_eq!(names(&*known, &ANN), texts(&["ops", "z-dev"]));
        assert_eq!(known.groups_of(&ANN), [[1; 32], [3; 32]]);
        assert!(known.is_member(&ANN, &[3; 32]) && !known.is_member(&ANN, &[2; 32]));
        assert_eq!((names(&*known, &BOB), known.is_member(&BOB, &[1; 32])), (None, false), "not met yet");
        known.met(BOB, "bob");
        assert_eq!(names(&*known, &BOB), texts(&["z-dev"]));
        let before = known.as_of(known.groups());
        known.regroup(Arc::new(known.groups().without(ops.id)));
        assert_eq!(
            (names(&*known, &ANN), names(&*before, &ANN)),
            (texts(&["z-dev"]), texts(&["ops", "z-dev"]))
        );
        assert!(!known.is_member(&ANN, &[3; 32]) && before.is_member(&ANN, &[3; 32]));
        assert_eq!((known.groups_of(&ANN).len(), before.groups_of(&ANN).len()), (1, 2));
    }
}
