//! The only home of paths that come from a peer.
//!
//! A remote argument becomes a [`SharePath`]: a [`RelPath`] within the limits, without a component that leaves
//! its directory and without a name of our own. The names we make ourselves are [`ReservedName`]s.

use crate::{Hash, derive};
use alloc::vec::Vec;
use base::codes::Code;
use base::entry::FileTime;
use base::ids::{DeviceId, FileIndex, PartId, TransferId};
use base::limits::Limits;
use base::name::{Name, NameError, PathError, RelPath};
use core::fmt;

pub use base::name::{RESERVED_PREFIX, is_reserved};

/// Which rule a path from a peer or a user broke, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PathRefused {
    /// First byte of the component at fault, counted in the bytes given.
    pub at: u32,
    /// The rule.
    pub rule: PathRule,
}

/// A rule of paths.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathRule {
    /// An empty component: a doubled `/`, or a leading or trailing one where none may be.
    Empty,
    /// `.` or `..`.
    Dots,
    /// A NUL byte.
    Nul,
    /// A name that begins with `.xferd-`.
    Reserved,
    /// A component of more than `most` bytes.
    NameTooLong {
        /// The bound.
        most: u32,
    },
    /// More than `most` bytes in all.
    PathTooLong {
        /// The bound.
        most: u32,
    },
    /// More than `most` components.
    TooDeep {
        /// The bound.
        most: u32,
    },
}

impl PathRefused {
    /// What a peer is told.
    pub fn code(&self) -> Code {
        Code::BadPath
    }
}

/// A remote argument such as `/incoming/x`, `x`, `dir/` or the empty one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SharePath<'a> {
    path: RelPath<'a>,
    directory: bool,
}

impl<'a> SharePath<'a> {
    /// Reads an argument: one leading `/` is optional, one trailing `/` is remembered.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, PathRefused> {
        let lead = usize::from(bytes.first() == Some(&b'/'));
        let rest = &bytes[lead..];
        let (inner, directory) = match rest {
            [] => (rest, true),
            [inner @ .., b'/'] if !inner.is_empty() => (inner, true),
            _ => (rest, false),
        };
        match checked(inner, limits) {
            Ok(path) => Ok(Self { path, directory }),
            Err(refused) => Err(PathRefused { at: refused.at.saturating_add(lead as u32), ..refused }),
        }
    }

    /// The whole path: what it names when one root is mounted at `/`.
    pub fn whole(&self) -> RelPath<'a> {
        self.path
    }

    /// Share and path below it, when shares are mounted at `/name`; `None` for `/`, which only lists them.
    pub fn split_share(&self) -> Option<(Name<'a>, RelPath<'a>)> {
        let share = self.path.components().next()?;
        let bytes = self.path.as_bytes();
        let rest = bytes.get(share.as_bytes().len() + 1..).unwrap_or_default();
        Some((share, RelPath::new(rest).ok()?))
    }

    /// Whether it can only mean a directory: it ended in `/`, or it is `/` itself.
    pub fn must_be_directory(&self) -> bool {
        self.directory
    }
}

/// `below` under `base`, built in `out` and checked as a whole: two paths within the bounds may exceed
/// them together.
///
/// # Errors
/// The first rule the joined path breaks; `at` counts in the joined path.
pub fn join<'b>(
    base: RelPath<'_>,
    below: RelPath<'_>,
    out: &'b mut Vec<u8>,
    limits: &Limits,
) -> Result<RelPath<'b>, PathRefused> {
    out.clear();
    out.extend_from_slice(base.as_bytes());
    if !base.as_bytes().is_empty() && !below.as_bytes().is_empty() {
        out.push(b'/');
    }
    out.extend_from_slice(below.as_bytes());
    checked(out, limits)
}

fn checked<'a>(bytes: &'a [u8], limits: &Limits) -> Result<RelPath<'a>, PathRefused> {
    if bytes.is_empty() {
        return Ok(RelPath::ROOT);
    }
    let most = limits.path_bytes_max;
    if bytes.len() > most as usize {
        return Err(PathRefused { at: most, rule: PathRule::PathTooLong { most } });
    }
    let mut at = 0u32;
    for (depth, part) in bytes.split(|&b| b == b'/').enumerate() {
        if let Some(rule) = broken_rule(part, depth, limits) {
            return Err(PathRefused { at, rule });
        }
        at += part.len() as u32 + 1;
    }
    RelPath::new(bytes).map_err(|error| PathRefused { at: 0, rule: rule_of(error, limits) })
}

