//! `xfer join`.

use super::Engine;
use super::remote::{self, Device};
use super::run::{self, Runner, Who};
use crate::clock::utc_ms;
use crate::escape::shown;
use crate::failure::Failure;
use crate::report::{Outcome, Reporter, Told};
use crate::settings::Identity;
use base::codes::Code;
use base::ids::{RootId, TransferId};
use base::limits::Limits;
use identity::{DeviceKey, JoinReply, JoinRequest, JoinToken, Remote, TokenTextError, TrustStore};
use proto::session::certificate::is_account_name;
use serde_json::json;
use shard::command::{Job, JobData, JobKind};
use shard::settings::Destination;
use std::sync::Arc;

/// Joins with a token and keeps the remote under `name`.
///
/// # Errors
/// Nothing was kept but this device's key.
pub fn join(engine: &Engine, name: &str, token: &str, reporter: &mut Reporter) -> Result<Outcome, Failure> {
    let limits = &Limits::DEFAULT;
    let token = JoinToken::parse(token, limits).map_err(|error| refused_token(&error))?;
    if token.is_expired(utc_ms()) {
        let next =
            "ask for another: xferd invite --account NAME; or set this machine's clock, if it is wrong";
        return Err(Failure::new(Code::InvalidToken, "the token has expired", next));
    }
    let state = remote::open_state(&engine.state)?;
    let earlier =
        Remote::read(&engine.state, name, limits).map_err(|error| remote::refused_remote(&error))?;
    if let Some(earlier) = earlier.filter(|earlier| earlier.hub != token.hub()) {
        let message = format!("{} is another daemon already ({})", shown(name), earlier.hub.short());
        return Err(Failure::usage(message, "choose another --name"));
    }
    let key = DeviceKey::load_or_create(&engine.state, &crate::crash::reach)
        .map_err(|error| remote::refused_file(&error))?;
    let device = Device { state, key };
    let bytes = ask(engine, &device, &token, reporter)?;
    let reply = JoinReply::verify(&bytes, &device.key, token.account(), utc_ms())
        .map_err(|error| Failure::new(error.code(), error.to_string(), "ask whoever runs the daemon"))?;
    let mut trust = TrustStore::open(&engine.state, limits).map_err(|error| remote::refused_trust(&error))?;
    trust.add_root(&reply.root).map_err(|error| remote::refused_trust(&error))?;
    trust.set_certificate(&reply.certificate).map_err(|error| remote::refused_trust(&error))?;
    let kept = Remote {
        name: name.to_owned(),
        hub: token.hub(),
        root: reply.root.id(),
        addresses: token.addresses().to_vec(),
        account: token.account().to_owned(),
    };
    kept.write(&engine.state, limits).map_err(|error| remote::refused_remote(&error))?;
    let data = json!({"name": name, "account": token.account(), "hub": reply.hub_name,
        "device": device.key.device_id().to_string()});
    if !reporter.is_json() {
        let line = format!(
            "joined {} as {}: write {}:PATH",
            shown(&reply.hub_name),
            shown(token.account()),
            shown(name)
        );
        reporter.tell(&Told::Row { event: "joined", fields: serde_json::Map::new(), line });
    }
    Ok(Outcome { data: Some(data), ..Outcome::ok() })
}

fn ask(
    engine: &Engine,
    device: &Device,
    token: &JoinToken,
    reporter: &mut Reporter,
) -> Result<Vec<u8>, Failure> {
    let (key, name) = (device.key.copy(), own_name());
    // The name was checked, so that signing cannot fail; an empty request would be refused as malformed.
    let request =
        move |session: &base::ids::SessionId| JoinRequest::sign(&key, &name, session).unwrap_or_default();
    let destination = Destination {
        addresses: remote::resolve(token.addresses())?,
        device: token.hub(),
        root: RootId::default(),
        retries: engine.retries,
    };
    let job = Job {
        destination,
        join: Some((token.psk_id(), *token.secret().expose())),
        id: TransferId::default(),
        kind: JobKind::Join { request: shard::command::JoinRequest(Arc::new(request)) },
    };
    let limits = &Limits::DEFAULT;
    let trust =
        TrustStore::open(&engine.state, limits).map_err(|error| remote::refused_trust(&error))?.picture();
    let identity = Identity { key: &device.key, certificate: None, trust: &trust };
    let who = Who { device, identity };
    let ran = Runner::new()?.run(engine, &who, 1, job, reporter, |_| None)?;
    match (ran.end.result, ran.signal) {
        (_, Some(signal)) => Err(run::interrupted(signal)),
        (Err(failure), None) => Err(run::failed(&failure)),
        (Ok(JobData::Reply(mut pages)), None) if !pages.is_empty() => Ok(pages.swap_remove(0)),
        (Ok(_), None) => Err(Failure::new(Code::InvalidRequest, "the daemon's reply is none", "")),
    }
}

/// What this device calls itself: its host name.
fn own_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if is_account_name(name) { name.to_owned() } else { "device".to_owned() }
}

fn refused_token(error: &TokenTextError) -> Failure {
    match error {
        TokenTextError::Version(_) => Failure::new(Code::Version, error.to_string(), ""),
        TokenTextError::Altered => Failure::new(Code::InvalidToken, error.to_string(), ""),
        _ => Failure::usage(error.to_string(), ""),
    }
}
