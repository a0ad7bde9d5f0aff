//! `xfer verify`: a directory against a receipt, offline.

use super::remote;
use crate::escape::Shown;
use crate::failure::Failure;
use crate::report::{Outcome, Reporter, Told, path_fields};
use base::codes::{Code, exit};
use base::entry::Kind;
use base::ids::Value;
use base::limits::Limits;
use identity::{DeviceKey, Remote};
use proto::session::certificate::device_id;
use proto::transfer::chunk::{FileHasher, root_of_bytes};
use proto::transfer::merkle::Leaf;
use proto::transfer::receipt_file::{ReceiptFault, ReceiptFile};
use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use serde_json::json;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Bytes read at once.
const PIECE: usize = 1 << 20;

/// Compares a directory with a receipt.
///
/// # Errors
/// Receipt or directory cannot be used, or the receipt's signature does not hold.
pub fn verify(
    state: &Path,
    receipt: &Path,
    directory: &Path,
    reporter: &mut Reporter,
) -> Result<Outcome, Failure> {
    let bytes =
        std::fs::read(receipt).map_err(|error| Failure::io(Shown(receipt.as_os_str().as_bytes()), &error))?;
    let file = ReceiptFile::verify(&bytes, &Limits::DEFAULT).map_err(|fault| refused(receipt, fault))?;
    check_receiver(state, &file)?;
    let top = open_top(directory)?;
    let mut named: BTreeSet<&[u8]> = BTreeSet::new();
    let (mut equal, mut wrong) = (0_u64, 0_u64);
    for leaf in file.entries() {
        named.insert(leaf.path);
        match top.compare(&leaf) {
            Ok(()) => equal += 1,
            Err(difference) => {
                wrong += 1;
                tell(reporter, leaf.path, difference);
            }
        }
    }
    let mut added = 0_u64;
    top.others(b"", &named, &mut |path| {
        added += 1;
        tell(reporter, path, "not in the receipt");
    });
    let data = json!({"equal": equal, "wrong": wrong, "added": added,
        "verify": file.receipt.body.verify.name(), "transfer": file.receipt.body.transfer.to_string(), "receiver": file.receipt.body.receiver.to_string()});
    let mut outcome = Outcome { data: Some(data), ..Outcome::ok() };
    if !reporter.is_json() {
        let line = format!("{equal} equal, {wrong} missing or different, {added} not in the receipt");
        reporter.tell(&Told::Row { event: "verified", fields: serde_json::Map::new(), line });
    }
    if wrong > 0 {
        let message = format!("{wrong} names are missing or differ from what was received");
        let failure = Failure::new(Code::Integrity, message, "copy them again");
        outcome.exit = failure.exit;
        outcome.failure = Some(failure);
    }
    Ok(outcome)
}

fn tell(reporter: &mut Reporter, path: &[u8], difference: &'static str) {
    let mut fields = path_fields(path);
    fields.insert("difference".into(), difference.into());
    let path = if path.is_empty() { b"." } else { path };
    reporter.tell(&Told::Row { event: "difference", fields, line: format!("{difference}: {}", Shown(path)) });
}

fn refused(path: &Path, fault: ReceiptFault) -> Failure {
    let path = Shown(path.as_os_str().as_bytes());
    match fault {
        ReceiptFault::Malformed(_) => {
            let next = "name a .xr file of the state directory's receipts/";
            Failure {
                exit: exit::FILE_SELECTION,
                ..Failure::new(Code::InvalidRequest, format!("{path} is no receipt"), next)
            }
        }
        _ => Failure::new(
            Code::InvalidSignature,
            format!("{path} was altered: its signature does not hold"),
            "",
        ),
    }
}

/// A signature proves nothing by itself: its key must be this device's, or a remote's that was joined.
fn check_receiver(state: &Path, file: &ReceiptFile<'_>) -> Result<(), Failure> {
    let receiver = file.receipt.body.receiver;
    if device_id(file.key.as_bytes()) != receiver {
        return Err(Failure::new(
            Code::InvalidSignature,
            "the receipt is signed by another device than it names",
            "",
        ));
    }
    let own = DeviceKey::load(state).map_err(|error| remote::refused_file(&error))?;
    let remotes = match state.exists() {
        true => Remote::list(state, &Limits::DEFAULT).map_err(|error| remote::refused_remote(&error))?,
        false => Vec::new(),
    };
    if own.is_some_and(|key| key.device_id() == receiver)
        || remotes.iter().any(|remote| remote.hub == receiver)
    {
        return Ok(());
    }
    let message = format!("the receipt is by a device that is not known here ({receiver})");
    Err(Failure::new(
        Code::UntrustedRoot,
        message,
        "verify it with the --state of a device that joined that daemon",
    ))
}

