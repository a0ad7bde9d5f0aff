//! `xferd plugin`: what decides, and how it decided. One file per command.

mod explain;

use super::Common;
use crate::failure::Failure;
use clap::Subcommand;

/// Look into decisions
#[derive(clap::Args, Debug)]
#[command(
    long_about = "Tells how decisions came about: which rule or plugin decided, what it read, and how long it took."
)]
pub(super) struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Explain(explain::Explain),
}

impl Plugin {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        match self.command {
            Command::Explain(command) => command.execute(common),
        }
    }
}
