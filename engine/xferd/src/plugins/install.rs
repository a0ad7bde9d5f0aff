//! From an author's package to what the daemon takes in: signature, shape, grants, compiled and tried here.

use super::place::{Installed, Place};
use crate::clock::utc_ms;
use crate::failure::Failure;
use base::codes::Code;
use base::ids::Value as Hash;
use base::limits::Limits;
use host::{Buckets, Kv, Manifest, Metering, PolicySet, PolicySource, Runtime, inspect};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What an author ships.
pub struct Package {
    /// `plugin.toml`.
    pub text: Vec<u8>,
    /// The component.
    pub wasm: Vec<u8>,
    /// Its signature file, where there is one.
    pub signature: Option<Vec<u8>>,
    manifest: Manifest,
}

/// What the operator says to an installation.
#[derive(Clone, Debug, Default)]
pub struct Approval {
    /// Also without a signature.
    pub unsigned: bool,
    /// Grants that are given; `all` gives what is asked for.
    pub grants: Vec<String>,
    /// Public keys whose signatures count.
    pub keys: Vec<[u8; 32]>,
    /// Settings as configured, to try it out with.
    pub settings: toml::Table,
}

impl Package {
    /// Reads a folder with `plugin.toml` and one component, or a component with `plugin.toml` beside it.
    ///
    /// # Errors
    /// Something is not there, or `plugin.toml` is wrong.
    pub fn read(path: &Path, limits: &Limits) -> Result<Self, Failure> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| Failure::io(path.display(), &error));
        let folder =
            if path.is_dir() { path.to_owned() } else { path.parent().unwrap_or(Path::new("")).to_owned() };
        let text = read(&folder.join("plugin.toml"))?;
        let manifest = Manifest::parse_within(&String::from_utf8_lossy(&text), limits)
            .map_err(|error| wrong(format!("{}: {error}", folder.display())))?;
        let component = if path.is_dir() { component_in(&folder, &manifest.name)? } else { path.to_owned() };
        let wasm = read(&component)?;
        let mut beside = component.into_os_string();
        beside.push(".sig");
        let signature = match std::fs::read(Path::new(&beside)) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Failure::io(Path::new(&beside).display(), &error)),
        };
        Ok(Self { text, wasm, signature, manifest })
    }

    /// `owner/name`.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }
}

fn wrong(message: String) -> Failure {
    Failure::usage(message, "'xferd plugin build' makes a component that fits; nothing was changed")
}

/// The component of a folder: the one called like the plugin, else the only one.
fn component_in(folder: &Path, name: &str) -> Result<PathBuf, Failure> {
    let short = name.rsplit('/').next().unwrap_or(name);
    for known in [folder.join(format!("{short}.wasm")), folder.join("target").join(format!("{short}.wasm"))] {
        if known.is_file() {
            return Ok(known);
        }
    }
    let listed = std::fs::read_dir(folder).map_err(|error| Failure::io(folder.display(), &error))?;
    let mut found: Vec<PathBuf> = listed
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "wasm"))
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Failure::new(
            Code::NotFound,
            format!("no component {short}.wasm in {}", folder.display()),
            "'xferd plugin build' makes it",
        )),
        _ => Err(Failure::usage(
            format!("several components in {}", folder.display()),
            "name the one to install: xferd plugin install FILE.wasm",
        )),
    }
}

/// Each grant that is asked for, with its bounds spelled out: what the operator says yes to.
fn asked(manifest: &Manifest) -> BTreeMap<String, String> {
    let grants = &manifest.grants;
    let spelled = |name: &str| match name {
        "identity" => format!("{:?}", grants.identity),
        "quota" => format!("{:?}", grants.quota),
        "kv" => format!("{:?}", grants.kv),
        "files" => format!("{:?}", grants.files),
        "messages" => format!("{:?}", grants.messages),
        "datagrams" => format!("{:?}", grants.datagrams),
        "transfers" => format!("{:?}", grants.transfers),
        other => other.to_owned(),
    };
    grants.names().into_iter().map(|name| (name.to_owned(), spelled(name))).collect()
}

