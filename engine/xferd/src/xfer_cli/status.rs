//! `xfer status`: what a remote is and does.

use super::{Common, flags::EngineFlags};
use crate::client;
use crate::failure::Failure;
use crate::report::{Outcome, Reporter};

/// Show what a remote is and does
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Connects to a remote, proves both identities, and shows what it says of itself: name, version, device, shares this \
account sees, way of I/O, sessions, running transfers of this account.")]
#[command(after_long_help = "\
EXAMPLES
  xfer status lab
  xfer status --json lab

EXIT STATUS
  0 it answered; 10 it could not be reached; 41 an identity was not accepted; 42 denied")]
pub(super) struct Status {
    #[command(flatten)]
    engine: EngineFlags,
    /// Show only what each plugin there did: calls, time, memory, faults, denials
    #[arg(long)]
    plugins: bool,
    /// Name of the remote ('xfer remotes' lists them)
    remote: String,
}

impl Status {
    pub(super) fn execute(self, common: &Common, reporter: &mut Reporter) -> Result<Outcome, Failure> {
        let name = self.remote.strip_suffix(':').unwrap_or(&self.remote);
        client::status(&self.engine.engine(common), name, self.plugins, reporter)
    }
}
