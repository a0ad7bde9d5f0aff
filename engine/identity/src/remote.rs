//! Remotes: how a client finds the hubs it joined. One file each, `remotes/<name>.toml`, that people may edit.

use crate::address::Address;
use crate::files::{self, FileError};
use base::ids::{DeviceId, RootId};
use base::limits::Limits;
use proto::session::certificate::is_account_name;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

const DIRECTORY: &str = "remotes";
const NAME_BYTES_MAX: usize = proto::session::certificate::ACCOUNT_BYTES_MAX;

/// One hub a client joined.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remote {
    /// What the client calls it: the `lab` of `lab:/x`.
    pub name: String,
    /// The hub's device.
    pub hub: DeviceId,
    /// The root whose certificates count there.
    pub root: RootId,
    /// Where it can be reached, tried in this order; at least one.
    pub addresses: Vec<Address>,
    /// The account this device has there.
    pub account: String,
}

/// Why a remote cannot be read or kept.
#[derive(Debug)]
pub enum RemoteError {
    /// Its file.
    File(FileError),
    /// The name cannot be one.
    Name(String),
    /// Its file is not TOML, or has a key that is unknown, missing or of another type.
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Line, from 1, where known.
        line: Option<usize>,
        /// What the parser says.
        message: String,
    },
    /// A value is not what its key takes.
    Value {
        /// Which file.
        path: PathBuf,
        /// Which key.
        key: &'static str,
    },
    /// `remotes_max` is reached.
    TooMany {
        /// Its value.
        most: u32,
    },
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => error.fmt(f),
            Self::Name(name) => write!(
                f,
                "{name:?} cannot name a remote: use 1 to {NAME_BYTES_MAX} of a-z A-Z 0-9 . _ -, beginning with a \
                 letter or digit"
            ),
            Self::Syntax { path, line: Some(line), message } => write!(f, "{path:?}, line {line}: {message}"),
            Self::Syntax { path, line: None, message } => write!(f, "{path:?}: {message}"),
            Self::Value { path, key } => {
                let takes = match *key {
                    "hub" => "64 hexadecimal digits",
                    "root" => "16 hexadecimal digits",
                    "addresses" => "one or more `host:port`",
                    _ => "a printable name",
                };
                write!(f, "{path:?}: {key} takes {takes}")
            }
            Self::TooMany { most } => {
                write!(f, "remotes_max = {most} is reached: raise it, or remove a remote")
            }
        }
    }
}

impl std::error::Error for RemoteError {}

impl From<FileError> for RemoteError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    hub: String,
    root: String,
    account: String,
    addresses: Vec<String>,
}

impl Remote {
    /// Reads a remote by name; `None` when there is none.
    ///
    /// # Errors
    /// The name cannot be one; the file has an unknown key or a bad value; the system refuses.
    pub fn read(state: &Path, name: &str, limits: &Limits) -> Result<Option<Self>, RemoteError> {
        let path = path_of(state, name)?;
        let Some(bytes) = files::read(&path, bytes_max(limits))? else { return Ok(None) };
        let syntax =
            |line, message: &str| RemoteError::Syntax { path: path.clone(), line, message: message.into() };
        let text = str::from_utf8(&bytes).map_err(|_| syntax(None, "not UTF-8"))?;
        let form: Form = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
            syntax(line, error.message())
        })?;
        let value = |key| RemoteError::Value { path: path.clone(), key };
        if !is_account_name(&form.account) {
            return Err(value("account"));
        }
        let addresses = form.addresses.iter().map(|address| Address::parse(address, limits));
        let addresses = addresses.collect::<Result<Vec<_>, _>>().map_err(|_| value("addresses"))?;
        if addresses.is_empty() || addresses.len() > limits.addresses_max as usize {
            return Err(value("addresses"));
        }
        Ok(Some(Self {
            name: name.to_owned(),
            hub: DeviceId::from_hex(&form.hub).ok_or_else(|| value("hub"))?,
            root: RootId::from_hex(&form.root).ok_or_else(|| value("root"))?,
            addresses,
            account: form.account,
        }))
    }

    /// Writes a remote, in the place of one of the same name; durable when this returns.
    ///
    /// # Errors
    /// The name cannot be one; `remotes_max` is reached; the disk refuses.
    pub fn write(&self, state: &Path, limits: &Limits) -> Result<(), RemoteError> {
        let path = path_of(state, &self.name)?;
        let others = Self::names(state)?.into_iter().filter(|name| *name != self.name).count();
        if others >= limits.remotes_max as usize {
            return Err(RemoteError::TooMany { most: limits.remotes_max });
        }
        let form = Form {
            hub: self.hub.to_string(),
            root: self.root.to_string(),
            account: self.account.clone(),
            addresses: self.addresses.iter().map(Address::to_string).collect(),
        };
        let text = toml::to_string(&form).expect("text and lists of text are always TOML");
        files::make_directory(&state.join(DIRECTORY))?;
        Ok(files::write(&path, text.as_bytes(), 0o600)?)
    }

    /// The names of all remotes, sorted.
    ///
    /// # Errors
    /// The system refuses.
    pub fn names(state: &Path) -> Result<Vec<String>, RemoteError> {
        let names = files::names(&state.join(DIRECTORY))?.into_iter();
        let names = names.filter_map(|name| name.strip_suffix(".toml").map(str::to_owned));
        Ok(names.filter(|name| is_remote_name(name)).collect())
    }

    /// All remotes, sorted by name.
    ///
    /// # Errors
    /// One of them cannot be read.
    pub fn list(state: &Path, limits: &Limits) -> Result<Vec<Self>, RemoteError> {
        let mut remotes = Vec::new();
        for name in Self::names(state)? {
            // One that is removed meanwhile is no longer listed.
            remotes.extend(Self::read(state, &name, limits)?);
        }
        Ok(remotes)
    }

    /// Forgets a remote, durably; `false` when there was none.
    ///
    /// # Errors
    /// The name cannot be one, or the disk refuses.
    pub fn remove(state: &Path, name: &str) -> Result<bool, RemoteError> {
        Ok(files::remove(&path_of(state, name)?)?)
    }
}

