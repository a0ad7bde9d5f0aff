//! An Auth whose record opened and whose items are wrong: what a peer that holds the handshake keys, and
//! not the device key it claims, can send.

use super::super::auth::{self, Check};
use super::super::schedule::Transcript;
use super::*;
use crate::wire::WireError;
use proptest::prelude::*;

fn transcript() -> Transcript {
    let mut transcript = Transcript::new();
    transcript.add(1, b"hello");
    transcript
}

fn fin_key() -> Secret {
    Secret::new([8; 32])
}

fn written(certified: bool) -> Vec<u8> {
    let config = Side::new(1).config();
    let certificate = config.certificate.as_ref().filter(|_| certified);
    let caps = Caps::new(&config, false, START.utc_ms);
    auth::write(&config, Role::Initiator, &caps, certificate, &mut transcript(), &fin_key())
}

fn read(data: &[u8], certified: bool) -> Result<(Caps, Option<Certificate>), HandshakeError> {
    let config = Side::new(2).config();
    let (role, fin_key, utc_ms) = (Role::Initiator, fin_key(), START.utc_ms);
    let check = Check { config: &config, role, certified, expect: None, fin_key, utc_ms };
    check.read(data, &mut transcript()).map(|proven| (proven.caps, proven.certificate))
}

#[test]
fn every_byte_of_the_items_counts() {
    for certified in [false, true] {
        let good = written(certified);
        let (caps, certificate) = read(&good, certified).unwrap();
        assert_eq!((caps.utc_ms, certificate.is_some()), (START.utc_ms, certified));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(read(&bad, certified).is_err(), "byte {at}");
            assert!(read(&good[..at], certified).is_err(), "cut at {at}");
        }
        assert_eq!(read(&[&good[..], &[0]].concat(), certified), Err(WireError::Trailing(1).into()));
        assert!(read(&good, !certified).is_err(), "items that were not asked for, or are missing");
    }
}

#[test]
fn a_fin_is_only_right_under_its_key() {
    for certified in [false, true] {
        let mut bad = written(certified);
        *bad.last_mut().unwrap() ^= 1;
        assert_eq!(read(&bad, certified), Err(HandshakeError::Finished));
    }
}

#[test]
fn what_a_later_version_adds_to_caps_is_ignored_and_covered() {
    let mut caps = written(false)[4..4 + 43].to_vec();
    caps.extend_from_slice(b"more");
    let mut transcript = transcript();
    transcript.add(3, &caps);
    let fin = fin_key().mac(&transcript.hash());
    let mut data = [&[3, 0, 0, 47][..], &caps, &[6, 0, 0, 32], &fin].concat();
    assert_eq!(read(&data, false).unwrap().0.utc_ms, START.utc_ms);
    data[4 + 43] ^= 1;
    assert_eq!(read(&data, false), Err(HandshakeError::Finished));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_items_never_panic(data in prop::collection::vec(any::<u8>(), 0..600), certified in any::<bool>()) {
        prop_assert!(read(&data, certified).is_err());
    }
}
