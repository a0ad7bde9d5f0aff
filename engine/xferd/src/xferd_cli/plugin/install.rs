//! `xferd plugin install`: from an author's package to what the daemon takes in.

use crate::escape::shown;
use crate::failure::Failure;
use crate::plugins::{Approval, Package, install};
use crate::xferd_cli::{Common, load};
use std::path::PathBuf;

/// Install a plugin, or another version of it
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Checks a plugin and puts it into the state directory, in place of the version that was there: its signature must be by \
one of plugin.keys, it must fit its world, its imports must lie within what its plugin.toml asks for, and that must be \
granted. It is compiled and set up once by this command; one that fails changes nothing. 'xferd plugin reload' has a \
running daemon take it in.")]
#[command(after_long_help = "\
EXAMPLES
  xferd plugin install ./hours
  xferd plugin install ./hours.wasm --unsigned      # plugin.toml lies beside it
  xferd plugin install ./quota --grant quota --grant kv

EXIT STATUS
  0 installed; 1 it does not fit; 3 a file is missing; 41 not signed by a trusted key; 42 it asks for more than granted")]
pub(super) struct Install {
    /// A folder with plugin.toml and a component, or the component
    #[arg(value_name = "DIR|FILE.wasm")]
    package: PathBuf,
    /// Also without a signature by one of plugin.keys
    #[arg(long)]
    unsigned: bool,
    /// Give a grant that it asks for; 'all' gives every one
    #[arg(long = "grant", value_name = "GRANT")]
    grants: Vec<String>,
}

impl Install {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        let config = load(&common.flags())?;
        let state = common.state_dir()?;
        // Makes it, and refuses one that others may look into.
        state::StateDir::open_shared(&state)
            .map_err(|error| Failure::start(base::codes::Code::Io, error.to_string(), ""))?;
        let package = Package::read(&self.package, &config.limits)?;
        let settings = config.plugin.settings.get(package.name()).map(|settings| settings.value.clone());
        let approval = Approval {
            unsigned: self.unsigned,
            grants: self.grants,
            keys: config.plugin.keys.clone(),
            settings: settings.unwrap_or_default(),
        };
        let data = install(&state, &package, &approval, &config.limits)?;
        common.print(&data, || text(&data))
    }
}

fn text(data: &serde_json::Value) -> String {
    let mut out = match data["replaced"].as_str() {
        Some(before) => format!("installed in place of version {}\n", shown(before)),
        None => "installed\n".to_owned(),
    };
    if data["signer"].is_null() {
        out.push_str("WARNING: not signed; nobody but you vouches for it\n");
    }
    out.push_str(&super::facts(data));
    let name = shown(data["name"].as_str().unwrap_or_default());
    match data["lacking"].as_array().is_none_or(Vec::is_empty) {
        true => out.push_str("next: xferd plugin reload\n"),
        false => out.push_str(&format!(
            "it is not taken in before it is granted what it asks for\nnext: xferd plugin grant {name} all\n"
        )),
    }
    out
}
