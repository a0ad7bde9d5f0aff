//! The end of an incoming transfer: deletions, directories, the receipt.

use super::delete::Deleting;
use super::home::Home;
use crate::link::Link;
use crate::links::Links;
use crate::tools::Core;
use base::hooks::{Hooks, Reply, StoreAsk, Ticket};
use base::io::Io;
use base::points::Point;
use disk::publish::TreePublication;
use proto::transfer::offer::Durability;
use proto::transfer::receipt::{Receipt, ReceiptBody};
use proto::wire::FrameType;

/// Where the end stands.
#[derive(Default)]
pub(super) enum Finish {
    /// Entries or files are still to come.
    #[default]
    Open,
    /// Names that the sender lacks are being removed.
    Deleting(Box<Deleting>),
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
        match &mut self.finish {
            Finish::Open => {
                self.finish = match self.begin_deletions(core) {
                    Some(deleting) => Finish::Deleting(Box::new(deleting)),
                    None => Finish::Directories,
                };
                self.finish(core, links);
            }
            Finish::Deleting(_) => {
                if self.delete_on(core, links) {
                    self.finish = Finish::Directories;
                    self.finish(core, links);
                }
            }
            Finish::Directories => {
                while self.begin_directories(core) {
                    self.run_batch(core, links);
                    if !self.publisher.is_idle() {
                        return;
                    }
                }
                if self.result.is_none() && self.counts_settled(core) {
                    self.sign(core, links);
                }
            }
            Finish::Receipt(..) | Finish::Sent => {}
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
            stages_ms: self.totals.stages.millis(),
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
        if self.on_counted(core, ticket, reply) {
            return true;
        }
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
        links.mark(self.key.link, Point::ReceiptSent);
        self.finish = Finish::Sent;
        self.result = Some(Ok((receipt, file)));
    }
}
