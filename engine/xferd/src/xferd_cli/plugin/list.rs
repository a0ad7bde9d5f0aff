//! `xferd plugin list`: what is installed.

use crate::escape::shown;
use crate::failure::Failure;
use crate::plugins::rows;
use crate::xferd_cli::{Common, load};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// List the installed plugins
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Lists every installed plugin: version, world, and whether the configuration has it taken in. Policies are asked in the \
order of plugin.enabled, without that key by name.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin list
  xferd plugin list --json | jq -r '.plugins[].name'

EXIT STATUS
  0 listed; 5 the state directory cannot be used")]
pub(super) struct List {}

impl List {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = load(&common.flags())?;
        let rows = rows(&common.state_dir()?, &config.plugin, &config.limits)?;
        let data = json!({"plugins": rows});
        common.print(&data, || table(&data))
    }
}

fn table(data: &Value) -> String {
    let mut out = String::new();
    for row in data["plugins"].as_array().into_iter().flatten() {
        let text = |key: &str| shown(row[key].as_str().unwrap_or("-"));
        let signer = row["signer"].as_str().map_or("unsigned", |key| key.get(..16).unwrap_or(key));
        let _ = writeln!(
            out,
            "{:<28}  {:<10}  {:<16}  {:<16}  {}",
            text("name"),
            text("version"),
            text("world"),
            text("stands"),
            shown(signer)
        );
    }
    if out.is_empty() {
        "no plugin is installed: every enrolled account may what no rule denies".to_owned()
    } else {
        out
    }
}
