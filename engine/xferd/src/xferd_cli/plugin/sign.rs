//! `xferd plugin sign`: an author's word for a component and its manifest.

use super::Common;
use crate::failure::Failure;
use crate::plugin::{author, signature};
use std::path::PathBuf;

/// Sign a component with its plugin.toml
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Signs a component together with the plugin.toml beside it, and puts the signature beside both as COMPONENT.sig. A \
change of either needs another signature.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin sign night-shift.wasm --key author.key

EXIT STATUS
  0 signed; 3 a file is missing; 11 the key cannot be used; 23 too large")]
pub(super) struct Sign {
    /// The component, as 'xferd plugin build' makes it
    #[arg(value_name = "COMPONENT")]
    component: PathBuf,
    /// Key of 'xferd plugin keygen'
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Its manifest [default: plugin.toml beside the component]
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
}

impl Sign {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let manifest = self.manifest.unwrap_or_else(|| self.component.with_file_name("plugin.toml"));
        let (path, signer) = author::sign(&self.component, &manifest, &self.key)?;
        let signer = signature::hex(&signer);
        let data = serde_json::json!({ "signature": path, "signer": signer });
        common.print(&data, || format!("{}: signed by {signer}", path.display()))
    }
}
