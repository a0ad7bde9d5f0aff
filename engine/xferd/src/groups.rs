//! Groups of accounts as decisions see them: one picture of all, never changed, replaced whole.
//!
//! The store holds what is durable (`state::Group`). Static rules, policies and plugins ask this picture: an account is
//! looked up, and its few groups are compared.

use base::ids::GroupId;
use state::Group;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Who is in which group.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Groups {
    all: BTreeSet<Arc<Named>>,
    /// By account, each sorted by id.
    of: BTreeMap<String, Vec<Arc<Named>>>,
}

/// One group.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Named {
    id: GroupId,
    name: String,
}

impl Groups {
    /// Of all that the store has.
    pub fn new(all: &[Group]) -> Self {
        let mut groups = Self::default();
        all.iter().for_each(|group| groups.insert(group));
        groups
    }

    /// The same with one group as it is from now on.
    #[must_use]
    pub fn with(&self, group: &Group) -> Self {
        let mut groups = self.without(group.id);
        groups.insert(group);
        groups
    }

    /// The same without one group.
    #[must_use]
    pub fn without(&self, id: GroupId) -> Self {
        let mut groups = self.clone();
        groups.all.retain(|named| named.id != id);
        groups.of.retain(|_, of| {
            of.retain(|named| named.id != id);
            !of.is_empty()
        });
        groups
    }

    fn insert(&mut self, group: &Group) {
        let named = Arc::new(Named { id: group.id, name: group.name.clone() });
        self.all.insert(named.clone());
        for member in &group.members {
            let of = self.of.entry(member.account.clone()).or_default();
            let at = of.partition_point(|other| other.id < named.id);
            of.insert(at, named.clone());
        }
    }

    fn of(&self, account: &str) -> &[Arc<Named>] {
        self.of.get(account).map_or(&[], Vec::as_slice)
    }

    /// Whether there is a group of this name.
    pub fn has(&self, name: &str) -> bool {
        self.all.iter().any(|named| named.name == name)
    }

    /// Whether an account is in the group of this name; nobody is in one that is not there.
    pub fn is_in(&self, account: &str, name: &str) -> bool {
        self.of(account).iter().any(|named| named.name == name)
    }

    /// Whether an account is in the group of this id.
    pub fn is_member(&self, account: &str, id: &GroupId) -> bool {
        self.of(account).binary_search_by_key(id, |named| named.id).is_ok()
    }

    /// Ids of an account's groups, sorted.
    pub fn ids(&self, account: &str) -> Vec<[u8; 32]> {
        self.of(account).iter().map(|named| named.id.0).collect()
    }

    /// Names of an account's groups, sorted.
    pub fn names(&self, account: &str) -> Vec<String> {
        let mut names: Vec<String> = self.of(account).iter().map(|named| named.name.clone()).collect();
        names.sort_unstable();
        names
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use state::Member;

    /// A group of this name and these accounts.
    pub(crate) fn group(id: u8, name: &str, accounts: &[&str]) -> Group {
        let member = |account: &&str| Member { account: (*account).to_owned(), admin: false };
        let members = accounts.iter().map(member).collect();
        Group { id: GroupId([id; 32]), name: name.to_owned(), epoch: 1, created_ms: 0, members }
    }

    #[test]
    fn an_account_has_its_groups_by_name_and_by_id() {
        let groups = Groups::new(&[
            group(9, "dev", &["ann", "bob"]),
            group(3, "ops", &["ann"]),
            group(1, "empty", &[]),
        ]);
        assert_eq!(groups.names("ann"), ["dev", "ops"]);
        assert_eq!(groups.ids("ann"), [[3; 32], [9; 32]]);
        assert!(groups.is_in("bob", "dev") && !groups.is_in("bob", "ops") && !groups.is_in("eve", "dev"));
        assert!(groups.is_member("ann", &GroupId([3; 32])) && !groups.is_member("bob", &GroupId([3; 32])));
        assert!(groups.has("empty") && !groups.has("none") && groups.names("eve").is_empty());
    }

    #[test]
    fn one_group_is_replaced_and_the_others_stay() {
        let before = Groups::new(&[group(9, "dev", &["ann", "bob"]), group(3, "ops", &["ann"])]);
        let after = before.with(&group(9, "dev", &["ann", "eve"]));
        assert_eq!(after, Groups::new(&[group(3, "ops", &["ann"]), group(9, "dev", &["ann", "eve"])]));
        let gone = after.without(GroupId([9; 32]));
        assert_eq!(gone, Groups::new(&[group(3, "ops", &["ann"])]));
        assert_eq!(before.names("bob"), ["dev"], "who looks at the picture before sees it whole");
    }
}
