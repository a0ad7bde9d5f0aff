//! `xferd doctor`: what this machine gives and withholds.

use super::Common;
use crate::failure::Failure;
use crate::server::doctor;

/// Tell what this machine gives and withholds
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Looks at what the daemon would find here: io_uring (allowed, and complete), whether the clock is synchronised, limits on \
descriptors and locked memory, the state directory, and for each share its file system's abilities (RWF_DONTCACHE, \
RENAME_NOREPLACE and RENAME_EXCHANGE, O_TMPFILE, reservation) (tried with a hidden file that is removed again; a read-only share \
is only looked at). Each line says what was found and, where it is not good, what it costs and what to do.")]
#[command(after_long_help = "\
EXAMPLES
  xferd doctor --root /srv/data
  xferd doctor --config ./xferd.toml --json

EXIT STATUS
  0 nothing stands in the way; 5 the daemon could not start here")]
pub(super) struct Doctor {
    /// Look at this directory as the one to serve
    #[arg(long, value_name = "DIR")]
    root: Option<std::path::PathBuf>,
}

impl Doctor {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = super::load(&crate::config::Flags { root: self.root, ..common.flags() })?;
        let findings = doctor::examine(&config);
        common.print(&doctor::to_json(&findings), || doctor::to_text(&findings))?;
        doctor::verdict(&findings)
    }
}
