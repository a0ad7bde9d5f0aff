//! The policy of the demo: `acl`, installed and granted before the daemon starts, and one push that it denies.

use super::judge;
use super::world::{World, program};
use crate::shell::{Outcome, describe, taken};
use std::path::{Path, PathBuf};

/// What the demo's account may: everything but to write below one folder.
const RULE: &str = "deny account:demo write /locked";

/// The policy's name.
const NAME: &str = "xferd/acl";

/// Writes the daemon's configuration, installs the policy's package and grants what it asks for.
pub(super) fn install(folder: &Path, package: &Path) -> Outcome<()> {
    let config = config(folder);
    let text = format!("[plugin.settings.\"{NAME}\"]\nrules = [\"{RULE}\", \"allow account:demo *\"]\n");
    std::fs::write(&config, text).map_err(|error| format!("{}: {error}", config.display()))?;
    let state = folder.join("daemon");
    for arguments in [vec!["install", "--unsigned"], vec!["grant", NAME, "identity"]] {
        let mut command = program("xferd", folder);
        command.arg("plugin").args(&arguments);
        if arguments[0] == "install" {
            command.arg(package);
        }
        taken(command.arg("--state").arg(&state).arg("--config").arg(&config))?;
    }
    Ok(())
}

/// The daemon's configuration.
pub(super) fn config(folder: &Path) -> PathBuf {
    folder.join("xferd.toml")
}

/// Pushes where the policy denies it, and shows why.
pub(super) fn denied(world: &World, source: &Path) -> Outcome<()> {
    let mut push = world.client();
    push.arg("copy").arg(source).arg("demo:/locked/mine");
    let line = describe(&push);
    let refused = push.output().map_err(|error| format!("{line}: {error}"))?;
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    println!("\ndemo: {line}\n{}", said.trim_end());
    let decision = said.split_once("(decision ").and_then(|(_, rest)| rest.split(')').next());
    let decision = decision.ok_or_else(|| format!("{line}: no decision is named: {said}"))?;
    let mut explain = world.daemon_command();
    explain.args(["plugin", "explain", decision]);
    println!("demo: xferd plugin explain {decision}");
    let explained = taken(&mut explain)?;
    println!("{explained}\n");
    judge::denied_by(refused.status, &explained, &format!("plugin {NAME}"), RULE)?;
    judge::absent(&world.root().join("locked"))
}
