//! Makes a component of a plugin's crate: finds a toolchain, runs Cargo, makes the component, checks it.
//!
//! Used by `xferd plugin` and by `cargo xtask`. It starts Cargo and writes into folders that it is told; it reaches
//! no registry of its own accord: what [`template`] unpacks builds from itself.
//!
//! ```text
//! crate (rlib) ──cargo rustc --crate-type cdylib──▶ module ──wit-component──▶ NAME.wasm
//!                wasm32-unknown-unknown             no imports but xferd:plugin/*
//! ```
#![forbid(unsafe_code)]

mod cargo;
mod component;
mod error;
pub mod template;
mod toolchain;

pub use component::{Component, component};
pub use error::BuildError;
pub use toolchain::{Missing, Std, Toolchain, apt_packages, lacks};

use base::limits::Limits;
use std::path::{Path, PathBuf};

/// What is to be built.
#[derive(Clone, Debug)]
pub struct Order<'a> {
    /// Folder of the plugin's `Cargo.toml`.
    pub folder: &'a Path,
    /// Where Cargo builds; plugins that share it share the core library.
    pub target: &'a Path,
    /// Most bytes of the component.
    pub bytes_max: u64,
}

impl<'a> Order<'a> {
    /// A plugin's crate, built in this folder, under the default bounds.
    pub fn new(folder: &'a Path, target: &'a Path) -> Self {
        Self { folder, target, bytes_max: Limits::DEFAULT.plugin_wasm_bytes_max.into() }
    }
}

/// A plugin that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// Name of its package.
    pub name: String,
    /// The component and what it says of itself.
    pub component: Component,
}

/// Builds the component of a plugin's crate. What Cargo says goes to stderr.
///
/// # Errors
/// The crate does not compile, is no plugin, reaches outside its sandbox, or is larger than it may be.
pub fn build(toolchain: &Toolchain, order: &Order<'_>) -> Result<Built, BuildError> {
    let (name, module) = cargo::compile(toolchain, order)?;
    let bytes = std::fs::read(&module).map_err(|error| BuildError::Io { path: module.clone(), error })?;
    let component = component(&bytes)?;
    let bytes = component.bytes.len() as u64;
    if bytes > order.bytes_max {
        return Err(BuildError::TooLarge { bytes, most: order.bytes_max });
    }
    Ok(Built { name, component })
}

/// Writes a component as `NAME.wasm`, whole or not at all.
///
/// # Errors
/// The folder cannot be written.
pub fn write(built: &Built, folder: &Path) -> Result<PathBuf, BuildError> {
    let path = folder.join(format!("{}.wasm", built.name));
    let fresh = folder.join(format!(".{}.wasm.fresh", built.name));
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&fresh, &built.component.bytes))
        .and_then(|()| std::fs::rename(&fresh, &path));
    written.map_err(|error| BuildError::Io { path: path.clone(), error })?;
    Ok(path)
}
