//! Where the state directory of a program lies when nobody says.

use std::ffi::OsString;
use std::path::PathBuf;

/// `$XDG_STATE_HOME`, else `$HOME/.local/state`, else below the working directory.
pub fn xdg_state_home(variable: &dyn Fn(&str) -> Option<OsString>) -> PathBuf {
    let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .unwrap_or_else(|| PathBuf::from(".local/state"))
}
