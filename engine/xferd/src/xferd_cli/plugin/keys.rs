//! `xferd plugin keys`: what a plugin keeps.

use crate::admin::{self, Command};
use crate::escape::shown;
use crate::failure::Failure;
use crate::xferd_cli::Common;
use serde_json::Value;
use std::fmt::Write as _;

/// Show what a plugin keeps, and change it for a policy
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Prints a plugin's keys and what they hold. A policy only reads its keys: --put and --remove change them, all of it or \
nothing, and the next decision of the running daemon sees it; a live transfer within a second. Handlers, observers and \
discovery plugins write theirs themselves. Works on the state directory as well when no daemon runs.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin keys acme/allowance
  xferd plugin keys acme/allowance --put ann=80000000 --remove bob
  xferd plugin keys acme/report --prefix ann --json | jq -r .keys[].value

EXIT STATUS
  0 shown or changed; 1 it has no keys, or writes them itself; 3 it is not installed, or has no such key;
  23 more than it may keep")]
pub(super) struct Keys {
    /// The plugin
    #[arg(value_name = "OWNER/NAME")]
    name: String,
    /// Only keys that begin so
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,
    /// The key holds this from now on
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    put: Vec<(String, String)>,
    /// The key goes
    #[arg(long, value_name = "KEY")]
    remove: Vec<String>,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

impl Keys {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let Self { name: plugin, prefix, put, remove } = self;
        let ask = Command::Keys { plugin, prefix, put, remove };
        let data = admin::perform(common.state_dir()?, &common.flags(), &ask)?;
        common.print(&data, || text(&data))
    }
}

fn text(data: &Value) -> String {
    let mut out = String::new();
    for row in data["keys"].as_array().into_iter().flatten() {
        let key = shown(row["key"].as_str().unwrap_or_default());
        match row["value"].as_str() {
            Some(value) if value.contains('\n') => {
                let _ = writeln!(out, "{key}:");
                for line in value.lines() {
                    let _ = writeln!(out, "  {}", shown(line));
                }
            }
            value => {
                let value = value.map_or_else(|| "(bytes; --json shows them as base64)".to_owned(), shown);
                let _ = writeln!(out, "{key}: {value}");
            }
        }
    }
    if let Some(left @ 1..) = data["left_out"].as_u64() {
        let _ = writeln!(out, "{left} more; --prefix shows them");
    }
    out
}
