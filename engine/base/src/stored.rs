//! What an account stores on a share, as its publishing and removing changes it.
//!
//! ```text
//! verified ─▶ coming ─▶ may it? ─▶ rename ─▶ came          removed ─▶ gone
//! ```
//!
//! A file is told as coming before it gets its name and as having come after it: whoever counts can look at the
//! disk after a crash in between.

use crate::ids::TransferId;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// Changes of what one account stores on one share. Paths are beneath the share.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Storing {
    /// Who stores.
    pub account: Arc<str>,
    /// Name of the share.
    pub root: Arc<str>,
    /// Whose files are coming; each path of it comes once.
    pub transfer: TransferId,
    /// Most bytes that the account may store there; a file that does not add to them is never refused.
    pub bytes_max: u64,
    /// Files about to get their names.
    pub coming: Vec<Coming>,
    /// Files that were coming, and whether each got its name.
    pub came: Vec<(Box<[u8]>, bool)>,
    /// Files that are gone.
    pub gone: Vec<Box<[u8]>>,
}

/// A file about to get its name; what has that name goes with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Coming {
    /// Beneath the share.
    pub path: Box<[u8]>,
    /// Bytes of content.
    pub bytes: u64,
    /// It was written in place: it is there already and is not refused.
    pub held: bool,
}

impl Storing {
    /// Without a change.
    pub fn new(account: Arc<str>, root: Arc<str>, transfer: TransferId) -> Self {
        let (coming, came, gone) = (Vec::new(), Vec::new(), Vec::new());
        Self { account, root, transfer, bytes_max: u64::MAX, coming, came, gone }
    }

    /// How many names it speaks of.
    pub fn names(&self) -> usize {
        self.coming.len() + self.came.len() + self.gone.len()
    }
}
