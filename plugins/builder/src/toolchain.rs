//! What a machine builds WASM with. The first of these that is there:
//!
//! 1. a compiler with the core library of `wasm32-unknown-unknown` (`rustup target add`),
//! 2. a compiler with the core library's source, and a linker for WASM: the core library is built along.
//!
//! Compilers are looked for where Cargo started us from, in `PATH`, and as Debian's packages install them.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What plugins are built for: a module without an operating system.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Debian's packages that give a compiler with the core library's source.
const APT: &[&str] = &["rustc-web", "cargo-web", "rust-web-src"];

/// Where a compiler's folder holds the core library's source.
const LIBRARY: &str = "lib/rustlib/src/rust/library";

/// A compiler, and how it comes by the core library.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Toolchain {
    /// Cargo.
    pub cargo: PathBuf,
    /// The compiler.
    pub rustc: PathBuf,
    /// The core library.
    pub std: Std,
}

/// How a compiler comes by the core library of the target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Std {
    /// It is installed.
    Installed,
    /// It is built along, and linked by this linker.
    Built {
        /// `rust-lld` or `wasm-ld`.
        linker: PathBuf,
    },
}

/// What is missing to build plugins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Missing {
    /// There is no Cargo with a compiler.
    Compiler,
    /// No compiler here has the core library of the target, or its source.
    Library,
    /// A compiler has the core library's source, but there is no linker for WASM.
    Linker,
}

impl Missing {
    /// What to install.
    pub fn next(&self) -> String {
        let apt = APT.join(" ");
        match self {
            Self::Compiler | Self::Library => {
                format!("run 'rustup target add {TARGET}' or 'apt-get install {apt}'")
            }
            Self::Linker => {
                "run 'apt-get install lld', or install a toolchain with rustup: it brings rust-lld".into()
            }
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compiler => f.write_str("plugins are built with Rust, and there is no Cargo here"),
            Self::Library => write!(f, "no Rust here has the core library of {TARGET}, or its source"),
            Self::Linker => f.write_str("there is the core library's source, but no linker for WASM"),
        }
    }
}

impl Toolchain {
    /// The toolchain of this machine.
    ///
    /// # Errors
    /// What is missing.
    pub fn find() -> Result<Self, Missing> {
        let candidates = candidates();
        if candidates.is_empty() {
            return Err(Missing::Compiler);
        }
        for (cargo, rustc) in &candidates {
            if has_library(rustc) {
                return Ok(Self { cargo: cargo.clone(), rustc: rustc.clone(), std: Std::Installed });
            }
        }
        let mut missing = Missing::Library;
        for (cargo, rustc) in &candidates {
            if !has_source(rustc) {
                continue;
            }
            match linker(&candidates) {
                Some(linker) => {
                    return Ok(Self {
                        cargo: cargo.clone(),
                        rustc: rustc.clone(),
                        std: Std::Built { linker },
                    });
                }
                None => missing = Missing::Linker,
            }
        }
        Err(missing)
    }

    /// Where the sources lie of what the core library's own manifests name, if they came with it.
    pub(crate) fn vendored_library(&self) -> Option<PathBuf> {
        let folder = sysroot(&self.rustc)?.join(LIBRARY).join("vendor");
        folder.is_dir().then_some(folder)
    }
}

/// Debian's packages that give a toolchain, for those who install things.
pub fn apt_packages() -> &'static [&'static str] {
    APT
}

/// Whether nothing here builds plugins.
pub fn lacks() -> Option<Missing> {
    Toolchain::find().err()
}

/// Pairs of Cargo and compiler, the likeliest first, without proxies of rustup: a proxy may download.
fn candidates() -> Vec<(PathBuf, PathBuf)> {
    let mut folders: Vec<PathBuf> = Vec::new();
    if let Some(cargo) = std::env::var_os("CARGO") {
        folders.extend(Path::new(&cargo).parent().map(Path::to_owned));
    }
    // In a folder of proxies the compiler names its own folder.
    folders.extend(find("rustc").and_then(|rustc| sysroot(&rustc)).map(|root| root.join("bin")));
    folders.extend(find("rustc").and_then(|rustc| rustc.parent().map(Path::to_owned)));
    folders.push("/usr/bin".into());
    let mut found: Vec<(PathBuf, PathBuf)> = Vec::new();
    for folder in folders {
        let pair = (folder.join("cargo"), folder.join("rustc"));
        if pair.0.is_file() && pair.1.is_file() && !found.contains(&pair) {
            found.push(pair);
        }
    }
    found
}

fn has_library(rustc: &Path) -> bool {
    let Some(folder) = asked(rustc, &["--print", "target-libdir", "--target", TARGET]) else { return false };
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    entries.flatten().any(|entry| entry.file_name().to_string_lossy().starts_with("libcore-"))
}

fn has_source(rustc: &Path) -> bool {
    sysroot(rustc).is_some_and(|root| root.join(LIBRARY).join("core/Cargo.toml").is_file())
}

/// A linker for WASM: of one of the toolchains, else in `PATH`.
fn linker(candidates: &[(PathBuf, PathBuf)]) -> Option<PathBuf> {
    let host = |rustc: &Path| {
        let text = asked(rustc, &["-vV"])?;
        text.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
    };
    let own = candidates.iter().find_map(|(_, rustc)| {
        let linker = sysroot(rustc)?.join("lib/rustlib").join(host(rustc)?).join("bin/rust-lld");
        linker.is_file().then_some(linker)
    });
    own.or_else(|| find("rust-lld")).or_else(|| find("wasm-ld"))
}

fn sysroot(rustc: &Path) -> Option<PathBuf> {
    asked(rustc, &["--print", "sysroot"]).map(PathBuf::from)
}

fn asked(rustc: &Path, arguments: &[&str]) -> Option<String> {
    let mut command = Command::new(rustc);
    crate::cargo::forget_cargo(&mut command);
    let out = command.args(arguments).output().ok().filter(|out| out.status.success())?;
    Some(String::from_utf8(out.stdout).ok()?.trim().to_owned())
}

fn find(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(program.as_ref())).find(|file| file.is_file())
}
