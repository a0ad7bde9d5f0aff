//! The one table of codes: number, name, status, retry, exit. Nothing else defines a code.

/// How a code maps onto the other worlds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CodeRow {
    /// The code.
    pub code: Code,
    /// Name on screens, in JSON and in error objects.
    pub name: &'static str,
    /// Number on the wire.
    pub number: u16,
    /// HTTP-like status.
    pub status: u16,
    /// Exit status of a program that fails with it.
    pub exit: u8,
    /// Whether the same request may succeed later.
    pub retry: bool,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $status:literal, $exit:literal, $retry:literal;)*) => {
        /// Why something was refused or failed.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u16)]
        pub enum Code { $($(#[$doc])* $variant = $number,)* }

        /// Every code, in the order of their numbers.
        pub const TABLE: &[CodeRow] = &[$(CodeRow {
            code: Code::$variant, name: $name, number: $number, status: $status, exit: $exit, retry: $retry,
        },)*];

        impl Code {
            /// The code with this number on the wire.
            pub fn from_number(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }

            /// Its row of the table.
            pub fn row(self) -> &'static CodeRow {
                match self { $(Self::$variant => const { &CodeRow {
                    code: Code::$variant, name: $name, number: $number, status: $status, exit: $exit, retry: $retry,
                } },)* }
            }
        }
    };
}

codes! {
    /// Malformed message, or one that breaks a rule of the protocol.
    InvalidRequest = 1000, "INVALID_REQUEST", 400, 2, false;
    /// The peer could not prove who it is.
    AuthFailed = 1001, "AUTH_FAILED", 403, 41, false;
    /// A signature does not hold.
    InvalidSignature = 1002, "INVALID_SIGNATURE", 403, 41, false;
    /// A record did not open.
    Encryption = 1003, "ENCRYPTION", 400, 41, false;
    /// Too many requests, connections or bytes.
    RateLimited = 1004, "RATE_LIMITED", 429, 30, true;
    /// No such account.
    UserNotFound = 1005, "USER_NOT_FOUND", 404, 41, false;
    /// Denied by a rule or policy.
    AccessDenied = 1006, "ACCESS_DENIED", 403, 42, false;
    /// A deadline passed.
    Timeout = 2000, "TIMEOUT", 503, 30, true;
    /// The connection ended in mid-work.
    ConnectionLost = 2001, "CONNECTION_LOST", 503, 12, true;
    /// No connection, or the server is shutting down.
    Unavailable = 2002, "UNAVAILABLE", 503, 10, true;
    /// A signal ended the command.
    Interrupted = 2003, "INTERRUPTED", 503, 20, true;
    /// Our own fault.
    InternalError = 3000, "INTERNAL_ERROR", 500, 12, false;
    /// Authentication comes first.
    AuthRequired = 3001, "AUTH_REQUIRED", 403, 41, false;
    /// The token is unknown, used, altered or expired.
    InvalidToken = 3002, "INVALID_TOKEN", 403, 41, false;
    /// The certificate's time is over.
    CertExpired = 3003, "CERT_EXPIRED", 403, 41, false;
    /// The certificate's time has not begun.
    CertNotYet = 3004, "CERT_NOT_YET", 403, 41, false;
    /// The certificate was issued by a root that is not trusted here.
    UntrustedRoot = 3005, "UNTRUSTED_ROOT", 403, 41, false;
    /// The certificate or device was revoked.
    Revoked = 3006, "REVOKED", 403, 41, false;
    /// The clocks differ too much.
    ClockSkew = 3007, "CLOCK_SKEW", 403, 41, false;
    /// No such file, share, transfer or protocol.
    NotFound = 3010, "NOT_FOUND", 404, 3, false;
    /// What is there is not what was expected.
    Conflict = 3011, "CONFLICT", 409, 23, false;
    /// Larger than a limit.
    TooLarge = 3012, "TOO_LARGE", 413, 23, false;
    /// No common version.
    Version = 3013, "VERSION", 426, 2, false;
    /// A queue is full.
    Busy = 3014, "BUSY", 503, 10, true;
    /// A later transfer of the same file took over.
    Superseded = 3015, "SUPERSEDED", 409, 12, false;
    /// The disk or quota is full.
    NoSpace = 3020, "NO_SPACE", 500, 11, false;
    /// The share or file system is read-only.
    ReadOnly = 3021, "READ_ONLY", 500, 11, false;
    /// The operating system reported an error.
    Io = 3022, "IO", 500, 11, false;
    /// A path that breaks the path rules.
    BadPath = 3023, "BAD_PATH", 400, 3, false;
    /// The source vanished before it was read.
    Vanished = 3024, "VANISHED", 404, 24, false;
    /// The source changed while it was read.
    Changed = 3025, "CHANGED", 409, 23, false;
    /// Content does not equal what was signed.
    Integrity = 3026, "INTEGRITY", 500, 43, false;
}

impl Code {
    /// Number on the wire.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// Name on screens, in JSON and in error objects.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Exit status of a program that fails with it.
    pub fn exit(self) -> u8 {
        self.row().exit
    }

    /// What an operating system error of a file operation means to the peer.
    pub fn from_errno(errno: crate::io::Errno) -> Self {
        use crate::io::Errno as E;
        match errno {
            E::NOENT => Self::NotFound,
            E::EXIST | E::NOTEMPTY | E::ISDIR | E::NOTDIR => Self::Conflict,
            E::NOSPC | E::DQUOT => Self::NoSpace,
            E::ROFS => Self::ReadOnly,
            E::ACCES | E::PERM => Self::AccessDenied,
            E::XDEV | E::LOOP | E::NAMETOOLONG | E::INVAL => Self::BadPath,
            E::FBIG => Self::TooLarge,
            E::CONNREFUSED | E::HOSTUNREACH | E::NETUNREACH => Self::Unavailable,
            E::CONNRESET | E::PIPE => Self::ConnectionLost,
            E::TIMEDOUT => Self::Timeout,
            _ => Self::Io,
        }
    }
}

/// Exit statuses that no code carries; the rest are [`Code::exit`]. As rsync's where one exists.
pub mod exit {
    /// Success.
    pub const OK: u8 = 0;
    /// Wrong flags or arguments.
    pub const USAGE: u8 = 1;
    /// A local file or argument could not be used at all.
    pub const FILE_SELECTION: u8 = 3;
    /// The program could not start its work.
    pub const START: u8 = 5;
    /// Ended by a signal.
    pub const SIGNAL: u8 = 20;
    /// Some entries failed, the rest are in place.
    pub const PARTIAL: u8 = 23;
    /// Some sources vanished, the rest are in place.
    pub const VANISHED: u8 = 24;
    /// The deletion limit stopped deletions.
    pub const DELETE_LIMIT: u8 = 25;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_lead_back() {
        for (index, row) in TABLE.iter().enumerate() {
            assert_eq!(Code::from_number(row.number), Some(row.code));
            assert_eq!(row.code.row(), row);
            assert!(TABLE[..index].iter().all(|other| other.number < row.number && other.name != row.name));
        }
        assert_eq!(Code::from_number(0), None);
    }
}
