//! How much an acknowledgement promises.

/// How safe published files are; a higher value includes the lower ones, so the stricter of two wishes is
/// their maximum. The numbers are those of Offer and Receipt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Durability {
    /// Whole files under their names while the system lives; nothing is synced.
    None = 0,
    /// Each file is durable when it is acknowledged, one by one.
    File = 1,
    /// The same promise, batch by batch.
    Tree = 2,
}

impl Durability {
    const ALL: [Self; 3] = [Self::None, Self::File, Self::Tree];

    /// Its name in requests, on command lines and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::File => "file",
            Self::Tree => "tree",
        }
    }

    /// The level with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.name() == name)
    }

    /// The level a byte of a message or journal stands for.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| *level as u8 == byte)
    }

    /// Whether anything is synced.
    pub fn syncs(self) -> bool {
        self != Self::None
    }
}
