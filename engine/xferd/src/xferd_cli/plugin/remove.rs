//! `xferd plugin remove`: an installed plugin goes.

use crate::escape::shown;
use crate::failure::Failure;
use crate::plugins::remove;
use crate::xferd_cli::Common;

/// Remove an installed plugin
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Takes a plugin out of the state directory. A running daemon goes on with it until 'xferd plugin reload'; one that \
plugin.enabled still names is missed then, and the reload is refused.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin remove acme/hours

EXIT STATUS
  0 removed; 3 it is not installed")]
pub(super) struct Remove {
    /// The plugin
    #[arg(value_name = "OWNER/NAME")]
    name: String,
}

impl Remove {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let data = remove(&common.state_dir()?, &self.name)?;
        common.print(&data, || format!("removed {}\nnext: xferd plugin reload", shown(&self.name)))
    }
}
