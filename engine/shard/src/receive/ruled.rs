//! What the decision about an incoming transfer demands: bounds, path rules, and what changed of them meanwhile.

use super::home::{Home, Place};
use crate::decide::{Leave, limit_text};
use crate::links::Links;
use crate::mailbox::Mail;
use crate::tools::Core;
use base::codes::Code;
use base::entry::{Entry, Kind};
use base::hooks::{Event, FileAction, Hooks};
use base::io::Io;
use base::name::RelPath;
use disk::escape::Escaped;
use proto::transfer::want::Verdict;

impl<B: AsRef<[u8]> + AsMut<[u8]>> Home<B> {
    /// A safe point: asks again where that is due, and ends what is no longer allowed.
    pub(super) fn look<I: Io<Buf = B>, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<B>) {
        if let Some(watch) = &mut self.spec.watch {
            match watch.look(core, self.totals.bytes) {
                Ok(None) => {}
                Ok(Some(leave)) => self.oblige(core, links, leave),
                Err(failure) => self.fail(failure.code, failure.message),
            }
        }
        if core.now.utc_ms > self.spec.leave.obligations.not_after_ms {
            let by = &self.spec.leave.by;
            let message = format!("the time in which this was allowed is over: not-after of {by}");
            self.fail(Code::AccessDenied, message);
        }
    }

    /// Other demands hold from here on.
    fn oblige<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<B>,
        leave: Leave,
    ) {
        let rate = leave.obligations.bytes_per_second;
        if rate != self.spec.leave.obligations.bytes_per_second {
            let streams = self.data_streams();
            let each = if rate == u64::MAX { rate } else { (rate / (streams.len() as u64 + 1)).max(1) };
            links.change_rate(core, self.key.link, each, None);
            for stream in streams {
                core.post(stream.core, Mail::StreamRate(stream.link, each));
            }
        }
        self.spec.leave = leave;
        if self.files.is_empty() && self.leaving.is_empty() {
            self.spec.places = self.spec.leave.guard.clone();
        }
        let running = self.files.values().find_map(|incoming| {
            let Entry { path, kind, size, .. } = &incoming.entry;
            let words = self.spec.leave.guard.refusal(&self.full_path(path), *kind, *size)?;
            Some(format!("no longer allowed: {}: {words}", Escaped(path)))
        });
        let over = self.over_limit(0, 0);
        if let Some(message) = running {
            self.fail(Code::AccessDenied, message);
        } else if let Some(words) = over {
            self.fail(Code::TooLarge, format!("no longer allowed: {words}"));
        }
    }

    /// The bound that so much more would break, and who set it.
    pub(super) fn over_limit(&self, files: u64, bytes: u64) -> Option<String> {
        let Leave { obligations, by, .. } = &self.spec.leave;
        if self.bytes_wanted.saturating_add(bytes) > obligations.bytes_max {
            return Some(limit_text("max-bytes", obligations.bytes_max, by));
        }
        let over = self.files_wanted + files > obligations.files_max;
        over.then(|| limit_text("max-files", obligations.files_max, by))
    }

    /// Why a path rule, or a bound, does not let an entry pass.
    pub(super) fn refusal(&self, entry: &Entry) -> Option<&str> {
        let guard = &self.spec.leave.guard;
        if guard.is_empty() {
            return None;
        }
        guard.refusal(&self.full_path(&entry.path), entry.kind, entry.size)
    }

    /// Refuses an entry in a rule's words.
    pub(super) fn deny<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        entry: &Entry,
        code: Code,
        words: &str,
    ) -> Verdict {
        let message = format!("refused: {words}");
        core.hooks.event(&Event::Warning { code, message: &message, path: Some(&entry.path) });
        self.count(core, &entry.path, entry.kind, FileAction::Failed, (entry.size, None, 0, Some(code)));
        match words {
            "" => Verdict::Refused(code),
            words => Verdict::Denied(words.into()),
        }
    }

    /// Where an entry is put beneath the share: a path rule may say elsewhere.
    pub(super) fn place_of(&self, entry: &Entry) -> Vec<u8> {
        let full = self.full_path(&entry.path);
        self.spec.places.store_as(&full, entry.kind).unwrap_or(full)
    }

    /// The directory of a file that a path rule puts elsewhere, made where it is not there; `None`: it stays where
    /// the sender says. A directory that comes back has one use of its own.
    pub(super) fn elsewhere<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        entry: &Entry,
    ) -> Option<Place> {
        if self.spec.places.is_empty() || entry.kind == Kind::Directory {
            return None;
        }
        let full = self.full_path(&entry.path);
        let path = self.spec.places.store_as(&full, entry.kind)?;
        let taken = |other: &Entry| other.path != entry.path && self.place_of(other) == path;
        if self.spec.places.is_exact(&full) && self.files.values().any(|other| taken(&other.entry)) {
            return Some(Place::Refused(Code::Conflict));
        }
        let parent = RelPath::new(&path).ok().and_then(|path| path.split());
        Some(match parent {
            Some((parent, _)) => self.made_directory(core, parent.as_bytes()),
            None => Place::Refused(Code::BadPath),
        })
    }

    /// Names that a rule of the sender keeps back.
    pub(super) fn on_denied<I: Io<Buf = B>, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        denied: &[(Vec<u8>, String)],
        more: u32,
    ) {
        let code = Code::AccessDenied;
        for (path, words) in denied {
            let message = format!("refused by the other end: {words}");
            core.hooks.event(&Event::Warning { code, message: &message, path: Some(path) });
            self.count(core, path, None, FileAction::Failed, (0, None, 0, Some(code)));
        }
        if more > 0 {
            let message = format!("{more} more names are refused by rules of the other end");
            core.hooks.event(&Event::Warning { code, message: &message, path: None });
            self.totals.files[FileAction::Failed as usize] += u64::from(more);
            self.counts.failed += u64::from(more);
            self.files_done += u64::from(more);
        }
    }
}
