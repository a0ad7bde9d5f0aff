use super::*;
use crate::wire::{Flags, full_chunk_payload_bytes};
use alloc::vec;
use base::ids::{ChunkIndex, FileIndex, Value};

const PLAIN: [u8; 2] = [0, 0];

fn pair(limits: &Limits) -> (Sealer, Opener) {
    let secret = || Secret::new([9; 32]);
    (
        Sealer::new(Suite::Aes256Gcm, secret(), limits, Now::default()),
        Opener::new(Suite::Aes256Gcm, secret(), limits),
    )
}

fn open(opener: &mut Opener, frame: &[u8]) -> Result<(Opened, Vec<u8>), RecordError> {
    let mut header = [0; HEADER_BYTES];
    header.copy_from_slice(&frame[..HEADER_BYTES]);
    let mut payload = frame[HEADER_BYTES..].to_vec();
    let opened = opener.open(&header, &mut payload)?;
    payload.truncate(opened.data_len as usize);
    Ok((opened, payload))
}

// proves: E2 E3
#[test]
fn a_full_chunk_is_sealed_and_opened_in_its_slot() {
    let limits = Limits::DEFAULT;
    let (mut sealer, mut opener) = pair(&limits);
    let mut slot = vec![0; limits.buffer_bytes as usize];
    slot[DATA_AT as usize..][..limits.record_bytes as usize].fill(0xab);
    let trailer = ChunkTrailer {
        value: Value([1; 32]),
        transfer: 1,
        file: FileIndex(2),
        chunk: ChunkIndex(3),
        offset: 0,
        run: 0,
        flags: Flags::LAST,
    };
    let (at, len) = sealer.seal(FrameType::Chunk, &mut slot, limits.record_bytes, &trailer.encode()).unwrap();
    assert_eq!((at, len), (HEADER_AT, full_chunk_payload_bytes(limits.record_bytes) + 12));
    let frame = slot[at as usize..(at + len) as usize].to_vec();
    assert!(frame.windows(64).all(|window| window != [0xab; 64]));
    let (opened, data) = open(&mut opener, &frame).unwrap();
    assert_eq!(opened.chunk(), Some(&trailer));
    assert_eq!(data, vec![0xab; limits.record_bytes as usize]);
}

// proves: C13
#[test]
fn replayed_reordered_and_reflected_records_do_not_open() {
    let (mut sealer, mut opener) = pair(&Limits::DEFAULT);
    let first = sealer.seal_vec(FrameType::Ping, b"1", &PLAIN).unwrap();
    let second = sealer.seal_vec(FrameType::Ping, b"2", &PLAIN).unwrap();
    assert!(open(&mut opener, &first).is_ok());
    assert_eq!(open(&mut opener, &first).unwrap_err(), RecordError::Forged);
    let third = sealer.seal_vec(FrameType::Ping, b"3", &PLAIN).unwrap();
    assert_eq!(open(&mut opener, &third).unwrap_err(), RecordError::Forged, "a broken opener stays broken");
    let (_, mut opener) = pair(&Limits::DEFAULT);
    assert_eq!(open(&mut opener, &second).unwrap_err(), RecordError::Forged, "the first record was dropped");
}

#[test]
fn every_flipped_bit_is_noticed() {
    let (mut sealer, _) = pair(&Limits::TINY);
    let frame = sealer.seal_vec(FrameType::Control, b"hello", &PLAIN).unwrap();
    for bit in 0..frame.len() * 8 {
        let (_, mut opener) = pair(&Limits::TINY);
        let mut bad = frame.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(open(&mut opener, &bad).is_err(), "bit {bit}");
    }
}

// proves: C15
#[test]
fn keys_change_in_both_ends_and_old_records_are_dead() {
    let limits = Limits::TINY;
    let (mut sealer, mut opener) = pair(&limits);
    let start = Now::default();
    for _ in 0..limits.rekey_controls_max {
        assert!(!sealer.wants_rekey(start));
        let frame = sealer.seal_vec(FrameType::Control, b"x", &PLAIN).unwrap();
        open(&mut opener, &frame).unwrap();
    }
    assert!(sealer.wants_rekey(start));
    let update = sealer.rekey(start).unwrap();
    assert!(!sealer.wants_rekey(start));
    assert_eq!(open(&mut opener, &update).unwrap().0.kind, FrameType::KeyUpdate);
    opener.on_key_update();
    let after = sealer.seal_vec(FrameType::Control, b"y", &PLAIN).unwrap();
    assert_eq!(open(&mut opener, &after).unwrap().1, b"y");
    let (_, mut old) = pair(&limits);
    open(&mut old, &sealer_first_frame()).unwrap();
    assert_eq!(open(&mut old, &after).unwrap_err(), RecordError::Forged);
}

fn sealer_first_frame() -> Vec<u8> {
    pair(&Limits::TINY).0.seal_vec(FrameType::Control, b"x", &PLAIN).unwrap()
}

#[test]
fn records_bytes_and_age_each_ask_for_new_keys() {
    let limits = Limits::TINY;
    let start = Now::default();
    let (mut sealer, _) = pair(&limits);
    for _ in 0..limits.rekey_records_max {
        assert!(!sealer.wants_rekey(start));
        sealer.seal_vec(FrameType::Ping, b"", &PLAIN).unwrap();
    }
    assert!(sealer.wants_rekey(start));
    let (mut sealer, _) = pair(&Limits { rekey_records_max: 1 << 20, ..Limits::TINY });
    while sealer.bytes < limits.rekey_bytes_max {
        assert!(!sealer.wants_rekey(start));
        sealer.seal_vec(FrameType::Ping, &[0; 1000], &PLAIN).unwrap();
    }
    assert!(sealer.wants_rekey(start));
    let (sealer, _) = pair(&limits);
    assert!(sealer.wants_rekey(Now { mono_ns: limits.rekey_ms * 1_000_000, utc_ms: 0 }));
}

#[test]
fn the_end_of_a_key_is_refused() {
    let (mut sealer, _) = pair(&Limits::DEFAULT);
    sealer.direction.sequence = RECORDS_PER_KEY_MAX;
    assert_eq!(sealer.seal_vec(FrameType::Ping, b"", &PLAIN), Err(RecordError::Exhausted));
    assert!(sealer.rekey(Now::default()).is_err());
}

#[test]
fn what_does_not_fit_a_record_is_refused_before_it_is_touched() {
    let (mut sealer, mut opener) = pair(&Limits::TINY);
    let most = payload_bytes_max(&Limits::TINY) as usize - TAG_BYTES - 2;
    assert!(matches!(
        sealer.seal_vec(FrameType::Ping, &vec![0; most + 1], &PLAIN),
        Err(RecordError::TooLong { .. })
    ));
    let frame = sealer.seal_vec(FrameType::Ping, &vec![0; most], &PLAIN).unwrap();
    assert_eq!(open(&mut opener, &frame).unwrap().1.len(), most);
    for cut in [0, 1, 17] {
        let header = Header { kind: FrameType::Ping, length: cut }.encode();
        let (_, mut opener) = pair(&Limits::TINY);
        let mut payload = vec![0; cut as usize];
        assert!(matches!(
            opener.open(&header, &mut payload),
            Err(RecordError::Wire(WireError::Truncated { .. }))
        ));
    }
}