/// Grants that are asked for and not given within these bounds.
pub(super) fn lacking(manifest: &Manifest, granted: &BTreeMap<String, String>) -> Vec<String> {
    asked(manifest)
        .into_iter()
        .filter(|(name, bounds)| granted.get(name) != Some(bounds))
        .map(|(name, _)| name)
        .collect()
}

/// Gives grants that are asked for.
fn give(
    manifest: &Manifest,
    granted: &mut BTreeMap<String, String>,
    names: &[String],
) -> Result<(), Failure> {
    let asked = asked(manifest);
    for name in names {
        match asked.get(name) {
            Some(bounds) => drop(granted.insert(name.clone(), bounds.clone())),
            None if name == "all" => granted.extend(asked.clone()),
            None => {
                let known: Vec<&str> = asked.keys().map(String::as_str).collect();
                let next = match known.as_slice() {
                    [] => "it asks for none".to_owned(),
                    known => format!("it asks for {}", known.join(", ")),
                };
                let message =
                    format!("{} does not ask for the grant {}", manifest.name, crate::escape::shown(name));
                return Err(Failure::usage(message, next));
            }
        }
    }
    Ok(())
}

/// Installs a package: nothing changes unless all of it holds, and its first instance was set up here.
///
/// # Errors
/// What does not hold.
pub fn install(
    state: &Path,
    package: &Package,
    approval: &Approval,
    limits: &Limits,
) -> Result<Value, Failure> {
    let Package { text, wasm, manifest, .. } = package;
    let name = &manifest.name;
    let signer = signer(package, approval)?;
    let shape = inspect(wasm).map_err(|error| wrong(format!("{name}: {error}")))?;
    shape.check(manifest).map_err(|error| wrong(format!("{name}: {error}")))?;
    let place = Place::of(state);
    let _alone = place.lock()?;
    let before = place.installed()?.into_iter().find(|installed| installed.name == *name);
    let mut granted = before.as_ref().map(|before| before.granted.clone()).unwrap_or_default();
    if let Some(before) = &before
        && before.signer.is_some()
        && before.signer != signer
    {
        let message = format!("{name} was signed by {} before", before.signer.as_deref().unwrap_or_default());
        let next = format!("if its author changed keys: xferd plugin remove {name}, then install it again");
        return Err(Failure::new(Code::InvalidSignature, message, next));
    }
    give(manifest, &mut granted, &approval.grants)?;
    let asked = asked(manifest);
    granted.retain(|name, bounds| asked.get(name) == Some(bounds));
    let lacking = lacking(manifest, &granted);
    if before.is_some() && !lacking.is_empty() {
        let message = format!("{name} asks for more than was granted: {}", lacking.join(", "));
        let next = format!("install it with --grant {}", lacking.join(" --grant "));
        return Err(Failure::new(Code::AccessDenied, message, next));
    }
    let runtime = Runtime::new(limits, Metering::Deadlines)
        .map_err(|error| Failure::start(Code::Unavailable, error.to_string(), ""))?;
    let compiled = runtime.compile(wasm).map_err(|error| wrong(format!("{name}: {error}")))?;
    try_out(&runtime, manifest, &compiled, &approval.settings)?;
    let code = compiled.seal(&place.node_key(true)?);
    let installed = Installed {
        name: name.clone(),
        version: manifest.version.clone(),
        wasm: Hash(compiled.wasm).to_string(),
        signer: signer.clone(),
        granted,
        installed_ms: utc_ms(),
    };
    let mut files =
        vec![("plugin.toml", &text[..], 0o600), ("plugin.wasm", wasm, 0o600), ("code.xcw", &code, 0o400)];
    if let Some(signature) = &package.signature {
        files.push(("plugin.sig", signature, 0o600));
    }
    place.put(&installed, &files)?;
    let mut told = facts(manifest, &installed);
    told["imports"] = shape.imports.keys().cloned().collect::<Vec<_>>().into();
    told["replaced"] = before.map(|before| before.version).into();
    Ok(told)
}

