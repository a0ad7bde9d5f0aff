//! The lines of the admin socket.

use crate::failure::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Version of the lines.
pub const SCHEMA: u32 = 1;
/// Name of the socket in the state directory.
pub const SOCKET: &str = "admin.sock";

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "command", content = "arguments", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Command {
    /// What it is and does.
    Status,
    /// One join token.
    Invite {
        /// For which account.
        account: String,
        /// Milliseconds it is good.
        ttl_ms: u64,
        /// Addresses it names; empty: the daemon's own.
        #[serde(default)]
        addresses: Vec<String>,
    },
    /// Who joined, a page of them.
    Devices {
        /// Those after this device, as the page before named it.
        #[serde(default)]
        after: Option<String>,
    },
    /// How a decision came about.
    Explain {
        /// Its name, as a refusal tells it.
        decision: String,
    },
    /// The keys of a plugin, after a change.
    Keys {
        /// Whose.
        plugin: String,
        /// Only those that begin so.
        #[serde(default)]
        prefix: String,
        /// Keys and what they hold from now on.
        #[serde(default)]
        put: Vec<(String, String)>,
        /// Keys that go.
        #[serde(default)]
        remove: Vec<String>,
    },
    /// What accounts store.
    Stored {
        /// Only on this share.
        #[serde(default)]
        share: Option<String>,
        /// Only of this account.
        #[serde(default)]
        account: Option<String>,
    },
    /// Compares what is counted on a share with what is there, some files of it.
    Recount {
        /// Which share.
        share: String,
        /// Files after this one, as the answer before named it.
        #[serde(default)]
        after: Option<Vec<u8>>,
    },
    /// The groups of accounts.
    Group(GroupAct),
    /// Configuration again.
    Reload,
    /// Drain and end.
    Stop {
        /// Without draining.
        #[serde(default)]
        now: bool,
    },
}

/// What is done with groups of accounts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GroupAct {
    /// One is made.
    Create {
        /// Under this name.
        name: String,
        /// Who is in it.
        #[serde(default)]
        accounts: Vec<String>,
    },
    /// One goes, with all its members.
    Delete {
        /// Which.
        name: String,
    },
    /// Accounts come into it.
    Add {
        /// Which.
        name: String,
        /// Who.
        accounts: Vec<String>,
        /// Whether they are its admins.
        #[serde(default)]
        admin: bool,
    },
    /// Accounts go out of it.
    Remove {
        /// Which.
        name: String,
        /// Who.
        accounts: Vec<String>,
    },
    /// Who is in which.
    List {
        /// Only this one.
        #[serde(default)]
        name: Option<String>,
    },
}

/// One line to the daemon.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Request {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Comes back in the answer.
    pub id: u64,
    /// What.
    #[serde(flatten)]
    pub command: Command,
}

/// One line back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Answer {
    /// Of the request; 0 when it could not be read.
    pub id: u64,
    /// Whether `data` is there rather than `error`.
    pub ok: bool,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Refusal>,
}

/// Why not.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Refusal {
    pub code: String,
    pub exit: u8,
    pub message: String,
    pub next: String,
}

impl Answer {
    /// The answer to a request.
    pub fn new(id: u64, result: Result<Value, Failure>) -> Self {
        match result {
            Ok(data) => Self { id, ok: true, data: Some(data), error: None },
            Err(failure) => Self { id, ok: false, data: None, error: Some(failure.into()) },
        }
    }

    /// The answer as a result again.
    ///
    /// # Errors
    /// What the daemon refused.
    pub fn into_result(self) -> Result<Value, Failure> {
        match self.error {
            None => Ok(self.data.unwrap_or(Value::Null)),
            Some(refusal) => Err(Failure {
                exit: refusal.exit,
                code: Failure::code_named(&refusal.code),
                message: refusal.message,
                next: refusal.next,
            }),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self {
            code: failure.code.name().to_owned(),
            exit: failure.exit,
            message: failure.message,
            next: failure.next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lines_have_the_shape_that_is_promised() {
        let request = Request { schema: SCHEMA, id: 7, command: Command::Stop { now: true } };
        let line = json!({"schema": 1, "id": 7, "command": "stop", "arguments": {"now": true}});
        assert_eq!(serde_json::to_value(&request).expect("JSON"), line);
        assert_eq!(serde_json::from_value::<Request>(line).expect("a request"), request);
        let status = serde_json::from_str::<Request>("{\"schema\":1,\"id\":1,\"command\":\"status\"}");
        assert_eq!(status.expect("without arguments").command, Command::Status);
        let act = GroupAct::Add { name: "ops".into(), accounts: vec!["bob".into()], admin: true };
        let line = json!({"schema": 1, "id": 8, "command": "group",
            "arguments": {"act": "add", "name": "ops", "accounts": ["bob"], "admin": true}});
        let request = Request { schema: SCHEMA, id: 8, command: Command::Group(act) };
        assert_eq!(serde_json::to_value(&request).expect("JSON"), line);
        assert_eq!(serde_json::from_value::<Request>(line).expect("a request"), request);
        let failure = Failure::new(base::codes::Code::Busy, "full", "wait");
        let answer = serde_json::to_value(Answer::new(7, Err(failure.clone()))).expect("JSON");
        let error = json!({"code": "BUSY", "exit": 10, "message": "full", "next": "wait"});
        assert_eq!(answer, json!({"id": 7, "ok": false, "error": error}));
        let back: Answer = serde_json::from_value(answer).expect("an answer");
        assert_eq!(back.into_result(), Err(failure));
    }

    #[test]
    fn unknown_commands_and_arguments_are_refused() {
        for line in [
            "{\"schema\":1,\"id\":1,\"command\":\"explode\"}",
            "{\"schema\":1,\"id\":1,\"command\":\"invite\",\"arguments\":{\"account\":\"a\",\"ttl_ms\":1,\"x\":1}}",
            "{\"schema\":1,\"id\":1,\"command\":\"group\",\"arguments\":{\"act\":\"rename\",\"name\":\"a\"}}",
            "{\"schema\":1,\"id\":1,\"command\":\"group\",\"arguments\":{\"act\":\"delete\",\"name\":\"a\",\"x\":1}}",
            "{\"schema\":1,\"id\":1}",
        ] {
            assert!(serde_json::from_str::<Request>(line).is_err(), "{line}");
        }
    }
}
