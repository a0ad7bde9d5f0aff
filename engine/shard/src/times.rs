//! Where the time of a transfer goes at its other end, told while it runs: else a slow disk there would be named only
//! at the end.

use crate::links::{Links, MS};
use crate::send::TransferKey;
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Hooks, STAGES, StageTimes};
use base::io::Io;
use proto::transfer::times::Times;
use proto::wire::FrameType;

/// What the ends of one transfer told each other.
#[derive(Default)]
pub(crate) struct BothTimes {
    /// What the peer said last, since the transfer began.
    theirs: StageTimes,
    /// What it was told last.
    told: [u32; STAGES],
    /// When it may be told again, monotonic ns.
    due_ns: u64,
}

impl BothTimes {
    /// Time per stage of both ends.
    pub(crate) fn beside(&self, own: &StageTimes) -> StageTimes {
        let mut both = *own;
        both.merge(&self.theirs);
        both
    }

    /// The peer's times came with something else.
    pub(crate) fn heard(&mut self, stages_ms: [u32; STAGES]) {
        self.theirs = StageTimes::of_millis(stages_ms);
    }

    /// A Times message came.
    ///
    /// # Errors
    /// It is malformed.
    pub(crate) fn on_times(&mut self, data: &[u8]) -> Result<(), Code> {
        let times = Times::parse(data).map_err(|error| error.code())?;
        self.heard(times.stages_ms);
        Ok(())
    }

    /// Tells the peer, where there is something to tell and it was not told just now.
    pub(crate) fn tell<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        key: TransferKey,
        own: &StageTimes,
    ) where
        I::Buf: AsRef<[u8]> + AsMut<[u8]>,
    {
        let now_ns = core.now.mono_ns;
        if now_ns < self.due_ns || links.is_backed_up(core, key.link) {
            return;
        }
        self.due_ns = now_ns + core.settings.limits.times_ms * MS;
        let stages_ms = own.millis();
        if core::mem::replace(&mut self.told, stages_ms) != stages_ms {
            let times = Times { transfer: key.number, stages_ms };
            links.send_bytes(core, key.link, FrameType::Times, &times.encode());
        }
    }
}
