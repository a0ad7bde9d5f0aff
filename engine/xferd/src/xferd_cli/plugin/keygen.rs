//! `xferd plugin keygen`: an author's key.

use super::Common;
use crate::failure::Failure;
use crate::plugin::{author, signature};
use std::path::PathBuf;

/// Make a key to sign plugins with
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Makes a key to sign plugins with, readable by its owner alone, and prints its public half: what an operator allows. \
A key that is there is never written over.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin keygen author.key

EXIT STATUS
  0 the key is there; 23 a file of that name is there; 11 it could not be written")]
pub(super) struct Keygen {
    /// File to put the key into
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Keygen {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let public = signature::hex(&author::make_key(&self.file)?);
        let data = serde_json::json!({ "file": self.file, "public": public });
        common.print(&data, || public.clone())
    }
}
