//! `name:path` is remote, as in scp; everything else is local.

use crate::config::is_plain_name;
use crate::escape::Shown;
use crate::failure::Failure;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// One end of a transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Location {
    /// On this machine.
    Local(PathBuf),
    /// On a remote.
    Remote(RemotePath),
}

/// A path on a remote: `lab:x` is `lab:/x`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RemotePath {
    /// Name of the remote.
    pub remote: String,
    /// Components joined by `/`, without a leading one; empty for the top.
    pub path: Vec<u8>,
    /// It was written with a trailing `/` (or names the top): a directory is meant.
    pub directory: bool,
}

impl Location {
    /// Reads an argument. A colon before the first slash makes it remote.
    ///
    /// # Errors
    /// A name that cannot be a remote, or a path with `..` or NUL.
    pub fn parse(argument: &OsStr) -> Result<Self, Failure> {
        let bytes = argument.as_bytes();
        if bytes.is_empty() {
            return Err(Failure::usage("an empty path names nothing", "write . for the working directory"));
        }
        let slash = bytes.iter().position(|&b| b == b'/').unwrap_or(bytes.len());
        let Some(colon) = bytes[..slash].iter().position(|&b| b == b':') else {
            return Ok(Self::Local(PathBuf::from(argument)));
        };
        let (name, path) = (&bytes[..colon], &bytes[colon + 1..]);
        match std::str::from_utf8(name).ok().filter(|name| is_plain_name(name)) {
            Some(name) => Ok(Self::Remote(RemotePath::new(name, path)?)),
            None => Err(Failure::usage(
                format!("\"{}\" cannot be the name of a remote in \"{}\"", Shown(name), Shown(bytes)),
                "write NAME:PATH for a remote, or ./PATH for a local name with a colon",
            )),
        }
    }

    /// As it is shown and reported.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Local(path) => OsString::from(path.clone()).into_vec(),
            Self::Remote(remote) => remote.to_bytes(),
        }
    }
}

impl RemotePath {
    fn new(remote: &str, raw: &[u8]) -> Result<Self, Failure> {
        let bad = |what: &str| {
            Failure::new(
                base::codes::Code::BadPath,
                format!("{what} in \"{remote}:{}\"", Shown(raw)),
                "write the path from the top of the remote, without ..",
            )
        };
        let mut parts: Vec<&[u8]> = Vec::new();
        for part in raw.split(|&b| b == b'/') {
            match part {
                b"" | b"." => {}
                b".." => return Err(bad("..")),
                part if part.contains(&0) => return Err(bad("a NUL byte")),
                part => parts.push(part),
            }
        }
        let directory = parts.is_empty() || raw.ends_with(b"/") || raw.ends_with(b"/.");
        Ok(Self { remote: remote.to_owned(), path: parts.join(&b'/'), directory })
    }

    /// `name:/path`, as it is shown and reported.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = format!("{}:/", self.remote).into_bytes();
        out.extend_from_slice(&self.path);
        out
    }
}

/// The two ends of a transfer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ends {
    /// From here to a remote.
    Push {
        /// Local sources.
        sources: Vec<PathBuf>,
        /// Destination.
        to: RemotePath,
    },
    /// From a remote to here.
    Pull {
        /// Sources, all on one remote.
        sources: Vec<RemotePath>,
        /// Local destination.
        to: PathBuf,
    },
}

/// Reads sources and destination; exactly one side is remote.
///
/// # Errors
/// Both sides local, both remote, sources on several remotes, or a location that cannot be read.
pub(super) fn ends(sources: &[OsString], destination: &OsStr) -> Result<Ends, Failure> {
    let sources: Vec<Location> =
        sources.iter().map(|source| Location::parse(source)).collect::<Result<_, _>>()?;
    let mut local = Vec::new();
    let mut remote: Vec<RemotePath> = Vec::new();
    for source in sources {
        match source {
            Location::Local(path) => local.push(path),
            Location::Remote(path) => remote.push(path),
        }
    }
    match (Location::parse(destination)?, local.is_empty(), remote.is_empty()) {
        (Location::Remote(to), false, true) => Ok(Ends::Push { sources: local, to }),
        (Location::Local(to), true, false) => {
            let first = remote.first().map(|path| path.remote.clone()).unwrap_or_default();
            match remote.iter().find(|path| path.remote != first) {
                None => Ok(Ends::Pull { sources: remote, to }),
                Some(other) => Err(Failure::usage(
                    format!("sources on two remotes: {first} and {}", other.remote),
                    "run it once for each remote",
                )),
            }
        }
        (Location::Local(_), false, true) => Err(Failure::usage(
            "both ends are local",
            "name a remote as NAME:PATH ('xfer remotes' lists them); for two local paths use cp or rsync",
        )),
        (Location::Remote(_), true, false) => Err(Failure::usage(
            "both ends are remote",
            "copy to this machine first, then from it to the other remote",
        )),
        _ => Err(Failure::usage("some sources are local and some remote", "run it once for each kind")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(text: &str) -> (String, Vec<u8>, bool) {
        match Location::parse(OsStr::new(text)) {
            Ok(Location::Remote(path)) => (path.remote, path.path, path.directory),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_colon_before_the_first_slash_is_remote() {
        assert_eq!(remote("lab:x"), ("lab".into(), b"x".to_vec(), false));
        assert_eq!(remote("lab:/x"), ("lab".into(), b"x".to_vec(), false));
        assert_eq!(remote("lab://x//./y/"), ("lab".into(), b"x/y".to_vec(), true));
        assert_eq!(remote("lab:"), ("lab".into(), b"".to_vec(), true));
        assert_eq!(remote("lab:a:b"), ("lab".into(), b"a:b".to_vec(), false));
        for local in ["x", "./a:b", "/a:b", "dir/a:b", ".", "-"] {
            assert_eq!(Location::parse(OsStr::new(local)), Ok(Location::Local(local.into())));
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, exit) in [(":x", 1), ("a b:x", 1), ("", 1), ("lab:../x", 3), ("lab:a/../b", 3)] {
            assert_eq!(Location::parse(OsStr::new(text)).expect_err(text).exit, exit, "{text}");
        }
    }

    #[test]
    fn exactly_one_side_is_remote() {
        let ends = |sources: &[&str], to: &str| {
            let sources: Vec<OsString> = sources.iter().map(OsString::from).collect();
            super::ends(&sources, OsStr::new(to))
        };
        assert!(matches!(ends(&["a", "b"], "lab:"), Ok(Ends::Push { .. })));
        assert!(matches!(ends(&["lab:a", "lab:b"], "."), Ok(Ends::Pull { .. })));
        for (sources, to) in [
            (vec!["a"], "b"),
            (vec!["lab:a"], "lab:b"),
            (vec!["lab:a", "b"], "c"),
            (vec!["lab:a", "hub:b"], "c"),
            (vec!["lab:a", "b"], "hub:c"),
        ] {
            assert_eq!(ends(&sources, to).expect_err("refused").exit, 1, "{sources:?} {to}");
        }
    }
}
