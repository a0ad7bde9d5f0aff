//! `xferd group remove`: accounts go out of a group.

use crate::admin::GroupAct;
use crate::failure::Failure;
use crate::xferd_cli::Common;

/// Take accounts out of a group
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Takes accounts out of a group, all of them or none: an account that is not in it is a mistake, and changes nothing. \
Sessions and transfers that only the group allowed end at once.")]
#[command(after_long_help = "\
EXAMPLES
  xferd group remove ops bob

EXIT STATUS
  0 they are out; 1 what cannot be a name; 3 there is no such group, or an account is not in it; 5 the state \
directory cannot be used")]
pub(super) struct Remove {
    /// Which group
    #[arg(value_name = "NAME")]
    name: String,
    /// Who goes out of it
    #[arg(value_name = "ACCOUNT", required = true)]
    accounts: Vec<String>,
}

impl Remove {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let Self { name, accounts } = self;
        super::perform(common, GroupAct::Remove { name, accounts }, super::changed)
    }
}
