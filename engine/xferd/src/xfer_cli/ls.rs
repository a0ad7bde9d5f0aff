//! `xfer ls`: names of a remote directory.

use super::{Common, flags::EngineFlags, location::Location};
use crate::client;
use crate::failure::Failure;
use crate::report::{Outcome, Reporter};
use std::ffi::OsString;

/// List a remote directory
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Lists the names of a remote directory, or one remote file, sorted by bytes, one a line; control characters are \
escaped. Where the daemon serves several shares, NAME:/ lists them.")]
#[command(after_long_help = "\
EXAMPLES
  xfer ls lab:/
  xfer ls -l lab:/projects
  xfer ls --json lab:/ | jq -r 'select(.event == \"entry\").path'

EXIT STATUS
  0 listed; 3 no such name; 42 denied; others: 'xfer --help'")]
pub(super) struct Ls {
    /// Mode, size and modification time of each
    #[arg(short = 'l', long)]
    long: bool,
    #[command(flatten)]
    engine: EngineFlags,
    /// Remote directory, NAME:PATH
    location: OsString,
}

impl Ls {
    pub(super) fn execute(self, common: &Common, reporter: &mut Reporter) -> Result<Outcome, Failure> {
        match Location::parse(&self.location)? {
            Location::Remote(path) => client::list(&self.engine.engine(common), &path, self.long, reporter),
            Location::Local(_) => Err(super::not_remote(&self.location, "ls lists remote directories")),
        }
    }
}
