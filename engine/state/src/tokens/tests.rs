//! Single use, under races and at every crash point.

use super::*;
use crate::dir::StateDir;
use crate::store::tests::store;
use crate::thread::{AskError, StoreThread};
use base::limits::Limits;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier};

const TOKEN: PskId = PskId([1; 16]);
const NOW_MS: u64 = 1_000_000;
const EXPIRES_MS: u64 = NOW_MS + 1000;

fn device(number: u8) -> DeviceId {
    DeviceId([number; 32])
}

fn issue(store: &mut Store) {
    let token = NewToken { psk_id: TOKEN, secret: &[9; 32], account: "alice", expires_ms: EXPIRES_MS };
    store.issue_token(&token, NOW_MS).unwrap();
}

fn make(grant: &Grant<'_>) -> Result<Issued, Code> {
    assert_eq!(grant.account, "alice");
    let certificate = format!("{} {}", grant.serial, grant.device).into_bytes();
    Ok(Issued { certificate, not_after_ms: u64::MAX })
}

fn redeem(store: &mut Store, number: u8, now_ms: u64) -> Result<Redeemed, TokenError> {
    let joiner = Joiner { psk_id: TOKEN, device: device(number), name: "laptop" };
    store.redeem(&joiner, now_ms, &|_| {}, make)
}

// proves: O1
#[test]
fn a_token_serves_one_device_and_that_one_again() {
    let (_home, mut store) = store(&Limits::TINY);
    issue(&mut store);
    assert_eq!(store.psk(TOKEN, NOW_MS).unwrap().unwrap().secret, [9; 32]);
    let first = redeem(&mut store, 1, NOW_MS).unwrap();
    assert!(!first.again);
    assert!(matches!(redeem(&mut store, 2, NOW_MS), Err(TokenError::Used { by }) if by == device(1)));
    let again = redeem(&mut store, 1, NOW_MS + 1).unwrap();
    assert!(again.again);
    assert_eq!((again.certificate, again.account.as_str()), (first.certificate, "alice"));
    assert!(store.psk(TOKEN, NOW_MS + 1).unwrap().is_some(), "a lost reply can be asked for again");
    let error = redeem(&mut store, 1, EXPIRES_MS).unwrap_err();
    assert!(matches!(error, TokenError::Expired { expires_ms: EXPIRES_MS }));
    assert_eq!(error.code(), Code::InvalidToken);
    assert!(store.psk(TOKEN, EXPIRES_MS).unwrap().is_none());
    assert_eq!(store.sweep_tokens(EXPIRES_MS).unwrap(), 1);
    assert!(matches!(redeem(&mut store, 1, NOW_MS), Err(TokenError::Unknown)));
}

#[test]
fn a_token_cannot_live_longer_than_the_bound() {
    let (_home, mut store) = store(&Limits::TINY);
    let expires_ms = NOW_MS + Limits::TINY.token_ttl_ms_max + 1;
    let token = NewToken { psk_id: TOKEN, secret: &[9; 32], account: "alice", expires_ms };
    assert!(matches!(store.issue_token(&token, NOW_MS), Err(TokenError::TooLong { ttl_ms_max: 1000 })));
}

#[test]
fn a_certificate_that_cannot_be_made_leaves_the_token_unspent() {
    let (_home, mut store) = store(&Limits::TINY);
    issue(&mut store);
    let joiner = Joiner { psk_id: TOKEN, device: device(1), name: "laptop" };
    let error = store.redeem(&joiner, NOW_MS, &|_| {}, |_| Err(Code::Unavailable)).unwrap_err();
    assert!(matches!(error, TokenError::NotIssued(Code::Unavailable)));
    assert!(!redeem(&mut store, 2, NOW_MS).unwrap().again);
}

#[test]
fn a_revoked_device_gets_nothing() {
    let (_home, mut store) = store(&Limits::TINY);
    issue(&mut store);
    redeem(&mut store, 1, NOW_MS).unwrap();
    assert!(store.revoke_device(device(1), NOW_MS).unwrap());
    assert_eq!(redeem(&mut store, 1, NOW_MS).unwrap_err().code(), Code::Revoked);
}

// proves: O1
#[test]
fn of_a_hundred_racers_on_one_token_exactly_one_is_enrolled() {
    for limits in [Limits::DEFAULT, Limits::TINY] {
        let (_home, mut store) = store(&limits);
        issue(&mut store);
        let thread = StoreThread::start(store, &limits).unwrap();
        let start = Barrier::new(100);
        let won = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for number in 0..100 {
                let (handle, start, won) = (thread.handle(), &start, &won);
                scope.spawn(move || {
                    start.wait();
                    let pending = loop {
                        match handle.call(move |store| redeem(store, number, NOW_MS)) {
                            Ok(pending) => break pending,
                            Err(AskError::Busy) => std::thread::yield_now(),
                            Err(AskError::Gone) => panic!("the store thread lives"),
                        }
                    };
                    match pending.wait().expect("answered") {
                        Ok(redeemed) => {
                            assert!(!redeemed.again);
                            won.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(error) => assert!(matches!(error, TokenError::Used { .. }), "{error}"),
                    }
                });
            }
        });
        assert_eq!(won.into_inner(), 1);
        let mut store = thread.stop().expect("no panic in it");
        assert_eq!(store.devices(None, 100).unwrap().len(), 1);
        assert_eq!(store.next_serial().unwrap(), 2, "one certificate was made");
    }
}

/// What a kill at this moment leaves: the databases as the kernel holds them, without what SQLite has in
/// memory.
fn image(from: &Path, to: &Path) {
    drop(StateDir::open(to).unwrap());
    for name in ["state.db", "state.db-wal"] {
        std::fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[test]
fn a_kill_at_each_point_leaves_the_token_unspent_or_the_certificate_at_hand() {
    for (point, spent) in [(Point::TokenUsed, false), (Point::CertificateStored, true)] {
        let (home, mut store) = store(&Limits::TINY);
        issue(&mut store);
        let killed = home.path().join("killed");
        let seen = std::cell::Cell::new(false);
        let joiner = Joiner { psk_id: TOKEN, device: device(1), name: "laptop" };
        let kill = |passed| {
            if passed == point {
                image(&home.path().join("s"), &killed);
                seen.set(true);
            }
        };
        let told = store.redeem(&joiner, NOW_MS, &kill, make).unwrap();
        assert!(seen.get());

        let dir = Arc::new(StateDir::open(&killed).unwrap());
        let mut after = Store::open(dir, &Limits::TINY).unwrap();
        assert_eq!(after.device(device(1)).unwrap().is_some(), spent);
        if spent {
            assert!(matches!(redeem(&mut after, 2, NOW_MS), Err(TokenError::Used { .. })));
            let again = redeem(&mut after, 1, NOW_MS).unwrap();
            assert_eq!((again.again, again.certificate), (true, told.certificate));
        } else {
            assert!(!redeem(&mut after, 2, NOW_MS).unwrap().again, "anybody may use it");
        }
    }
}

#[test]
fn a_panic_between_the_points_rolls_back() {
    let (_home, mut store) = store(&Limits::TINY);
    issue(&mut store);
    let joiner = Joiner { psk_id: TOKEN, device: device(1), name: "laptop" };
    let fall = std::panic::AssertUnwindSafe(|| {
        store.redeem(&joiner, NOW_MS, &|_| panic!("planted"), make).map(|_| ()).unwrap();
    });
    assert!(std::panic::catch_unwind(fall).is_err());
    assert!(!redeem(&mut store, 2, NOW_MS).unwrap().again);
}
