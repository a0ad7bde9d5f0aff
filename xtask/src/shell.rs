//! Programs: found, started, waited for.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a task says when it cannot go on.
pub(crate) type Outcome<T> = Result<T, String>;

/// The workspace's folder.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// Where Cargo builds.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => workspace().join(folder),
        None => workspace().join("target"),
    }
}

/// Cargo in the workspace, without what the Cargo that started us left in the environment: it would make
/// build scripts run again.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if ours.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.current_dir(workspace());
    command
}

/// Runs a command, its output shown.
pub(crate) fn shown(command: &mut Command) -> Outcome<()> {
    let line = describe(command);
    println!("$ {line}");
    let status = command.status().map_err(|error| format!("{line}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{line}: {status}")) }
}

/// Runs a command and takes its standard output.
pub(crate) fn taken(command: &mut Command) -> Outcome<String> {
    let line = describe(command);
    let out = command.output().map_err(|error| format!("{line}: {error}"))?;
    if !out.status.success() {
        return Err(format!("{line}: {}: {}", out.status, String::from_utf8_lossy(&out.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

/// A command as a person would type it; the name of the program without its folder.
pub(crate) fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words: Vec<_> =
        std::iter::once(program).chain(command.get_args()).map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

/// Where a program lies: in PATH, or where administrators' programs are.
pub(crate) fn find(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders.map(|folder| folder.join(program.as_ref())).find(|file| file.is_file())
}
