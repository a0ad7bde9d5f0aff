//! Listings and removals, served on the core itself.

use crate::command::Failure;
use crate::control::failure;
use crate::decide::{Leave, Question, decide, denied_names};
use crate::dirs::Dirs;
use crate::place;
use crate::removal::{Mode, Removal};
use crate::send::Walk;
use crate::settings::Share;
use crate::tools::Core;
use base::codes::Code;
use base::entry::{Entry, FileTime, Kind};
use base::hooks::{Action, Hooks, Listed, Obligations, Peer};
use base::io::Io;
use base::name::{RelPath, join};
use disk::delete::{DeleteWalk, Doomed, Removed};
use proto::transfer::entries::{EntriesWriter, OwnerNames, PushError};
use proto::transfer::list::{ListPage, ListRequest};
use proto::transfer::remove::{RemoveReply, RemoveRequest};

/// Directories a removal holds open at once.
const REMOVAL_DIRS: u32 = 16;

/// One page of names.
///
/// # Errors
/// Denied, or nothing is there.
pub(crate) fn list<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    shares: &[Share],
    peer: &Peer,
    label: Option<&str>,
    request: &ListRequest,
) -> Result<Vec<u8>, Failure> {
    let at_top = request.path.is_empty() && request.root.trim_matches('/').is_empty();
    if at_top && !matches!(shares, [share] if share.name.is_empty()) {
        return shares_page(core, shares, peer, label);
    }
    let paths = [request.path.clone()];
    let (share, below) = place::share_of(core, shares, request.root.as_bytes(), &paths)?;
    let path = below.into_iter().next().unwrap_or_default();
    let question = Question::new(Action::Browse, &share.name, &path, label);
    let decision = decide(core, peer, &question)?;
    let guard = Leave::of(decision, &core.settings.limits)?.guard;
    let mut walk = Walk::begin(core, share.root, &path, request.recursive)?;
    let limits = core.limits();
    let mut writer = EntriesWriter::new(&limits, 0, 0, 0);
    let (mut skipped, mut last, mut full) = (0, None, false);
    // A policy looks at many names at once; without one each is listed as it is found.
    let batch = if core.hooks.filters_names() { limits.plugin_batch_entries_max.max(1) as usize } else { 1 };
    let (mut found, mut over) = (Vec::new(), false);
    while !over && !full {
        match walk.next(core) {
            Some(Some(entry)) => {
                let seen = request.after.as_ref().is_some_and(|after| {
                    proto::transfer::order::compare(&entry.path, after) != core::cmp::Ordering::Greater
                });
                let path = walk.beneath(&entry.path);
                if !seen && guard.refusal(&path, entry.kind, entry.size).is_none() {
                    found.push((entry, path));
                }
            }
            Some(None) => skipped += 1,
            None => over = true,
        }
        if found.is_empty() || (found.len() < batch && !over) {
            continue;
        }
        let filtered = core.hooks.filters_names();
        let denied = match filtered {
            true => denied_names(core, peer, &question, &names(&found)),
            false => Vec::new(),
        };
        for (index, (entry, _)) in found.drain(..).enumerate() {
            // A name without an answer is not listed.
            if denied.get(index).copied().unwrap_or(filtered) || full {
                continue;
            }
            let user = core.hooks.owner_name(entry.uid, false);
            let group = core.hooks.owner_name(entry.gid, true);
            match writer.push(&entry, OwnerNames { user: user.as_deref(), group: group.as_deref() }) {
                Ok(()) => last = Some(entry.path),
                Err(PushError::Full) => full = true,
                Err(PushError::Entry(_)) => skipped += 1,
            }
        }
    }
    walk.end(core);
    let next = if full { last } else { None };
    Ok(ListPage { entries: writer.finish(next.is_none(), false), skipped, next }.encode())
}

/// As a policy sees them.
fn names(found: &[(Entry, Vec<u8>)]) -> Vec<Listed<'_>> {
    let size = |entry: &Entry| (entry.kind == Kind::File).then_some(entry.size);
    found.iter().map(|(entry, path)| Listed { path, size: size(entry) }).collect()
}

