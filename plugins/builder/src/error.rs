//! Why a plugin was not built.

use crate::toolchain::Missing;
use std::fmt;
use std::path::PathBuf;

/// Why a plugin was not built, by who can do something about it.
#[derive(Debug)]
pub enum BuildError {
    /// The machine has nothing to build with.
    NoToolchain(Missing),
    /// There is no `Cargo.toml`.
    NoCrate(PathBuf),
    /// Cargo or the compiler refused; they said why.
    Cargo(String),
    /// The crate made no module: it is not a library.
    NoLibrary(PathBuf),
    /// The module is no plugin: what `wit-component` says.
    NotAPlugin(String),
    /// The component imports what no plugin may.
    Imports(Vec<String>),
    /// The component has more bytes than it may.
    TooLarge {
        /// Its bytes.
        bytes: u64,
        /// Most.
        most: u64,
    },
    /// The operating system refused.
    Io {
        /// What was read or written.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl BuildError {
    /// What to do next; empty where the message says it all.
    pub fn next(&self) -> String {
        match self {
            Self::NoToolchain(missing) => missing.next(),
            Self::NoCrate(_) => "run it in a plugin's folder, or make one: 'xferd plugin new NAME --world policy'".into(),
            Self::Cargo(_) => "correct what the compiler says above".into(),
            Self::NoLibrary(_) => "a plugin is a library: [lib] crate-type = [\"rlib\"] and src/lib.rs".into(),
            Self::NotAPlugin(_) => {
                "call export_policy!(TYPE) (or the macro of its world) in src/lib.rs, and switch on exactly that world's \
                 feature of xferd-plugin-sdk"
                    .into()
            }
            Self::Imports(_) => {
                "a dependency expects an operating system: remove it, or switch off its feature std".into()
            }
            Self::TooLarge { .. } => "leave dependencies out; a policy of a few hundred lines has 20 to 60 kB".into(),
            Self::Io { .. } => String::new(),
        }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoToolchain(missing) => missing.fmt(f),
            Self::NoCrate(folder) => write!(f, "{}: there is no Cargo.toml", folder.display()),
            Self::Cargo(what) => write!(f, "the plugin was not compiled: {what}"),
            Self::NoLibrary(folder) => write!(f, "{}: the crate made no module", folder.display()),
            Self::NotAPlugin(what) => write!(f, "the module is no plugin of xferd: {what}"),
            Self::Imports(names) => write!(f, "the plugin imports what no plugin has: {}", names.join(", ")),
            Self::TooLarge { bytes, most } => {
                write!(f, "the component has {bytes} bytes, at most {most} are allowed")
            }
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for BuildError {}
