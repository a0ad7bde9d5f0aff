//! The only way a name reaches the kernel.
//!
//! A [`Name`] is one path component that came from a peer, a directory listing or ourselves, checked
//! once. `Batch::name` takes nothing else, so a raw byte string cannot be opened by accident.
//! Whole paths are `disk::paths`.

use alloc::vec::Vec;
use core::fmt;

/// Longest component in bytes: NAME_MAX of every Linux file system.
pub const NAME_BYTES_MAX: usize = 255;

/// How every name of the engine's own begins. Refused from peers, left out of listings and of `--delete`.
pub const RESERVED_PREFIX: &[u8] = b".xferd-";

/// Whether a name is kept for the engine itself. Without regard to case, because a file system that folds
/// case would open a part under the other spelling.
pub fn is_reserved(name: &[u8]) -> bool {
    name.get(..RESERVED_PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX))
}

/// One path component: 1 to 255 bytes, no `/`, no NUL, neither `.` nor `..`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name<'a>(&'a [u8]);

/// Which rule a component broke.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameError {
    /// No bytes at all.
    Empty,
    /// `.` or `..`.
    Dots,
    /// Contains `/`.
    Slash,
    /// Contains NUL.
    Nul,
    /// More than 255 bytes.
    TooLong,
}

impl<'a> Name<'a> {
    /// Checks one component.
    ///
    /// # Errors
    /// The rule it breaks.
    pub fn new(bytes: &'a [u8]) -> Result<Self, NameError> {
        match bytes {
            [] => Err(NameError::Empty),
            b"." | b".." => Err(NameError::Dots),
            _ if bytes.len() > NAME_BYTES_MAX => Err(NameError::TooLong),
            _ if bytes.contains(&b'/') => Err(NameError::Slash),
            _ if bytes.contains(&0) => Err(NameError::Nul),
            _ => Ok(Self(bytes)),
        }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", self.0.escape_ascii())
    }
}

/// A relative path of at most 4096 bytes and 256 components, each a [`Name`]; empty names the directory itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath<'a>(&'a [u8]);

/// Which rule a path broke.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathError {
    /// One of its components breaks a rule (a leading, doubled or trailing `/` is an empty component).
    Component(NameError),
    /// More than 4096 bytes.
    TooLong,
    /// More than 256 components.
    TooDeep,
}

/// Longest path in bytes: PATH_MAX.
pub const PATH_BYTES_MAX: usize = 4096;
/// Most components of a path.
pub const PATH_DEPTH_MAX: usize = 256;

impl<'a> RelPath<'a> {
    /// The directory itself.
    pub const ROOT: RelPath<'static> = RelPath(b"");

    /// Checks a whole relative path.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn new(bytes: &'a [u8]) -> Result<Self, PathError> {
        if bytes.is_empty() {
            return Ok(Self(bytes));
        }
        if bytes.len() > PATH_BYTES_MAX {
            return Err(PathError::TooLong);
        }
        for (depth, part) in bytes.split(|&b| b == b'/').enumerate() {
            if depth >= PATH_DEPTH_MAX {
                return Err(PathError::TooDeep);
            }
            Name::new(part).map_err(PathError::Component)?;
        }
        Ok(Self(bytes))
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Parent path and last component; `None` for the root.
    pub fn split(&self) -> Option<(RelPath<'a>, Name<'a>)> {
        if self.0.is_empty() {
            return None;
        }
        match self.0.iter().rposition(|&b| b == b'/') {
            Some(at) => Some((RelPath(&self.0[..at]), Name(&self.0[at + 1..]))),
            None => Some((RelPath(b""), Name(self.0))),
        }
    }

    /// Its components, outermost first.
    pub fn components(&self) -> impl Iterator<Item = Name<'a>> + 'a {
        let bytes = self.0;
        bytes.split(|&b| b == b'/').filter(|part| !part.is_empty()).map(Name)
    }
}

impl<'a> From<Name<'a>> for RelPath<'a> {
    fn from(name: Name<'a>) -> Self {
        Self(name.0)
    }
}

/// `path/name`, or `name` below the root.
pub fn join(path: &[u8], name: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(path.len() + name.len() + 1);
    joined.extend_from_slice(path);
    if !path.is_empty() {
        joined.push(b'/');
    }
    joined.extend_from_slice(name);
    joined
}

impl fmt::Debug for RelPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelPath({})", self.0.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;

    #[test]
    fn names_that_leave_a_directory_are_refused() {
        assert_eq!(Name::new(b""), Err(NameError::Empty));
        assert_eq!(Name::new(b"."), Err(NameError::Dots));
        assert_eq!(Name::new(b".."), Err(NameError::Dots));
        assert_eq!(Name::new(b"a/b"), Err(NameError::Slash));
        assert_eq!(Name::new(b"a\0"), Err(NameError::Nul));
        assert_eq!(Name::new(&[b'a'; 256]), Err(NameError::TooLong));
        assert!(Name::new(b"...").is_ok());
        assert!(Name::new(b"\x1b[31m\xff").is_ok());
    }

    #[test]
    fn paths_are_checked_component_by_component() {
        for bad in [&b"/a"[..], b"a/", b"a//b", b"../a", b"a/../b", b"a/./b"] {
            assert!(RelPath::new(bad).is_err(), "{}", bad.escape_ascii());
        }
        let deep = vec![b"a".as_slice(); 257].join(&b'/');
        assert_eq!(RelPath::new(&deep), Err(PathError::TooDeep));
        let path = RelPath::new(b"a/b/c").expect("valid");
        let (parent, name) = path.split().expect("has a last component");
        assert_eq!((parent.as_bytes(), name.as_bytes()), (&b"a/b"[..], &b"c"[..]));
        assert!(RelPath::ROOT.split().is_none());
    }
}
