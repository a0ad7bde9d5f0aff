//! Groups of accounts: who is in which, and which of them are its admins.
//!
//! ```text
//! created, epoch 1 ──member added, made admin or removed──▶ epoch + 1 ──▶ ... ──▶ removed, with all its members
//! ```
//!
//! A group is about accounts, whether a device of theirs has joined or not. Its id is its own for good: one that is
//! made again under an old name is another group.

use crate::error::StoreError;
use crate::store::{Store, given, stored};
use base::codes::Code;
use base::ids::GroupId;
use base::limits::Limits;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::fmt;

/// One group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// Chosen at random.
    pub id: GroupId,
    /// What people call it; no other group is called so.
    pub name: String,
    /// Grows with each change of its members, from 1.
    pub epoch: u64,
    /// UTC milliseconds of its making.
    pub created_ms: u64,
    /// By account.
    pub members: Vec<Member>,
}

/// One account of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
    /// Whose.
    pub account: String,
    /// Whether it is an admin of the group.
    pub admin: bool,
}

/// What became of a group.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GroupChange {
    /// As it is from now on.
    pub group: Group,
    /// Whether anything is other than before.
    pub changed: bool,
    /// Accounts that were in it before, as what they were to be.
    pub already: Vec<String>,
}

/// Why a group was not changed. Nothing was changed then.
#[derive(Debug)]
pub enum GroupError {
    /// No group of this name.
    Unknown,
    /// Another group of this name.
    Taken,
    /// An account that is to go is not in the group.
    NoMember {
        /// Which.
        account: String,
    },
    /// The store refused.
    Store(StoreError),
}

impl GroupError {
    /// What kind of refusal it is.
    pub fn code(&self) -> Code {
        match self {
            Self::Unknown | Self::NoMember { .. } => Code::NotFound,
            Self::Taken => Code::Conflict,
            Self::Store(error) => error.code(),
        }
    }
}

