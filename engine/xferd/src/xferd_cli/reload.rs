//! `xferd reload`: configuration again.

use super::Common;
use crate::admin::{self, Command};
use crate::failure::Failure;

/// Let the daemon read its configuration again
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Lets the daemon read its configuration again, as SIGHUP does. Shares, rules, grants and the log level change at once; \
a mistake anywhere changes nothing. What is fixed at start (cores, listen, io, state, limits, the log's format) is \
compared, and named if it differs: it needs a restart.")]
#[command(after_long_help = "\
EXAMPLES
  xferd check-config && xferd reload

EXIT STATUS
  0 in force; 1 the configuration is wrong, nothing changed; 10 no daemon runs")]
pub(super) struct Reload {}

impl Reload {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let data = admin::perform(common.state_dir()?, &common.flags(), &Command::Reload)?;
        common.print(&data, || crate::report::lines(&data))
    }
}
