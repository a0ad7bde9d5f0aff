//! `xferd plugin`: plugins for their authors, and what they decided. One file per command.

mod bench;
mod build;
mod explain;
mod grant;
mod install;
mod keygen;
mod keys;
mod list;
mod new;
mod reload;
mod remove;
mod show;
mod sign;
mod test;

use super::Common;
use crate::escape::shown;
use crate::failure::Failure;
use clap::Subcommand;
use serde_json::Value;
use std::fmt::Write as _;

/// Write, build, test, sign and install policies; tell how they decided
#[derive(clap::Args, Debug)]
#[command(long_about = "\
Plugins are sandboxed components that decide who may do what, beside the rules of the configuration. Their authors make \
a folder, build, test and sign; an operator installs what they ship. It lies in the state directory and is taken in at \
the daemon's start and by 'xferd plugin reload'.")]
pub(super) struct Plugin {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    New(new::New),
    Build(build::Build),
    Test(test::Test),
    Bench(bench::Bench),
    Keygen(keygen::Keygen),
    Sign(sign::Sign),
    Install(install::Install),
    Grant(grant::Grant),
    List(list::List),
    Show(show::Show),
    Keys(keys::Keys),
    Remove(remove::Remove),
    Reload(reload::Reload),
    Explain(explain::Explain),
}

impl Plugin {
    pub(super) fn execute(self, common: &Common) -> Result<(), Failure> {
        match self.command {
            Command::New(command) => command.execute(common),
            Command::Build(command) => command.execute(common),
            Command::Test(command) => command.execute(common),
            Command::Bench(command) => command.execute(common),
            Command::Keygen(command) => command.execute(common),
            Command::Sign(command) => command.execute(common),
            Command::Install(command) => command.execute(common),
            Command::Grant(command) => command.execute(common),
            Command::List(command) => command.execute(common),
            Command::Show(command) => command.execute(common),
            Command::Keys(command) => command.execute(common),
            Command::Remove(command) => command.execute(common),
            Command::Reload(command) => command.execute(common),
            Command::Explain(command) => command.execute(common),
        }
    }
}

/// What a plugin is, asks for and was granted, for people.
fn facts(data: &Value) -> String {
    let mut out = String::new();
    let of = |key: &str| shown(data[key].as_str().unwrap_or("-"));
    let _ = writeln!(out, "plugin     {} {} ({})", of("name"), of("version"), of("world"));
    let _ = writeln!(out, "component  sha256 {}", of("wasm"));
    let signer = data["signer"].as_str().map_or("nobody: installed unsigned".to_owned(), shown);
    let _ = writeln!(out, "signed by  {signer}");
    let imports: Vec<String> = data["imports"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| Some(shown(name.as_str()?)))
        .collect();
    if !imports.is_empty() {
        let _ = writeln!(out, "imports    {}", imports.join(", "));
    }
    let lacking = data["lacking"].as_array().cloned().unwrap_or_default();
    for (grant, bounds) in data["asks_for"].as_object().into_iter().flatten() {
        let stands = if lacking.iter().any(|name| name == grant) { "NOT GRANTED" } else { "granted" };
        let why =
            data["reasons"][grant].as_str().map(|why| format!(", to {}", shown(why))).unwrap_or_default();
        let _ = writeln!(
            out,
            "asks for   {}: {stands}{why}\n           {}",
            shown(grant),
            shown(bounds.as_str().unwrap_or_default())
        );
    }
    for setting in data["settings"].as_array().into_iter().flatten() {
        let text = |key: &str| shown(setting[key].as_str().unwrap_or("none"));
        let _ = writeln!(
            out,
            "setting    {} ({}, default {}): {}",
            text("key"),
            text("type"),
            text("default"),
            text("help")
        );
    }
    out
}
