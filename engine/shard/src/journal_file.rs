//! Journal files in STATE/journal: opened under a lock, and removed.
//!
//! Commands that run side by side share the directory. Who holds the lock of a file that still has its name
//! owns the journal; without the second check a file could be locked just after another command removed it.

use crate::tools::Core;
use base::hooks::Hooks;
use base::io::{Act, ActOut, Errno, Fd, How, Io, RenameHow};
use base::name::{Name, RelPath};
use disk::journal::{JournalKind, aside_name, file_name};

/// How often a file is opened again that lost its name while it was being locked.
const TRIES: u32 = 3;

/// Opens and locks the journal of this id.
///
/// # Errors
/// What the open or the lock said; `AGAIN` when another command holds it.
pub(crate) fn open<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    kind: JournalKind,
    id: [u8; 16],
    how: How,
) -> Result<Fd, Errno> {
    let text = file_name(kind, id);
    let name = Name::new(text.as_bytes()).map_err(|_| Errno::INVAL)?;
    let dir = core.settings.journal;
    for _ in 0..TRIES {
        let fd = core.open(|batch| {
            let path = batch.path(RelPath::from(name));
            Act::Open { dir, path, how }
        })?;
        let held = core.act(|_| Act::Lock { fd }).and_then(|_| has_name(core, fd, name));
        match held {
            Ok(true) => return Ok(fd),
            // At once: whoever waits for a lock comes back soon, and descriptors are few.
            Ok(false) => core.close_now(fd),
            Err(errno) => {
                core.close_now(fd);
                return Err(errno);
            }
        }
    }
    Err(Errno::AGAIN)
}

fn has_name<I: Io, H: Hooks>(core: &mut Core<I, H>, fd: Fd, name: Name<'_>) -> Result<bool, Errno> {
    let dir = core.settings.journal;
    let ours = core.act(|_| Act::Stat { dir: fd, name: None })?;
    let named = core.act(|batch| {
        let name = Some(batch.name(name));
        Act::Stat { dir, name }
    });
    match (ours, named) {
        (ActOut::Stat(ours), Ok(ActOut::Stat(named))) => Ok(ours.inode == named.inode),
        (_, Err(Errno::NOENT)) => Ok(false),
        (_, Err(errno)) => Err(errno),
        _ => Err(Errno::IO),
    }
}

/// Gives the file of a journal that cannot be acted on a name that no recovery reads.
pub(crate) fn set_aside<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    kind: JournalKind,
    id: [u8; 16],
) -> Result<(), Errno> {
    let (from, to) = (file_name(kind, id), aside_name(kind, id));
    let from = Name::new(from.as_bytes()).map_err(|_| Errno::INVAL)?;
    let to = Name::new(to.as_bytes()).map_err(|_| Errno::INVAL)?;
    let dir = core.settings.journal;
    core.act(|batch| {
        let (from, to) = (batch.name(from), batch.name(to));
        Act::Rename { from_dir: dir, from, to_dir: dir, to, how: RenameHow::Replace }
    })
    .map(drop)
}

/// Removes the file of a journal nobody needs any more. Its lock is held, or it is known to be ours.
pub(crate) fn remove<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    kind: JournalKind,
    id: [u8; 16],
) -> Result<(), Errno> {
    let text = file_name(kind, id);
    let name = Name::new(text.as_bytes()).map_err(|_| Errno::INVAL)?;
    let dir = core.settings.journal;
    core.act(|batch| {
        let name = batch.name(name);
        Act::Remove { dir, name, directory: false }
    })
    .map(drop)
}
