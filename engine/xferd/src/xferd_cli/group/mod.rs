//! `xferd group`: groups of accounts, which rules and policies are about. One file per command.

mod add;
mod create;
mod delete;
mod list;
mod remove;

use super::Common;
use crate::admin::{self, GroupAct};
use crate::escape::shown;
use crate::failure::Failure;
use clap::Subcommand;
use serde_json::Value;
use std::fmt::Write as _;

/// Keep groups of accounts, which rules and policies are about
#[derive(clap::Args, Debug)]
#[command(long_about = "\
A group is a name for several accounts. Rules of the configuration are about it (group = \"ops\" in a [[rule]], \
\"@ops:rw\" in a share's allow and deny), and so are policies: the bundled acl takes group:ops. Who is in a group is kept \
by the daemon in its state directory, not in the configuration.

A change is in force at once: sessions and transfers that run are decided again, and end where they are no longer \
allowed. Works on the state directory as well when no daemon runs.")]
pub(super) struct Group {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Create(create::Create),
    Delete(delete::Delete),
    Add(add::Add),
    Remove(remove::Remove),
    List(list::List),
}

impl Group {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        match self.command {
            Command::Create(command) => command.execute(common),
            Command::Delete(command) => command.execute(common),
            Command::Add(command) => command.execute(common),
            Command::Remove(command) => command.execute(common),
            Command::List(command) => command.execute(common),
        }
    }
}

/// Does it by the daemon or in its place, and prints what came of it.
fn perform(common: &Common, act: GroupAct, text: impl FnOnce(&Value) -> String) -> Result<(), Failure> {
    let data = admin::perform(common.state_dir()?, &common.flags(), &admin::Command::Group(act))?;
    common.print(&data, || text(&data))
}

/// A group after a change, and what is worth knowing about it.
fn changed(data: &Value) -> String {
    let text = |key: &str| shown(data[key].as_str().unwrap_or_default());
    let number = |key: &str| data[key].as_u64().unwrap_or_default();
    let (name, members) = (text("name"), number("members"));
    let noun = if members == 1 { "member" } else { "members" };
    let mut out = format!("{name}  {}  epoch {}, {members} {noun}\n", text("id"), number("epoch"));
    let names = |key: &str| data[key].as_array().into_iter().flatten().filter_map(Value::as_str).map(shown);
    for account in names("already") {
        let _ = writeln!(out, "{account} was in {name} already");
    }
    for account in names("not_joined") {
        let _ = writeln!(
            out,
            "no device of {account} has joined yet; 'xferd invite --account {account}' makes a token"
        );
    }
    out
}
