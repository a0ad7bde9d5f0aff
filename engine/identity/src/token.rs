//! Join tokens: one line of text that lets one device join one hub once.
//!
//! A token ends in a checksum, so that one that was mistyped or cut is told from one that expired before any
//! connection is made. Its secret is erased when it is dropped, and it cannot be printed by accident.

use crate::address::Address;
use crate::files::{FileError, random};
use base::ids::{DeviceId, PskId};
use base::limits::Limits;
use data_encoding::BASE32_NOPAD;
use proto::session::Secret;
use proto::session::certificate::{ACCOUNT_BYTES_MAX, is_account_name};
use proto::wire::layouts::{Field, field};
use proto::wire::{Reader, WireError, Writer};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

const PREFIX: &str = "xferd1-";
const VERSION: u8 = 1;
const CHECKSUM_BYTES: usize = 4;
const FIXED_BYTES: usize = 1 + 16 + 32 + 32 + 8 + 1 + ACCOUNT_BYTES_MAX + 1 + CHECKSUM_BYTES;

pub(crate) const FIELDS: &[Field] = &[
    field("version", "u8", "1"),
    field("psk_id", "[16]", "names the secret in the handshake"),
    field("secret", "[32]", "at random"),
    field("hub", "[32]", "device id of the hub"),
    field("expires", "u64", "UTC ms"),
    field("account_len", "u8", "1 to 64"),
    field("account", "account_len bytes", "printable UTF-8"),
    field("count", "u8", "of addresses, 1 to addresses_max"),
    field("addresses", "count x {length u8, text}", "`host:port`"),
    field("checksum", "[4]", "first bytes of SHA-256 of `xferd1-` and all bytes before"),
];

/// What lets one device join one hub once.
pub struct JoinToken {
    psk_id: PskId,
    secret: Secret,
    hub: DeviceId,
    expires_ms: u64,
    account: String,
    addresses: Vec<Address>,
}

/// Why a text is no join token, or why none can be made.
#[derive(Debug)]
pub enum TokenTextError {
    /// It does not begin as one.
    NotAToken,
    /// It is longer than any.
    TooLong {
        /// Most bytes.
        bytes_max: u32,
    },
    /// It was altered or cut on its way.
    Altered,
    /// A later release made it.
    Version(u8),
    /// The account's name cannot be one.
    Account,
    /// No address, too many, or one that is none.
    Addresses {
        /// Most addresses.
        most: u32,
    },
    /// A field is not what this release writes.
    Wire(WireError),
    /// The kernel has no random bytes.
    Entropy(FileError),
}