impl fmt::Display for GroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => write!(f, "there is no such group"),
            Self::Taken => write!(f, "there is a group of this name"),
            Self::NoMember { account } => write!(f, "{account:?} is not in the group"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for GroupError {}

impl From<StoreError> for GroupError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for GroupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Store {
    /// Makes a group under this id, chosen at random, with these accounts in it.
    ///
    /// # Errors
    /// Its name is taken, a bound is reached, or the database refuses.
    pub fn create_group(
        &mut self,
        id: GroupId,
        name: &str,
        accounts: &[String],
        now_ms: u64,
    ) -> Result<GroupChange, GroupError> {
        let bounds = Bounds::of(&self.limits);
        let change = self.change()?;
        if find(&change, name)?.is_some() {
            return Err(GroupError::Taken);
        }
        let groups = count(&change, "SELECT count(*) FROM groups", params![])?;
        within(groups + 1, "groups_max", bounds.groups)?;
        let sql = "INSERT INTO groups (id, name, epoch, created_ms) VALUES (?1, ?2, 1, ?3)";
        change.execute(sql, params![id.0, name, stored(now_ms)])?;
        for account in accounts {
            put(&change, id, account, false, &bounds)?;
        }
        within(members(&change, id)?, "group_members_max", bounds.members)?;
        let group = whole(&change, name)?;
        change.commit()?;
        Ok(GroupChange { group, changed: true, already: Vec::new() })
    }

    /// Removes a group and who is in it.
    ///
    /// # Errors
    /// There is none of this name, or the database refuses.
    pub fn remove_group(&mut self, name: &str) -> Result<Group, GroupError> {
        let change = self.change()?;
        let group = whole(&change, name)?;
        change.execute("DELETE FROM group_members WHERE group_id = ?1", [group.id.0])?;
        change.execute("DELETE FROM groups WHERE id = ?1", [group.id.0])?;
        change.commit()?;
        Ok(group)
    }

    /// Puts accounts into a group, all of them or none. One that is in it stays what it is, unless it is to be an admin
    /// and was none.
    ///
    /// # Errors
    /// There is none of this name, a bound is reached, or the database refuses.
    pub fn add_members(
        &mut self,
        name: &str,
        accounts: &[String],
        admin: bool,
    ) -> Result<GroupChange, GroupError> {
        let bounds = Bounds::of(&self.limits);
        let change = self.change()?;
        let id = find(&change, name)?.ok_or(GroupError::Unknown)?;
        let mut already = Vec::new();
        for account in accounts {
            if !put(&change, id, account, admin, &bounds)? {
                already.push(account.clone());
            }
        }
        within(members(&change, id)?, "group_members_max", bounds.members)?;
        let changed = already.len() < accounts.len();
        finish(change, name, changed, already)
    }

    /// Takes accounts out of a group, all of them or none.
    ///
    /// # Errors
    /// There is none of this name, one of them is not in it, or the database refuses.
    pub fn remove_members(&mut self, name: &str, accounts: &[String]) -> Result<GroupChange, GroupError> {
        let change = self.change()?;
        let id = find(&change, name)?.ok_or(GroupError::Unknown)?;
        for account in accounts {
            let sql = "DELETE FROM group_members WHERE group_id = ?1 AND account = ?2";
            if change.execute(sql, params![id.0, account])? == 0 {
                return Err(GroupError::NoMember { account: account.clone() });
            }
        }
        finish(change, name, !accounts.is_empty(), Vec::new())
    }

    /// One group.
    ///
    /// # Errors
    /// There is none of this name, or the database refuses.
    pub fn group(&mut self, name: &str) -> Result<Group, GroupError> {
        whole(&self.db, name)
    }

    /// All groups, by name; as many as `groups_max` allowed when they were made.
    ///
    /// # Errors
    /// The database refuses.
    pub fn groups(&mut self) -> Result<Vec<Group>, StoreError> {
        let mut rows = self.db.prepare_cached("SELECT name FROM groups ORDER BY name")?;
        let names =
            rows.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
        let all = names.iter().map(|name| whole(&self.db, name));
        all.map(|group| {
            group.map_err(|error| match error {
                GroupError::Store(error) => error,
                _ => rusqlite::Error::QueryReturnedNoRows.into(),
            })
        })
        .collect()
    }

    /// Whether a device of this account has joined and was not revoked.
    ///
    /// # Errors
    /// The database refuses.
    pub fn has_device(&mut self, account: &str) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM devices WHERE account = ?1 AND revoked_ms IS NULL)";
        Ok(self.db.query_row(sql, [account], |row| row.get(0))?)
    }
}

/// The bounds of groups.
struct Bounds {
    groups: u32,
    members: u32,
    of_account: u32,
}

impl Bounds {
    fn of(limits: &Limits) -> Self {
        let (groups, members) = (limits.groups_max, limits.group_members_max);
        Self { groups, members, of_account: limits.account_groups_max }
    }
}

fn within(count: u64, limit: &'static str, most: u32) -> Result<(), StoreError> {
    let most = u64::from(most);
    if count > most { Err(StoreError::Full { limit, most }) } else { Ok(()) }
}

fn count(db: &Connection, sql: &str, of: impl rusqlite::Params) -> rusqlite::Result<u64> {
    db.query_row(sql, of, |row| row.get::<_, i64>(0)).map(|count| count as u64)
}

fn members(db: &Connection, id: GroupId) -> rusqlite::Result<u64> {
    count(db, "SELECT count(*) FROM group_members WHERE group_id = ?1", params![id.0])
}

fn find(db: &Connection, name: &str) -> rusqlite::Result<Option<GroupId>> {
    db.query_row("SELECT id FROM groups WHERE name = ?1", [name], |row| row.get(0).map(GroupId)).optional()
}

