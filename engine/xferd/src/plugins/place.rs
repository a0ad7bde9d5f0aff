//! `STATE/plugin`: reading and replacing what lies there.

use crate::failure::{Failure, plain};
use base::codes::Code;
use rustix::fs::{FlockOperation, Mode, OFlags, RenameFlags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Largest file of a plugin that is read: no component is larger, compiled code included.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// What is noted when a plugin is installed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Installed {
    /// `owner/name`.
    pub name: String,
    /// Its own version.
    pub version: String,
    /// SHA-256 of the component, hexadecimal.
    pub wasm: String,
    /// The key that signed it, hexadecimal; `None`: nobody did.
    pub signer: Option<String>,
    /// Grants that were given, with the bounds they had then.
    pub granted: BTreeMap<String, String>,
    /// When, UTC milliseconds.
    pub installed_ms: u64,
}

/// The folder.
#[derive(Clone, Debug)]
pub struct Place {
    folder: PathBuf,
}

impl Place {
    /// That of a state directory.
    pub fn of(state: &Path) -> Self {
        Self { folder: state.join("plugin") }
    }

    /// Where a plugin lies. `name` is `owner/name` of `a-z`, `0-9` and `-`.
    pub fn folder_of(&self, name: &str) -> PathBuf {
        self.folder.join(name.replace('/', "+"))
    }

