//! A device joins a hub: token, request, one transaction in the store, reply.
#![allow(clippy::unwrap_used, reason = "clippy sees tests only in functions that are marked so")]

use base::codes::Code;
use base::ids::{DeviceId, SessionId};
use base::limits::Limits;
use identity::{Address, DeviceKey, Hub, JoinReply, JoinRequest, JoinToken, TrustStore};
use state::{Grant, Issued, Joiner, NewToken, StateDir, Store, TokenError};
use std::path::Path;
use std::sync::Arc;

const NOW_MS: u64 = 1_700_000_000_000;
const SESSION: SessionId = SessionId([5; 32]);
const LIMITS: Limits = Limits::TINY;

struct Daemon {
    hub: Hub,
    store: Store,
}

impl Daemon {
    fn start(state: &Path) -> Self {
        let dir = Arc::new(StateDir::open(state).unwrap());
        let mut store = Store::open(dir, &LIMITS).unwrap();
        let mut hub = Hub::open_or_create(state, "lab", NOW_MS, &LIMITS, &|_| {}).unwrap();
        if hub.certificate_due(NOW_MS) {
            let serial = store.next_serial().unwrap();
            hub.certify(serial, "hub", NOW_MS, &LIMITS).unwrap();
        }
        Self { hub, store }
    }

    fn invite(&mut self) -> String {
        let address = Address::parse("127.0.0.1:7440", &LIMITS).unwrap();
        let hub = self.hub.key.device_id();
        let token = JoinToken::generate(hub, "alice", &[address], NOW_MS + 1000, &LIMITS).unwrap();
        let (psk_id, secret) = (token.psk_id(), token.secret().expose());
        let row = NewToken { psk_id, secret, account: token.account(), expires_ms: token.expires_ms() };
        self.store.issue_token(&row, NOW_MS).unwrap();
        token.encode().to_string()
    }

    fn answer(&mut self, token: &JoinToken, request: &[u8]) -> Result<Vec<u8>, TokenError> {
        let request = JoinRequest::verify(request, &SESSION).unwrap();
        let joiner = Joiner { psk_id: token.psk_id(), device: request.device(), name: &request.name };
        let authority = &self.hub.authority;
        let make = |grant: &Grant<'_>| {
            let made = authority.issue(grant.serial, &request.public_key, grant.account, NOW_MS, &LIMITS);
            let certificate = made.map_err(|error| error.code())?;
            let not_after_ms = certificate.claim().not_after;
            Ok(Issued { certificate: certificate.encode().to_vec(), not_after_ms })
        };
        let redeemed = self.store.redeem(&joiner, NOW_MS, &|_| {}, make)?;
        Ok(JoinReply::encode(&redeemed.certificate, authority.root(), "lab").unwrap())
    }
}

// proves: V2 O1
#[test]
fn a_device_joins_once_and_gets_the_same_certificate_after_a_lost_reply_and_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let (hub_state, state) = (home.path().join("hub"), home.path().join("client"));
    let mut daemon = Daemon::start(&hub_state);
    let text = daemon.invite();

    let client = StateDir::open_shared(&state).unwrap();
    let key = DeviceKey::load_or_create(client.path(), &|_| {}).unwrap();
    let token = JoinToken::parse(&text, &LIMITS).unwrap();
    assert_eq!(token.hub(), daemon.hub.key.device_id());
    let psk = daemon.store.psk(token.psk_id(), NOW_MS).unwrap().unwrap();
    assert_eq!(psk.secret, *token.secret().expose());

    let request = JoinRequest::sign(&key, "laptop", &SESSION).unwrap();
    let lost = daemon.answer(&token, &request).unwrap();
    drop(daemon);
    let mut daemon = Daemon::start(&hub_state);
    let bytes = daemon.answer(&token, &request).unwrap();
    assert_eq!(bytes, lost);

    let thief = JoinRequest::sign(&DeviceKey::generate(&[9; 32]), "thief", &SESSION).unwrap();
    let refused = daemon.answer(&token, &thief).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidToken);
    assert_eq!(daemon.store.devices(None, 10).unwrap().len(), 1);

    let reply = JoinReply::verify(&bytes, &key, token.account(), NOW_MS).unwrap();
    assert_eq!(reply.certificate.claim().serial, 2, "the hub's own is 1");
    let mut trust = TrustStore::open(&state, &LIMITS).unwrap();
    trust.add_root(&reply.root).unwrap();
    trust.set_certificate(&reply.certificate).unwrap();
    let trust = TrustStore::open(&state, &LIMITS).unwrap().picture();
    assert_eq!(trust.certificate(reply.root.id()), Some(&reply.certificate));
    let hub = daemon.hub.certificate().unwrap();
    let root = trust.root(hub.root()).unwrap();
    assert_eq!(hub.verify(root.public_key(), NOW_MS), Ok(()), "and so the client believes the hub");
}

// proves: O12
#[test]
fn a_revoked_device_is_on_the_next_list_and_cannot_join_again() {
    let home = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::start(&home.path().join("hub"));
    let key = DeviceKey::generate(&[2; 32]);
    let request = JoinRequest::sign(&key, "laptop", &SESSION).unwrap();
    let token = JoinToken::parse(&daemon.invite(), &LIMITS).unwrap();
    let bytes = daemon.answer(&token, &request).unwrap();
    let reply = JoinReply::verify(&bytes, &key, "alice", NOW_MS).unwrap();

    assert!(daemon.store.revoke_device(key.device_id(), NOW_MS).unwrap());
    let revoked = daemon.store.revoked_devices(NOW_MS).unwrap();
    let rows: Vec<(DeviceId, u64)> =
        revoked.iter().filter_map(|device| Some((device.device, device.revoked_ms?))).collect();
    let list = daemon.hub.authority.revoke(1, &rows, NOW_MS, &LIMITS).unwrap();
    assert!(daemon.hub.trust.apply_crl(list.root(), list.encode()).unwrap());
    assert!(list.revokes(&reply.certificate) && !list.revokes(&daemon.hub.certificate().unwrap()));

    let token = JoinToken::parse(&daemon.invite(), &LIMITS).unwrap();
    assert_eq!(daemon.answer(&token, &request).unwrap_err().code(), Code::Revoked);
}
