//! `xferd group create`: another group.

use crate::admin::GroupAct;
use crate::failure::Failure;
use crate::xferd_cli::Common;

/// Make a group with these accounts in it
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Makes a group and puts accounts into it, and prints its name, its id, its epoch and how many are in it. The id is chosen \
at random and stays its own: a group that is made again under an old name has another one. The epoch begins at 1 and \
grows with each change of members.

An account that no device has joined as yet may be in a group; that is said, because it may be a misspelt name.")]
#[command(after_long_help = "\
EXAMPLES
  xferd group create ops alice bob
  xferd group create ops --json | jq -r .id

EXIT STATUS
  0 made; 1 what cannot be a name; 5 the state directory cannot be used; 23 the name is taken, or a bound of [limits] \
is reached: groups_max, group_members_max, account_groups_max")]
pub(super) struct Create {
    /// What it is called
    #[arg(value_name = "NAME")]
    name: String,
    /// Who is in it
    #[arg(value_name = "ACCOUNT")]
    accounts: Vec<String>,
}

impl Create {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let Self { name, accounts } = self;
        super::perform(common, GroupAct::Create { name, accounts }, super::changed)
    }
}
