//! `xfer rm`: remove remote names.

use super::{Common, flags::EngineFlags, location::Location};
use crate::client;
use crate::failure::Failure;
use crate::report::{Outcome, Reporter};
use std::ffi::OsString;

/// Remove remote files
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Removes remote files and symbolic links, and with -r directories with everything below them. A link is removed, \
never what it points to. It is gone for good once the command succeeds.")]
#[command(after_long_help = "\
EXAMPLES
  xfer rm lab:/incoming/bigfile
  xfer rm -r lab:/tree

EXIT STATUS
  0 removed; 3 no such name; 23 a directory without -r; 42 denied; others: 'xfer --help'")]
pub(super) struct Rm {
    /// Directories too, with everything below them
    #[arg(short = 'r', long)]
    recursive: bool,
    #[command(flatten)]
    engine: EngineFlags,
    /// Remote names, NAME:PATH, all on one remote
    #[arg(required = true)]
    locations: Vec<OsString>,
}

impl Rm {
    pub(super) fn execute(self, common: &Common, reporter: &mut Reporter) -> Result<Outcome, Failure> {
        let mut paths = Vec::new();
        for location in &self.locations {
            match Location::parse(location)? {
                Location::Remote(path) if path.path.is_empty() => {
                    return Err(Failure::usage("rm of the top of a remote is refused", "name what is in it"));
                }
                Location::Remote(path) => paths.push(path),
                Location::Local(_) => return Err(super::not_remote(location, "rm removes remote names")),
            }
        }
        if paths.iter().any(|path| path.remote != paths[0].remote) {
            return Err(Failure::usage("names on several remotes", "run it once for each remote"));
        }
        client::remove(&self.engine.engine(common), &paths, self.recursive, reporter)
    }
}
