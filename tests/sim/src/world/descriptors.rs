//! The descriptors of one process, shared by its cores.
//!
//! A number is never given out twice, so that a use after close is seen and not mistaken for another file.
//! Operations in flight hold what they work on, as the kernel does: a close takes the number away, the
//! file or socket ends with its last operation.

use crate::disk::{EBADF, Ino};
use crate::net::Socket;
use base::io::{Errno, Fd};
use std::collections::{BTreeMap, VecDeque};

/// The first number given out: after the standard streams.
const FIRST: i32 = 3;

/// What a descriptor stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Object {
    File { ino: Ino, write: bool },
    Socket(Socket),
    Listener(u64),
}

/// Names not listed yet: kind byte and name.
type Cursor = VecDeque<(u8, Vec<u8>)>;

#[derive(Debug)]
struct Description {
    refs: u32,
    object: Object,
    cursor: Option<Cursor>,
}

/// One process's table.
#[derive(Debug)]
pub(crate) struct Descriptors {
    numbers: BTreeMap<i32, u64>,
    open: BTreeMap<u64, Description>,
    next_number: i32,
    max: u32,
}

impl Descriptors {
    pub(crate) fn new(max: u32) -> Self {
        Self { numbers: BTreeMap::new(), open: BTreeMap::new(), next_number: FIRST, max }
    }

    /// Whether another one may be opened.
    pub(crate) fn room(&self) -> Result<(), Errno> {
        if (self.numbers.len() as u32) < self.max { Ok(()) } else { Err(Errno::MFILE) }
    }

    pub(crate) fn add(&mut self, object: Object, id: u64) -> Fd {
        let number = self.next_number;
        self.next_number += 1;
        self.numbers.insert(number, id);
        self.open.insert(id, Description { refs: 1, object, cursor: None });
        Fd(number)
    }

    /// What a number stands for, and the identity of its opening.
    pub(crate) fn find(&self, fd: Fd) -> Result<(u64, Object), Errno> {
        let id = self.numbers.get(&fd.0).ok_or(EBADF)?;
        Ok((*id, self.open[id].object))
    }

    /// An operation holds it.
    pub(crate) fn hold(&mut self, id: u64) {
        if let Some(one) = self.open.get_mut(&id) {
            one.refs += 1;
        }
    }

    /// A holder lets go; the object when it was the last one.
    pub(crate) fn let_go(&mut self, id: u64) -> Option<Object> {
        let one = self.open.get_mut(&id)?;
        one.refs -= 1;
        if one.refs > 0 {
            return None;
        }
        self.open.remove(&id).map(|one| one.object)
    }

    /// Takes a number away: the identity of its opening.
    pub(crate) fn remove(&mut self, fd: Fd) -> Result<u64, Errno> {
        self.numbers.remove(&fd.0).ok_or(EBADF)
    }

    /// Where a listing of this opening stands.
    pub(crate) fn cursor(&mut self, id: u64) -> Option<&mut Option<Cursor>> {
        self.open.get_mut(&id).map(|one| &mut one.cursor)
    }

    /// The process ends: everything it had open.
    pub(crate) fn take_all(&mut self) -> Vec<Object> {
        self.numbers.clear();
        std::mem::take(&mut self.open).into_values().map(|one| one.object).collect()
    }

    pub(crate) fn count(&self) -> u32 {
        self.numbers.len() as u32
    }
}