impl fmt::Display for TokenTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAToken => {
                write!(f, "this is not a join token (one begins with {PREFIX}): make one with `xferd invite`")
            }
            Self::TooLong { bytes_max } => write!(f, "a join token has at most {bytes_max} characters"),
            Self::Altered => write!(
                f,
                "the join token was altered or cut on its way: copy it again, whole, as `xferd invite` printed it"
            ),
            Self::Version(found) => write!(f, "the join token has version {found}: update this program"),
            Self::Account => write!(f, "an account's name is 1 to {ACCOUNT_BYTES_MAX} printable bytes"),
            Self::Addresses { most } => {
                write!(f, "a join token holds 1 to {most} addresses, each `host:port`")
            }
            Self::Wire(_) => write!(f, "the join token is malformed: make another with `xferd invite`"),
            Self::Entropy(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TokenTextError {}

impl From<WireError> for TokenTextError {
    fn from(error: WireError) -> Self {
        Self::Wire(error)
    }
}

impl JoinToken {
    /// Makes a token with a random name and secret.
    ///
    /// # Errors
    /// A bad account, no address or too many, or no random bytes.
    pub fn generate(
        hub: DeviceId,
        account: &str,
        addresses: &[Address],
        expires_ms: u64,
        limits: &Limits,
    ) -> Result<Self, TokenTextError> {
        if !is_account_name(account) {
            return Err(TokenTextError::Account);
        }
        let most = limits.addresses_max;
        if addresses.is_empty() || addresses.len() > most as usize {
            return Err(TokenTextError::Addresses { most });
        }
        let psk_id = PskId(*random().map_err(TokenTextError::Entropy)?);
        let secret = Secret::new(*random().map_err(TokenTextError::Entropy)?);
        let (account, addresses) = (account.to_owned(), addresses.to_vec());
        Ok(Self { psk_id, secret, hub, expires_ms, account, addresses })
    }

    /// As text: what `xferd invite` prints.
    pub fn encode(&self) -> Zeroizing<String> {
        let addresses: usize = self.addresses.iter().map(|address| 1 + address.as_str().len()).sum();
        // Room for all of it at once: a buffer that grows would leave the secret behind.
        let mut out = Writer::with_capacity(FIXED_BYTES + addresses);
        out.u8(VERSION).bytes(&self.psk_id.0).bytes(self.secret.expose()).bytes(&self.hub.0);
        out.u64(self.expires_ms).counted8(self.account.as_bytes()).u8(self.addresses.len() as u8);
        for address in &self.addresses {
            out.counted8(address.as_str().as_bytes());
        }
        let checksum = checksum(out.as_bytes());
        out.bytes(&checksum);
        let bytes = Zeroizing::new(out.into_vec());
        let mut text =
            Zeroizing::new(String::with_capacity(PREFIX.len() + BASE32_NOPAD.encode_len(bytes.len())));
        text.push_str(PREFIX);
        BASE32_NOPAD.encode_append(&bytes, &mut text);
        text.make_ascii_lowercase();
        text
    }

    /// Reads a token; either case, white space around it is left out.
    ///
    /// # Errors
    /// It is none, was altered, or a later release made it. Never that it expired: see [`Self::is_expired`].
    pub fn parse(text: &str, limits: &Limits) -> Result<Self, TokenTextError> {
        let text = text.trim();
        let bytes_max = limits.token_text_bytes_max;
        if text.len() > bytes_max as usize {
            return Err(TokenTextError::TooLong { bytes_max });
        }
        let text = Zeroizing::new(text.to_ascii_uppercase());
        let body = text.strip_prefix("XFERD1-").ok_or(TokenTextError::NotAToken)?;
        let bytes = BASE32_NOPAD.decode(body.as_bytes()).map_err(|_| TokenTextError::Altered)?;
        let bytes = Zeroizing::new(bytes);
        let (body, sum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or(TokenTextError::Altered)?;
        if *sum != checksum(body) {
            return Err(TokenTextError::Altered);
        }
        Self::read(body, limits)
    }

    fn read(body: &[u8], limits: &Limits) -> Result<Self, TokenTextError> {
        let mut reader = Reader::new(body);
        let version = reader.u8()?;
        if version != VERSION {
            return Err(TokenTextError::Version(version));
        }
        let psk_id = PskId(reader.array()?);
        let secret = Secret::new(reader.array()?);
        let (hub, expires_ms) = (DeviceId(reader.array()?), reader.u64()?);
        let account = text(reader.counted8(ACCOUNT_BYTES_MAX)?).filter(|account| is_account_name(account));
        let account = account.ok_or(TokenTextError::Account)?.to_owned();
        let most = limits.addresses_max;
        let count = reader.u8()?;
        if count == 0 || u32::from(count) > most {
            return Err(TokenTextError::Addresses { most });
        }
        let mut addresses = Vec::with_capacity(count.into());
        for _ in 0..count {
            let address = text(reader.counted8(limits.address_bytes_max as usize)?);
            let address = address.and_then(|address| Address::parse(address, limits).ok());
            addresses.push(address.ok_or(TokenTextError::Addresses { most })?);
        }
        reader.finish()?;
        Ok(Self { psk_id, secret, hub, expires_ms, account, addresses })
    }

    /// Names the secret in the handshake.
    pub fn psk_id(&self) -> PskId {
        self.psk_id
    }

    /// The secret.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The hub that made it.
    pub fn hub(&self) -> DeviceId {
        self.hub
    }

    /// UTC ms at which the hub refuses it.
    pub fn expires_ms(&self) -> u64 {
        self.expires_ms
    }

    /// Whether the hub refuses it by now, if the clocks agree.
    pub fn is_expired(&self, now_ms: u64) -> bool {
        now_ms >= self.expires_ms
    }

    /// The account the device will belong to.
    pub fn account(&self) -> &str {
        &self.account
    }

    /// Where the hub can be reached, the best first; at least one.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }
}

fn text(bytes: &[u8]) -> Option<&str> {
    str::from_utf8(bytes).ok()
}

fn checksum(body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash = Sha256::new().chain_update(PREFIX).chain_update(body).finalize();
    let mut sum = [0; CHECKSUM_BYTES];
    sum.copy_from_slice(&hash[..CHECKSUM_BYTES]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(limits: &Limits) -> JoinToken {
        let addresses =
            ["192.0.2.1:7440", "[2001:db8::1]:7440"].map(|text| Address::parse(text, limits).unwrap());
        JoinToken::generate(DeviceId([7; 32]), "alice", &addresses, 5000, limits).unwrap()
    }

    // proves: O1
    #[test]
    fn a_token_is_read_back_in_either_case() {
        for limits in [Limits::DEFAULT, Limits::TINY] {
            let token = token(&limits);
            let text = token.encode();
            for text in [text.to_string(), text.to_ascii_uppercase(), format!("  {}\r\n", *text)] {
                let read = JoinToken::parse(&text, &limits).unwrap();
                assert_eq!((read.psk_id(), read.hub(), read.expires_ms()), (token.psk_id, token.hub, 5000));
                assert_eq!(read.secret().expose(), token.secret.expose());
                assert_eq!((read.account(), read.addresses()), ("alice", &token.addresses[..]));
            }
            assert!(!token.is_expired(4999) && token.is_expired(5000));
        }
    }

    #[test]
    fn a_token_with_one_character_altered_is_refused_wherever_it_is() {
        let text = token(&Limits::DEFAULT).encode();
        for at in 0..text.len() {
            for other in b"abcdefghijklmnopqrstuvwxyz0123456789-!\0"
                .iter()
                .filter(|&&other| other != text.as_bytes()[at])
            {
                let mut bytes = text.as_bytes().to_vec();
                bytes[at] = *other;
                let altered = String::from_utf8(bytes).unwrap();
                let error = JoinToken::parse(&altered, &Limits::DEFAULT).err().expect("refused");
                let known = if at < PREFIX.len() {
                    matches!(error, TokenTextError::NotAToken)
                } else {
                    matches!(error, TokenTextError::Altered)
                };
                assert!(known, "{at} {other}: {error}");
            }
        }
    }

    #[test]
    fn a_token_with_one_character_lost_added_or_swapped_is_refused() {
        let text = token(&Limits::DEFAULT).encode();
        for at in 0..text.len() {
            let lost = format!("{}{}", &text[..at], &text[at + 1..]);
            assert!(JoinToken::parse(&lost, &Limits::DEFAULT).is_err(), "lost {at}");
            assert!(JoinToken::parse(&text[..at], &Limits::DEFAULT).is_err(), "cut at {at}");
            let added = format!("{}a{}", &text[..at], &text[at..]);
            assert!(JoinToken::parse(&added, &Limits::DEFAULT).is_err(), "added {at}");
            let mut swapped = text.as_bytes().to_vec();
            if at > 0 && swapped[at] != swapped[at - 1] {
                swapped.swap(at, at - 1);
                let swapped = String::from_utf8(swapped).unwrap();
                assert!(JoinToken::parse(&swapped, &Limits::DEFAULT).is_err(), "swapped {at}");
            }
        }
        let long = format!("{}{}", *text, "a".repeat(4096));
        assert!(matches!(
            JoinToken::parse(&long, &Limits::DEFAULT),
            Err(TokenTextError::TooLong { bytes_max: 4096 })
        ));
    }

    #[test]
    fn the_longest_token_fits_its_bound() {
        for limits in [Limits::DEFAULT, Limits::TINY, Limits::CEILING] {
            let host = "h".repeat(limits.address_bytes_max as usize - 6);
            let address = Address::parse(&format!("{host}:65535"), &limits).unwrap();
            let addresses = vec![address; limits.addresses_max as usize];
            let account = "a".repeat(ACCOUNT_BYTES_MAX);
            let token = JoinToken::generate(DeviceId([7; 32]), &account, &addresses, 5000, &limits).unwrap();
            JoinToken::parse(&token.encode(), &limits).unwrap();
            let more = vec![addresses[0].clone(); addresses.len() + 1];
            assert!(JoinToken::generate(DeviceId([7; 32]), "a", &more, 5000, &limits).is_err());
        }
        assert!(JoinToken::generate(DeviceId([7; 32]), "a", &[], 5000, &Limits::DEFAULT).is_err());
    }

    #[test]
    fn a_later_version_is_told_from_an_altered_token() {
        let mut bytes = vec![2, 0, 0];
        bytes.extend(checksum(&bytes));
        let text = format!("{PREFIX}{}", BASE32_NOPAD.encode(&bytes));
        assert!(matches!(JoinToken::parse(&text, &Limits::DEFAULT), Err(TokenTextError::Version(2))));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,300}", body in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(JoinToken::parse(&text, &Limits::DEFAULT).is_err());
            let sealed = [&body[..], &checksum(&body)].concat();
            let text = format!("{PREFIX}{}", BASE32_NOPAD.encode(&sealed));
            let _ = JoinToken::parse(&text, &Limits::TINY);
        }
    }
}