/// Whether it was not so before.
fn put(
    change: &Transaction<'_>,
    id: GroupId,
    account: &str,
    admin: bool,
    bounds: &Bounds,
) -> Result<bool, GroupError> {
    let sql = "INSERT INTO group_members (group_id, account, admin) VALUES (?1, ?2, ?3)
               ON CONFLICT (group_id, account) DO UPDATE SET admin = 1 WHERE excluded.admin > admin";
    let is_other = change.execute(sql, params![id.0, account, admin])? == 1;
    let groups = count(change, "SELECT count(*) FROM group_members WHERE account = ?1", params![account])?;
    if is_other {
        within(groups, "account_groups_max", bounds.of_account)?;
    }
    Ok(is_other)
}

/// Ends a change of members: in another epoch, if there was any.
fn finish(
    change: Transaction<'_>,
    name: &str,
    changed: bool,
    already: Vec<String>,
) -> Result<GroupChange, GroupError> {
    if changed {
        change.execute("UPDATE groups SET epoch = epoch + 1 WHERE name = ?1", [name])?;
    }
    let group = whole(&change, name)?;
    change.commit()?;
    Ok(GroupChange { group, changed, already })
}

/// A group with its members.
fn whole(db: &Connection, name: &str) -> Result<Group, GroupError> {
    let head = |row: &Row<'_>| {
        Ok(Group {
            id: GroupId(row.get(0)?),
            name: row.get(1)?,
            epoch: row.get::<_, i64>(2)? as u64,
            created_ms: given(row.get(3)?),
            members: Vec::new(),
        })
    };
    let sql = "SELECT id, name, epoch, created_ms FROM groups WHERE name = ?1";
    let mut group = db.query_row(sql, [name], head).optional()?.ok_or(GroupError::Unknown)?;
    let sql = "SELECT account, admin FROM group_members WHERE group_id = ?1 ORDER BY account";
    let mut rows = db.prepare_cached(sql)?;
    let member = |row: &Row<'_>| Ok(Member { account: row.get(0)?, admin: row.get(1)? });
    group.members = rows.query_map([group.id.0], member)?.collect::<rusqlite::Result<_>>()?;
    Ok(group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::Device;
    use crate::dir::StateDir;
    use crate::store::tests::store;
    use base::ids::DeviceId;
    use std::sync::Arc;

    const OPS: GroupId = GroupId([1; 32]);

    fn accounts(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Accounts of a group, an admin with a star.
    fn shown(group: &Group) -> Vec<String> {
        let star = |member: &Member| format!("{}{}", member.account, if member.admin { "*" } else { "" });
        group.members.iter().map(star).collect()
    }

    fn is_full(error: &GroupError, name: &str) -> bool {
        matches!(error, GroupError::Store(StoreError::Full { limit, .. }) if *limit == name)
    }

    #[test]
    fn every_change_of_members_makes_an_epoch_and_outlives_a_restart() {
        let (home, mut store) = store(&Limits::TINY);
        let made = store.create_group(OPS, "ops", &accounts(&["bob", "alice", "bob"]), 7).unwrap();
        assert_eq!((made.group.epoch, shown(&made.group)), (1, accounts(&["alice", "bob"])));
        let again = store.add_members("ops", &accounts(&["bob"]), false).unwrap();
        assert_eq!((again.group.epoch, again.changed, again.already), (1, false, accounts(&["bob"])));
        let more = store.add_members("ops", &accounts(&["bob", "carol"]), true).unwrap();
        assert_eq!((more.group.epoch, more.changed, more.already), (2, true, Vec::new()));
        assert_eq!(shown(&more.group), accounts(&["alice", "bob*", "carol*"]));
        let plain = store.add_members("ops", &accounts(&["bob", "dave"]), false).unwrap();
        assert_eq!((plain.group.epoch, plain.already), (3, accounts(&["bob"])), "an admin stays one");
        let fewer = store.remove_members("ops", &accounts(&["alice", "dave"])).unwrap();
        assert_eq!((fewer.group.epoch, shown(&fewer.group)), (4, accounts(&["bob*", "carol*"])));
        drop(store);
        let dir = Arc::new(StateDir::open(&home.path().join("s")).unwrap());
        let mut store = Store::open(dir, &Limits::TINY).unwrap();
        assert_eq!(store.groups().unwrap(), [fewer.group]);
    }

    #[test]
    fn what_cannot_be_changes_nothing() {
        let (_home, mut store) = store(&Limits::TINY);
        store.create_group(OPS, "ops", &accounts(&["alice"]), 0).unwrap();
        let taken = store.create_group(GroupId([2; 32]), "ops", &[], 0).unwrap_err();
        assert!(matches!(taken, GroupError::Taken) && taken.code() == Code::Conflict);
        let missing = store.add_members("dev", &accounts(&["alice"]), false).unwrap_err();
        assert!(matches!(missing, GroupError::Unknown) && missing.code() == Code::NotFound);
        let nobody = store.remove_members("ops", &accounts(&["alice", "bob"])).unwrap_err();
        assert!(matches!(nobody, GroupError::NoMember { ref account } if account == "bob"));
        assert!(matches!(store.remove_group("dev"), Err(GroupError::Unknown)));
        let ops = store.group("ops").unwrap();
        assert_eq!((ops.epoch, shown(&ops)), (1, accounts(&["alice"])));
    }

    #[test]
    fn a_group_made_again_is_another_and_empty() {
        let (_home, mut store) = store(&Limits::TINY);
        store.create_group(OPS, "ops", &accounts(&["alice"]), 0).unwrap();
        assert_eq!(store.remove_group("ops").unwrap().id, OPS);
        assert!(matches!(store.group("ops"), Err(GroupError::Unknown)));
        let again = store.create_group(GroupId([2; 32]), "ops", &[], 0).unwrap();
        assert_eq!((again.group.id, again.group.members.len()), (GroupId([2; 32]), 0));
        // Also under the old id, nobody of before is in it.
        let old = store.create_group(OPS, "old", &[], 0).unwrap();
        assert!(old.group.members.is_empty());
    }

    #[test]
    fn groups_their_members_and_the_groups_of_an_account_are_bounded() {
        let (_home, mut store) = store(&Limits::TINY);
        for number in 1..=4 {
            store.create_group(GroupId([number; 32]), &format!("g{number}"), &[], 0).unwrap();
        }
        let fifth = store.create_group(GroupId([5; 32]), "g5", &[], 0).unwrap_err();
        assert!(is_full(&fifth, "groups_max") && fifth.code() == Code::TooLarge);
        store.add_members("g1", &accounts(&["a", "b", "c"]), false).unwrap();
        let fifth = store.add_members("g1", &accounts(&["d", "e"]), false).unwrap_err();
        assert!(is_full(&fifth, "group_members_max"));
        for name in ["g2", "g3"] {
            store.add_members(name, &accounts(&["a"]), false).unwrap();
        }
        let fourth = store.add_members("g4", &accounts(&["z", "a"]), false).unwrap_err();
        assert!(is_full(&fourth, "account_groups_max"));
        let counts: Vec<usize> = store.groups().unwrap().iter().map(|group| group.members.len()).collect();
        assert_eq!(counts, [3, 1, 1, 0], "the refused ones left nothing");
        store.add_members("g3", &accounts(&["a"]), true).unwrap();
    }

    #[test]
    fn an_account_has_a_device_until_all_of_its_are_revoked() {
        let (_home, mut store) = store(&Limits::TINY);
        let device = Device {
            device: DeviceId([3; 32]),
            account: "alice".into(),
            name: "laptop".into(),
            serial: 1,
            certificate: vec![1],
            not_after_ms: 9,
            enrolled_ms: 1,
            revoked_ms: None,
        };
        assert!(!store.has_device("alice").unwrap());
        store.put_device(&device).unwrap();
        assert!(store.has_device("alice").unwrap() && !store.has_device("bob").unwrap());
        store.revoke_device(device.device, 5).unwrap();
        assert!(!store.has_device("alice").unwrap());
    }
}
