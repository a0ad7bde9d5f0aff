//! `xferd plugin build`: a crate becomes a component.

use super::Common;
use crate::failure::Failure;
use crate::plugin::author;
use std::path::{Path, PathBuf};

/// Build the plugin of a folder
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Builds the plugin of a folder and puts NAME.wasm into it: a component that imports only interfaces of xferd, no \
operating system. What the compiler says goes to stderr.

It uses a Rust toolchain with the core library of wasm32-unknown-unknown ('rustup target add'), or one with \
that library's source (Debian: rustc-web cargo-web rust-web-src), which the first build then takes half a minute to build.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin build
  xferd plugin build plugins/night-shift --json

EXIT STATUS
  0 NAME.wasm is there; 2 it does not compile, or is no plugin; 3 no Cargo.toml; 10 no toolchain; 23 too large")]
pub(super) struct Build {
    /// Folder with its Cargo.toml [default: the current one]
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

impl Build {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let folder = self.folder.as_deref().unwrap_or(Path::new("."));
        let (path, built) = author::build(folder)?;
        let component = &built.component;
        let data = serde_json::json!({
            "component": path, "bytes": component.bytes.len(), "imports": component.imports, "exports": component.exports,
        });
        common.print(&data, || {
            let imports = component.imports.iter().filter(|name| !name.starts_with("xferd:plugin/types@"));
            let imports: Vec<&str> = imports.map(String::as_str).collect();
            format!("{}: {} bytes\n  imports {}", path.display(), component.bytes.len(), imports.join(" "))
        })
    }
}
