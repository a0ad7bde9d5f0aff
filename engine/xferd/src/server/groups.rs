//! Groups of accounts, for their operator: made, changed, listed, and in force on every core at once.
//!
//! ```text
//! act ─▶ store thread: one synced transaction ─▶ another picture of the groups ─▶ another generation of the rules:
//!                                                 the cores ask again what they allowed
//! ```

use super::control::Daemon;
use crate::admin::GroupAct;
use crate::clock::utc_ms;
use crate::config::{Config, Who, is_plain_name};
use crate::escape::shown;
use crate::failure::Failure;
use crate::groups::Groups;
use crate::rules::Authorizer;
use base::codes::Code;
use base::ids::GroupId;
use serde_json::{Value, json};
use state::{Group, GroupChange, GroupError, Store};
use std::sync::Arc;

/// Bytes of names in one answer.
const ANSWER_BYTES_MAX: usize = 256 << 10;
/// What a row of an answer takes beside its names.
const ROW_BYTES: usize = 160;

/// All groups of the store.
///
/// # Errors
/// The store refuses.
pub(super) fn read(store: &mut Store) -> Result<Arc<Groups>, Failure> {
    let all = store.groups().map_err(|error| Failure::start(error.code(), error.to_string(), ""))?;
    Ok(Arc::new(Groups::new(&all)))
}

/// What came of an act, and what it changed.
struct Done {
    told: Value,
    change: Option<Change>,
}

enum Change {
    /// The group is this from now on.
    Is(Group),
    /// There is no such group any more.
    Gone(GroupId),
}

/// Does it, has the cores use it, and tells what there is.
pub(super) async fn of_daemon(daemon: &Daemon, act: GroupAct) -> Result<Value, Failure> {
    let _alone = daemon.changing.lock().await;
    let Done { told, change } = daemon.ask_store(move |store| perform(store, &act)).await?;
    let Some(change) = change else { return Ok(told) };
    let before = daemon.shared.known.groups();
    let after = Arc::new(match &change {
        Change::Is(group) => before.with(group),
        Change::Gone(id) => before.without(*id),
    });
    let rules = &daemon.shared.rules;
    let policies = rules.in_force().policies;
    let config = &daemon.started.borrow().config;
    if let Change::Gone(_) = change {
        warn_of_absent(config, &after);
    }
    // Another generation, so that the cores look; that of the policies stays, so that answers which read no groups do.
    let generation = rules.generation().wrapping_add(1);
    daemon.shared.known.regroup(after.clone());
    rules.replace(Authorizer::new(config, after, generation), policies);
    tracing::info!(target: "xferd::audit", group = %shown(told["name"].as_str().unwrap_or_default()),
        epoch = told["epoch"].as_u64(), generation, "groups changed");
    Ok(told)
}

/// The same without a daemon.
///
/// # Errors
/// What is named cannot be a name, there is no such group, or the store refuses.
pub(super) fn offline(store: &mut Store, act: &GroupAct) -> Result<Value, Failure> {
    perform(store, act).map(|done| done.told)
}

fn perform(store: &mut Store, act: &GroupAct) -> Result<Done, Failure> {
    match act {
        GroupAct::Create { name, accounts } => {
            let (name, accounts) = (new_name(name)?, checked(accounts)?);
            let id = identity::random::<32>()
                .map_err(|error| Failure::new(Code::Io, format!("no random bytes: {error}"), ""))?;
            let made = store.create_group(GroupId(*id), name, &accounts, utc_ms());
            changed(store, made.map_err(|error| refused(name, &error))?, &accounts)
        }
        GroupAct::Add { name, accounts, admin } => {
            let accounts = checked(accounts)?;
            let added = store.add_members(name, &accounts, *admin);
            changed(store, added.map_err(|error| refused(name, &error))?, &accounts)
        }
        GroupAct::Remove { name, accounts } => {
            let removed = store.remove_members(name, &checked(accounts)?);
            changed(store, removed.map_err(|error| refused(name, &error))?, &[])
        }
        GroupAct::Delete { name } => {
            let group = store.remove_group(name).map_err(|error| refused(name, &error))?;
            let told = json!({"name": group.name, "id": group.id.to_string(), "deleted": true});
            Ok(Done { told, change: Some(Change::Gone(group.id)) })
        }
        GroupAct::List { name } => {
            let groups = match name {
                Some(name) => vec![store.group(name).map_err(|error| refused(name, &error))?],
                None => store.groups().map_err(|error| refused("", &error.into()))?,
            };
            Ok(Done { told: listed(&groups), change: None })
        }
    }
}

