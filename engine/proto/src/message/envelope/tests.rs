use super::*;
use bson::doc;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

fn envelope() -> Envelope {
    Envelope {
        kind: "xferd.list".into(),
        id: MessageId::from_random([7; 16]),
        utc_ms: 1_700_000_000_000,
        reply_to: None,
        metadata: Some(Bytes::from_static(b"meta")),
        payload: Some(Bytes::from_static(b"payload")),
        signed: None,
    }
}

fn decode(bytes: Vec<u8>) -> Result<Envelope, EnvelopeError> {
    Envelope::decode(&bytes.into(), &Limits::DEFAULT)
}

// proves: V1 L12
#[test]
fn envelopes_round_trip_and_carry_what_the_documents_name() {
    let envelope = envelope();
    let bytes = envelope.encode();
    assert_eq!(decode(bytes.clone()), Ok(envelope.clone()));
    let document = bson::Document::from_reader(&bytes[..]).unwrap();
    let header = document.get_document("header").unwrap();
    for key in ["version", "type", "timestamp", "integrity_check"] {
        assert!(header.contains_key(key), "{key}");
    }
    let bare = Envelope { metadata: None, payload: None, reply_to: Some(MessageId([1; 16])), ..envelope };
    assert_eq!(decode(bare.encode()), Ok(bare));
}

#[test]
fn payload_and_metadata_are_not_copied() {
    let bytes = Bytes::from(envelope().encode());
    let decoded = Envelope::decode(&bytes, &Limits::DEFAULT).unwrap();
    let range = bytes.as_ptr_range();
    assert!(range.contains(&decoded.payload.unwrap().as_ptr()));
    assert!(range.contains(&decoded.metadata.unwrap().as_ptr()));
}

#[test]
fn an_altered_payload_is_noticed() {
    let mut bytes = envelope().encode();
    assert!(bytes.ends_with(b"payload\0"), "the payload stands last");
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    assert_eq!(decode(bytes), Err(EnvelopeError::Integrity));
}

#[test]
fn missing_unknown_and_mistyped_keys_are_named() {
    let good = bson::Document::from_reader(&envelope().encode()[..]).unwrap();
    let change = |edit: &dyn Fn(&mut bson::Document)| {
        let mut bad = good.clone();
        edit(bad.get_document_mut("header").unwrap());
        decode(bad.to_vec().unwrap()).unwrap_err()
    };
    assert_eq!(change(&|header| drop(header.remove("type"))), EnvelopeError::Field("type"));
    assert_eq!(change(&|header| drop(header.remove("id"))), EnvelopeError::Field("id"));
    assert_eq!(change(&|header| drop(header.remove("timestamp"))), EnvelopeError::Field("timestamp"));
    assert_eq!(change(&|header| drop(header.remove("version"))), EnvelopeError::Field("version"));
    assert_eq!(change(&|header| drop(header.insert("version", 2))), EnvelopeError::Version(2));
    assert_eq!(change(&|header| drop(header.insert("type", 5))), EnvelopeError::Field("type"));
    assert_eq!(change(&|header| drop(header.insert("type", "a\nb"))), EnvelopeError::Field("type"));
    assert_eq!(change(&|header| drop(header.insert("type", "x".repeat(65)))), EnvelopeError::Field("type"));
    assert_eq!(change(&|header| drop(header.insert("extra", 1))), EnvelopeError::Field("key"));
    assert_eq!(change(&|header| drop(header.insert("id", "text"))), EnvelopeError::Field("id"));
    assert_eq!(decode(doc! { "payload": 1 }.to_vec().unwrap()), Err(EnvelopeError::Field("payload")));
    assert_eq!(decode(doc! {}.to_vec().unwrap()), Err(EnvelopeError::Field("header")));
}

#[test]
fn the_limit_of_a_message_holds() {
    let large = Envelope { payload: Some(Bytes::from(alloc::vec![0; 4096])), ..envelope() };
    let bytes = Bytes::from(large.encode());
    assert!(bytes.len() <= 4096 + 4 + OVERHEAD_BYTES_MAX);
    let refused = Envelope::decode(&bytes, &Limits::TINY).unwrap_err();
    assert_eq!((refused.code(), Envelope::decode(&bytes, &Limits::DEFAULT)), (Code::TooLarge, Ok(large)));
}

// proves: L12
#[test]
fn what_outlives_a_session_is_signed_by_its_source() {
    let key = SigningKey::from_bytes(&[4; 32]);
    let public = key.verifying_key().to_bytes();
    let source = Source { device: crate::session::certificate::device_id(&public), name: "laptop".into() };
    let mut mail = envelope();
    assert_eq!(mail.verify(&public), Err(EnvelopeError::Signature));
    mail.sign(&key, source.clone());
    let decoded = decode(mail.encode()).unwrap();
    assert_eq!(decoded.verify(&public), Ok(&source));
    let other = SigningKey::from_bytes(&[5; 32]).verifying_key().to_bytes();
    assert_eq!(decoded.verify(&other), Err(EnvelopeError::Signature));
    let changes: [&dyn Fn(&mut Envelope); 7] = [
        &|m| m.kind = "xferd.remove".into(),
        &|m| m.id.0[0] ^= 1,
        &|m| m.utc_ms += 1,
        &|m| m.reply_to = Some(MessageId([0; 16])),
        &|m| m.metadata = None,
        &|m| m.payload = Some(Bytes::from_static(b"other")),
        &|m| m.signed.as_mut().unwrap().0.name = "server".into(),
    ];
    for (index, change) in changes.iter().enumerate() {
        let mut altered = mail.clone();
        change(&mut altered);
        let altered = decode(altered.encode()).unwrap();
        assert_eq!(altered.verify(&public), Err(EnvelopeError::Signature), "change {index}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn altered_envelopes_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..11)
    ) {
        let mut bytes = envelope().encode();
        for (at, value) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        if let Ok(decoded) = decode(bytes) {
            prop_assert_eq!(decode(decoded.encode()), Ok(decoded));
        }
    }
}