fn bytes_max(limits: &Limits) -> u64 {
    // Each address with its quotes, and room for the other keys and a comment.
    u64::from(limits.addresses_max) * u64::from(limits.address_bytes_max + 8) + 4096
}

fn is_remote_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() <= NAME_BYTES_MAX
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn path_of(state: &Path, name: &str) -> Result<PathBuf, RemoteError> {
    if !is_remote_name(name) {
        return Err(RemoteError::Name(name.to_owned()));
    }
    Ok(state.join(DIRECTORY).join(format!("{name}.toml")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits::TINY;

    fn remote(name: &str) -> Remote {
        Remote {
            name: name.into(),
            hub: DeviceId([7; 32]),
            root: RootId([8; 8]),
            addresses: vec![Address::parse("[::1]:7440", &LIMITS).unwrap()],
            account: "älice \"x\"".into(),
        }
    }

    #[test]
    fn remotes_are_written_listed_read_and_removed() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(Remote::read(home.path(), "lab", &LIMITS).unwrap(), None);
        for name in ["lab", "a.b-c_1", "lab"] {
            remote(name).write(home.path(), &LIMITS).unwrap();
        }
        assert_eq!(Remote::read(home.path(), "lab", &LIMITS).unwrap(), Some(remote("lab")));
        assert_eq!(Remote::list(home.path(), &LIMITS).unwrap(), [remote("a.b-c_1"), remote("lab")]);
        for name in ["c", "d"] {
            remote(name).write(home.path(), &LIMITS).unwrap();
        }
        assert!(matches!(remote("e").write(home.path(), &LIMITS), Err(RemoteError::TooMany { most: 4 })));
        remote("d").write(home.path(), &LIMITS).expect("one that is there may be changed");
        assert!(Remote::remove(home.path(), "lab").unwrap());
        assert!(!Remote::remove(home.path(), "lab").unwrap());
    }

    #[test]
    fn names_that_leave_the_directory_are_refused() {
        let home = tempfile::tempdir().unwrap();
        for bad in ["", ".", "..", "../x", "a/b", "-n", ".lab", "a:b", "a b", "ä", &"a".repeat(65)] {
            assert!(matches!(Remote::read(home.path(), bad, &LIMITS), Err(RemoteError::Name(_))), "{bad:?}");
            assert!(remote(bad).write(home.path(), &LIMITS).is_err());
        }
    }

    #[test]
    fn unknown_keys_and_bad_values_are_refused_by_name() {
        let home = tempfile::tempdir().unwrap();
        remote("lab").write(home.path(), &LIMITS).unwrap();
        let path = home.path().join("remotes/lab.toml");
        let good = std::fs::read_to_string(&path).unwrap();
        let refused = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Remote::read(home.path(), "lab", &LIMITS).expect_err(text).to_string()
        };
        let unknown = refused(&format!("{good}\nadress = \"x\"\n"));
        assert!(unknown.contains("adress") && unknown.contains("line 6"), "{unknown}");
        assert!(refused("hub = \"x\"\n").contains("missing field"));
        assert!(refused(&good.replace("07", "0x")).contains("hub takes"));
        assert!(refused(&good.replace("08", "0x")).contains("root takes"));
        assert!(refused(&good.replace(":7440", "")).contains("addresses takes"));
        assert!(refused(&good.replace("älice", "\u{202e}")).contains("account takes"));
        std::fs::write(&path, [0xff]).unwrap();
        assert!(Remote::read(home.path(), "lab", &LIMITS).is_err());
        std::fs::write(&path, vec![b'#'; 10_000]).unwrap();
        assert!(matches!(
            Remote::read(home.path(), "lab", &LIMITS),
            Err(RemoteError::File(FileError::TooLarge { .. }))
        ));
    }
}
