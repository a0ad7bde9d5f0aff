//! `xfer remotes`: what was joined.

use super::Common;
use crate::client;
use crate::failure::Failure;
use crate::report::{Outcome, Reporter};

/// List the remotes this device joined
#[derive(clap::Args, Debug)]
#[command(
    long_about = "Lists the remotes this device joined: name, account, addresses, device id. It connects nowhere."
)]
#[command(after_long_help = "\
EXAMPLES
  xfer remotes
  xfer remotes --json

EXIT STATUS
  0 listed; 11 the state directory cannot be read")]
pub(super) struct Remotes {}

impl Remotes {
    pub(super) fn execute(self, common: &Common, reporter: &mut Reporter) -> Result<Outcome, Failure> {
        client::remotes(&common.state_dir(), reporter)
    }
}
