//! Enrolment: invitations and joins. Everything here runs on the thread that owns the store.

use crate::clock::utc_ms;
use crate::config::is_plain_name;
use crate::failure::Failure;
use base::codes::Code;
use base::hooks::Reply;
use base::ids::{DeviceId, PskId, RootId, SessionId};
use base::limits::Limits;
use identity::{Address, Authority, JoinReply, JoinRequest, JoinToken, TokenTextError};
use serde_json::{Value, json};
use state::{Issued, Joiner, NewToken, Store, TokenError};

/// Devices of one answer.
const DEVICES_AT_ONCE: u32 = 512;

/// What enrols: the authority and the names of this hub.
pub struct Enrol {
    authority: Authority,
    device: DeviceId,
    hub_name: String,
    limits: Limits,
}

impl Enrol {
    /// From an opened hub.
    pub fn new(authority: Authority, device: DeviceId, hub_name: String, limits: Limits) -> Self {
        Self { authority, device, hub_name, limits }
    }

    /// This hub's device.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// This hub's root.
    pub fn root(&self) -> RootId {
        self.authority.id()
    }

    /// What this hub calls itself.
    pub fn hub_name(&self) -> &str {
        &self.hub_name
    }

    /// Makes a token; it is durable before its text exists outside.
    ///
    /// # Errors
    /// A name, address or time that cannot be, or the store refuses.
    pub fn invite(
        &self,
        store: &mut Store,
        account: &str,
        ttl_ms: u64,
        addresses: &[Address],
    ) -> Result<Value, Failure> {
        if !is_plain_name(account) {
            return Err(Failure::usage(
                "this cannot be the name of an account",
                "use 1 to 64 bytes without spaces",
            ));
        }
        let now_ms = utc_ms();
        let expires_ms = now_ms.saturating_add(ttl_ms);
        let token = JoinToken::generate(self.device, account, addresses, expires_ms, &self.limits)
            .map_err(|error| refused_token(&error))?;
        let row = NewToken { psk_id: token.psk_id(), secret: token.secret().expose(), account, expires_ms };
        store.issue_token(&row, now_ms).map_err(|error| match error {
            TokenError::TooLong { .. } => {
                Failure::usage(error.to_string(), "or raise limits.token_ttl_ms_max")
            }
            other => Failure::new(other.code(), other.to_string(), ""),
        })?;
        let addresses: Vec<&str> = addresses.iter().map(Address::as_str).collect();
        Ok(json!({"token": token.encode().as_str(), "account": account, "expires_ms": expires_ms,
            "addresses": addresses}))
    }

    /// Serves one `xferd.join`: spends the token and issues the certificate, in one durable step.
    /// `joined` hears who is new.
    pub fn join(
        &self,
        store: &mut Store,
        psk_id: PskId,
        payload: &[u8],
        session: &SessionId,
        joined: impl FnOnce(DeviceId, &str, &str),
    ) -> Reply {
        let request = match JoinRequest::verify(payload, session) {
            Ok(request) => request,
            Err(error) => return refusal(error.code(), &error),
        };
        let joiner = Joiner { psk_id, device: request.device(), name: &request.name };
        let now_ms = utc_ms();
        let mut account = None;
        let redeemed = store.redeem(&joiner, now_ms, &crate::crash::reach, |grant| {
            account = Some(grant.account.to_owned());
            let certificate = self
                .authority
                .issue(grant.serial, &request.public_key, grant.account, now_ms, &self.limits)
                .map_err(|error| error.code())?;
            let not_after_ms = certificate.claim().not_after;
            Ok(Issued { certificate: certificate.encode().to_vec(), not_after_ms })
        });
        match redeemed {
            Err(error) => refusal(error.code(), &error),
            Ok(redeemed) => {
                if let Some(account) = account {
                    joined(request.device(), &account, &request.name);
                }
                match JoinReply::encode(&redeemed.certificate, self.authority.root(), &self.hub_name) {
                    Ok(bytes) => Reply::Success(Some(bytes)),
                    Err(error) => refusal(Code::InternalError, &error),
                }
            }
        }
    }
}

/// Who joined, in the order of their ids: those after a device, and after which one there are more.
///
/// # Errors
/// `after` is no device's id, or the store refuses.
pub fn devices(store: &mut Store, after: Option<&str>) -> Result<Value, Failure> {
    let wrong = |text: &str| Failure::usage(format!("{} is no device's id", crate::escape::shown(text)), "");
    let after = after.map(|text| DeviceId::from_hex(text).ok_or_else(|| wrong(text))).transpose()?;
    let rows = store
        .devices(after, DEVICES_AT_ONCE)
        .map_err(|error| Failure::new(error.code(), error.to_string(), ""))?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({"device": row.device.to_string(), "account": row.account, "name": row.name, "serial": row.serial,
                "not_after_ms": row.not_after_ms, "enrolled_ms": row.enrolled_ms, "revoked_ms": row.revoked_ms})
        })
        .collect();
    let full = rows.len() == DEVICES_AT_ONCE as usize;
    let next = rows.last().filter(|_| full).map(|row| row["device"].clone());
    Ok(json!({"devices": rows, "next": next}))
}

fn refused_token(error: &TokenTextError) -> Failure {
    match error {
        TokenTextError::Addresses { .. } => {
            Failure::usage(error.to_string(), "name some with --address HOST:PORT")
        }
        TokenTextError::Entropy(_) => Failure::new(Code::Io, error.to_string(), ""),
        _ => Failure::usage(error.to_string(), ""),
    }
}

fn refusal(code: Code, error: &dyn std::fmt::Display) -> Reply {
    Reply::Error { code, message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use state::{Device, StateDir};
    use std::sync::Arc;

    #[test]
    fn devices_are_told_in_answers_that_fit_their_reader() {
        let home = tempfile::tempdir().expect("temporary directory");
        let dir = Arc::new(StateDir::open(&home.path().join("state")).expect("made"));
        let mut store = Store::open(dir, &Limits::DEFAULT).expect("opened");
        let count = u64::from(DEVICES_AT_ONCE) * 2 + 7;
        for number in 1..=count {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&number.to_be_bytes());
            let (account, name) = ("a".repeat(64), "n".repeat(64));
            let device = Device {
                device: DeviceId(id),
                account,
                name,
                serial: number,
                certificate: Vec::new(),
                not_after_ms: u64::MAX,
                enrolled_ms: 0,
                revoked_ms: None,
            };
            store.put_device(&device).expect("kept");
        }
        let (mut told, mut after) = (0, None::<String>);
        loop {
            let page = devices(&mut store, after.as_deref()).expect("told");
            assert!(page.to_string().len() < Limits::DEFAULT.control_bytes_max as usize / 2);
            told += page["devices"].as_array().map_or(0, Vec::len) as u64;
            after = page["next"].as_str().map(str::to_owned);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(told, count);
        assert!(devices(&mut store, Some("xyz")).is_err());
    }
}
