//! The daemon's private side: one JSON object a line over `STATE/admin.sock`.
//!
//! Request `{schema, id, command, arguments}`, answer `{id, ok, data | error {code, message, next}}`. Only the
//! daemon's own user and root may connect.

mod call;
mod wire;

pub use call::perform;
pub use wire::{Answer, Command, GroupAct, Refusal, Request, SCHEMA, SOCKET};
