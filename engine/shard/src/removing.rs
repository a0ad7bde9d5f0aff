//! Removals that a peer asked for (`xferd.remove`): a portion of names a turn, each path decided when it is begun.
//!
//! ```text
//! request ─▶ path ─▶ decide ─▶ portion, portion, ... ─▶ next path ... ─▶ counted ─▶ the one reply
//!                                 └─ other rules: decided again
//! ```

use crate::command::Failure;
use crate::control::failure;
use crate::counted::{Counting, Said};
use crate::decide::{Leave, Question, decide};
use crate::dirs::Dirs;
use crate::link::LinkId;
use crate::place;
use crate::removal::{Mode, Removal};
use crate::settings::Share;
use crate::tools::Core;
use base::codes::Code;
use base::entry::Kind;
use base::hooks::{Action, Hooks, Peer, Reply, Ticket};
use base::ids::TransferId;
use base::io::Io;
use base::name::{RelPath, join};
use disk::delete::{DeleteWalk, Doomed, Removed};
use proto::message::MessageId;
use proto::transfer::remove::{RemoveReply, RemoveRequest};
use std::collections::VecDeque;
use std::sync::Arc;

/// Directories a removal holds open at once.
const DIRECTORIES: u32 = 16;

/// Who asks, and where.
pub(crate) struct Asked {
    pub(crate) link: LinkId,
    pub(crate) id: MessageId,
    pub(crate) peer: Peer,
    pub(crate) label: Option<Arc<str>>,
    /// The session writes nothing.
    pub(crate) read_only: bool,
}

/// One request on its way.
pub(crate) struct Removing {
    asked: Asked,
    share: Share,
    left: VecDeque<Vec<u8>>,
    recursive: bool,
    dry_run: bool,
    running: Option<Running>,
    reply: RemoveReply,
    counting: Option<Counting>,
    /// Why it goes no further.
    failed: Option<Failure>,
}

/// One path of it.
struct Running {
    path: Vec<u8>,
    leave: Leave,
    /// Of the rules that it was decided under.
    generation: u32,
    /// What paths of the walk lie below.
    parent: Vec<u8>,
    removal: Removal,
    dirs: Dirs,
}

impl Removing {
    /// Begins with nothing done.
    ///
    /// # Errors
    /// No such share, or a path that breaks a rule.
    pub(crate) fn begin<I: Io, H: Hooks>(
        core: &mut Core<I, H>,
        shares: &[Share],
        asked: Asked,
        request: &RemoveRequest,
    ) -> Result<Self, Failure> {
        let (share, paths) = place::share_of(core, shares, request.root.as_bytes(), &request.paths)?;
        let name = TransferId(core.random());
        let counting = match request.dry_run {
            true => None,
            false => Counting::new(core, &share.name, &asked.peer.account, name),
        };
        Ok(Self {
            asked,
            share,
            left: paths.into(),
            recursive: request.recursive,
            dry_run: request.dry_run,
            running: None,
            reply: RemoveReply::default(),
            counting,
            failed: None,
        })
    }

    /// Whose reply it is.
    pub(crate) fn request(&self) -> (LinkId, MessageId) {
        (self.asked.link, self.asked.id)
    }

    /// Nobody waits for it any more: what is left stays.
    pub(crate) fn abandon(&mut self) {
        self.failed.get_or_insert(failure(Code::ConnectionLost, "whoever asked is gone"));
    }

    /// Whether it goes on without waiting.
    pub(crate) fn is_due<I: Io, H: Hooks>(&self, core: &Core<I, H>) -> bool {
        let settled = self.counting.as_ref().is_none_or(Counting::is_settled);
        match self.failed {
            Some(_) => settled || self.running.is_some(),
            None if self.running.is_some() || !self.left.is_empty() => !self.is_full(core),
            None => settled,
        }
    }

    fn is_full<I: Io, H: Hooks>(&self, core: &Core<I, H>) -> bool {
        self.counting.as_ref().is_some_and(|counting| counting.is_full(&core.settings.limits))
    }

    /// When the store is asked again, monotonic ns.
    pub(crate) fn deadline_ns(&self) -> u64 {
        self.counting.as_ref().map_or(u64::MAX, Counting::deadline_ns)
    }

    /// The store's answer; `false`: the ticket is another's.
    pub(crate) fn on_reply(&mut self, ticket: Ticket, reply: &Reply) -> bool {
        match self.counting.as_mut().and_then(|counting| counting.on_reply(ticket, reply)) {
            None => return false,
            Some(Said::Files { .. }) => {}
            Some(Said::Failed(code, message)) => {
                self.counting = None;
                let message = format!("what is stored could not be counted: {message}");
                self.failed.get_or_insert(Failure { code, message });
            }
        }
        true
    }

