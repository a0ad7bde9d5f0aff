//! `xferd group list`: who is in which group.

use crate::admin::GroupAct;
use crate::escape::shown;
use crate::failure::Failure;
use crate::xferd_cli::Common;
use serde_json::Value;
use std::fmt::Write as _;

/// List groups and who is in them
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Lists every group by name, or one: its name, its id as policies name it, its epoch, and the accounts in it. What is too \
much for one answer is counted.")]
#[command(after_long_help = "\
EXAMPLES
  xferd group list
  xferd group list ops --json | jq -r '.groups[].members[] | select(.admin) | .account'

EXIT STATUS
  0 listed; 3 there is no such group; 5 the state directory cannot be used")]
pub(super) struct List {
    /// Only this group
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

impl List {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        super::perform(common, GroupAct::List { name: self.name }, text)
    }
}

fn text(data: &Value) -> String {
    let mut out = String::new();
    for group in data["groups"].as_array().into_iter().flatten() {
        let text = |key: &str| shown(group[key].as_str().unwrap_or_default());
        let _ = writeln!(out, "{}  {}  epoch {}", text("name"), text("id"), group["epoch"]);
        for member in group["members"].as_array().into_iter().flatten() {
            let admin = if member["admin"] == true { " (admin)" } else { "" };
            let _ = writeln!(out, "  {}{admin}", shown(member["account"].as_str().unwrap_or_default()));
        }
        if let Some(left @ 1..) = group["left_out"].as_u64() {
            let _ = writeln!(out, "  and {left} more");
        }
    }
    if let Some(left @ 1..) = data["left_out"].as_u64() {
        let _ = writeln!(out, "and {left} groups more; 'xferd group list NAME' shows one");
    }
    if out.is_empty() {
        "no group yet; 'xferd group create NAME ACCOUNT...' makes one".to_owned()
    } else {
        out
    }
}
