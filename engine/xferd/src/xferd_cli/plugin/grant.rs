//! `xferd plugin grant`: what a plugin may use.

use crate::failure::Failure;
use crate::plugins::grant;
use crate::xferd_cli::{Common, load};

/// Give an installed plugin what it asks for
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Gives grants that the plugin's plugin.toml asks for, within the bounds it names; 'all' gives every one. Another version \
that asks for no more keeps them. 'xferd plugin show' tells what each is for.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin grant acme/hours identity
  xferd plugin grant acme/quota all

EXIT STATUS
  0 given; 1 it does not ask for that; 3 it is not installed")]
pub(super) struct Grant {
    /// The plugin
    #[arg(value_name = "OWNER/NAME")]
    name: String,
    /// What it is given
    #[arg(value_name = "GRANT", required = true)]
    grants: Vec<String>,
}

impl Grant {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let limits = load(&common.flags())?.limits;
        let data = grant(&common.state_dir()?, &self.name, &self.grants, &limits)?;
        common.print(&data, || format!("{}next: xferd plugin reload\n", super::facts(&data)))
    }
}
