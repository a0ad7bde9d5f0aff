//! Compiled code on disk: made by the `xferd plugin` process, sealed with the node's key, loaded by the daemon.
//!
//! ```text
//! "xferdcw1" | sha256 of the component 32 | compatibility 32 | length of the code u64 | code | HMAC-SHA-256 32
//! ```
//!
//! Machine code runs with the daemon's own rights, so nothing of the file is used before the HMAC over all of it
//! holds: only somebody who can read the node's key makes a file that loads.

use crate::runtime::{Loaded, Runtime};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use wasmtime::component::Component;

const MAGIC: &[u8; 8] = b"xferdcw1";
const HEAD: usize = 8 + 32 + 32 + 8;
const TAG: usize = 32;

/// Code made from one component, in memory of the process that compiled it.
pub struct Compiled {
    pub(crate) code: Vec<u8>,
    pub(crate) compatibility: [u8; 32],
    /// SHA-256 of the component.
    pub wasm: [u8; 32],
}

/// Why a sealed file is not loaded.
#[derive(Debug)]
pub enum SealError {
    /// Too short, of another kind, or its lengths do not fit.
    Format,
    /// Not sealed with this node's key, or altered since.
    Key,
    /// Sealed for another component than the one installed.
    Component,
    /// Compiled by another version or for another machine: compile it again.
    Compatibility,
    /// More code than a plugin may have.
    TooLarge {
        /// Bytes of the file.
        bytes: u64,
        /// Most.
        most: u64,
    },
    /// The runtime refuses it.
    Runtime(String),
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format => f.write_str("not a sealed plugin: install the plugin again"),
            Self::Key => f.write_str(
                "sealed by another node, or altered: compiled code is never taken from elsewhere; install the plugin again",
            ),
            Self::Component => f.write_str("compiled from another component: install the plugin again"),
            Self::Compatibility => {
                f.write_str("compiled by another version or for another machine: install the plugin again")
            }
            Self::TooLarge { bytes, most } => {
                write!(f, "{bytes} bytes of code, a plugin may have {most} (plugin_code_bytes_max)")
            }
            Self::Runtime(what) => write!(f, "the runtime refuses it: {what}"),
        }
    }
}

impl std::error::Error for SealError {}

/// SHA-256 of a component, as it is pinned.
pub fn wasm_digest(component: &[u8]) -> [u8; 32] {
    Sha256::digest(component).into()
}

impl Compiled {
    /// Bytes of machine code and its tables.
    pub fn code_bytes(&self) -> u64 {
        self.code.len() as u64
    }

    /// The file to be written, mode 0400.
    pub fn seal(&self, key: &[u8; 32]) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEAD + self.code.len() + TAG);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.wasm);
        out.extend_from_slice(&self.compatibility);
        out.extend_from_slice(&(self.code.len() as u64).to_be_bytes());
        out.extend_from_slice(&self.code);
        let tag = mac(key, &out).finalize().into_bytes();
        out.extend_from_slice(&tag);
        out
    }
}

fn mac(key: &[u8; 32], bytes: &[u8]) -> Hmac<Sha256> {
    // HMAC pads a shorter key with zeros to the hash's block.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(b"xferd plugin code");
    mac.update(bytes);
    mac
}

impl Runtime {
    /// Loads what this node sealed for this component.
    ///
    /// # Errors
    /// Whatever does not hold; nothing of the file was used then.
    pub fn load_sealed(&self, file: &[u8], key: &[u8; 32], wasm: &[u8; 32]) -> Result<Loaded, SealError> {
        let most = u64::from(self.limits().plugin_code_bytes_max);
        let bytes = file.len() as u64;
        if bytes > most + (HEAD + TAG) as u64 {
            return Err(SealError::TooLarge { bytes, most });
        }
        if file.len() < HEAD + TAG || &file[..8] != MAGIC {
            return Err(SealError::Format);
        }
        let (sealed, tag) = file.split_at(file.len() - TAG);
        mac(key, sealed).verify_slice(tag).map_err(|_| SealError::Key)?;
        let (head, code) = sealed.split_at(HEAD);
        if head[72..80] != (code.len() as u64).to_be_bytes() {
            return Err(SealError::Format);
        }
        if head[8..40] != wasm[..] {
            return Err(SealError::Component);
        }
        if head[40..72] != self.compatibility() {
            return Err(SealError::Compatibility);
        }
        self.deserialize(code, *wasm)
    }

    /// Takes over what this process has compiled itself.
    ///
    /// # Errors
    /// Compiled for another runtime.
    pub fn load(&self, compiled: &Compiled) -> Result<Loaded, SealError> {
        if compiled.compatibility != self.compatibility() {
            return Err(SealError::Compatibility);
        }
        self.deserialize(&compiled.code, compiled.wasm)
    }

    fn deserialize(&self, code: &[u8], wasm: [u8; 32]) -> Result<Loaded, SealError> {
        // SAFETY: wasmtime asks that `code` is the unaltered output of `Engine::precompile_component` of the same
        // version and settings. `load` has it from a `Compiled`, whose fields only `Runtime::compile` writes;
        // `load_sealed` has checked an HMAC over it, made from a `Compiled` by `seal` under a key of this node. Both
        // compared the compatibility hash.
        let component = unsafe { Component::deserialize(self.engine(), code) };
        let component = component.map_err(|error| SealError::Runtime(format!("{error:#}")))?;
        Ok(Loaded { component, wasm })
    }
}
