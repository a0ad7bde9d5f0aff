//! From a component to machine code: in the `xferd plugin` process only, never in the daemon.

use crate::runtime::Runtime;
use crate::sealed::{Compiled, wasm_digest};
use std::fmt;

/// Why a component is not compiled.
#[derive(Debug)]
pub enum CompileError {
    /// A larger component than a plugin may be.
    Component {
        /// Its bytes.
        bytes: u64,
        /// Most.
        most: u64,
    },
    /// More code than a plugin may have.
    Code {
        /// Its bytes.
        bytes: u64,
        /// Most.
        most: u64,
    },
    /// No valid component: what the compiler says.
    Invalid(String),
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component { bytes, most } => {
                write!(f, "the component has {bytes} bytes, a plugin may have {most} (plugin_wasm_bytes_max)")
            }
            Self::Code { bytes, most } => write!(
                f,
                "the component compiles to {bytes} bytes of code, a plugin may have {most} (plugin_code_bytes_max)"
            ),
            Self::Invalid(what) => write!(f, "the component cannot be compiled: {what}"),
        }
    }
}

impl std::error::Error for CompileError {}

impl Runtime {
    /// Compiles a component for this machine.
    ///
    /// # Errors
    /// It is too large, or no component.
    pub fn compile(&self, component: &[u8]) -> Result<Compiled, CompileError> {
        let (bytes, most) = (component.len() as u64, u64::from(self.limits().plugin_wasm_bytes_max));
        if bytes > most {
            return Err(CompileError::Component { bytes, most });
        }
        let code = self
            .engine()
            .precompile_component(component)
            .map_err(|error| CompileError::Invalid(format!("{error:#}")))?;
        let (bytes, most) = (code.len() as u64, u64::from(self.limits().plugin_code_bytes_max));
        if bytes > most {
            return Err(CompileError::Code { bytes, most });
        }
        Ok(Compiled { code, compatibility: self.compatibility(), wasm: wasm_digest(component) })
    }
}
