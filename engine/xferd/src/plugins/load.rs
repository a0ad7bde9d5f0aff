//! What the daemon takes in: every plugin that is enabled, or none of them.

use super::place::{Installed, Place};
use crate::config::PluginConfig;
use crate::failure::Failure;
use base::codes::Code;
use base::limits::Limits;
use host::{Buckets, Kv, Manifest, Metering, PolicySet, PolicySource, Runtime, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Slots of the table of buckets; those that are full need none.
const BUCKETS: u32 = 65_536;

/// Of the process: set up once, when the first plugin is taken in. Buckets outlive reloads, which refill nothing.
pub(super) struct Host {
    pub(super) runtime: Runtime,
    pub(super) buckets: Arc<Buckets>,
}

static HOST: OnceLock<Host> = OnceLock::new();

pub(super) fn host(limits: &Limits) -> Result<&'static Host, Failure> {
    if let Some(host) = HOST.get() {
        return Ok(host);
    }
    let runtime = Runtime::new(limits, Metering::Deadlines)
        .map_err(|error| Failure::start(Code::Unavailable, error.to_string(), "see 'xferd doctor'"))?;
    Ok(HOST.get_or_init(|| Host { runtime, buckets: Arc::new(Buckets::new(BUCKETS)) }))
}

/// The keys of each plugin, as the store has them.
pub type Keys = BTreeMap<String, Kv>;

/// The policies that are enabled, in their order; `None` when there is none. `before` goes on when this fails.
///
/// # Errors
/// The first plugin that cannot be taken in, by its name.
pub fn load(
    state: &Path,
    config: &PluginConfig,
    limits: &Limits,
    generation: u32,
    keys: &Keys,
    before: Option<&PolicySet>,
) -> Result<Option<Arc<PolicySet>>, Failure> {
    let sources = sources(state, config, limits, keys, World::is_policy)?;
    if sources.is_empty() {
        return Ok(None);
    }
    let host = host(limits)?;
    let set = PolicySet::new(&host.runtime, generation, sources, &host.buckets, before)
        .map_err(|error| refused(error.to_string()))?;
    Ok(Some(Arc::new(set)))
}

/// The plugins of the plugin thread that are enabled, in their order.
///
/// # Errors
/// The first plugin that cannot be taken in, by its name.
pub fn lane_sources(
    state: &Path,
    config: &PluginConfig,
    limits: &Limits,
    keys: &Keys,
) -> Result<Vec<PolicySource>, Failure> {
    sources(state, config, limits, keys, |world| !world.is_policy())
}

/// What is enabled of these worlds.
fn sources(
    state: &Path,
    config: &PluginConfig,
    limits: &Limits,
    keys: &Keys,
    wanted: impl Fn(World) -> bool,
) -> Result<Vec<PolicySource>, Failure> {
    let place = Place::of(state);
    let installed = place.installed()?;
    known_settings(config, &installed)?;
    let mut sources = Vec::new();
    for plugin in in_order(config, &installed)? {
        let manifest = manifest(&place, plugin, limits)?;
        if !wanted(manifest.world) {
            continue;
        }
        let lacking = super::install::lacking(&manifest, &plugin.granted);
        if !lacking.is_empty() {
            let next = format!("xferd plugin grant {} {}", plugin.name, lacking.join(" "));
            let message = format!("plugin {} waits for grants: {}", plugin.name, lacking.join(", "));
            return Err(Failure::start(Code::AccessDenied, message, next));
        }
        let kv = keys.get(&plugin.name).cloned().unwrap_or_default();
        sources.push(PolicySource { kv, ..source(&place, plugin, manifest, config, limits)? });
    }
    Ok(sources)
}

pub(super) fn refused(message: String) -> Failure {
    Failure::start(
        Code::InvalidRequest,
        message,
        "'xferd plugin show NAME' tells more; leave it out of plugin.enabled to go on without it",
    )
}

fn source(
    place: &Place,
    plugin: &Installed,
    manifest: Manifest,
    config: &PluginConfig,
    limits: &Limits,
) -> Result<PolicySource, Failure> {
    let name = &plugin.name;
    let wasm = base::ids::Value::from_hex(&plugin.wasm)
        .ok_or_else(|| refused(format!("plugin {name}: its record names no component")))?;
    let code = place.read(name, "code.xcw")?;
    let loaded = host(limits)?
        .runtime
        .load_sealed(&code, &place.node_key(false)?, &wasm.0)
        .map_err(|error| refused(format!("plugin {name}: {error}")))?;
    let empty = toml::Table::new();
    let given = config.settings.get(name).map_or(&empty, |settings| &settings.value);
    let settings =
        manifest.settings(given).map_err(|error| refused(format!("plugin.settings.\"{name}\": {error}")))?;
    Ok(PolicySource { manifest, loaded, settings, kv: Kv::default() })
}

/// Its `plugin.toml`.
pub(super) fn manifest(place: &Place, plugin: &Installed, limits: &Limits) -> Result<Manifest, Failure> {
    let text = place.read(&plugin.name, "plugin.toml")?;
    let manifest = Manifest::parse_within(&String::from_utf8_lossy(&text), limits)
        .map_err(|error| refused(format!("plugin {}: {error}", plugin.name)))?;
    Ok(manifest)
}

/// Settings for a plugin that is not there are a mistake.
fn known_settings(config: &PluginConfig, installed: &[Installed]) -> Result<(), Failure> {
    let unknown =
        config.settings.iter().find(|(name, _)| installed.iter().all(|plugin| plugin.name != **name));
    match unknown {
        None => Ok(()),
        Some((name, settings)) => {
            let message = format!("{}: settings for {name}, which is not installed", settings.origin);
            Err(Failure::start(Code::NotFound, message, "'xferd plugin list' names what is installed"))
        }
    }
}

/// Those that are enabled, in their order; without a list all of them, by name.
fn in_order<'a>(config: &PluginConfig, installed: &'a [Installed]) -> Result<Vec<&'a Installed>, Failure> {
    let Some(enabled) = &config.enabled else { return Ok(installed.iter().collect()) };
    let find = |name: &String| {
        installed.iter().find(|plugin| plugin.name == *name).ok_or_else(|| {
            let message = format!("{}: plugin {name} is not installed", enabled.origin);
            Failure::start(Code::NotFound, message, "install it, or leave it out of plugin.enabled")
        })
    };
    enabled.value.iter().map(find).collect()
}

/// What is installed and whether it is taken in, for `list`.
///
/// # Errors
/// The folder cannot be read.
pub fn rows(state: &Path, config: &PluginConfig, limits: &Limits) -> Result<Vec<Value>, Failure> {
    let place = Place::of(state);
    let mut rows = Vec::new();
    for plugin in place.installed()? {
        let manifest = manifest(&place, &plugin, limits)?;
        let lacking = super::install::lacking(&manifest, &plugin.granted);
        let enabled = config.enabled.as_ref().is_none_or(|enabled| enabled.value.contains(&plugin.name));
        let place =
            config.enabled.as_ref().and_then(|e| e.value.iter().position(|name| *name == plugin.name));
        let stands = match (enabled, lacking.is_empty()) {
            (false, _) => "disabled",
            (_, false) => "waits for grants",
            _ => "enabled",
        };
        rows.push(json!({
            "name": plugin.name, "version": plugin.version, "world": manifest.world.name(), "stands": stands,
            "order": place, "signer": plugin.signer, "wasm": plugin.wasm, "lacking": lacking,
            "installed_ms": plugin.installed_ms,
        }));
    }
    Ok(rows)
}
