//! What the records of one transfer journal amount to.

use super::RollForward;
use crate::journal::{Committing, Record};
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

/// Batches that were begun and not done, and the receipt.
#[derive(Clone, Default, Debug)]
pub struct TransferJournal {
    open: BTreeMap<u32, Vec<Committing>>,
    receipt: Option<Vec<u8>>,
}

impl TransferJournal {
    /// Before the first record.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next record of the scan.
    pub fn apply(&mut self, record: Record) {
        match record {
            Record::Committing(piece) => self.open.entry(piece.batch).or_default().push(piece),
            Record::Done { batch } => {
                self.open.remove(&batch);
            }
            Record::Receipt(bytes) => self.receipt = Some(bytes),
            Record::Begin(_) | Record::Received(_) | Record::Durable { .. } => {}
            Record::Torn { .. } | Record::Whole { .. } | Record::Staging(_) => {}
        }
    }

    /// The signed receipt, once there is one: asked again, it is what is answered.
    pub fn receipt(&self) -> Option<&[u8]> {
        self.receipt.as_deref()
    }

    /// Whether nothing is left to do for it.
    pub fn is_settled(&self) -> bool {
        self.open.is_empty()
    }

    /// Finishes what was begun.
    pub fn roll_forward(self) -> RollForward {
        RollForward::new(self.open)
    }
}