    /// The plugins that are installed, by name.
    ///
    /// # Errors
    /// The folder cannot be read, or holds a record that is none.
    pub fn installed(&self) -> Result<Vec<Installed>, Failure> {
        let entries = match std::fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Failure::io(self.folder.display(), &error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| Failure::io(self.folder.display(), &error))?;
            if entry.file_name().to_string_lossy().contains('+') {
                found.push(read_record(&entry.path())?);
            }
        }
        found.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(found)
    }

    /// One plugin.
    ///
    /// # Errors
    /// It is not installed.
    pub fn find(&self, name: &str) -> Result<Installed, Failure> {
        let installed = self.installed()?;
        if let Some(found) = installed.iter().find(|installed| installed.name == name) {
            return Ok(found.clone());
        }
        let near = crate::config::nearest(name, installed.iter().map(|installed| installed.name.as_str()));
        let next = match near {
            Some(near) => format!("did you mean {near}?"),
            None => "'xferd plugin list' names what is installed".to_owned(),
        };
        Err(Failure::new(
            Code::NotFound,
            format!("no plugin {} is installed", crate::escape::shown(name)),
            next,
        ))
    }

    /// One file of a plugin.
    ///
    /// # Errors
    /// It is not there, or not ours alone.
    pub fn read(&self, name: &str, file: &str) -> Result<Vec<u8>, Failure> {
        read_file(&self.folder_of(name).join(file))
    }

    /// The key that seals compiled code, made where it is not there.
    ///
    /// # Errors
    /// It is loose, or the folder cannot be written.
    pub fn node_key(&self, make: bool) -> Result<[u8; 32], Failure> {
        let path = self.folder.join("node.key");
        let bytes = match read_file(&path) {
            Ok(bytes) => bytes,
            Err(failure) if failure.code == Code::NotFound && make => {
                let key = identity::random::<32>()
                    .map_err(|error| Failure::start(Code::Io, format!("no random bytes: {error}"), ""))?;
                write_new(&path, key.as_ref(), 0o400)?;
                key.to_vec()
            }
            Err(failure) => return Err(failure),
        };
        let mode = std::fs::metadata(&path)
            .map_err(|error| Failure::io(path.display(), &error))?
            .permissions()
            .mode();
        match <[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(key) if mode & 0o077 == 0 => Ok(key),
            Ok(_) => {
                let next = format!(
                    "chmod 400 {}, and install every plugin again if others could read it",
                    path.display()
                );
                Err(Failure::start(
                    Code::AccessDenied,
                    format!("{} may be read by others", path.display()),
                    next,
                ))
            }
            Err(_) => {
                let next = "remove it and install every plugin again";
                Err(Failure::start(Code::Io, format!("{} is no key", path.display()), next))
            }
        }
    }

    /// Waits for everybody else who installs.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn lock(&self) -> Result<File, Failure> {
        let path = self.folder.join("lock");
        let opened = File::options().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = opened.map_err(|error| Failure::io(path.display(), &error))?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)
            .map_err(|errno| Failure::io(path.display(), &errno.into()))?;
        Ok(file)
    }

    /// Puts a plugin's files in place, whole, instead of what was there.
    ///
    /// # Errors
    /// The folder cannot be written; what was there is there still.
    pub fn put(&self, installed: &Installed, files: &[(&str, &[u8], u32)]) -> Result<(), Failure> {
        let beside = self.folder.join(".installing");
        let refused = |error: &std::io::Error| Failure::io(beside.display(), error);
        clear(&beside).map_err(|error| refused(&error))?;
        std::fs::create_dir(&beside).map_err(|error| refused(&error))?;
        for (name, bytes, mode) in files {
            write_new(&beside.join(name), bytes, *mode)?;
        }
        write_new(&beside.join("installed.json"), record_text(installed)?.as_bytes(), 0o600)?;
        sync(&beside)?;
        let to = self.folder_of(&installed.name);
        let flags = if to.exists() { RenameFlags::EXCHANGE } else { RenameFlags::NOREPLACE };
        rustix::fs::renameat_with(rustix::fs::CWD, &beside, rustix::fs::CWD, &to, flags)
            .map_err(|errno| Failure::io(to.display(), &errno.into()))?;
        sync(&self.folder)?;
        clear(&beside).map_err(|error| refused(&error))
    }

    /// Notes something else about a plugin.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn note(&self, installed: &Installed) -> Result<(), Failure> {
        let folder = self.folder_of(&installed.name);
        let (path, beside) = (folder.join("installed.json"), folder.join(".installed.json"));
        let _ = std::fs::remove_file(&beside);
        write_new(&beside, record_text(installed)?.as_bytes(), 0o600)?;
        std::fs::rename(&beside, &path).map_err(|error| Failure::io(path.display(), &error))?;
        sync(&folder)
    }

    /// Takes a plugin away.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn remove(&self, name: &str) -> Result<(), Failure> {
        let (from, beside) = (self.folder_of(name), self.folder.join(".removing"));
        let refused = |error: &std::io::Error| Failure::io(from.display(), error);
        clear(&beside).map_err(|error| refused(&error))?;
        std::fs::rename(&from, &beside).map_err(|error| refused(&error))?;
        sync(&self.folder)?;
        clear(&beside).map_err(|error| refused(&error))
    }
}

fn clear(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn record_text(installed: &Installed) -> Result<String, Failure> {
    serde_json::to_string_pretty(installed).map_err(|error| {
        Failure::new(Code::InternalError, format!("a record cannot be written: {error}"), "")
    })
}

fn read_record(folder: &Path) -> Result<Installed, Failure> {
    let path = folder.join("installed.json");
    serde_json::from_slice(&read_file(&path)?).map_err(|error| {
        let message = format!("{} is no record of a plugin: {error}", path.display());
        Failure::new(Code::Io, message, "remove that folder and install the plugin again")
    })
}

/// Reads a file that is ours; a link is not followed.
fn read_file(path: &Path) -> Result<Vec<u8>, Failure> {
    let refused = |error: &std::io::Error| Failure::io(path.display(), error);
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| refused(&errno.into()))?;
    let mut bytes = Vec::new();
    File::from(file).take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| refused(&error))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(Failure::new(Code::TooLarge, format!("{} is too large", path.display()), ""));
    }
    Ok(bytes)
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Failure> {
    let write = || {
        let mut file = File::options().create_new(true).write(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| Failure::new(Code::Io, format!("{}: {}", path.display(), plain(&error)), ""))
}

fn sync(folder: &Path) -> Result<(), Failure> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| Failure::io(folder.display(), &error))
}