    /// Does the next portion. `Some`: it is over, and this is its reply.
    pub(crate) fn step<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
    ) -> Option<Result<RemoveReply, Failure>> {
        if let Err(failure) = self.look(core) {
            self.failed.get_or_insert(failure);
        }
        if self.failed.is_some()
            && let Some(mut running) = self.running.take()
        {
            running.removal.close(core, &mut running.dirs);
            running.dirs.clear(core);
        }
        if self.failed.is_none() && !self.is_full(core) {
            self.portion(core);
        }
        let over = self.failed.is_some() || self.running.is_none() && self.left.is_empty();
        if let Some(counting) = &mut self.counting {
            counting.ask(core, u64::MAX, over);
            if !counting.is_settled() {
                return None;
            }
        }
        over.then(|| match self.failed.take() {
            Some(failure) => Err(failure),
            None => Ok(core::mem::take(&mut self.reply)),
        })
    }

    /// Asks again about the path that is being removed once the rules changed.
    fn look<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) -> Result<(), Failure> {
        let due = |running: &&Running| running.generation != core.hooks.generation();
        let Some(path) = self.running.as_ref().filter(due).map(|running| running.path.clone()) else {
            return Ok(());
        };
        let (leave, generation) = self.leave(core, &path).map_err(|failure| Failure {
            message: format!("no longer allowed: {}", failure.message),
            ..failure
        })?;
        if let Some(running) = &mut self.running {
            (running.leave, running.generation) = (leave, generation);
        }
        Ok(())
    }

    fn leave<I: Io, H: Hooks>(&self, core: &mut Core<I, H>, path: &[u8]) -> Result<(Leave, u32), Failure> {
        let Asked { peer, label, read_only, .. } = &self.asked;
        // Before the answer: rules that change meanwhile are met again.
        let generation = core.hooks.generation();
        let question = Question::new(Action::Remove, &self.share.name, path, label.as_deref());
        let leave = Leave::of(decide(core, peer, &question)?, &core.settings.limits)?;
        if self.share.read_only || *read_only || leave.obligations.read_only {
            return Err(failure(Code::ReadOnly, &format!("the share /{} is read-only", self.share.name)));
        }
        Ok((leave, generation))
    }

    fn portion<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        if self.running.is_none()
            && let Some(path) = self.left.pop_front()
        {
            match self.leave(core, &path) {
                Err(failure) => {
                    self.failed = Some(failure);
                    return;
                }
                Ok((leave, generation)) => match self.first(core, path.clone(), leave, generation) {
                    Ok(running) => self.running = Some(running),
                    Err(code) => return self.fail(core, path, code),
                },
            }
        }
        let Some(mut running) = self.running.take() else { return };
        let mut ended = Vec::new();
        let Running { removal, dirs, leave, parent, .. } = &mut running;
        let mut spared = |below: &[u8], directory: bool| {
            let kind = if directory { Kind::Directory } else { Kind::File };
            leave.guard.refusal(&join(parent, below), kind, 0).is_some()
        };
        let over = removal.step(core, dirs, &mut spared, &mut ended);
        dirs.settle(core);
        for Removed { path: below, kind, result } in ended {
            let path = join(&running.parent, &below);
            match (result, kind) {
                (Ok(()), Some(Kind::Directory)) => self.reply.directories += 1,
                (Ok(()), _) => {
                    self.reply.files += 1;
                    if let Some(counting) = &mut self.counting {
                        counting.gone(&path);
                    }
                }
                (Err(code), _) => self.fail(core, path, code),
            }
        }
        match over {
            true => running.dirs.clear(core),
            false => self.running = Some(running),
        }
    }

    /// Begins with a path that is allowed.
    fn first<I: Io, H: Hooks>(
        &self,
        core: &mut Core<I, H>,
        path: Vec<u8>,
        leave: Leave,
        generation: u32,
    ) -> Result<Running, Code> {
        let stat = place::stat(core, self.share.root, &path).map_err(Code::from_errno)?;
        let kind = stat.kind.unwrap_or(Kind::File);
        let split = RelPath::new(&path).ok().and_then(|path| path.split()).ok_or(Code::AccessDenied)?;
        let (parent, name) = (split.0.as_bytes().to_vec(), split.1.as_bytes().to_vec());
        if disk::paths::is_reserved(&name) {
            return Err(Code::BadPath);
        }
        if kind == Kind::Directory && !self.recursive {
            return Err(Code::Conflict);
        }
        if leave.guard.refusal(&path, kind, 0).is_some() {
            return Err(Code::AccessDenied);
        }
        let doomed = vec![Doomed { path: name, kind: Some(kind) }];
        let walk = DeleteWalk::new(doomed, false, None, &core.settings.limits).with_own_names();
        let mode = if self.dry_run { Mode::Dry } else { Mode::Named };
        let removal = Removal::new(walk, mode, self.share.root, parent.clone());
        let dirs = Dirs::new(DIRECTORIES);
        Ok(Running { path, leave, generation, parent, removal, dirs })
    }

    /// Counts a name that is still there, and names it while there is room.
    fn fail<I: Io, H: Hooks>(&mut self, core: &Core<I, H>, path: Vec<u8>, code: Code) {
        self.reply.failures += 1;
        if self.reply.failed.len() < core.settings.limits.removal_failures_max as usize {
            self.reply.failed.push((path, code));
        }
    }
}
