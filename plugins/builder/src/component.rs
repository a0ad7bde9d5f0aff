//! From a module to a component, and what the component says of itself.

use crate::error::BuildError;
use wit_component::{ComponentEncoder, DecodedWasm, decode};

/// Whose interfaces a plugin may import.
const OURS: &str = "xferd:plugin/";

/// A component that imports only our interfaces.
#[derive(Clone, Debug)]
pub struct Component {
    /// The component.
    pub bytes: Vec<u8>,
    /// Interfaces it imports, such as `xferd:plugin/context@0.1.0`, sorted.
    pub imports: Vec<String>,
    /// Interfaces it exports, sorted.
    pub exports: Vec<String>,
}

/// Makes the component of a module that was built with the SDK.
///
/// # Errors
/// The module lacks what its world exports, or needs what its world does not import.
pub fn component(module: &[u8]) -> Result<Component, BuildError> {
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| BuildError::NotAPlugin(format!("{error:#}")))?;
    let (imports, exports) = interfaces(&encoded)?;
    let stray: Vec<String> = imports.iter().filter(|name| !name.starts_with(OURS)).cloned().collect();
    if !stray.is_empty() {
        return Err(BuildError::Imports(stray));
    }
    if exports.is_empty() {
        return Err(BuildError::NotAPlugin("it exports nothing".into()));
    }
    Ok(Component { bytes: encoded, imports, exports })
}

/// (imports, exports) of a component, sorted.
///
/// # Errors
/// It is no component.
fn interfaces(component: &[u8]) -> Result<(Vec<String>, Vec<String>), BuildError> {
    let no_component = |what: String| BuildError::NotAPlugin(what);
    match decode(component).map_err(|error| no_component(format!("{error:#}")))? {
        DecodedWasm::Component(resolve, world) => {
            let world = &resolve.worlds[world];
            let mut imports: Vec<_> = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
            let mut exports: Vec<_> = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
            imports.sort();
            exports.sort();
            Ok((imports, exports))
        }
        DecodedWasm::WitPackage(..) => Err(no_component("it is a package of interfaces".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plugin_is_refused_by_name() {
        let empty = b"\0asm\x01\0\0\0";
        assert!(matches!(component(empty), Err(BuildError::NotAPlugin(_))));
        assert!(matches!(component(b"not wasm"), Err(BuildError::NotAPlugin(_))));
    }
}
