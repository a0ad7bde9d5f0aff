//! The imports of a loaded component against the grants: checked again each time it is loaded.

use crate::manifest::Manifest;
use crate::plugin::PluginError;
use crate::runtime::{Loaded, Runtime};

/// Prefix of every interface of ours.
pub(crate) const PACKAGE: &str = "xferd:plugin/";

/// Name of an interface of ours without package and version; `None`: somebody else's.
pub(crate) fn interface_of(import: &str) -> Option<&str> {
    import.strip_prefix(PACKAGE)?.split('@').next()
}

/// The interfaces a component imports, each of them granted.
///
/// # Errors
/// An import of another package or world, or one that the grants do not cover.
pub(crate) fn granted(
    loaded: &Loaded,
    runtime: &Runtime,
    manifest: &Manifest,
) -> Result<Vec<String>, PluginError> {
    let unfit = |what: String| PluginError::World { plugin: manifest.name.clone(), what };
    let (imports, _) = crate::shape::sides(manifest.world);
    let mut found = Vec::new();
    for (import, _) in loaded.component.component_type().imports(runtime.engine()) {
        let Some(interface) = interface_of(import) else {
            return Err(unfit(format!("it imports {import}, which no plugin gets")));
        };
        if !imports.iter().any(|known| known == interface) {
            let world = manifest.world.name();
            return Err(unfit(format!("it imports {interface}, which the world {world} does not have")));
        }
        if let Some(line) = manifest.grants.lacking(interface) {
            return Err(unfit(format!(
                "it imports {interface}, which is not granted; add to [grants] in plugin.toml: {line}"
            )));
        }
        found.push(interface.to_owned());
    }
    Ok(found)
}