fn broken_rule(part: &[u8], depth: usize, limits: &Limits) -> Option<PathRule> {
    if depth >= limits.path_depth_max as usize {
        return Some(PathRule::TooDeep { most: limits.path_depth_max });
    }
    if let Err(error) = Name::new(part) {
        return Some(rule_of(PathError::Component(error), limits));
    }
    if part.len() > limits.name_bytes_max as usize {
        return Some(PathRule::NameTooLong { most: limits.name_bytes_max });
    }
    is_reserved(part).then_some(PathRule::Reserved)
}

fn rule_of(error: PathError, limits: &Limits) -> PathRule {
    match error {
        PathError::Component(NameError::Empty | NameError::Slash) => PathRule::Empty,
        PathError::Component(NameError::Dots) => PathRule::Dots,
        PathError::Component(NameError::Nul) => PathRule::Nul,
        PathError::Component(NameError::TooLong) => PathRule::NameTooLong { most: limits.name_bytes_max },
        PathError::TooLong => PathRule::PathTooLong { most: limits.path_bytes_max },
        PathError::TooDeep => PathRule::TooDeep { most: limits.path_depth_max },
    }
}

/// What a name of our own is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ReservedKind {
    /// `.part`: a staged file with a journal, found again by its name.
    Part = 1,
    /// `.tmp`: a staged file or symlink without one.
    Temp = 2,
    /// `.old`: a kept version.
    Old = 3,
}

impl ReservedKind {
    /// The kind a journal byte stands for.
    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Part),
            2 => Some(Self::Temp),
            3 => Some(Self::Old),
            _ => None,
        }
    }

    fn suffix(self) -> &'static [u8] {
        match self {
            Self::Part => b".part",
            Self::Temp => b".tmp",
            Self::Old => b".old",
        }
    }
}

/// How much of a temp's id says whose it is; the rest is the file's number.
const TEMP_TAG_BYTES: usize = 12;
/// Bytes of `.xferd-<32 hex>.part`, the longest name of our own.
pub const RESERVED_BYTES_MAX: usize = RESERVED_PREFIX.len() + 32 + 5;

/// A name of our own: `.xferd-<32 hex>.<suffix>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReservedName {
    kind: ReservedKind,
    id: [u8; 16],
    text: [u8; RESERVED_BYTES_MAX],
    len: u8,
}

impl ReservedName {
    /// The name of this kind and id.
    pub fn new(kind: ReservedKind, id: [u8; 16]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; RESERVED_BYTES_MAX];
        let start = RESERVED_PREFIX.len();
        text[..start].copy_from_slice(RESERVED_PREFIX);
        for (byte, pair) in id.iter().zip(text[start..].chunks_exact_mut(2)) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        let suffix = kind.suffix();
        let len = start + 32 + suffix.len();
        text[start + 32..len].copy_from_slice(suffix);
        Self { kind, id, text, len: len as u8 }
    }

    /// Reads a listed name back; `None` for any other name, reserved or not.
    pub fn parse(name: &[u8]) -> Option<Self> {
        let rest = name.strip_prefix(RESERVED_PREFIX)?;
        let (digits, suffix) = rest.split_at_checked(32)?;
        let kind = [ReservedKind::Part, ReservedKind::Temp, ReservedKind::Old]
            .into_iter()
            .find(|kind| kind.suffix() == suffix)?;
        let id = PartId::from_hex(core::str::from_utf8(digits).ok()?)?;
        let made = Self::new(kind, id.0);
        (made.as_bytes() == name).then_some(made)
    }

    /// What it is for.
    pub fn kind(&self) -> ReservedKind {
        self.kind
    }

    /// Its 16 bytes: the [`PartId`] of a part.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.len)]
    }

    /// As a component.
    ///
    /// # Panics
    /// Never: it holds neither `/` nor NUL.
    pub fn as_name(&self) -> Name<'_> {
        Name::new(self.as_bytes()).expect("a name of our own is a component")
    }
}

impl fmt::Debug for ReservedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

/// Name of a staged part, in the destination's own directory.
pub fn part_name(part: PartId) -> ReservedName {
    ReservedName::new(ReservedKind::Part, part.0)
}

