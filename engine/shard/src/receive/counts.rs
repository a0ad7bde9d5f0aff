//! What an incoming transfer adds to what its account stores: no file gets its name before that is counted.

use super::home::Home;
use super::stage::Incoming;
use crate::counted::{Counting, Said};
use crate::decide::limit_text;
use crate::tools::Core;
use base::codes::Code;
use base::entry::{Entry, Kind, Stat};
use base::hooks::{Coming, Event, Hooks, Reply, Ticket};
use base::ids::FileIndex;
use base::io::Io;
use base::name::join;

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// Where a file gets its name, beneath the share.
    fn place(&self, incoming: &Incoming) -> Vec<u8> {
        join(self.dirs.path(incoming.dir), &incoming.name)
    }

    /// The bound that a wanted file would break, and who set it. What it replaces is taken for the account's own.
    pub(super) fn over_stored(&mut self, entry: &Entry, there: Option<&Stat>) -> Option<String> {
        let most = self.spec.leave.obligations.stored_bytes_max;
        let counting = self.counting.as_mut().filter(|_| entry.kind == Kind::File)?;
        let before = there.filter(|stat| stat.kind == Some(Kind::File)).map_or(0, |stat| stat.size);
        let fits = counting.expect(entry.size.saturating_sub(before), most);
        (!fits).then(|| self.stored_words())
    }

    fn stored_words(&self) -> String {
        limit_text("max-stored-bytes", self.spec.leave.obligations.stored_bytes_max, &self.spec.leave.by)
    }

    /// A file is verified: it may be published once it is counted.
    pub(super) fn verified(&mut self, file: FileIndex) {
        if let Some(incoming) = self.files.get_mut(&file) {
            incoming.verified = true;
        }
        let place = match self.files.get(&file) {
            Some(incoming) if incoming.failed.is_none() && incoming.entry.kind == Kind::File => {
                self.place(incoming)
            }
            _ => return self.publisher.ready(file),
        };
        let (Some(counting), Some(incoming)) = (&mut self.counting, self.files.get_mut(&file)) else {
            return self.publisher.ready(file);
        };
        incoming.counted = true;
        let held = incoming.large.as_ref().is_some_and(|large| large.in_place.is_some());
        counting.coming(file, Coming { path: place.into(), bytes: incoming.entry.size, held });
    }

    /// Asks the store where that is due.
    pub(super) fn count_on<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        let most = self.spec.leave.obligations.stored_bytes_max;
        if let Some(counting) = &mut self.counting {
            counting.ask(core, most, false);
        }
    }

    /// The store's answer; `false`: the ticket is another's.
    pub(super) fn on_counted<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        ticket: Ticket,
        reply: &Reply,
    ) -> bool {
        let Some(said) = self.counting.as_mut().and_then(|counting| counting.on_reply(ticket, reply)) else {
            return false;
        };
        let (agreed, refused) = match said {
            Said::Files { agreed, refused } => (agreed, refused),
            Said::Failed(code, message) => {
                self.counting = None;
                self.fail(code, format!("what is stored could not be counted: {message}"));
                return true;
            }
        };
        for file in agreed {
            self.publisher.ready(file);
        }
        for file in refused {
            let Some(incoming) = self.files.get_mut(&file) else { continue };
            incoming.counted = false;
            // A part would be kept for a rerun, and takes as much room.
            if let Some(large) = &mut incoming.large {
                large.distrusted = true;
            }
            let (path, code) = (incoming.entry.path.clone(), Code::TooLarge);
            let message = format!("refused: {}", self.stored_words());
            core.hooks.event(&Event::Warning { code, message: &message, path: Some(&path) });
            self.failed_here(core, file, code);
        }
        true
    }

    /// A file that was counted has its name, or will not have it.
    pub(super) fn count_end(&mut self, incoming: &Incoming, named: bool) {
        let replaced = incoming.existing.as_ref().is_some_and(|there| there.kind == Some(Kind::File));
        let place = self.place(incoming);
        let Some(counting) = &mut self.counting else { return };
        match incoming.entry.kind {
            Kind::File if incoming.counted => counting.came(&place, named),
            Kind::Symlink if named && replaced => counting.gone(&place),
            _ => {}
        }
    }

    /// What is there is gone.
    pub(super) fn count_gone(&mut self, path: &[u8], kind: Option<Kind>) {
        if kind == Some(Kind::Directory) {
            return;
        }
        let place = self.full_path(path);
        if let Some(counting) = &mut self.counting {
            counting.gone(&place);
        }
    }

    /// Nobody knows which files of a batch got their names: they are settled at the next start.
    pub(super) fn count_unknown(&mut self, files: &[FileIndex]) {
        for file in files {
            if let Some(incoming) = self.files.get_mut(file) {
                incoming.counted = false;
            }
        }
    }

    /// Whether everything that happened is counted; asks for it.
    pub(super) fn counts_settled<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) -> bool {
        let Some(counting) = &mut self.counting else { return true };
        counting.ask(core, u64::MAX, true);
        counting.is_settled()
    }

    /// The same at the end of the transfer, in which files that wait for their names will not get them.
    pub(super) fn settle_counts<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>) -> bool {
        if let Some(counting) = &mut self.counting {
            for incoming in self.files.values_mut().filter(|incoming| incoming.counted) {
                incoming.counted = false;
                counting.came(&join(self.dirs.path(incoming.dir), &incoming.name), false);
            }
        }
        self.counts_settled(core)
    }

    /// When the store is asked again, monotonic ns.
    pub(super) fn counts_deadline_ns(&self) -> u64 {
        self.counting.as_ref().map_or(u64::MAX, Counting::deadline_ns)
    }
}
