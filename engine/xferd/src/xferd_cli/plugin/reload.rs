//! `xferd plugin reload`: a running daemon takes in what is installed.

use crate::admin::{self, Command};
use crate::escape::shown;
use crate::failure::Failure;
use crate::xferd_cli::Common;

/// Have the running daemon take in what is installed
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Has the running daemon read its configuration and plugins again, as SIGHUP does: all of it holds from one moment on, or \
nothing changes. Running transfers are decided again within a second; those that are still allowed go on.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin reload

EXIT STATUS
  0 in force; 1 the configuration is wrong; 5 a plugin cannot be taken in, nothing changed; 10 no daemon runs")]
pub(super) struct Reload {}

impl Reload {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let data = admin::perform(common.state_dir()?, &common.flags(), &Command::Reload)?;
        common.print(&data, || {
            let names: Vec<String> = data["plugins"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|name| Some(shown(name.as_str()?)))
                .collect();
            match names.as_slice() {
                [] => "in force: no policy; every enrolled account may what no rule denies".to_owned(),
                names => format!("in force, asked in this order: {}", names.join(", ")),
            }
        })
    }
}
