//! `xferd plugin`: plugins for their authors, and what they decided. One file per command.

mod build;
mod explain;
mod keygen;
mod new;
mod sign;
mod test;

use super::Common;
use crate::failure::Failure;
use clap::Subcommand;

/// Write, build, test and sign plugins; look into decisions
#[derive(clap::Args, Debug)]
#[command(
    long_about = "Plugins are sandboxed components that decide what is allowed. These commands make a plugin's folder, \
build it, test it, and sign it, and tell how decisions came about."
)]
pub(super) struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    New(new::New),
    Build(build::Build),
    Test(test::Test),
    Keygen(keygen::Keygen),
    Sign(sign::Sign),
    Explain(explain::Explain),
}

impl Plugin {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        match self.command {
            Command::New(command) => command.execute(common),
            Command::Build(command) => command.execute(common),
            Command::Test(command) => command.execute(common),
            Command::Keygen(command) => command.execute(common),
            Command::Sign(command) => command.execute(common),
            Command::Explain(command) => command.execute(common),
        }
    }
}
