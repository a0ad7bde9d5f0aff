//! What the decision about an outgoing transfer demands: bounds, path rules, and what changed of them meanwhile.

use super::home::Home;
use crate::command::Source;
use crate::decide::{Leave, limit_text};
use crate::links::Links;
use crate::mailbox::Mail;
use crate::tools::Core;
use base::codes::Code;
use base::entry::Entry;
use base::hooks::{Event, FileAction, Hooks};
use base::io::Io;
use base::name::{RelPath, join};
use disk::escape::Escaped;

/// From paths in the transfer to paths beneath the share: each source's name, and what stands before it.
#[derive(Debug)]
pub(super) struct Origins(Vec<(Vec<u8>, Vec<u8>)>);

impl Origins {
    pub(super) fn of(sources: &[Source]) -> Self {
        let above = |source: &Source| match source.name.is_empty() {
            true => source.path.clone(),
            false => {
                let parent = RelPath::new(&source.path).ok().and_then(|path| path.split());
                parent.map_or(Vec::new(), |(parent, _)| parent.as_bytes().to_vec())
            }
        };
        Self(sources.iter().map(|source| (source.name.clone(), above(source))).collect())
    }

    /// Where an entry lies beneath the share.
    pub(super) fn beneath(&self, path: &[u8]) -> Vec<u8> {
        let first = path.split(|&byte| byte == b'/').next().unwrap_or_default();
        let source = self.0.iter().find(|(name, _)| name.is_empty() || name == first);
        match (source, path) {
            (Some((_, above)), b"") => above.clone(),
            (Some((_, above)), path) => join(above, path),
            (None, path) => path.to_vec(),
        }
    }
}

impl Home {
    /// A safe point: asks again where that is due, and ends what is no longer allowed.
    pub(super) fn look<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>) {
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
    fn oblige<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, links: &mut Links<I::Buf>, leave: Leave) {
        let rate = leave.obligations.bytes_per_second;
        if rate != self.spec.leave.obligations.bytes_per_second {
            let streams: Vec<_> =
                self.lanes.iter().map(|lane| lane.stream).filter(|stream| stream.stream != 0).collect();
            let each = if rate == u64::MAX { rate } else { (rate / (streams.len() as u64 + 1)).max(1) };
            links.change_rate(core, self.key.link, each, self.spec.options.bytes_per_second);
            for stream in streams {
                core.post(stream.core, Mail::StreamRate(stream.link, each));
            }
        }
        self.spec.leave = leave;
        let refused = self.on_their_way().find_map(|entry| {
            let words = self.denied(entry)?;
            Some(format!("no longer allowed: {}: {words}", Escaped(&entry.path)))
        });
        let over = self.over_limit();
        if let Some(message) = refused {
            self.fail(Code::AccessDenied, message);
        } else if let Some(words) = over {
            self.fail(Code::TooLarge, format!("no longer allowed: {words}"));
        }
    }

    /// The rule's words, where a path rule keeps an entry back.
    pub(super) fn denied(&self, entry: &Entry) -> Option<String> {
        let guard = &self.spec.leave.guard;
        if guard.is_empty() {
            return None;
        }
        let path = self.origins.beneath(&entry.path);
        guard.refusal(&path, entry.kind, entry.size).map(str::to_owned)
    }

    /// Keeps a name back, and tells both ends.
    pub(super) fn keep_back<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, entry: &Entry, words: &str) {
        self.deny_entry(&entry.path, words);
        let (code, message) = (Code::AccessDenied, format!("kept back: {words}"));
        core.hooks.event(&Event::Warning { code, message: &message, path: Some(&entry.path) });
        self.totals.count(FileAction::Failed);
        self.report(core, &entry.path, Some(entry.kind), FileAction::Failed, Some(code));
    }

    /// The bound that is broken, and who set it.
    pub(super) fn over_limit(&self) -> Option<String> {
        let Leave { obligations, by, .. } = &self.spec.leave;
        if self.bytes_offered > obligations.bytes_max {
            return Some(limit_text("max-bytes", obligations.bytes_max, by));
        }
        let over = self.files_offered > obligations.files_max;
        over.then(|| limit_text("max-files", obligations.files_max, by))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::io::Fd;

    fn origins(sources: &[(&str, &str)]) -> Origins {
        let source = |(path, name): &(&str, &str)| Source {
            base: Fd(0),
            path: path.as_bytes().to_vec(),
            name: name.as_bytes().to_vec(),
        };
        Origins::of(&sources.iter().map(source).collect::<Vec<_>>())
    }

    #[test]
    fn a_path_in_the_transfer_is_found_beneath_the_share() {
        let whole = origins(&[("a/b", "")]);
        assert_eq!(whole.beneath(b"c/d"), b"a/b/c/d");
        assert_eq!(whole.beneath(b""), b"a/b");
        let several = origins(&[("x/one", "one"), ("two", "two")]);
        assert_eq!(several.beneath(b"one/f"), b"x/one/f");
        assert_eq!(several.beneath(b"two"), b"two");
        assert_eq!(origins(&[("", "")]).beneath(b"f"), b"f");
    }
}