/// What the temps of one transfer have in common: derived, so that it is known whose they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Temps([u8; 16]);

impl Temps {
    /// The temps of a transfer.
    pub fn of(hash: Hash, transfer: TransferId) -> Self {
        Self(derive(hash, &[b"xferd/1 temp", &transfer.0]))
    }

    /// Name of a staged small file or symlink.
    pub fn name(&self, file: FileIndex) -> ReservedName {
        let mut id = self.0;
        id[TEMP_TAG_BYTES..].copy_from_slice(&file.0.to_be_bytes());
        ReservedName::new(ReservedKind::Temp, id)
    }

    /// Whether a name is one of them.
    pub fn include(&self, name: &ReservedName) -> bool {
        name.kind == ReservedKind::Temp && name.id[..TEMP_TAG_BYTES] == self.0[..TEMP_TAG_BYTES]
    }
}

/// Name of a kept version.
pub fn old_name(id: [u8; 16]) -> ReservedName {
    ReservedName::new(ReservedKind::Old, id)
}

/// What a part is found by: whose it is, where it goes, and which content it stages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PartKey<'a> {
    /// The other end's device.
    pub peer: DeviceId,
    /// Share name, or the local root of a pull.
    pub anchor: &'a [u8],
    /// Destination below the anchor.
    pub path: RelPath<'a>,
    /// Length of the content.
    pub size: u64,
    /// Its mtime on the sender.
    pub mtime: FileTime,
}

