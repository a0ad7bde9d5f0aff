//! The end of an incoming transfer: deletions, directories, the receipt.

use super::home::Home;
use crate::dirs::DirId;
use crate::link::Link;
use crate::links::Links;
use crate::place::stat_in;
use crate::send::{list, listed_directory};
use crate::tools::Core;
use base::codes::Code;
use base::entry::Kind;
use base::hooks::{FileAction, Hooks, Reply, StoreAsk, Ticket};
use base::io::{Act, Errno, Fd, How, Io};
use base::name::{Name, RelPath, join};
use base::points::Point;
use disk::paths::ReservedName;
use disk::publish::TreePublication;
use disk::resume::{Known, sweep_staged};
use proto::transfer::offer::Durability;
use proto::transfer::receipt::{Receipt, ReceiptBody};
use proto::wire::FrameType;

/// Where the end stands.
#[derive(Default)]
pub(super) enum Finish {
    /// Entries or files are still to come.
    #[default]
    Open,
    /// The last directories are being set and synced.
    Directories,
    /// The receipt is being stored.
    Receipt(Ticket, Box<Receipt>, Vec<u8>),
    /// It was sent.
    Sent,
}

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// Goes on towards the end once everything before it is over.
    pub(super) fn finish<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        let all = self.entries_ended && self.batches.is_empty() && self.resume.is_none();
        self.publisher.flush = all && self.publisher.verified() == self.files.len();
        if !all || !self.files.is_empty() || !self.publisher.is_idle() || self.result.is_some() {
            return;
        }
        match &self.finish {
            Finish::Open => {
                self.delete(core);
                self.finish = Finish::Directories;
                self.finish(core, links);
            }
            Finish::Directories => {
                while self.begin_directories(core) {
                    self.run_batch(core, links);
                    if !self.publisher.is_idle() {
                        return;
                    }
                }
                if self.result.is_none() {
                    self.sign(core, links);
                }
            }
            Finish::Receipt(..) | Finish::Sent => {}
        }
    }

    /// Removes what the source lacks: nothing at all where the source could not be read whole.
    fn delete<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let doomed = core::mem::take(&mut self.doomed);
        if doomed.is_empty() {
            return;
        }
        if self.failed_reads {
            core.hooks.event(&base::hooks::Event::Warning {
                code: Code::Io,
                message: "nothing was deleted: some of the source could not be read",
                path: None,
            });
            return;
        }
        let most = self.spec.options.delete_max.unwrap_or(u64::MAX);
        let mut touched = Vec::new();
        for name in doomed {
            if self.counts.deleted >= most {
                self.totals.delete_limited = true;
                break;
            }
            let path = join(&name.dir, &name.name);
            let result = match self.spec.options.dry_run {
                true => Ok(()),
                false => {
                    let dir = self.dirs.add(self.spec.root, name.dir.clone(), None);
                    let result =
                        self.dirs.fd(core, dir).and_then(|fd| remove(core, fd, &name.name, name.directory));
                    self.dirs.release(dir);
                    result
                }
            };
            let kind = if name.directory { Kind::Directory } else { Kind::File };
            match result {
                Ok(()) => {
                    self.count(core, &path, kind, FileAction::Deleted, (0, None, 0, None));
                    if self.counts.deleted == 1 {
                        core.reach(Point::DeleteFirst);
                    }
                    touched.push(name.dir);
                }
                Err(errno) => {
                    let code = Code::from_errno(errno);
                    self.count(core, &path, kind, FileAction::Failed, (0, None, 0, Some(code)));
                }
            }
        }
        if !self.spec.options.dry_run {
            self.new_parents.extend(touched);
        }
        core.reach(Point::DeleteAll);
    }

    /// Removes what an earlier run staged and nobody came back for.
    pub(super) fn sweep_idle<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        dir: DirId,
        name: &[u8],
    ) {
        let Some(staged) = ReservedName::parse(name).filter(|_| !self.spec.options.dry_run) else { return };
        let Ok(fd) = self.dirs.fd(core, dir) else { return };
        let Ok(stat) = stat_in(core, fd, Some(staged.as_name())) else { return };
        let limits = core.limits();
        if sweep_staged(&staged, &stat, Known::Unknown, core.now.utc_ms, &limits) {
            // What cannot be removed is met again.
            let _ = remove(core, fd, name, false);
        }
    }

    /// One of the last batches: metadata of directories, children first, and what was made or deleted beside files.
    fn begin_directories<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) -> bool {
        let mut batch: TreePublication = self.last_batch(core);
        let mut dirs = Vec::new();
        let most = super::batch::directories_max(&core.settings.limits);
        self.add_parents(&mut batch, &mut dirs, most);
        // A parent is opened before its mode may lock its owner out.
        if self.new_parents.is_empty() {
            self.add_directories(&mut batch, &mut dirs, most);
        }
        self.begin_run(core, batch, Vec::new(), dirs)
    }

    /// Signs the receipt and has it stored.
    fn sign<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        let Some(peer) = links.find(self.key.link).and_then(Link::up).map(|up| up.peer.clone()) else {
            return;
        };
        let seals = self.receipt.seals();
        let body = ReceiptBody {
            transfer: self.spec.id,
            session: peer.session,
            sender: peer.device,
            receiver: core.settings.device,
            root: self.spec.offered.clone(),
            merkle: seals.root(),
            seals: seals.count(),
            counts: self.counts,
            durability: self.spec.durability,
            inplace: self.spec.options.inplace,
            verify: self.spec.options.verify,
            stages_ms: self.totals.stages.0.map(|ns| (ns / 1_000_000).min(u64::from(u32::MAX)) as u32),
            began_ms: self.began_ms,
            ended_ms: core.now.utc_ms,
        };
        let receipt = body.sign(&core.settings.key);
        core.reach(Point::ReceiptSigned);
        self.receipt.finish(&receipt);
        let file = self.receipt.take();
        let ticket = Ticket(u64::from_be_bytes(core.random()));
        let durable = self.spec.durability != Durability::None && !self.spec.options.dry_run;
        if !durable {
            return self.send_receipt(core, links, receipt, file);
        }
        let ask = StoreAsk::Receipt { transfer: self.spec.id, bytes: file.clone().into() };
        if core.hooks.store(ticket, ask).is_err() {
            // Everything is published; only the stored copy is missing.
            return self.send_receipt(core, links, receipt, file);
        }
        self.finish = Finish::Receipt(ticket, Box::new(receipt), file);
    }

    /// The store's answer. `false`: the ticket is another's.
    pub(super) fn on_reply<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        ticket: Ticket,
        reply: &Reply,
    ) -> bool {
        if !matches!(&self.finish, Finish::Receipt(waiting, ..) if *waiting == ticket) {
            return false;
        }
        let Finish::Receipt(_, receipt, file) = core::mem::take(&mut self.finish) else { return true };
        match reply {
            Reply::Error { code, message } => self.fail(*code, message.clone()),
            _ => {
                core.reach(Point::ReceiptSynced);
                self.send_receipt(core, links, *receipt, file);
            }
        }
        true
    }

    fn send_receipt<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        receipt: Receipt,
        file: Vec<u8>,
    ) {
        self.send_acks(core, links);
        links.send_bytes(core, self.key.link, FrameType::Receipt, &receipt.encode());
        core.reach(Point::ReceiptSent);
        self.finish = Finish::Sent;
        self.result = Some(Ok((receipt, file)));
    }
}

/// Removes a name and, of a directory, everything below it.
pub(crate) fn remove<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    dir: Fd,
    name: &[u8],
    directory: bool,
) -> Result<(), Errno> {
    let checked = Name::new(name).map_err(|_| Errno::INVAL)?;
    let unlink = |core: &mut Core<I, H>, directory: bool| {
        core.act(|batch| {
            let name = batch.name(checked);
            Act::Remove { dir, name, directory }
        })
        .map(drop)
    };
    if !directory {
        return match unlink(core, false) {
            Err(Errno::ISDIR) => remove(core, dir, name, true),
            result => result,
        };
    }
    match unlink(core, true) {
        Err(Errno::NOTEMPTY | Errno::EXIST) => {}
        result => return result,
    }
    let below = core.open(|batch| {
        let path = batch.path(RelPath::from(checked));
        Act::Open { dir, path, how: How::Directory }
    })?;
    let names = list(core, below).map_err(|_| Errno::IO);
    let emptied = names.and_then(|names| {
        names.iter().try_for_each(|(kind, name)| remove(core, below, name, listed_directory(*kind)))
    });
    core.close(below);
    emptied?;
    unlink(core, true)
}
