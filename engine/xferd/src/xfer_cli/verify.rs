//! `xfer verify`: a directory against a receipt, offline.

use super::Common;
use crate::client;
use crate::failure::Failure;
use crate::report::{Outcome, Reporter};
use std::path::PathBuf;

/// Compare a directory with a receipt, offline
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Compares a directory with the receipt of a transfer, offline: the receipt's signature, then every name it commits to \
by kind, size and BLAKE3 of its content. Names what is missing, different or added since. Receipts lie in the state \
directory; 'result' of --json names the one of a transfer.")]
#[command(after_long_help = "\
EXAMPLES
  xfer verify ~/.local/state/xfer/receipts/0123..ef.xr ./tree

EXIT STATUS
  0 equal; 41 the receipt's signature does not hold; 43 something is missing or different; 3 no such receipt or directory")]
pub(super) struct Verify {
    /// Receipt file
    receipt: PathBuf,
    /// Directory (or file) that was sent or received
    directory: PathBuf,
}

impl Verify {
    pub(super) fn execute(self, common: &Common, reporter: &mut Reporter) -> Result<Outcome, Failure> {
        client::verify(&common.state_dir(), &self.receipt, &self.directory, reporter)
    }
}
