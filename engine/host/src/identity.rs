//! Verified facts about devices, given by the caller; the host has none of its own.

use crate::value::Value;
use base::ids::DeviceId;

/// What the engine knows of devices and groups, the same throughout one decision.
pub trait Identity: Send + Sync {
    /// This node.
    fn me(&self) -> DeviceId;
    /// A fact about a device; `account` and `name` where it is known at all, and `groups`, the names of those of its
    /// account.
    fn claim(&self, peer: &DeviceId, name: &str) -> Option<Value>;
    /// Whether the device's account is in the group.
    fn is_member(&self, peer: &DeviceId, group: &[u8; 32]) -> bool;
    /// The groups of the device's account, sorted, at most `plugin_page_max`.
    fn groups_of(&self, peer: &DeviceId) -> Vec<[u8; 32]>;
}
