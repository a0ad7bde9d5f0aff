//! Facts about devices and accounts that the engine has verified.

use crate::host::identity as host;
use crate::value::{GroupId, PeerId, Value};
use alloc::string::String;
use alloc::vec::Vec;

/// This node.
#[must_use]
pub fn me() -> PeerId {
    host::me()
}

/// A fact about a device: `account` and `name` always, others such as `groups` if `grants.identity.claims` names them.
#[must_use]
pub fn claim(peer: PeerId, name: &str) -> Option<Value> {
    host::claim(peer, name)
}

/// The device's account.
#[must_use]
pub fn account(peer: PeerId) -> Option<String> {
    match host::claim(peer, "account") {
        Some(Value::Text(text)) => Some(text),
        _ => None,
    }
}

/// Whether the device's account is in the group.
#[must_use]
pub fn is_member(peer: PeerId, group: GroupId) -> bool {
    host::is_member(peer, group)
}

/// Names of the groups of the device's account, sorted; none without the claim `groups` in `grants.identity.claims`.
#[must_use]
pub fn group_names(peer: PeerId) -> Vec<String> {
    match host::claim(peer, "groups") {
        Some(Value::Texts(names)) => names,
        _ => Vec::new(),
    }
}

/// The groups of the device's account; at most 256.
#[must_use]
pub fn groups_of(peer: PeerId) -> Vec<GroupId> {
    host::groups_of(peer)
}
