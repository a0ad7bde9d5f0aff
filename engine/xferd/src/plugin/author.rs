//! What an author does: unpack, build, make a key, sign.

use super::signature;
use crate::failure::Failure;
use base::codes::Code;
use base::limits::Limits;
use identity::{AuthorKey, FileError};
use plugin_builder::{BuildError, Built, Order, Toolchain, template};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Unpacks a plugin's folder; what is there already is never written over.
///
/// # Errors
/// The name cannot be one, something of it is there, or the folder cannot be written.
pub fn unpack(name: &str, world: &str, parent: &Path) -> Result<PathBuf, Failure> {
    if !template::is_name(name) {
        return Err(Failure::usage(
            format!("\"{}\" cannot be the name of a plugin", crate::escape::shown(name)),
            "use 1 to 63 of a-z, 0-9 and -, a letter first",
        ));
    }
    let folder = parent.join(name);
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| Failure::io(path, &error)
    };
    std::fs::create_dir(&folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => Failure::new(
            Code::Conflict,
            format!("{} is there already", folder.display()),
            "choose another name",
        ),
        _ => Failure::io(folder.display(), &error),
    })?;
    for (path, text) in template::files(name, world) {
        let path = folder.join(path);
        if let Some(above) = path.parent() {
            std::fs::create_dir_all(above).map_err(failed(above))?;
        }
        std::fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(folder)
}

/// Builds the plugin of a folder; `NAME.wasm` is put into it.
///
/// # Errors
/// There is nothing to build with, or what is to be built is no plugin.
pub fn build(folder: &Path) -> Result<(PathBuf, Built), Failure> {
    let toolchain = Toolchain::find().map_err(|missing| refused(&BuildError::NoToolchain(missing)))?;
    let built = plugin_builder::build(&toolchain, &Order::new(folder, &folder.join("target")))
        .map_err(|error| refused(&error))?;
    let path = plugin_builder::write(&built, folder).map_err(|error| refused(&error))?;
    Ok((path, built))
}

fn refused(error: &BuildError) -> Failure {
    let code = match error {
        BuildError::NoToolchain(_) => Code::Unavailable,
        BuildError::NoCrate(_) => Code::NotFound,
        BuildError::TooLarge { .. } => Code::TooLarge,
        BuildError::Io { path, error } => return Failure::io(path.display(), error),
        _ => Code::InvalidRequest,
    };
    Failure::new(code, error.to_string(), error.next())
}

/// Makes an author's key and gives its public half.
///
/// # Errors
/// The file is there already, or cannot be written.
pub fn make_key(path: &Path) -> Result<[u8; 32], Failure> {
    if std::fs::symlink_metadata(path).is_ok() {
        return Err(Failure::new(
            Code::Conflict,
            format!("{} is there already", path.display()),
            "a key is never written over: name another file, or sign with this one",
        ));
    }
    AuthorKey::load_or_create(&key_file(path)?).map(|key| key.public()).map_err(|error| no_key(&error))
}

/// Where a key lies, in whichever folder the author is.
fn key_file(path: &Path) -> Result<PathBuf, Failure> {
    let named = path.file_name().and_then(|name| name.to_str()).is_some();
    let whole = std::path::absolute(path).ok().filter(|_| named);
    whole.ok_or_else(|| {
        let message = format!(
            "\"{}\" cannot be the name of a key's file",
            crate::escape::shown(&path.to_string_lossy())
        );
        Failure::usage(message, "name a file, such as author.key")
    })
}

/// Signs a component with the `plugin.toml` beside it; (signature file, the signer's public half).
///
/// # Errors
/// A file is missing or too large, or the key is none.
pub fn sign(component: &Path, manifest: &Path, key: &Path) -> Result<(PathBuf, [u8; 32]), Failure> {
    let loaded = AuthorKey::load(&key_file(key)?).map_err(|error| no_key(&error))?.ok_or_else(|| {
        Failure::new(
            Code::NotFound,
            format!("{}: no such key", key.display()),
            "make one: 'xferd plugin keygen FILE'",
        )
    })?;
    let (bytes, toml) = (read(component)?, read(manifest)?);
    let file = signature::sign(&loaded, &bytes, &toml);
    let mut name = component.as_os_str().to_owned();
    name.push(".sig");
    let path = PathBuf::from(name);
    let written = std::fs::File::create(&path).and_then(|mut out| out.write_all(&file));
    written.map_err(|error| Failure::io(path.display(), &error))?;
    Ok((path, loaded.public()))
}

fn no_key(error: &FileError) -> Failure {
    Failure::new(Code::Io, error.to_string(), "")
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::io(path.display(), &error))?;
    let most = Limits::DEFAULT.plugin_wasm_bytes_max as usize;
    if bytes.len() > most {
        let message = format!("{} has {} bytes, at most {most} are allowed", path.display(), bytes.len());
        return Err(Failure::new(Code::TooLarge, message, ""));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_unpacked_once_and_a_key_made_once() {
        let home = tempfile::tempdir().unwrap();
        let folder = unpack("night-shift", "policy", home.path()).unwrap();
        assert!(folder.join("sdk/src/lib.rs").is_file() && folder.join("src/lib.rs").is_file());
        assert_eq!(unpack("night-shift", "policy", home.path()).unwrap_err().code, Code::Conflict);
        assert_eq!(unpack("../x", "policy", home.path()).unwrap_err().code, Code::InvalidRequest);
        let key = home.path().join("author.key");
        let public = make_key(&key).unwrap();
        assert_eq!(make_key(&key).unwrap_err().code, Code::Conflict);
        let beside = std::path::absolute("author.key").unwrap();
        assert_eq!(
            key_file(Path::new("author.key")).unwrap(),
            beside,
            "a name alone lies in the current folder"
        );
        assert_eq!(key_file(Path::new("..")).unwrap_err().code, Code::InvalidRequest);
        let component = folder.join("night-shift.wasm");
        std::fs::write(&component, b"component").unwrap();
        let (file, signer) = sign(&component, &folder.join("plugin.toml"), &key).unwrap();
        assert_eq!((signer, file), (public, folder.join("night-shift.wasm.sig")));
        let missing = sign(&component, &folder.join("plugin.toml"), &home.path().join("none")).unwrap_err();
        assert_eq!(missing.code, Code::NotFound);
    }
}
