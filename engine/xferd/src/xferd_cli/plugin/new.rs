//! `xferd plugin new`: a plugin's folder.

use super::Common;
use crate::failure::Failure;
use crate::plugin::author;
use std::path::{Path, PathBuf};

/// Make a folder with a plugin that builds
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Makes a folder NAME with a small policy (or a handler or observer), its plugin.toml, its tests, and all it is built with: nothing is \
downloaded, now or later. Its README.md says how to go on.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin new night-shift
  cd night-shift && cargo test && xferd plugin build
  xferd plugin new guest-book --world handler

EXIT STATUS
  0 the folder is there; 1 wrong arguments; 23 something of that name is there; 11 it could not be written")]
pub(super) struct New {
    /// Name of the plugin and its folder: a-z, 0-9 and -
    #[arg(value_name = "NAME")]
    name: String,
    /// World it fits
    #[arg(long, value_name = "WORLD", default_value = "policy", value_parser = clap::builder::PossibleValuesParser::new(plugin_builder::template::WORLDS))]
    world: String,
    /// Folder to make it in [default: the current one]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

impl New {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let parent = self.into.as_deref().unwrap_or(Path::new("."));
        let folder = author::unpack(&self.name, &self.world, parent)?;
        let data = serde_json::json!({ "folder": folder, "name": self.name, "world": self.world });
        common.print(&data, || {
            format!(
                "{}: a {} to start from\n  next: cd {} && xferd plugin build",
                folder.display(),
                self.world,
                folder.display()
            )
        })
    }
}
