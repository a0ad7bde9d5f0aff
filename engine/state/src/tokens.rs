//! Join tokens: single use, durable before a certificate leaves.
//!
//! ```text
//! issued --redeem(device)--> used by that device, certificate stored --expiry--> swept
//! ```
//!
//! Using a token, storing its certificate and enrolling the device are one transaction. Killed before the
//! commit, the token is unspent; killed after it, the same device asks again and gets the same bytes.

use crate::devices::{self, Device};
use crate::error::StoreError;
use crate::store::{Store, next_serial, stored};
use base::codes::Code;
use base::hooks::Psk;
use base::ids::{DeviceId, PskId};
use base::points::Point;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use std::fmt;

/// A token to be issued.
pub struct NewToken<'a> {
    /// Its public name.
    pub psk_id: PskId,
    /// Its secret bytes, at random.
    pub secret: &'a [u8; 32],
    /// Whose device it enrols.
    pub account: &'a str,
    /// UTC milliseconds after which it is refused.
    pub expires_ms: u64,
}

/// Who redeems a token: a device that proved in its handshake that it knows the secret.
pub struct Joiner<'a> {
    /// Which token.
    pub psk_id: PskId,
    /// Its key.
    pub device: DeviceId,
    /// What it calls itself.
    pub name: &'a str,
}

/// What a certificate is to be made for.
pub struct Grant<'a> {
    /// Serial of the certificate.
    pub serial: u64,
    /// Account of the token.
    pub account: &'a str,
    /// The device.
    pub device: DeviceId,
}

/// A certificate that was made.
pub struct Issued {
    /// Its bytes, opaque here.
    pub certificate: Vec<u8>,
    /// UTC milliseconds after which it is refused.
    pub not_after_ms: u64,
}

/// What a redeemed token gives.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redeemed {
    /// The certificate's bytes.
    pub certificate: Vec<u8>,
    /// The account.
    pub account: String,
    /// Whether this device had redeemed it before.
    pub again: bool,
}

/// Why a token gives nothing. A peer is told [`TokenError::code`] and no more.
#[derive(Debug)]
pub enum TokenError {
    /// No such token; or it expired and was swept.
    Unknown,
    /// Its time is over.
    Expired {
        /// Since when.
        expires_ms: u64,
    },
    /// Another device used it.
    Used {
        /// Which.
        by: DeviceId,
    },
    /// The device was revoked.
    Revoked {
        /// Which.
        device: DeviceId,
    },
    /// The certificate could not be made.
    NotIssued(Code),
    /// The token's life is longer than allowed.
    TooLong {
        /// Most milliseconds.
        ttl_ms_max: u64,
    },
    /// The store refused.
    Store(StoreError),
}

