//! `xfer sync`: make DST equal SRC.

use super::{Common, flags::TransferFlags, location};
use crate::client::{self, Transfer, TransferKind};
use crate::failure::Failure;
use crate::report::{Outcome, Reporter, Verbosity};
use clap::ArgMatches;
use std::ffi::OsString;

/// Make DST equal SRC, sending only what differs
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Makes DST equal SRC: a directory gets SRC's contents (with or without a trailing /), a file becomes a copy. What has \
the same size and modification time is left alone (-c compares content); with --delete what SRC does not have is \
removed, after everything that was sent is in place. A second run over an unchanged tree sends nothing.")]
#[command(after_long_help = "\
EXAMPLES
  xfer sync -a --delete --exclude '*.tmp' ./tree lab:/tree
  xfer sync -n -v --delete ./tree lab:/tree     what would be done
  xfer sync -a lab:/tree ./tree                 the other way
  xfer sync -c ./tree lab:/tree                 trust content, not times

  When something of SRC could not be read, nothing is deleted and the exit status is 23. What --exclude leaves out
  is neither sent nor deleted.

EXIT STATUS
  0 DST equals SRC; 23 some files failed, the rest is in place; 24 some sources vanished meanwhile; 25 --delete-max
  stopped the deletions; others: 'xfer --help'")]
pub(super) struct Sync {
    #[command(flatten)]
    flags: TransferFlags,
    /// Remove from DST what SRC does not have
    #[arg(long, help_heading = "What is sent")]
    delete: bool,
    /// Delete nothing when more than N names would go (exit 25)
    #[arg(long, value_name = "N", requires = "delete", help_heading = "What is sent")]
    delete_max: Option<u64>,
    /// What DST shall equal
    source: OsString,
    /// What becomes equal
    destination: OsString,
}

impl Sync {
    pub(super) fn verbosity(&self) -> Verbosity {
        self.flags.verbosity()
    }

    pub(super) fn execute(
        self,
        common: &Common,
        matches: &ArgMatches,
        reporter: &mut Reporter,
    ) -> Result<Outcome, Failure> {
        let ends = location::ends(std::slice::from_ref(&self.source), &self.destination)?;
        let mut options = self.flags.options(matches)?;
        options.delete = self.delete;
        options.delete_max = self.delete_max;
        client::transfer(
            &self.flags.engine(common),
            Transfer { kind: TransferKind::Sync, ends, options },
            reporter,
        )
    }
}
