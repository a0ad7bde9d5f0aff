//! `xferd devices`: who joined.

use super::Common;
use crate::admin::{self, Command};
use crate::escape::shown;
use crate::failure::Failure;
use std::fmt::Write as _;

/// List the devices that joined
#[derive(clap::Args, Debug)]
#[command(long_about = "Lists every device that joined: its account, its name, its id, and until when its \
certificate is good.")]
#[command(after_long_help = "\
EXAMPLES
  xferd devices
  xferd devices --json | jq -r '.devices[] | select(.account == \"alice\") | .device'

EXIT STATUS
  0 listed; 5 the state directory cannot be used")]
pub(super) struct Devices {}

impl Devices {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let page = admin::perform(common.state_dir()?, &common.flags(), &Command::Devices { after })?;
            all.extend(page["devices"].as_array().into_iter().flatten().cloned());
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        let data = serde_json::json!({"devices": all});
        common.print(&data, || table(&data))
    }
}

fn table(data: &serde_json::Value) -> String {
    let mut out = String::new();
    let text = |row: &serde_json::Value, key: &str| shown(row[key].as_str().unwrap_or("-"));
    for row in data["devices"].as_array().into_iter().flatten() {
        let until = crate::report::date(row["not_after_ms"].as_u64().unwrap_or_default());
        let _ = writeln!(
            out,
            "{:<16}  {:<20}  {}  until {until}",
            text(row, "account"),
            text(row, "name"),
            text(row, "device")
        );
    }
    if out.is_empty() {
        "no device joined yet; 'xferd invite --account NAME' makes a token".to_owned()
    } else {
        out
    }
}
