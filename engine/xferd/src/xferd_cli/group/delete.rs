//! `xferd group delete`: a group goes.

use crate::admin::GroupAct;
use crate::escape::shown;
use crate::failure::Failure;
use crate::xferd_cli::Common;

/// Remove a group and who is in it
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Removes a group. Nobody is in it from then on: what was allowed to it ends, and what was denied to it is no longer. The \
accounts and their devices stay. Where the configuration names the group, the daemon's log says so.")]
#[command(after_long_help = "\
EXAMPLES
  xferd group delete ops

EXIT STATUS
  0 gone; 3 there is no such group; 5 the state directory cannot be used")]
pub(super) struct Delete {
    /// Which group
    #[arg(value_name = "NAME")]
    name: String,
}

impl Delete {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        super::perform(common, GroupAct::Delete { name: self.name }, |data| {
            format!("group {} is gone", shown(data["name"].as_str().unwrap_or_default()))
        })
    }
}
