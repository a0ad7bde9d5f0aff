//! Builds every plugin of this repository: those that ship, and the hostile one of the tests.

use crate::shell::{Outcome, target, workspace};
use plugin_builder::{BuildError, Built, Order, Toolchain, build, write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Folders whose subfolders may be plugins: those with a `plugin.toml`.
const SHELVES: &[&str] = &["plugins", "tests"];

/// `cargo xtask plugins`.
pub(crate) fn run() -> Outcome<()> {
    let begun = Instant::now();
    let found = found();
    if found.is_empty() {
        return Err(format!("no plugin.toml below {}", SHELVES.join(" or ")));
    }
    let toolchain = toolchain()?;
    for folder in &found {
        let (path, built) = one(&toolchain, folder).map_err(|error| said(folder, &error))?;
        println!("{}: {} bytes, imports {}", path.display(), built.component.bytes.len(), imports(&built));
    }
    println!("{} plugins in {:.1} s", found.len(), begun.elapsed().as_secs_f64());
    Ok(())
}

/// Builds a policy that ships; the folder with its component and its `plugin.toml`.
pub(crate) fn package(name: &str) -> Outcome<PathBuf> {
    let folder = workspace().join("plugins").join(name);
    let (path, _) = one(&toolchain()?, &folder).map_err(|error| said(&folder, &error))?;
    Ok(path.parent().map(Path::to_owned).unwrap_or(path))
}

fn toolchain() -> Outcome<Toolchain> {
    Toolchain::find().map_err(|missing| {
        format!("{missing}\n  next: 'cargo xtask setup' installs it; or: {}", missing.next())
    })
}

/// Builds one and puts `NAME.wasm` and `NAME.toml` side by side.
fn one(toolchain: &Toolchain, folder: &Path) -> Result<(PathBuf, Built), BuildError> {
    let shared = target().join("plugin-build");
    let built = build(toolchain, &Order::new(folder, &shared))?;
    let shelf = target().join("plugins").join(&built.name);
    let path = write(&built, &shelf)?;
    let manifest = shelf.join("plugin.toml");
    std::fs::copy(folder.join("plugin.toml"), &manifest)
        .map_err(|error| BuildError::Io { path: manifest, error })?;
    Ok((path, built))
}

fn said(folder: &Path, error: &BuildError) -> String {
    format!("{}: {error}\n  next: {}", folder.display(), error.next())
}

fn imports(built: &Built) -> String {
    let short = |name: &String| {
        name.trim_start_matches("xferd:plugin/").split('@').next().unwrap_or_default().to_owned()
    };
    let names: Vec<String> =
        built.component.imports.iter().map(short).filter(|name| name != "types").collect();
    names.join(" ")
}

fn found() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for shelf in SHELVES {
        let Ok(entries) = std::fs::read_dir(workspace().join(shelf)) else { continue };
        found.extend(
            entries.flatten().map(|entry| entry.path()).filter(|path| path.join("plugin.toml").is_file()),
        );
    }
    found.sort();
    found
}
