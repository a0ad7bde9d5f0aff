//! `xferd group add`: accounts come into a group.

use crate::admin::GroupAct;
use crate::failure::Failure;
use crate::xferd_cli::Common;

/// Put accounts into a group
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Puts accounts into a group, all of them or none. One that is in it already is said and stays what it is; with --admin it \
becomes an admin of the group. Being one is kept and shown, and gives no rights of its own.")]
#[command(after_long_help = "\
EXAMPLES
  xferd group add ops carol
  xferd group add ops alice --admin

EXIT STATUS
  0 they are in it; 1 what cannot be a name; 3 there is no such group; 5 the state directory cannot be used; 23 a \
bound of [limits] is reached: group_members_max, account_groups_max")]
pub(super) struct Add {
    /// Which group
    #[arg(value_name = "NAME")]
    name: String,
    /// Who comes into it
    #[arg(value_name = "ACCOUNT", required = true)]
    accounts: Vec<String>,
    /// As admins of the group
    #[arg(long)]
    admin: bool,
}

impl Add {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let Self { name, accounts, admin } = self;
        super::perform(common, GroupAct::Add { name, accounts, admin }, super::changed)
    }
}