/// The name of a group that is to be made.
fn new_name(name: &str) -> Result<&str, Failure> {
    let next = "use 1 to 64 bytes without spaces, control characters, / : * or quotes";
    if !is_plain_name(name) {
        return Err(Failure::usage(format!("\"{}\" cannot be the name of a group", shown(name)), next));
    }
    match GroupId::from_hex(name) {
        None => Ok(name),
        Some(_) => Err(Failure::usage(format!("{name} would be taken for a group's id"), next)),
    }
}

/// Names of accounts, each once.
fn checked(accounts: &[String]) -> Result<Vec<String>, Failure> {
    if let Some(wrong) = accounts.iter().find(|account| !is_plain_name(account)) {
        return Err(Failure::usage(
            format!("\"{}\" cannot be the name of an account", shown(wrong)),
            "use 1 to 64 bytes without spaces, control characters, / : * or quotes; nothing was changed",
        ));
    }
    let mut accounts = accounts.to_vec();
    accounts.sort_unstable();
    accounts.dedup();
    Ok(accounts)
}

fn refused(name: &str, error: &GroupError) -> Failure {
    let name = shown(name);
    let (message, next) = match error {
        GroupError::Unknown => (
            format!("there is no group {name}"),
            "'xferd group list' names those there are; 'xferd group create' makes one".to_owned(),
        ),
        GroupError::Taken => (
            format!("there is a group {name} already"),
            format!("'xferd group add {name} ACCOUNT...' puts accounts into it"),
        ),
        GroupError::NoMember { account } => (
            format!("{} is not in group {name}; nothing was changed", shown(account)),
            format!("'xferd group list {name}' names who is"),
        ),
        GroupError::Store(error) => (error.to_string(), String::new()),
    };
    Failure::new(error.code(), message, next)
}

/// Tells a change, and which of these accounts no device has joined as.
fn changed(store: &mut Store, change: GroupChange, accounts: &[String]) -> Result<Done, Failure> {
    let GroupChange { group, changed, already } = change;
    let mut not_joined = Vec::new();
    for account in accounts {
        // What was changed is changed, whether this can be told or not.
        if store.has_device(account).is_ok_and(|has| !has) {
            not_joined.push(account);
        }
    }
    let told = json!({"name": group.name, "id": group.id.to_string(), "epoch": group.epoch,
        "members": group.members.len(), "changed": changed, "already": already, "not_joined": not_joined});
    Ok(Done { told, change: changed.then_some(Change::Is(group)) })
}

/// Groups and who is in them, as far as an answer holds them; the rest is counted.
fn listed(groups: &[Group]) -> Value {
    let (mut room, mut rows, mut left) = (ANSWER_BYTES_MAX, Vec::new(), 0_u64);
    let mut take = |bytes: usize| {
        let fits = bytes + ROW_BYTES <= room;
        room = if fits { room - bytes - ROW_BYTES } else { 0 };
        fits
    };
    for group in groups {
        if !take(group.name.len() + 64) {
            left += 1;
            continue;
        }
        let members: Vec<Value> = group
            .members
            .iter()
            .take_while(|member| take(member.account.len()))
            .map(|member| json!({"account": member.account, "admin": member.admin}))
            .collect();
        let members_left = group.members.len() - members.len();
        rows.push(json!({"name": group.name, "id": group.id.to_string(), "epoch": group.epoch,
            "created_ms": group.created_ms, "members": members, "left_out": members_left}));
    }
    json!({"groups": rows, "left_out": left})
}

/// Says which groups a configuration names that are not there: nobody is in them.
pub(super) fn warn_of_absent(config: &Config, groups: &Groups) {
    for (name, place) in named(config) {
        if !groups.has(name) {
            let name = shown(name);
            tracing::warn!(target: "xferd",
                "{place}: there is no group {name}, so nobody is in it; 'xferd group create {name}' makes it");
        }
    }
}