/// The same key gives the same part: a rerun resumes it by name.
pub fn part_id(hash: Hash, key: &PartKey<'_>) -> PartId {
    let path = key.path.as_bytes();
    PartId(derive(
        hash,
        &[
            b"xferd/1 part",
            &key.peer.0,
            &(key.anchor.len() as u32).to_be_bytes(),
            key.anchor,
            &(path.len() as u32).to_be_bytes(),
            path,
            &key.size.to_be_bytes(),
            &key.mtime.seconds.to_be_bytes(),
            &key.mtime.nanos.to_be_bytes(),
        ],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toy;
    use proptest::prelude::*;
    use std::vec;

    fn rule(bytes: &[u8]) -> (u32, PathRule) {
        let refused = SharePath::parse(bytes, &Limits::DEFAULT).expect_err("must be refused");
        (refused.at, refused.rule)
    }

    #[test]
    fn arguments_name_a_share_and_a_path_below_it() {
        let limits = Limits::DEFAULT;
        let path = SharePath::parse(b"/incoming/a/b", &limits).expect("valid");
        let (share, rest) = path.split_share().expect("has a share");
        assert_eq!((share.as_bytes(), rest.as_bytes()), (&b"incoming"[..], &b"a/b"[..]));
        assert!(!path.must_be_directory());
        assert_eq!(SharePath::parse(b"incoming/a/b", &limits), Ok(path));

        let share_only = SharePath::parse(b"incoming/", &limits).expect("valid");
        let (share, rest) = share_only.split_share().expect("has a share");
        assert_eq!((share.as_bytes(), rest), (&b"incoming"[..], RelPath::ROOT));
        assert!(share_only.must_be_directory());

        for root in [&b""[..], b"/"] {
            let path = SharePath::parse(root, &limits).expect("valid");
            assert_eq!((path.whole(), path.split_share()), (RelPath::ROOT, None));
            assert!(path.must_be_directory());
        }
    }

    #[test]
    fn arguments_that_leave_or_confuse_are_refused_with_the_place() {
        assert_eq!(rule(b"//"), (1, PathRule::Empty));
        assert_eq!(rule(b"//x"), (1, PathRule::Empty));
        assert_eq!(rule(b"/a//b"), (3, PathRule::Empty));
        assert_eq!(rule(b"a//"), (2, PathRule::Empty));
        assert_eq!(rule(b".."), (0, PathRule::Dots));
        assert_eq!(rule(b"/a/../b"), (3, PathRule::Dots));
        assert_eq!(rule(b"a/."), (2, PathRule::Dots));
        assert_eq!(rule(b"a/b\0c"), (2, PathRule::Nul));
        assert_eq!(rule(b"a/.xferd-0"), (2, PathRule::Reserved));
        assert_eq!(rule(b"a/.XFERD-0/b"), (2, PathRule::Reserved));
        assert_eq!(rule(&[b'a'; 256]), (0, PathRule::NameTooLong { most: 255 }));
        assert_eq!(rule(&[b'/'; 5000]), (4097, PathRule::PathTooLong { most: 4096 }));
        assert_eq!(rule(&vec![b"a".as_slice(); 257].join(&b'/')), (512, PathRule::TooDeep { most: 256 }));
    }

    #[test]
    fn small_limits_hold_too_and_joined_paths_are_checked_whole() {
        let limits = Limits::TINY;
        assert!(checked(&[b'a'; 65], &limits).is_err());
        let mut out = Vec::new();
        let five = checked(b"a/b/c/d/e", &limits).expect("valid");
        let refused = join(five, five, &mut out, &limits).expect_err("too deep together");
        assert_eq!(refused.rule, PathRule::TooDeep { most: 8 });
        let joined = join(RelPath::ROOT, five, &mut out, &limits).expect("valid");
        assert_eq!(joined.as_bytes(), b"a/b/c/d/e");
        assert_eq!(join(five, RelPath::ROOT, &mut out, &limits).expect("valid").as_bytes(), b"a/b/c/d/e");
    }

    #[test]
    fn names_of_our_own_are_read_back_exactly() {
        let name = part_name(PartId([0xab; 16]));
        assert_eq!(name.as_bytes(), b".xferd-abababababababababababababababab.part");
        for kind in [ReservedKind::Part, ReservedKind::Temp, ReservedKind::Old] {
            let name = ReservedName::new(kind, [7; 16]);
            assert_eq!(ReservedName::parse(name.as_bytes()), Some(name));
            assert_eq!(ReservedKind::from_byte(kind as u8), Some(kind));
            assert!(
                is_reserved(name.as_bytes()) && name.as_bytes().len() <= Limits::TINY.name_bytes_max as usize
            );
        }
        for other in
            [&b".xferd-"[..], b".xferd-ABABABABABABABABABABABABABABABAB.part", b".xferd-00.tmp", b"x"]
        {
            assert_eq!(ReservedName::parse(other), None);
        }
    }

    #[test]
    fn a_part_is_found_by_exactly_its_key() {
        let key = PartKey {
            peer: DeviceId([1; 32]),
            anchor: b"share",
            path: RelPath::new(b"a/b").expect("valid"),
            size: 5,
            mtime: FileTime { seconds: 6, nanos: 7 },
        };
        let id = part_id(toy::hash, &key);
        assert_eq!(part_id(toy::hash, &key), id);
        let others = [
            PartKey { peer: DeviceId([2; 32]), ..key },
            PartKey { anchor: b"sharea", path: RelPath::new(b"b").expect("valid"), ..key },
            PartKey { path: RelPath::new(b"a/c").expect("valid"), ..key },
            PartKey { size: 6, ..key },
            PartKey { mtime: FileTime { seconds: 6, nanos: 8 }, ..key },
        ];
        for other in &others {
            assert_ne!(part_id(toy::hash, other), id, "{other:?}");
        }
        let temps = Temps::of(toy::hash, TransferId([3; 16]));
        assert_ne!(temps.name(FileIndex(0)).id(), temps.name(FileIndex(1)).id());
        let temp = temps.name(FileIndex(7));
        assert!(temps.include(&temp));
        assert!(!Temps::of(toy::hash, TransferId([4; 16])).include(&temp));
        assert!(!temps.include(&part_name(PartId(temp.id()))));
    }

    proptest! {
        #[test]
        fn whatever_passes_stays_below_and_keeps_its_bytes(bytes in proptest::collection::vec(
            prop_oneof![Just(b'/'), Just(b'.'), Just(b'a'), Just(0u8), any::<u8>()], 0..64)) {
            if let Ok(path) = SharePath::parse(&bytes, &Limits::TINY) {
                for part in path.whole().components() {
                    prop_assert!(!matches!(part.as_bytes(), b"" | b"." | b".."));
                    prop_assert!(!part.as_bytes().iter().any(|&b| b == 0 || b == b'/'));
                    prop_assert!(!is_reserved(part.as_bytes()));
                }
                let text = path.whole().as_bytes();
                let trimmed = bytes.strip_prefix(b"/").unwrap_or(&bytes);
                prop_assert_eq!(trimmed.strip_suffix(b"/").unwrap_or(trimmed), text);
            }
        }
    }
}
