//! Listings, served on the core itself.

use crate::command::Failure;
use crate::decide::{Leave, Question, decide, denied_names};
use crate::place;
use crate::send::Walk;
use crate::settings::Share;
use crate::tools::Core;
use base::entry::{Entry, FileTime, Kind};
use base::hooks::{Action, Hooks, Listed, Peer};
use base::io::Io;
use proto::transfer::entries::{EntriesWriter, OwnerNames, PushError};
use proto::transfer::list::{ListPage, ListRequest};

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