/// The groups that a configuration names, and where.
fn named(config: &Config) -> Vec<(&str, String)> {
    let mut found: Vec<(&str, String)> = Vec::new();
    for share in &config.shares {
        for (key, grants) in [("allow", &share.allow), ("deny", &share.deny)] {
            for grant in grants {
                if let Who::Group(name) = &grant.who {
                    found.push((name, shown(&format!("{}: {key} of share {}", share.origin, share.name))));
                }
            }
        }
    }
    let of_rule = config.rules.iter().filter_map(|rule| Some((rule.group.as_deref()?, rule)));
    found.extend(of_rule.map(|(name, rule)| (name, shown(&format!("{}: rule.group", rule.origin)))));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::tests::group;
    use base::limits::Limits;
    use state::StateDir;

    fn store() -> (tempfile::TempDir, Store) {
        let home = tempfile::tempdir().expect("temporary directory");
        let dir = Arc::new(StateDir::open(&home.path().join("state")).expect("made"));
        let store = Store::open(dir, &Limits::DEFAULT).expect("opened");
        (home, store)
    }

    fn act(store: &mut Store, act: GroupAct) -> Result<Value, (Code, u8)> {
        offline(store, &act).map_err(|failure| {
            assert!(!failure.next.is_empty(), "{failure}");
            (failure.code, failure.exit)
        })
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn what_is_done_is_told_and_what_cannot_be_has_its_exit_code() {
        let (_home, mut store) = store();
        let create =
            |name: &str, accounts: &[&str]| GroupAct::Create { name: name.into(), accounts: names(accounts) };
        let made = act(&mut store, create("ops", &["bob", "alice", "bob"])).expect("made");
        assert_eq!(
            (&made["epoch"], &made["members"], &made["not_joined"]),
            (&json!(1), &json!(2), &json!(["alice", "bob"]))
        );
        let add =
            |accounts: &[&str]| GroupAct::Add { name: "ops".into(), accounts: names(accounts), admin: false };
        let again = act(&mut store, add(&["bob"])).expect("no mistake");
        assert_eq!(
            (&again["changed"], &again["already"], &again["epoch"]),
            (&json!(false), &json!(["bob"]), &json!(1))
        );
        let id = "0a".repeat(32);
        let remove =
            |name: &str, account: &str| GroupAct::Remove { name: name.into(), accounts: names(&[account]) };
        for (wrong, code, exit) in [
            (create("ops", &[]), Code::Conflict, 23),
            (create("a b", &[]), Code::InvalidRequest, 1),
            (create(&id, &[]), Code::InvalidRequest, 1),
            (create("dev", &["a/b"]), Code::InvalidRequest, 1),
            (add(&["carol", ""]), Code::InvalidRequest, 1),
            (remove("ops", "carol"), Code::NotFound, 3),
            (remove("dev", "alice"), Code::NotFound, 3),
            (GroupAct::Delete { name: "dev".into() }, Code::NotFound, 3),
            (GroupAct::List { name: Some("dev".into()) }, Code::NotFound, 3),
        ] {
            assert_eq!(act(&mut store, wrong.clone()), Err((code, exit)), "{wrong:?}");
        }
        let listed = act(&mut store, GroupAct::List { name: None }).expect("listed");
        let alice = json!({"account": "alice", "admin": false});
        assert_eq!((&listed["groups"][0]["members"][0], &listed["groups"][0]["id"]), (&alice, &made["id"]));
        assert_eq!(act(&mut store, remove("ops", "bob")).expect("gone")["epoch"], 2);
        assert_eq!(act(&mut store, GroupAct::Delete { name: "ops".into() }).expect("gone")["deleted"], true);
        assert_eq!(act(&mut store, GroupAct::List { name: None }).expect("listed")["groups"], json!([]));
    }

    #[test]
    fn an_answer_holds_what_it_can_and_counts_the_rest() {
        let accounts: Vec<String> = (0..2000).map(|number| format!("{number:0>60}")).collect();
        let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
        let told = listed(&[group(1, "a", &["ann"]), group(2, "b", &accounts), group(3, "c", &[])]);
        let shown = told["groups"][1]["members"].as_array().expect("a list").len() as u64;
        assert!(shown > 1000 && told.to_string().len() < ANSWER_BYTES_MAX, "{shown}");
        assert_eq!(told["groups"][1]["left_out"], 2000 - shown);
        assert_eq!((told["groups"][0]["left_out"].as_u64(), told["left_out"].as_u64()), (Some(0), Some(1)));
    }
}
