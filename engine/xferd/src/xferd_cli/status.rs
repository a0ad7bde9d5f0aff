//! `xferd status`: what the daemon is and does.

use super::Common;
use crate::admin::{self, Command};
use crate::failure::Failure;
use base::codes::Code;

/// Show what the daemon is and does
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Shows what the daemon on this state directory is (device, trust root, addresses, cores, way of I/O) and does \
(sessions, transfers, bytes per core). Without a daemon it shows what the state directory says and ends with 10.")]
#[command(after_long_help = "\
EXAMPLES
  xferd status
  xferd status --json | jq .cores
  xferd status --plugins

EXIT STATUS
  0 the daemon answered; 5 the state directory cannot be used; 10 no daemon runs on it")]
pub(super) struct Status {
    /// Show only what each plugin did: calls, time, memory, faults, denials
    #[arg(long)]
    plugins: bool,
}

impl Status {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let state = common.state_dir()?;
        let data = admin::perform(state.clone(), &common.flags(), &Command::Status)?;
        let told = if self.plugins { serde_json::json!({"plugins": data["plugins"]}) } else { data.clone() };
        common.print(&told, || crate::report::lines(&told))?;
        if data["running"] == true {
            return Ok(());
        }
        Err(Failure::new(
            Code::Unavailable,
            format!("no daemon runs on {}", state.display()),
            format!("start one: xferd --state {}", state.display()),
        ))
    }
}
