//! A session that pulls: it takes every record as fast as it comes, opens it, and throws it away.

use crate::Shared;
use crate::session::{LIMITS, Session};
use base::ids::{FileIndex, TransferId};
use proto::transfer::ack::{Ack, AckRange, Level};
use proto::transfer::entries::EntriesBatch;
use proto::transfer::offer::{self, Command, Direction, Offer, Options};
use proto::transfer::order::Order;
use proto::transfer::want::{Verdict, Want};
use proto::wire::FrameType;
use std::path::Path;
use std::sync::atomic::Ordering;

/// The transfer's number in its session.
const TRANSFER: u32 = 1;

/// Connects, waits for the clock, pulls until the run is over.
pub(crate) fn pull(shared: &Shared, state: &Path) {
    let mut session = Session::open(shared.to, state);
    shared.gate.wait();
    shared.gate.wait();
    while !shared.is_over() {
        let done = session.and_then(|mut session| whole_file(shared, &mut session));
        if let Err(why) = done {
            shared.failed(format!("pull: {why}"));
            return;
        }
        // A transfer ends with a receipt that somebody signs; a session that ends needs none.
        session = Session::open(shared.to, state);
    }
}

/// Pulls the file to its end, or to the run's.
fn whole_file(shared: &Shared, session: &mut Session) -> Result<(), String> {
    let offer = Offer {
        transfer: TRANSFER,
        id: TransferId(std::array::from_fn(|index| index as u8)),
        direction: Direction::Pull,
        command: Command::Copy,
        root: "/".into(),
        paths: vec![shared.file.trim_start_matches('/').as_bytes().to_vec()],
        totals: None,
        streams: 1,
        into: true,
        options: Options::default(),
    };
    session.request(offer::PROTOCOL, offer.encode())?;
    let mut order = Order::new();
    let mut received = 0;
    while !shared.is_over() {
        let frame = session.next()?;
        match frame.kind {
            FrameType::Entries => {
                let batch = EntriesBatch::parse(session.data(&frame), LIMITS, &mut order);
                let batch = batch.map_err(|error| format!("{error:?}"))?;
                let mut want = Want::new(TRANSFER, FileIndex(batch.first));
                for _ in &batch.entries {
                    want.push(&Verdict::All, LIMITS).map_err(|error| format!("{error:?}"))?;
                }
                session.send(FrameType::Want, &want.encode())?;
            }
            FrameType::Chunk => {
                let Some(trailer) = frame.chunk else { continue };
                let bytes = session.data(&frame).len() as u64;
                received += bytes;
                shared.moved.fetch_add(bytes, Ordering::Relaxed);
                if trailer.flags.last() {
                    let mut ack = Ack::new(TRANSFER, Level::Received);
                    let range = AckRange::Chunks { file: trailer.file, first: trailer.chunk.0, count: 1 };
                    ack.push(range, LIMITS).map_err(|error| format!("{error:?}"))?;
                    ack.credit(0, received, LIMITS).map_err(|error| format!("{error:?}"))?;
                    session.send(FrameType::Ack, &ack.encode())?;
                }
            }
            FrameType::Seal => return Ok(()),
            _ => {}
        }
    }
    Ok(())
}
