//! `xferd stop`: drain and end.

use super::Common;
use crate::admin::{self, Command};
use crate::failure::Failure;

/// Let the daemon finish what runs and end
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Lets the daemon finish what runs, for at most limits.drain_ms, and end; waits until it has. What was cut off \
resumes when the client runs again.")]
#[command(after_long_help = "\
EXAMPLES
  xferd stop
  xferd stop --now

EXIT STATUS
  0 it has ended; 10 no daemon runs")]
pub(super) struct Stop {
    /// Do not wait for transfers
    #[arg(long)]
    now: bool,
}

impl Stop {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let data = admin::perform(common.state_dir()?, &common.flags(), &Command::Stop { now: self.now })?;
        common.print(&data, || "stopped".to_owned())
    }
}
