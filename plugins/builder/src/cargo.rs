//! Cargo, made to build one crate as a module.

use crate::Order;
use crate::error::BuildError;
use crate::toolchain::{Std, TARGET, Toolchain};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Bytes of the stack in the module's memory. The host bounds the stack of its own beside it.
const STACK_BYTES: u32 = 128 << 10;

/// Compiles a crate; (name of the package, where the module lies).
pub(crate) fn compile(toolchain: &Toolchain, order: &Order<'_>) -> Result<(String, PathBuf), BuildError> {
    let manifest = order.folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(BuildError::NoCrate(order.folder.to_owned()));
    }
    // Cargo names the crate by a path without `..`: by it the module is known among what else is built.
    let manifest = manifest.canonicalize().unwrap_or(manifest);
    let mut command = command(toolchain, order, &manifest);
    let failed = |error: std::io::Error| BuildError::Cargo(format!("{}: {error}", toolchain.cargo.display()));
    let mut child = command.spawn().map_err(failed)?;
    let mut made = None;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            made = module(&line, &manifest).or(made);
        }
    }
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(BuildError::Cargo(format!("cargo ended with {status}")));
    }
    made.ok_or_else(|| BuildError::NoLibrary(order.folder.to_owned()))
}

fn command(toolchain: &Toolchain, order: &Order<'_>, manifest: &Path) -> Command {
    let mut command = Command::new(&toolchain.cargo);
    forget_cargo(&mut command);
    let mut flags = vec!["-C".to_owned(), format!("link-arg=-zstack-size={STACK_BYTES}")];
    command.env("RUSTC", &toolchain.rustc);
    command.args(["rustc", "--lib", "--release", "--crate-type", "cdylib", "--target", TARGET]);
    command.arg("--message-format=json-render-diagnostics");
    if let Std::Built { linker } = &toolchain.std {
        flags.extend([
            "-C".into(),
            format!("linker={}", linker.display()),
            "-C".into(),
            "linker-flavor=wasm-ld".into(),
        ]);
        // Building the core library is not stable: its source belongs to this very compiler.
        command.env("RUSTC_BOOTSTRAP", "1").arg("-Zbuild-std=core,alloc,panic_abort");
        let vendored = toolchain.vendored_library().filter(|_| is_self_contained(toolchain, manifest));
        if let Some(folder) = vendored {
            command.arg("--offline").args(["--config", "source.crates-io.replace-with=\"library\""]);
            command
                .arg("--config")
                .arg(format!("source.library.directory={:?}", folder.display().to_string()));
        }
    }
    // 0x1f separates flags (Cargo's reference, environment variables), so that a path may hold spaces.
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
    // The same module from a member of any workspace: small, one unit, with the names of functions for backtraces.
    for (key, value) in
        [("OPT_LEVEL", "s"), ("LTO", "true"), ("CODEGEN_UNITS", "1"), ("PANIC", "abort"), ("DEBUG", "0")]
    {
        command.env(format!("CARGO_PROFILE_RELEASE_{key}"), value);
    }
    // Cargo runs in the crate's folder, where a path of ours would lead elsewhere.
    let target = std::path::absolute(order.target).unwrap_or_else(|_| order.target.to_owned());
    command.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(target);
    command.current_dir(order.folder).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Whether a crate and its workspace need no registry: then Cargo may look for what the core library's own manifests
/// name in the folder that its source brings, and reaches no network. What [`crate::template`] unpacks is such a crate.
fn is_self_contained(toolchain: &Toolchain, manifest: &Path) -> bool {
    let mut command = Command::new(&toolchain.cargo);
    forget_cargo(&mut command);
    command.env("RUSTC", &toolchain.rustc).args([
        "metadata",
        "--no-deps",
        "--offline",
        "--format-version",
        "1",
    ]);
    let Ok(out) = command.arg("--manifest-path").arg(manifest).stdin(Stdio::null()).output() else {
        return false;
    };
    let Ok(metadata) = serde_json::from_slice::<serde_json::Value>(&out.stdout) else { return false };
    let Some(packages) = metadata["packages"].as_array() else { return false };
    let dependencies =
        packages.iter().flat_map(|package| package["dependencies"].as_array().into_iter().flatten());
    dependencies.into_iter().all(|dependency| dependency["source"].is_null())
}

/// Takes away what a Cargo around us left in the environment: it names another compiler, other flags and other
/// libraries. Where Cargo's home is and how it reaches the network stays.
pub(crate) fn forget_cargo(command: &mut Command) {
    let is_nested = std::env::var_os("CARGO").is_some();
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let stays = ["CARGO_HOME", "CARGO_HTTP_", "CARGO_NET_"].iter().any(|prefix| text.starts_with(prefix));
        let cargos = ["CARGO", "RUSTC", "RUSTFLAGS", "RUSTDOC", "RUSTUP_TOOLCHAIN"];
        if !stays && cargos.iter().any(|prefix| text.starts_with(prefix))
            || is_nested && text == "LD_LIBRARY_PATH"
        {
            command.env_remove(&name);
        }
    }
}

/// The module that a line of Cargo's messages tells of, if it is that of this crate.
fn module(line: &str, manifest: &Path) -> Option<(String, PathBuf)> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" || Path::new(message["manifest_path"].as_str()?) != manifest {
        return None;
    }
    let files = message["filenames"].as_array()?.iter().filter_map(|file| file.as_str());
    let file =
        files.map(Path::new).find(|file| file.extension().is_some_and(|extension| extension == "wasm"))?;
    // "path+file:///plugins/acl#xferd-acl@0.1.0", and without a name where the folder has it.
    let id = message["package_id"].as_str()?;
    let (folder, after) = id.rsplit_once('#')?;
    let name = after.split_once('@').map_or_else(|| folder.rsplit('/').next(), |(name, _)| Some(name))?;
    Some((name.to_owned(), file.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_module_of_the_crate_itself_is_taken() {
        let line = |manifest: &str, id: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","manifest_path":"{manifest}","package_id":"{id}",
                "filenames":["/t/libx.rlib","/t/x.wasm"]}}"#
            )
        };
        let manifest = Path::new("/p/acl/Cargo.toml");
        let found = |text: &str| module(text, manifest).map(|(name, _)| name);
        assert_eq!(
            found(&line("/p/acl/Cargo.toml", "path+file:///p/acl#xferd-acl@0.1.0")).as_deref(),
            Some("xferd-acl")
        );
        assert_eq!(found(&line("/p/acl/Cargo.toml", "path+file:///p/acl#0.1.0")).as_deref(), Some("acl"));
        assert_eq!(found(&line("/p/sdk/Cargo.toml", "path+file:///p/sdk#0.1.0")), None);
        assert_eq!(found("not json"), None);
    }
}
