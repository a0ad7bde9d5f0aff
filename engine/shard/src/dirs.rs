//! Directories of one transfer, held open while they are in use, within a budget of descriptors.
//!
//! A directory that lost its descriptor to the budget is opened again by its path beneath the base, so
//! that a swap for a symlink meanwhile fails instead of leading out.

use crate::tools::Core;
use base::hooks::Hooks;
use base::io::{Act, Errno, Fd, How, Io};
use base::name::{RelPath, join};

/// Names a directory of one [`Dirs`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct DirId(u32);

struct Dir {
    base: Fd,
    path: Vec<u8>,
    fd: Option<Fd>,
    users: u32,
    /// Touched since the hand last passed.
    warm: bool,
    /// Its descriptor stays open.
    held: bool,
    /// Operations in flight that name its descriptor.
    pins: u32,
}

/// The table.
pub(crate) struct Dirs {
    slots: Vec<Option<Dir>>,
    free: Vec<u32>,
    open: u32,
    open_max: u32,
    hand: usize,
    /// Descriptors out of use that a batch of acts may still name: closed by [`Dirs::settle`].
    retired: Vec<Fd>,
}

impl Dirs {
    /// At most `open_max` descriptors at once (at least 1).
    pub(crate) fn new(open_max: u32) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            open: 0,
            open_max: open_max.max(1),
            hand: 0,
            retired: Vec::new(),
        }
    }

    /// Adds the directory `path` beneath `base`, with its descriptor where it is open already (then owned
    /// by the table). It has one user.
    pub(crate) fn add(&mut self, base: Fd, path: Vec<u8>, fd: Option<Fd>) -> DirId {
        self.open += u32::from(fd.is_some());
        let dir = Dir { base, path, fd, users: 1, warm: true, held: false, pins: 0 };
        match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(dir);
                DirId(slot)
            }
            None => {
                self.slots.push(Some(dir));
                DirId(self.slots.len() as u32 - 1)
            }
        }
    }

    /// One more user.
    pub(crate) fn keep(&mut self, id: DirId) {
        if let Some(Some(dir)) = self.slots.get_mut(id.0 as usize) {
            dir.users += 1;
        }
    }

    /// One user less; the last one gives its descriptor up.
    pub(crate) fn release(&mut self, id: DirId) {
        let Some(entry) = self.slots.get_mut(id.0 as usize) else { return };
        let Some(dir) = entry else { return };
        dir.users -= 1;
        if dir.users > 0 {
            return;
        }
        if let Some(fd) = dir.fd.take() {
            self.open -= 1;
            self.retired.push(fd);
        }
        *entry = None;
        self.free.push(id.0);
    }

    /// Path beneath its base.
    pub(crate) fn path(&self, id: DirId) -> &[u8] {
        match self.slots.get(id.0 as usize) {
            Some(Some(dir)) => &dir.path,
            _ => b"",
        }
    }

    /// Base and path of the directory `name` in `parent`.
    pub(crate) fn below(&self, parent: DirId, name: &[u8]) -> (Fd, Vec<u8>) {
        match self.slots.get(parent.0 as usize) {
            Some(Some(dir)) => (dir.base, join(&dir.path, name)),
            _ => (Fd(-1), name.to_vec()),
        }
    }

    /// Its descriptor, opened when it has none. Good until the next [`Dirs::settle`], so that one batch of
    /// acts may name many directories.
    ///
    /// # Errors
    /// What the open said.
    pub(crate) fn fd<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, id: DirId) -> Result<Fd, Errno> {
        let Some(Some(dir)) = self.slots.get_mut(id.0 as usize) else { return Err(Errno::NOENT) };
        dir.warm = true;
        if let Some(fd) = dir.fd {
            return Ok(fd);
        }
        let (base, path) = (dir.base, dir.path.clone());
        self.make_room(id);
        let path = RelPath::new(&path).map_err(|_| Errno::INVAL)?;
        let fd = core.open(|batch| {
            let path = batch.path(path);
            Act::Open { dir: base, path, how: How::Directory }
        })?;
        self.open += 1;
        if let Some(Some(dir)) = self.slots.get_mut(id.0 as usize) {
            dir.fd = Some(fd);
        }
        Ok(fd)
    }

    /// Its descriptor, which stays open until it is loosened or has no user: operations may be in flight on
    /// it, and its own mode may meanwhile lock its owner out.
    ///
    /// # Errors
    /// What the open said.
    pub(crate) fn hold<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, id: DirId) -> Result<Fd, Errno> {
        let fd = self.fd(core, id)?;
        if let Some(Some(dir)) = self.slots.get_mut(id.0 as usize) {
            dir.held = true;
        }
        Ok(fd)
    }

    /// The descriptor may be closed again.
    pub(crate) fn loosen(&mut self, id: DirId) {
        if let Some(Some(dir)) = self.slots.get_mut(id.0 as usize) {
            dir.held = false;
        }
    }

    /// Its descriptor for an operation, open until that one's [`Dirs::unpin`].
    ///
    /// # Errors
    /// What the open said.
    pub(crate) fn pin<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>, id: DirId) -> Result<Fd, Errno> {
        let fd = self.fd(core, id)?;
        if let Some(Some(dir)) = self.slots.get_mut(id.0 as usize) {
            dir.pins += 1;
            dir.users += 1;
        }
        Ok(fd)
    }

    /// One operation that named it has ended.
    pub(crate) fn unpin(&mut self, id: DirId) {
        if let Some(Some(dir)) = self.slots.get_mut(id.0 as usize) {
            dir.pins -= 1;
        }
        self.release(id);
    }

    /// Gives descriptors up, the least used first, until one more fits. Held ones stay, even above the budget.
    fn make_room(&mut self, keep: DirId) {
        let mut steps = self.slots.len() * 2;
        while self.open >= self.open_max && steps > 0 {
            steps -= 1;
            self.hand = (self.hand + 1) % self.slots.len();
            if self.hand == keep.0 as usize {
                continue;
            }
            let Some(dir) = &mut self.slots[self.hand] else { continue };
            if dir.held || dir.pins > 0 || core::mem::take(&mut dir.warm) {
                continue;
            }
            if let Some(fd) = dir.fd.take() {
                self.open -= 1;
                self.retired.push(fd);
            }
        }
    }

    /// Closes descriptors that went out of use. No batch of acts is being filled, and no operation is in
    /// flight on a descriptor that was not held.
    pub(crate) fn settle<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        for fd in self.retired.drain(..) {
            core.close_now(fd);
        }
    }

    /// Closes everything.
    pub(crate) fn clear<I: Io, H: Hooks>(&mut self, core: &mut Core<I, H>) {
        for dir in self.slots.drain(..).flatten() {
            if let Some(fd) = dir.fd {
                core.close_now(fd);
            }
        }
        self.settle(core);
        self.free.clear();
        self.open = 0;
    }
}
