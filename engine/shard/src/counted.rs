//! What an account stores on a share that is counted, told to whoever counts it ([`StoreAsk::Stored`]).
//!
//! ```text
//! verified ─▶ coming ─▶ [store] ─▶ may have its name ─▶ published ─▶ came ┐
//!                            └───▶ refused              removed ─▶ gone ──┴▶ [store]
//! ```
//!
//! One question is with the store at a time; what happens meanwhile is gathered for the next. What only says how
//! something ended waits for a question that asks, for a full one, or for the end.

use crate::links::MS;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Coming, Hooks, Reply, StoreAsk, Storing, Ticket};
use base::ids::{FileIndex, TransferId};
use base::io::Io;
use base::limits::Limits;
use std::sync::Arc;

/// The changes of one transfer or removal.
pub(crate) struct Counting {
    gathered: Storing,
    /// Of [`Storing::coming`], in their order.
    files: Vec<FileIndex>,
    /// Bytes that the account stored at the begin, and by which what was wanted since is larger than what it replaces.
    expected: u64,
    asked: Option<(Ticket, Vec<FileIndex>)>,
    /// The store had no room for it.
    refused: Option<(Arc<Storing>, Vec<FileIndex>)>,
    again_ns: u64,
}

/// What the store said.
pub(crate) enum Said {
    /// Files that may have their names, and files that may not.
    Files { agreed: Vec<FileIndex>, refused: Vec<FileIndex> },
    /// It could not count.
    Failed(Code, String),
}

impl Counting {
    /// Of an account on a share; `None` where nobody counts.
    pub(crate) fn new<I: Io, H: Hooks>(
        core: &Core<I, H>,
        root: &Arc<str>,
        account: &Arc<str>,
        transfer: TransferId,
    ) -> Option<Self> {
        let expected = core.hooks.stored_bytes(root, account)?;
        Some(Self {
            gathered: Storing::new(account.clone(), root.clone(), transfer),
            files: Vec::new(),
            expected,
            asked: None,
            refused: None,
            again_ns: 0,
        })
    }

    /// Expects so many bytes more, unless they are known to be too many; what the store says of a file counts, since it
    /// knows whose file is replaced.
    pub(crate) fn expect(&mut self, growth: u64, bytes_max: u64) -> bool {
        let expected = self.expected.saturating_add(growth);
        let fits = growth == 0 || expected <= bytes_max;
        if fits {
            self.expected = expected;
        }
        fits
    }

    /// A file is about to get its name.
    pub(crate) fn coming(&mut self, file: FileIndex, coming: Coming) {
        self.gathered.coming.push(coming);
        self.files.push(file);
    }

    /// A file that was coming has its name, or never will.
    pub(crate) fn came(&mut self, path: &[u8], named: bool) {
        // Nobody was asked about it yet, and nobody needs to be.
        let asked = || self.gathered.coming.iter().position(|coming| *coming.path == *path);
        if !named && let Some(at) = asked() {
            self.gathered.coming.remove(at);
            self.files.remove(at);
            return;
        }
        self.gathered.came.push((path.into(), named));
    }

    /// A file is gone.
    pub(crate) fn gone(&mut self, path: &[u8]) {
        self.gathered.gone.push(path.into());
    }

    /// Whether nothing more should happen before the store has answered.
    pub(crate) fn is_full(&self, limits: &Limits) -> bool {
        self.gathered.names() >= limits.tree_files_max as usize
    }

    /// Whether everything is counted.
    pub(crate) fn is_settled(&self) -> bool {
        self.gathered.names() == 0 && self.asked.is_none() && self.refused.is_none()
    }

    /// Asks the store where that is due; `all`: also about what could wait.
    pub(crate) fn ask<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, bytes_max: u64, all: bool) {
        if self.asked.is_some() || core.now.mono_ns < self.again_ns {
            return;
        }
        let due = !self.gathered.coming.is_empty() || self.is_full(&core.settings.limits);
        let (ask, files) = match self.refused.take() {
            Some(again) => again,
            None if due || all && self.gathered.names() > 0 => {
                let Storing { account, root, transfer, .. } = &self.gathered;
                let empty = Storing::new(account.clone(), root.clone(), *transfer);
                let gathered = core::mem::replace(&mut self.gathered, empty);
                (Arc::new(Storing { bytes_max, ..gathered }), core::mem::take(&mut self.files))
            }
            None => return,
        };
        let ticket = Ticket(u64::from_be_bytes(core.random()));
        match core.hooks.store(ticket, StoreAsk::Stored(ask.clone())) {
            Ok(()) => self.asked = Some((ticket, files)),
            Err(_) => {
                self.refused = Some((ask, files));
                self.again_ns = core.now.mono_ns + MS;
            }
        }
    }

    /// The store's answer; `None`: the ticket is another's.
    pub(crate) fn on_reply(&mut self, ticket: Ticket, reply: &Reply) -> Option<Said> {
        let (_, files) = self.asked.take_if(|(asked, _)| *asked == ticket)?;
        Some(match reply {
            Reply::Refused(places) => {
                let refused = |at: usize| places.binary_search(&(at as u32)).is_ok();
                let (mut agreed, mut denied) = (Vec::new(), Vec::new());
                for (at, file) in files.into_iter().enumerate() {
                    if refused(at) { denied.push(file) } else { agreed.push(file) }
                }
                Said::Files { agreed, refused: denied }
            }
            Reply::Error { code, message } => Said::Failed(*code, message.clone()),
            _ => Said::Failed(Code::InternalError, "an answer of the store that fits no question".to_owned()),
        })
    }

    /// When a question that the store had no room for is asked again, monotonic ns.
    pub(crate) fn deadline_ns(&self) -> u64 {
        if self.refused.is_some() { self.again_ns } else { u64::MAX }
    }
}