/// The directory, or the one file, that a receipt is compared with.
struct Top {
    fd: OwnedFd,
    /// A single file's name in `fd`.
    name: Option<Vec<u8>>,
}

fn open_top(path: &Path) -> Result<Top, Failure> {
    let failed = |error: std::io::Error| {
        let failure = Failure::io(Shown(path.as_os_str().as_bytes()), &error);
        Failure { exit: exit::FILE_SELECTION, ..failure }
    };
    let stat = std::fs::metadata(path).map_err(failed)?;
    let open = |path: &Path| {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| failed(errno.into()))
    };
    if stat.is_dir() {
        return Ok(Top { fd: open(path)?, name: None });
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().as_bytes().to_vec();
    Ok(Top { fd: open(parent)?, name: Some(name) })
}

impl Top {
    /// Opens a name beneath the directory, following no link.
    fn open(&self, path: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let path = match (&self.name, path) {
            (Some(name), _) => name.as_slice(),
            (None, b"") => b".",
            (None, path) => path,
        };
        rustix::fs::openat2(
            &self.fd,
            OsStr::from_bytes(path),
            flags | OFlags::CLOEXEC,
            Mode::empty(),
            resolve,
        )
    }

    fn compare(&self, leaf: &Leaf<'_>) -> Result<(), &'static str> {
        let fd = match leaf.kind {
            Kind::File => self.open(leaf.path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK),
            Kind::Directory => self.open(leaf.path, OFlags::PATH | OFlags::DIRECTORY),
            Kind::Symlink => return self.compare_link(leaf),
        };
        let fd = fd.map_err(|errno| match errno {
            rustix::io::Errno::NOENT => "missing",
            rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP => "another kind",
            _ => "unreadable",
        })?;
        if leaf.kind == Kind::Directory {
            return Ok(());
        }
        let stat = rustix::fs::fstat(&fd).map_err(|_| "unreadable")?;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile {
            return Err("another kind");
        }
        if stat.st_size as u64 != leaf.size {
            return Err("another size");
        }
        match hash(std::fs::File::from(fd)) {
            Ok(root) if root == leaf.root => Ok(()),
            Ok(_) => Err("other content"),
            Err(_) => Err("unreadable"),
        }
    }

    fn compare_link(&self, leaf: &Leaf<'_>) -> Result<(), &'static str> {
        let at = leaf.path.iter().rposition(|&byte| byte == b'/');
        let (parent, name) = at.map_or((&b""[..], leaf.path), |at| (&leaf.path[..at], &leaf.path[at + 1..]));
        let name = self.name.as_deref().unwrap_or(name);
        let directory = match &self.name {
            Some(_) => self.fd.try_clone().map_err(|_| "unreadable")?,
            None => self.open(parent, OFlags::PATH | OFlags::DIRECTORY).map_err(|_| "missing")?,
        };
        match rustix::fs::readlinkat(&directory, OsStr::from_bytes(name), Vec::new()) {
            Ok(target) if root_of_bytes(target.as_bytes()) == leaf.root => Ok(()),
            Ok(_) => Err("other target"),
            Err(rustix::io::Errno::NOENT) => Err("missing"),
            Err(_) => Err("another kind"),
        }
    }

    /// Every name below that the receipt does not have.
    fn others(&self, path: &[u8], named: &BTreeSet<&[u8]>, found: &mut dyn FnMut(&[u8])) {
        if self.name.is_some() {
            return;
        }
        let Ok(fd) = self.open(path, OFlags::RDONLY | OFlags::DIRECTORY) else { return };
        let Ok(entries) = rustix::fs::Dir::read_from(&fd) else { return };
        let mut names: Vec<Vec<u8>> =
            entries.flatten().map(|entry| entry.file_name().to_bytes().to_vec()).collect();
        names.retain(|name| name != b"." && name != b".." && !name.starts_with(b".xferd-"));
        names.sort_unstable();
        for name in names {
            let whole = if path.is_empty() { name.clone() } else { [path, b"/", &name].concat() };
            if !named.contains(whole.as_slice()) {
                found(&whole);
            }
            let stat = rustix::fs::statat(&fd, OsStr::from_bytes(&name), AtFlags::SYMLINK_NOFOLLOW);
            let is_directory = stat.is_ok_and(|stat| {
                rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Directory
            });
            if is_directory {
                self.others(&whole, named, found);
            }
        }
    }
}

fn hash(mut file: std::fs::File) -> std::io::Result<Value> {
    let mut hasher = FileHasher::new();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher.finish()),
            count => hasher.update(&piece[..count]),
        }
    }
}
