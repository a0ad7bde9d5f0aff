//! From the text of a request to a share and paths beneath it.

use crate::command::{Failure, Source};
use crate::control::failure;
use crate::settings::Share;
use crate::tools::Core;
use base::codes::Code;
use base::entry::{Kind, Stat};
use base::hooks::Hooks;
use base::io::{Act, ActOut, Errno, Fd, How, Io};
use base::name::{Name, RelPath, join};
use disk::escape::Escaped;
use disk::paths::SharePath;
use proto::transfer::offer::{Destination, Offer};

/// Where a request is.
pub(crate) struct Located {
    pub(crate) share: Share,
    /// Paths beneath the share's directory.
    pub(crate) paths: Vec<Vec<u8>>,
    /// What the first of them is.
    pub(crate) destination: Destination,
}

/// Finds the share and the paths of an offer.
///
/// # Errors
/// No such share, paths in two shares, or a path that breaks a rule.
pub(crate) fn locate<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    shares: &[Share],
    offer: &Offer,
) -> Result<Located, Failure> {
    let (share, base) = share_of(core, shares, offer.root.as_bytes(), &offer.paths)?;
    let paths = base;
    let destination = match paths.first() {
        Some(path) => destination(core, share.root, path)?,
        None => Destination::Directory,
    };
    Ok(Located { share, paths, destination })
}

/// The share that `root` and `paths` name, and the paths beneath it.
///
/// # Errors
/// As [`locate`].
pub(crate) fn share_of<I: Io, H: Hooks>(
    core: &Core<I, H>,
    shares: &[Share],
    root: &[u8],
    paths: &[Vec<u8>],
) -> Result<(Share, Vec<Vec<u8>>), Failure> {
    let whole = |path: &[u8]| -> Result<Vec<u8>, Failure> {
        let parsed = SharePath::parse(path, &core.settings.limits).map_err(|refused| {
            failure(
                refused.code(),
                &format!("{}: not a path within a share ({:?})", Escaped(path), refused.rule),
            )
        })?;
        Ok(parsed.whole().as_bytes().to_vec())
    };
    let root = whole(root)?;
    let full: Vec<Vec<u8>> = match paths {
        [] => vec![root],
        paths => paths.iter().map(|path| whole(&join(&root, path))).collect::<Result<_, Failure>>()?,
    };
    if let [share] = shares
        && share.name.is_empty()
    {
        return Ok((share.clone(), full));
    }
    let mut found: Option<Share> = None;
    let mut below = Vec::new();
    for path in full {
        let (name, rest) = match path.iter().position(|&byte| byte == b'/') {
            Some(at) => (&path[..at], &path[at + 1..]),
            None => (&path[..], &b""[..]),
        };
        let share = shares.iter().find(|share| share.name.as_bytes() == name).ok_or_else(|| {
            let known: Vec<&str> = shares.iter().map(|share| &*share.name).collect();
            let message = format!("no share is called /{}; there are: /{}", Escaped(name), known.join(" /"));
            Failure { code: Code::NotFound, message }
        })?;
        if found.as_ref().is_some_and(|found| found.name != share.name) {
            return Err(failure(Code::InvalidRequest, "one transfer stays within one share"));
        }
        found = Some(share.clone());
        below.push(rest.to_vec());
    }
    let share = found.ok_or_else(|| failure(Code::NotFound, "no share is named"))?;
    Ok((share, below))
}

/// What is at a path beneath a directory.
///
/// # Errors
/// It cannot be looked at.
pub(crate) fn destination<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    root: Fd,
    path: &[u8],
) -> Result<Destination, Failure> {
    Ok(match stat(core, root, path) {
        Ok(stat) if stat.kind == Some(Kind::Directory) => Destination::Directory,
        Ok(_) => Destination::File,
        Err(Errno::NOENT) => Destination::Absent,
        Err(Errno::NOTDIR | Errno::LOOP) => {
            let message = format!("{}: a part of the path is no directory", Escaped(path));
            return Err(Failure { code: Code::Conflict, message });
        }
        Err(errno) => {
            let code = Code::from_errno(errno);
            return Err(Failure { code, message: format!("{}: {}", Escaped(path), code.name()) });
        }
    })
}

/// Stat of a path beneath a directory, following no link.
///
/// # Errors
/// What the open of its parent or the stat said.
pub(crate) fn stat<I: Io, H: Hooks>(core: &mut Core<I, H>, root: Fd, path: &[u8]) -> Result<Stat, Errno> {
    let path = RelPath::new(path).map_err(|_| Errno::INVAL)?;
    let Some((parent, name)) = path.split() else { return stat_in(core, root, None) };
    let dir = open_directory(core, root, parent)?;
    let stat = stat_in(core, dir, Some(name));
    core.close(dir);
    stat
}

/// Stat of a name in an open directory, or of what is open itself.
///
/// # Errors
/// What the stat said.
pub(crate) fn stat_in<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    dir: Fd,
    name: Option<Name<'_>>,
) -> Result<Stat, Errno> {
    match core.act(|batch| {
        let name = name.map(|name| batch.name(name));
        Act::Stat { dir, name }
    })? {
        ActOut::Stat(stat) => Ok(stat),
        _ => Err(Errno::IO),
    }
}

/// Opens a directory beneath another.
///
/// # Errors
/// What the open said.
pub(crate) fn open_directory<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    root: Fd,
    path: RelPath<'_>,
) -> Result<Fd, Errno> {
    core.open(|batch| {
        let path = batch.path(path);
        Act::Open { dir: root, path, how: How::Directory }
    })
}

/// The sources of a pull, sorted by the names they get. `into`: each under its own name, else the contents
/// of the one source.
pub(crate) fn sources(located: &Located, into: bool) -> Vec<Source> {
    let base = located.share.root;
    let mut sources: Vec<Source> = located
        .paths
        .iter()
        .map(|path| {
            let last = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
            let name = if into { last.to_vec() } else { Vec::new() };
            Source { base, path: path.clone(), name }
        })
        .collect();
    sources.sort_by(|left, right| left.name.cmp(&right.name));
    sources.dedup_by(|left, right| left.name == right.name);
    sources
}
