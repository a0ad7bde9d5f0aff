//! Which mode, owner and times a name gets, and whether what is there is already right.

use base::entry::{Entry, Kind, Meta, Stat};

/// What was asked for and allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MetaOptions {
    /// `-p`: the sender's mode. Without it a name that is replaced keeps its mode, and another gets the
    /// sender's without the bits of the umask.
    pub perms: bool,
    /// `-t`: the sender's mtime.
    pub times: bool,
    /// `-o`, allowed on this share: the owner, and the setuid bit.
    pub owner: bool,
    /// `-g`, allowed on this share: the group, and the setgid bit. The sticky bit comes with either.
    pub group: bool,
    /// Bits that are never set without `perms`.
    pub umask: u32,
}

/// Owner and group of an entry on this machine: mapped by name, else by number; `None` keeps ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LocalOwner {
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
}

/// What a name gets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Applied {
    /// To be set.
    pub meta: Meta,
    /// setuid, setgid or sticky was asked for and masked: counted in the summary.
    pub masked: bool,
}

const SPECIAL: u32 = 0o7000;
const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const STICKY: u32 = 0o1000;

/// What to set on the name of this entry. `existing` is the name's stat when one of the same kind is there
/// (for a directory: also the one just made, whose setgid bit its parent may have given it).
pub fn applied(entry: &Entry, owner: LocalOwner, existing: Option<&Stat>, options: &MetaOptions) -> Applied {
    let existing = existing.filter(|stat| stat.kind == Some(entry.kind));
    let special = entry.mode & SPECIAL & !special_of(options);
    let masked = options.perms && entry.kind != Kind::Symlink && special != 0;
    let mut meta = Meta { mode: mode_of(entry, existing, options), ..Meta::default() };
    if options.owner {
        meta.uid = owner.uid;
    }
    if options.group {
        meta.gid = owner.gid;
    }
    if options.times {
        meta.mtime = Some(entry.mtime);
    }
    Applied { meta, masked }
}

fn mode_of(entry: &Entry, existing: Option<&Stat>, options: &MetaOptions) -> Option<u32> {
    if entry.kind == Kind::Symlink {
        return None;
    }
    if options.perms {
        return Some(entry.mode & (0o777 | special_of(options)));
    }
    let inherited = match existing {
        Some(stat) if entry.kind == Kind::Directory => stat.mode & SETGID,
        _ => 0,
    };
    match existing {
        Some(stat) => Some(stat.mode & 0o777 | inherited),
        None => Some(entry.mode & 0o777 & !options.umask),
    }
}

/// Bits above the permissions that may be set: setuid would lend whom a file belongs to here, unless that is
/// whom it belongs to there; so with setgid.
fn special_of(options: &MetaOptions) -> u32 {
    let bit = |on: bool, bit: u32| if on { bit } else { 0 };
    bit(options.owner, SETUID) | bit(options.group, SETGID) | bit(options.owner || options.group, STICKY)
}

/// Mode of a directory while its children come: the owner may always enter and write it. Its own mode
/// follows after them.
pub fn working_mode(mode: u32) -> u32 {
    mode & 0o777 | 0o700
}

/// How a destination compares with an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing to do.
    Same,
    /// Content equal, metadata to be set.
    Metadata,
    /// Content must come (a directory: must be made).
    Content,
    /// Something of another kind is in the way.
    Blocked,
}

/// Compares as rsync's quick check does: a file is equal when size and mtime are. `link` is the target of
/// the symlink that is there. With `checksum` the caller compares roots and passes the answer in
/// `same_content` instead.
pub fn verdict(
    entry: &Entry,
    owner: LocalOwner,
    stat: Option<&Stat>,
    link: Option<&[u8]>,
    same_content: Option<bool>,
    options: &MetaOptions,
) -> Verdict {
    let Some(stat) = stat else { return Verdict::Content };
    if stat.kind != Some(entry.kind) {
        return match (entry.kind, stat.kind) {
            (Kind::Directory, _) | (_, Some(Kind::Directory)) => Verdict::Blocked,
            _ => Verdict::Content,
        };
    }
    let same = match entry.kind {
        Kind::Directory => true,
        Kind::Symlink => link == Some(&entry.target[..]),
        Kind::File => {
            same_content.unwrap_or(stat.size == entry.size && stat.mtime == entry.mtime)
                && stat.size == entry.size
        }
    };
    if !same {
        return Verdict::Content;
    }
    let meta = applied(entry, owner, Some(stat), options).meta;
    if differs(&meta, stat) { Verdict::Metadata } else { Verdict::Same }
}

