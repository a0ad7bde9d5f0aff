//! Commands on a state directory that no daemon serves: under its lock, for the moment they take.

use super::{addresses, enrol, open};
use crate::admin::Command;
use crate::config::{Config, Flags};
use crate::failure::Failure;
use crate::plugins::KeysChange;
use base::codes::Code;
use serde_json::{Value, json};
use std::path::Path;

/// Does a command in the daemon's place.
///
/// # Errors
/// Only a daemon can do it, or the state directory cannot be used.
pub fn offline(state: &Path, flags: &Flags, command: &Command) -> Result<Value, Failure> {
    if let Command::Reload | Command::Stop { .. } = command {
        let next = format!("start one: xferd --state {}", state.display());
        return Err(Failure::new(Code::Unavailable, format!("no daemon runs on {}", state.display()), next));
    }
    let config = crate::xferd_cli::load(flags)?;
    let mut opened = open::open(state, &config.limits)?;
    match command {
        Command::Invite { account, ttl_ms, addresses } => {
            let addresses = addresses::for_token(addresses, &config.listen.value, &config.limits)?;
            opened.enrol.invite(&mut opened.store, account, *ttl_ms, &addresses)
        }
        Command::Devices { after } => enrol::devices(&mut opened.store, after.as_deref()),
        Command::Explain { decision } => super::explain::explain(&mut opened.store, decision),
        Command::Stored { share, account } => {
            super::stored::shown(&mut opened.store, &config, share.as_deref(), account.as_deref())
        }
        Command::Recount { share, after } => {
            super::stored::recount_offline(&mut opened.store, &config, share, after.as_deref())
        }
        Command::Keys { plugin, prefix, put, remove } => {
            let change = KeysChange { put: put.clone(), remove: remove.clone() };
            super::keys::offline(&mut opened.store, state, (plugin, prefix), &change, &config.limits)
        }
        Command::Group(act) => super::groups::offline(&mut opened.store, act),
        _ => Ok(status(state, &config, &opened)),
    }
}

fn status(state: &Path, config: &Config, opened: &open::Opened) -> Value {
    let listen: Vec<String> = config.listen.value.iter().map(ToString::to_string).collect();
    json!({"running": false, "version": env!("CARGO_PKG_VERSION"), "name": opened.enrol.hub_name(),
        "device": opened.enrol.device().to_string(), "root": opened.enrol.root().to_string(),
        "state": state.to_string_lossy(), "listen": listen, "cores": config.cores.value})
}