/// The key that signed it; `None`: nobody, and that is approved.
fn signer(package: &Package, approval: &Approval) -> Result<Option<String>, Failure> {
    let name = &package.manifest.name;
    let Some(signature) = &package.signature else {
        if approval.unsigned {
            return Ok(None);
        }
        let next = "have its author sign it ('xferd plugin sign'), or install it with --unsigned if you made it yourself";
        return Err(Failure::new(Code::InvalidSignature, format!("{name} is not signed"), next));
    };
    let signed = crate::plugin::signature::verify(signature, &package.wasm, &package.text);
    let why = match signed {
        Ok(key) if approval.keys.contains(&key) => return Ok(Some(Hash(key).to_string())),
        _ if approval.unsigned => return Ok(None),
        Ok(key) => format!("signed by {}, a key that is not trusted here", Hash(key)),
        Err(error) => error.to_string(),
    };
    let next = "add the author's key to plugin.keys in the configuration if you trust it";
    Err(Failure::new(Code::InvalidSignature, format!("{name}: {why}"), next))
}

/// One that does not instantiate, or refuses its settings, never replaces one that did.
fn try_out(
    runtime: &Runtime,
    manifest: &Manifest,
    compiled: &host::Compiled,
    given: &toml::Table,
) -> Result<(), Failure> {
    let refused = |why: String| Failure::new(Code::InvalidRequest, why, "nothing was changed");
    let loaded = runtime.load(compiled).map_err(|error| refused(format!("{}: {error}", manifest.name)))?;
    let settings = manifest
        .settings(given)
        .map_err(|error| refused(format!("plugin.settings.\"{}\": {error}", manifest.name)))?;
    let source = PolicySource { manifest: manifest.clone(), loaded, settings, kv: Kv::default() };
    let buckets = Arc::new(Buckets::new(64));
    let tried = if manifest.world.is_policy() {
        PolicySet::new(runtime, 0, vec![source], &buckets, None).map(drop)
    } else {
        super::lanes::try_out(runtime, source, &buckets)
    };
    tried.map_err(|error| refused(error.to_string()))
}

/// Gives grants to what is installed; all that it asks for when none is named.
///
/// # Errors
/// It is not installed, or does not ask for them.
pub fn grant(state: &Path, name: &str, names: &[String], limits: &Limits) -> Result<Value, Failure> {
    let place = Place::of(state);
    let mut installed = place.find(name)?;
    let _alone = place.lock()?;
    let manifest = super::load::manifest(&place, &installed, limits)?;
    give(&manifest, &mut installed.granted, names)?;
    place.note(&installed)?;
    Ok(facts(&manifest, &installed))
}

/// Takes a plugin away.
///
/// # Errors
/// It is not installed.
pub fn remove(state: &Path, name: &str) -> Result<Value, Failure> {
    let place = Place::of(state);
    let installed = place.find(name)?;
    let _alone = place.lock()?;
    place.remove(name)?;
    Ok(json!({"name": installed.name, "version": installed.version, "removed": true}))
}

/// Everything about what is installed.
///
/// # Errors
/// It is not installed.
pub fn show(state: &Path, name: &str, limits: &Limits) -> Result<Value, Failure> {
    let place = Place::of(state);
    let installed = place.find(name)?;
    let manifest = super::load::manifest(&place, &installed, limits)?;
    let mut told = facts(&manifest, &installed);
    let shape =
        inspect(&place.read(name, "plugin.wasm")?).map_err(|error| wrong(format!("{name}: {error}")))?;
    told["imports"] = shape.imports.keys().cloned().collect::<Vec<_>>().into();
    Ok(told)
}

fn facts(manifest: &Manifest, installed: &Installed) -> Value {
    let reasons: BTreeMap<&String, &String> =
        manifest.reasons.iter().map(|(grant, why)| (grant, why)).collect();
    let settings: Vec<Value> = manifest
        .config
        .iter()
        .map(|setting| {
            json!({"key": setting.key, "type": setting.kind.name(),
            "default": setting.default.as_ref().map(ToString::to_string), "help": setting.help})
        })
        .collect();
    json!({
        "name": installed.name, "version": installed.version, "world": manifest.world.name(),
        "wasm": installed.wasm, "signer": installed.signer, "memory_bytes": manifest.memory_bytes,
        "deadline_ms": manifest.deadline_ms, "asks_for": asked(manifest), "reasons": reasons,
        "granted": installed.granted.keys().collect::<Vec<_>>(), "lacking": lacking(manifest, &installed.granted),
        "settings": settings, "installed_ms": installed.installed_ms,
    })
}
