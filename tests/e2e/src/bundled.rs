//! The plugins of this repository, built as `cargo xtask plugins` builds them, and an author's folder that shares what
//! they were built with: the core library is compiled once.

use plugin_builder::{Order, Toolchain, build, write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// What this machine builds plugins with; `None` is said by name: `cargo xtask setup` installs it.
pub fn toolchain(test: &str) -> Option<Toolchain> {
    match Toolchain::find() {
        Ok(toolchain) => Some(toolchain),
        Err(missing) => {
            println!("skipped: {test}: {missing}; {}", missing.next());
            None
        }
    }
}

/// Folders below `plugins` and `tests` that hold a plugin, sorted.
pub fn folders() -> Vec<PathBuf> {
    let workspace = workspace();
    let shelves = ["plugins", "tests"].map(|shelf| workspace.join(shelf));
    let entries =
        shelves.iter().flat_map(|shelf| std::fs::read_dir(shelf).expect("a folder of ours").flatten());
    let mut found: Vec<PathBuf> =
        entries.map(|entry| entry.path()).filter(|path| path.join("plugin.toml").is_file()).collect();
    found.sort();
    found
}

/// The folder of a policy that ships.
pub fn folder(name: &str) -> PathBuf {
    workspace().join("plugins").join(name)
}

/// Builds the plugin of a folder; its component lies in `into` with its `plugin.toml` beside it.
pub fn package(toolchain: &Toolchain, folder: &Path, into: &Path) -> PathBuf {
    // One at a time: the module lies under one name until it is read.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let built = build(toolchain, &Order::new(folder, &shared()))
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let component = write(&built, into).expect("a component is written");
    std::fs::copy(folder.join("plugin.toml"), into.join("plugin.toml")).expect("a manifest is copied");
    component
}

/// Lets an author's folder share the core library with everything built here.
pub fn share(folder: &Path) {
    std::os::unix::fs::symlink(shared(), folder.join("target")).expect("a link to it");
}

/// Lets an author's command find the compiler that runs this test, with nothing of the user's: an empty home, and no
/// registry.
pub fn as_author<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    if let Some(cargo) = std::env::var_os("CARGO") {
        command.env("CARGO", cargo);
    }
    command.env("HOME", home).env("CARGO_HOME", home.join("cargo")).env("CARGO_NET_OFFLINE", "true")
}

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where plugins are built here.
pub fn shared() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(|target| workspace().join(target));
    let folder = target.unwrap_or_else(|| workspace().join("target")).join("plugin-build");
    std::fs::create_dir_all(&folder).expect("a folder to build in");
    folder.canonicalize().expect("it is there")
}