impl TokenError {
    /// What a peer is told.
    pub fn code(&self) -> Code {
        match self {
            Self::Unknown | Self::Expired { .. } | Self::Used { .. } => Code::InvalidToken,
            Self::Revoked { .. } => Code::Revoked,
            Self::NotIssued(code) => *code,
            Self::TooLong { .. } => Code::InvalidRequest,
            Self::Store(error) => error.code(),
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => {
                write!(f, "the join token is not known here: ask for a new one with `xferd invite`")
            }
            Self::Expired { .. } => {
                write!(f, "the join token has expired: ask for a new one with `xferd invite`")
            }
            Self::Used { by } => write!(
                f,
                "the join token was already used by device {}: ask for a new one with `xferd invite`",
                by.short()
            ),
            Self::Revoked { device } => {
                write!(f, "device {} was revoked: it joins again only with a new key", device.short())
            }
            Self::NotIssued(code) => write!(f, "no certificate could be issued: {}", code.name()),
            Self::TooLong { ttl_ms_max } => {
                write!(
                    f,
                    "a join token lives at most {} seconds here: choose a shorter --ttl",
                    ttl_ms_max / 1000
                )
            }
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for TokenError {}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for TokenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

struct TokenRow {
    account: String,
    expires_ms: u64,
    used: Option<(DeviceId, Vec<u8>)>,
}

impl Store {
    /// Keeps a token, and sweeps those whose time is over.
    ///
    /// # Errors
    /// Its life is longer than `token_ttl_ms_max`, its name is taken, or the database refuses.
    pub fn issue_token(&mut self, token: &NewToken<'_>, now_ms: u64) -> Result<(), TokenError> {
        let ttl_ms_max = self.limits.token_ttl_ms_max;
        if token.expires_ms.saturating_sub(now_ms) > ttl_ms_max {
            return Err(TokenError::TooLong { ttl_ms_max });
        }
        let change = self.change()?;
        change.execute("DELETE FROM tokens WHERE expires_ms <= ?1", [stored(now_ms)])?;
        change.execute(
            "INSERT INTO tokens (psk_id, secret, account, expires_ms) VALUES (?1, ?2, ?3, ?4)",
            params![token.psk_id.0, token.secret, token.account, stored(token.expires_ms)],
        )?;
        Ok(change.commit()?)
    }

    /// The secret of a token for a handshake, until it expires. A used one is still answered: the device that
    /// used it may have lost the reply; [`Store::redeem`] refuses every other.
    ///
    /// # Errors
    /// The database refuses.
    pub fn psk(&mut self, psk_id: PskId, now_ms: u64) -> Result<Option<Psk>, StoreError> {
        let sql = "SELECT secret, expires_ms FROM tokens WHERE psk_id = ?1 AND expires_ms > ?2";
        let psk = |row: &Row<'_>| Ok(Psk { secret: row.get(0)?, expires_ms: row.get::<_, i64>(1)? as u64 });
        Ok(self.db.query_row(sql, params![psk_id.0, stored(now_ms)], psk).optional()?)
    }

    /// Spends a token for one device: one transaction, durable when this returns. `make` makes the
    /// certificate; it is not called when this device redeemed the token before.
    ///
    /// # Errors
    /// The token is unknown, expired or used by another device; the device is revoked; `make` or the
    /// database refuses. Then nothing was changed.
    pub fn redeem(
        &mut self,
        joiner: &Joiner<'_>,
        now_ms: u64,
        reach: &dyn Fn(Point),
        make: impl FnOnce(&Grant<'_>) -> Result<Issued, Code>,
    ) -> Result<Redeemed, TokenError> {
        let change = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let token = find(&change, joiner.psk_id)?.ok_or(TokenError::Unknown)?;
        if token.expires_ms <= now_ms {
            return Err(TokenError::Expired { expires_ms: token.expires_ms });
        }
        if is_revoked(&change, joiner.device)? {
            return Err(TokenError::Revoked { device: joiner.device });
        }
        match token.used {
            Some((by, certificate)) if by == joiner.device => {
                return Ok(Redeemed { certificate, account: token.account, again: true });
            }
            Some((by, _)) => return Err(TokenError::Used { by }),
            None => {}
        }
        let serial = next_serial(&change)?;
        let grant = Grant { serial, account: &token.account, device: joiner.device };
        let issued = make(&grant).map_err(TokenError::NotIssued)?;
        let spent = change.execute(
            "UPDATE tokens SET used_by = ?2, certificate = ?3 WHERE psk_id = ?1 AND used_by IS NULL",
            params![joiner.psk_id.0, joiner.device.0, issued.certificate],
        )?;
        assert_eq!(spent, 1, "it was unspent in this transaction");
        reach(Point::TokenUsed);
        let device = Device {
            device: joiner.device,
            account: token.account,
            name: joiner.name.to_owned(),
            serial,
            certificate: issued.certificate,
            not_after_ms: issued.not_after_ms,
            enrolled_ms: now_ms,
            revoked_ms: None,
        };
        devices::put(&change, &device)?;
        change.commit()?;
        reach(Point::CertificateStored);
        Ok(Redeemed { certificate: device.certificate, account: device.account, again: false })
    }

    /// Removes tokens whose time is over; how many.
    ///
    /// # Errors
    /// The database refuses.
    pub fn sweep_tokens(&mut self, now_ms: u64) -> Result<u64, StoreError> {
        Ok(self.db.execute("DELETE FROM tokens WHERE expires_ms <= ?1", [stored(now_ms)])? as u64)
    }
}

fn find(db: &Connection, psk_id: PskId) -> rusqlite::Result<Option<TokenRow>> {
    let sql = "SELECT account, expires_ms, used_by, certificate FROM tokens WHERE psk_id = ?1";
    let token = |row: &Row<'_>| {
        let used_by: Option<[u8; 32]> = row.get(2)?;
        let certificate: Option<Vec<u8>> = row.get(3)?;
        let expires_ms = row.get::<_, i64>(1)? as u64;
        Ok(TokenRow { account: row.get(0)?, expires_ms, used: used_by.map(DeviceId).zip(certificate) })
    };
    db.query_row(sql, [psk_id.0], token).optional()
}

fn is_revoked(db: &Connection, device: DeviceId) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM devices WHERE device = ?1 AND revoked_ms IS NOT NULL";
    Ok(db.query_row(sql, [device.0], |_| Ok(())).optional()?.is_some())
}

#[cfg(test)]
mod tests;
