//! `xfer copy`: as `cp -r`, between this machine and a remote.

use super::{Common, flags::TransferFlags, location};
use crate::client::{self, Transfer, TransferKind};
use crate::failure::Failure;
use crate::report::{Outcome, Reporter, Verbosity};
use clap::ArgMatches;
use std::ffi::OsString;

/// Copy files and directories to or from a remote
#[derive(clap::Args, Debug)]
#[command(override_usage = "xfer copy [OPTIONS] <SRC>... <DST>")]
#[command(long_about = "\
Copies files and directories as 'cp -r' does: into DST when that is a directory, else to DST itself; several sources \
need a directory. DST with a trailing / is a directory, and is made when it is not there, as rsync does. Every file is \
checked by BLAKE3 on both ends before it gets its name; a file that is there already with the same size and time is \
left alone. What an interruption left behind is resumed by running the same command again.

NAME:PATH is remote, where NAME is what 'xfer join' was given and PATH begins at the top of what the daemon serves. \
./a:b is a local file with a colon.")]
#[command(after_long_help = "\
EXAMPLES
  xfer copy -P bigfile dir/ lab:/incoming/      push a file and a directory
  xfer copy lab:/incoming/bigfile .             pull one file
  xfer copy -a lab:/projects ./backup           with owners and groups
  xfer copy --json big lab:/x | jq -r 'select(.event == \"file\").root'

  Modes (without setuid bits unless the share applies owners) and modification times are kept, symbolic links are
  copied as links. Devices, sockets and FIFOs are left out with a warning.

EXIT STATUS
  0 all is in place, as durable as asked for; 23 some files failed, the rest is in place; 24 some sources vanished
  meanwhile; others: 'xfer --help'")]
pub(super) struct Copy {
    #[command(flatten)]
    flags: TransferFlags,
    /// Sources and, last, the destination
    #[arg(required = true, num_args = 2.., value_names = ["SRC", "DST"])]
    paths: Vec<OsString>,
}

impl Copy {
    pub(super) fn verbosity(&self) -> Verbosity {
        self.flags.verbosity()
    }

    pub(super) fn execute(
        self,
        common: &Common,
        matches: &ArgMatches,
        reporter: &mut Reporter,
    ) -> Result<Outcome, Failure> {
        let (destination, sources) = self.paths.split_last().ok_or_else(super::too_few_paths)?;
        let ends = location::ends(sources, destination)?;
        let options = self.flags.options(matches)?;
        client::transfer(
            &self.flags.engine(common),
            Transfer { kind: TransferKind::Copy, ends, options },
            reporter,
        )
    }
}
