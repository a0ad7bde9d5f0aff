//! `xferd plugin show`: one installed plugin.

use crate::failure::Failure;
use crate::plugins::show;
use crate::xferd_cli::{Common, load};

/// Show what an installed plugin is and may do
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Shows an installed plugin: version, world, component and who signed it, what it imports, what it asks for and was \
granted, and its settings.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin show acme/hours
  xferd plugin show acme/hours --json | jq .imports

EXIT STATUS
  0 shown; 3 it is not installed")]
pub(super) struct Show {
    /// The plugin
    #[arg(value_name = "OWNER/NAME")]
    name: String,
}

impl Show {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let limits = load(&common.flags())?.limits;
        let data = show(&common.state_dir()?, &self.name, &limits)?;
        common.print(&data, || super::facts(&data))
    }
}