/// Whether setting this would change anything.
pub fn differs(meta: &Meta, stat: &Stat) -> bool {
    meta.mode.is_some_and(|mode| mode != stat.mode & 0o7777)
        || meta.uid.is_some_and(|uid| uid != stat.uid)
        || meta.gid.is_some_and(|gid| gid != stat.gid)
        || meta.mtime.is_some_and(|mtime| mtime != stat.mtime)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use base::entry::FileTime;

    const NONE: MetaOptions =
        MetaOptions { perms: false, times: false, owner: false, group: false, umask: 0o022 };
    const COPY: MetaOptions = MetaOptions { perms: true, times: true, ..NONE };
    const ROOT: MetaOptions = MetaOptions { owner: true, group: true, ..COPY };
    const WHO: LocalOwner = LocalOwner { uid: Some(7), gid: Some(8) };

    fn entry(kind: Kind, mode: u32) -> Entry {
        let mtime = FileTime { seconds: 9, nanos: 1 };
        Entry {
            kind,
            chunk_log2: 0,
            mode,
            uid: 1,
            gid: 2,
            size: 5,
            allocated: 5,
            mtime,
            path: b"x".to_vec(),
            target: if kind == Kind::Symlink { b"there".to_vec() } else { Vec::new() },
        }
    }

    fn stat(kind: Kind, mode: u32) -> Stat {
        let mtime = FileTime { seconds: 9, nanos: 1 };
        Stat {
            kind: Some(kind),
            mode,
            uid: 7,
            gid: 8,
            links: 1,
            device: 0,
            inode: 1,
            size: 5,
            allocated: 8,
            mtime,
            ctime: mtime,
        }
    }

    #[test]
    fn setuid_is_masked_and_counted_unless_owners_are_allowed() {
        let evil = entry(Kind::File, 0o6755);
        let copy = applied(&evil, WHO, None, &COPY);
        assert_eq!((copy.meta.mode, copy.meta.uid, copy.masked), (Some(0o755), None, true));
        let root = applied(&evil, WHO, None, &ROOT);
        assert_eq!(
            (root.meta.mode, root.meta.uid, root.meta.gid, root.masked),
            (Some(0o6755), Some(7), Some(8), false)
        );
        assert!(!applied(&entry(Kind::File, 0o755), WHO, None, &COPY).masked);
    }

    #[test]
    fn owner_and_group_are_applied_each_by_itself() {
        let evil = entry(Kind::File, 0o7755);
        for (owner, group, mode) in [(true, false, 0o5755), (false, true, 0o3755), (false, false, 0o755)] {
            let got = applied(&evil, WHO, None, &MetaOptions { owner, group, ..COPY });
            assert_eq!((got.meta.uid, got.meta.gid), (owner.then_some(7), group.then_some(8)));
            assert_eq!((got.meta.mode, got.masked), (Some(mode), true));
        }
        let there = Stat { uid: 70, ..stat(Kind::File, 0o644) };
        let ask = |options: &MetaOptions| {
            verdict(&entry(Kind::File, 0o644), WHO, Some(&there), None, None, options)
        };
        assert_eq!(ask(&MetaOptions { group: true, ..COPY }), Verdict::Same, "the owner is not asked for");
        assert_eq!(ask(&MetaOptions { owner: true, ..COPY }), Verdict::Metadata);
    }

    #[test]
    fn without_perms_a_new_name_obeys_the_umask_and_an_old_one_keeps_its_mode() {
        assert_eq!(applied(&entry(Kind::File, 0o4777), WHO, None, &NONE).meta.mode, Some(0o755));
        assert_eq!(applied(&entry(Kind::File, 0o666), WHO, None, &NONE).meta.mode, Some(0o644));
        let old = stat(Kind::File, 0o4600);
        assert_eq!(applied(&entry(Kind::File, 0o777), WHO, Some(&old), &NONE).meta.mode, Some(0o600));
        let made = stat(Kind::Directory, 0o2755);
        assert_eq!(applied(&entry(Kind::Directory, 0o700), WHO, Some(&made), &NONE).meta.mode, Some(0o2755));
        assert_eq!(applied(&entry(Kind::File, 0o777), WHO, None, &NONE).meta.mtime, None);
    }

    #[test]
    fn symlinks_have_times_and_owners_but_no_mode() {
        let link = applied(&entry(Kind::Symlink, 0o7777), WHO, None, &ROOT);
        assert_eq!((link.meta.mode, link.meta.uid, link.masked), (None, Some(7), false));
        assert!(link.meta.mtime.is_some());
    }

    #[test]
    fn equal_is_equal_and_each_difference_is_seen() {
        // proves: L3
        let file = entry(Kind::File, 0o644);
        let same = stat(Kind::File, 0o644);
        let ask = |stat: &Stat| verdict(&file, WHO, Some(stat), None, None, &COPY);
        assert_eq!(ask(&same), Verdict::Same);
        assert_eq!(ask(&Stat { mode: 0o600, ..same }), Verdict::Metadata);
        assert_eq!(ask(&Stat { size: 6, ..same }), Verdict::Content);
        assert_eq!(ask(&Stat { mtime: FileTime { seconds: 9, nanos: 2 }, ..same }), Verdict::Content);
        assert_eq!(ask(&Stat { kind: Some(Kind::Directory), ..same }), Verdict::Blocked);
        assert_eq!(ask(&Stat { kind: Some(Kind::Symlink), ..same }), Verdict::Content);
        assert_eq!(verdict(&file, WHO, None, None, None, &COPY), Verdict::Content);
        let checked =
            |same_content, stat: &Stat| verdict(&file, WHO, Some(stat), None, Some(same_content), &COPY);
        assert_eq!(checked(false, &same), Verdict::Content);
        let touched = Stat { mtime: FileTime { seconds: 10, nanos: 0 }, ..same };
        assert_eq!(checked(true, &touched), Verdict::Metadata);
        let link = entry(Kind::Symlink, 0o777);
        let there = stat(Kind::Symlink, 0o777);
        assert_eq!(verdict(&link, WHO, Some(&there), Some(b"there"), None, &COPY), Verdict::Same);
        assert_eq!(verdict(&link, WHO, Some(&there), Some(b"else"), None, &COPY), Verdict::Content);
        let directory = entry(Kind::Directory, 0o755);
        assert_eq!(verdict(&directory, WHO, Some(&same), None, None, &COPY), Verdict::Blocked);
    }

    #[test]
    fn a_directory_stays_usable_while_its_children_come() {
        assert_eq!(working_mode(0o2055), 0o755);
    }
}