/// With several shares, `/` only lists them.
fn shares_page<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    shares: &[Share],
    peer: &Peer,
    label: Option<&str>,
) -> Result<Vec<u8>, Failure> {
    let mut names: Vec<&Share> = shares.iter().collect();
    names.sort_by(|left, right| left.name.as_bytes().cmp(right.name.as_bytes()));
    let mut writer = EntriesWriter::new(&core.limits(), 0, 0, 0);
    for share in names {
        if decide(core, peer, &Question::new(Action::Browse, &share.name, b"", label)).is_err() {
            continue;
        }
        let entry = Entry {
            kind: Kind::Directory,
            chunk_log2: 0,
            mode: if share.read_only { 0o555 } else { 0o755 },
            uid: 0,
            gid: 0,
            size: 0,
            allocated: 0,
            mtime: FileTime::default(),
            path: share.name.as_bytes().to_vec(),
            target: Vec::new(),
        };
        // The configuration bounds names and number of shares well below a page.
        let _ = writer.push(&entry, OwnerNames::default());
    }
    Ok(ListPage { entries: writer.finish(true, false), skipped: 0, next: None }.encode())
}

/// Removes names.
///
/// # Errors
/// Denied; what fails by itself is in the reply.
pub(crate) fn remove<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    shares: &[Share],
    peer: &Peer,
    session: &Obligations,
    request: &RemoveRequest,
) -> Result<Vec<u8>, Failure> {
    let (share, paths) = place::share_of(core, shares, request.root.as_bytes(), &request.paths)?;
    let mut reply = RemoveReply::default();
    for path in paths {
        let label = session.label.as_deref();
        let decision = decide(core, peer, &Question::new(Action::Remove, &share.name, &path, label))?;
        let leave = Leave::of(decision, &core.settings.limits)?;
        if share.read_only || session.read_only || leave.obligations.read_only {
            return Err(failure(Code::ReadOnly, &format!("the share /{} is read-only", share.name)));
        }
        if let Err(code) = remove_one(core, &share, &path, &leave, request, &mut reply) {
            fail(core, &mut reply, path, code);
        }
    }
    Ok(reply.encode())
}

fn remove_one<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    share: &Share,
    path: &[u8],
    leave: &Leave,
    request: &RemoveRequest,
    reply: &mut RemoveReply,
) -> Result<(), Code> {
    let stat = place::stat(core, share.root, path).map_err(Code::from_errno)?;
    let kind = stat.kind.unwrap_or(Kind::File);
    let (parent, name) = RelPath::new(path).ok().and_then(|path| path.split()).ok_or(Code::AccessDenied)?;
    if disk::paths::is_reserved(name.as_bytes()) {
        return Err(Code::BadPath);
    }
    if kind == Kind::Directory && !request.recursive {
        return Err(Code::Conflict);
    }
    if leave.guard.refusal(path, kind, 0).is_some() {
        return Err(Code::AccessDenied);
    }
    let mut spared = |below: &[u8], directory: bool| {
        let kind = if directory { Kind::Directory } else { Kind::File };
        leave.guard.refusal(&join(parent.as_bytes(), below), kind, 0).is_some()
    };
    let doomed = vec![Doomed { path: name.as_bytes().to_vec(), kind: Some(kind) }];
    let walk = DeleteWalk::new(doomed, false, None, &core.settings.limits).with_own_names();
    let mode = if request.dry_run { Mode::Dry } else { Mode::Named };
    let mut removal = Removal::new(walk, mode, share.root, parent.as_bytes().to_vec());
    let (mut dirs, mut ended) = (Dirs::new(REMOVAL_DIRS), Vec::new());
    let mut over = false;
    while !over {
        over = removal.step(core, &mut dirs, &mut spared, &mut ended);
        dirs.settle(core);
        for Removed { path: below, kind, result } in ended.drain(..) {
            match (result, kind) {
                (Ok(()), Some(Kind::Directory)) => reply.directories += 1,
                (Ok(()), _) => reply.files += 1,
                (Err(code), _) => fail(core, reply, join(parent.as_bytes(), &below), code),
            }
        }
    }
    dirs.clear(core);
    Ok(())
}

/// Counts a name that is still there, and names it while there is room.
fn fail<I: Io, H: Hooks>(core: &Core<I, H>, reply: &mut RemoveReply, path: Vec<u8>, code: Code) {
    reply.failures += 1;
    if reply.failed.len() < core.settings.limits.removal_failures_max as usize {
        reply.failed.push((path, code));
    }
}
