//! Who a device is: keys, certificates, tokens, and the files they lie in.
//!
//! ```text
//! STATE/device.key     DeviceKey   the device; its id is the hash of the public key
//! STATE/authority.key  Authority   signs certificates and revocation lists; daemon only
//! STATE/trust/<root id>/           TrustStore: whom this device believes, and what it is there
//!         root                     TrustRoot: the authority's public half, signed by itself
//!         device.cert              this device's certificate under it
//!         crl                      Crl: who no longer counts; only ever moves forward
//! STATE/remotes/<name>.toml        Remote: how a client finds its hub
//! ```
//!
//! A device joins with a [`JoinToken`]: its secret keys the first handshake, then [`JoinRequest`] and
//! [`JoinReply`] turn it into a certificate. Layouts are in `FORMAT.md` beside this crate.
//!
//! What it never does: print or copy a private key other than into another [`DeviceKey`], read a key file
//! that others could have read, or take a revocation list older than the one it holds.
#![forbid(unsafe_code)]

mod address;
mod author;
mod authority;
mod crl;
mod files;
mod hub;
mod join;
mod key;
mod remote;
mod root;
mod token;
mod trust;

pub use address::{Address, AddressError};
pub use author::{AuthorKey, is_signed};
pub use authority::Authority;
pub use crl::{Crl, CrlError};
pub use files::{Damage, FileError, random};
pub use hub::{Hub, HubError};
pub use join::{JoinError, JoinReply, JoinRequest};
pub use key::DeviceKey;
pub use remote::{Remote, RemoteError};
pub use root::{RootError, TrustRoot};
pub use token::{JoinToken, TokenTextError};
pub use trust::{Trust, TrustError, TrustStore};

use proto::wire::layouts::{Layout, render_tables};

/// Every layout of this room, in the order of `FORMAT.md`.
pub const LAYOUTS: &[Layout] = &[
    Layout {
        name: "Key file",
        place: "`device.key`, `authority.key`, an author's; mode 0600",
        fields: key::FIELDS,
    },
    Layout { name: "Trust root", place: "`trust/<root id>/root`; in a join reply", fields: root::FIELDS },
    Layout { name: "Revocation list", place: "`trust/<root id>/crl`", fields: crl::FIELDS },
    Layout {
        name: "Join token",
        place: "`xferd1-` and base32 without padding, either case",
        fields: token::FIELDS,
    },
    Layout {
        name: "Join request",
        place: "payload of the request `xferd.join`",
        fields: join::REQUEST_FIELDS,
    },
    Layout { name: "Join reply", place: "payload of its success", fields: join::REPLY_FIELDS },
];

/// The tables of `FORMAT.md`, as Markdown.
pub fn format_tables() -> String {
    render_tables(LAYOUTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_tables_of_the_code() {
        let document = include_str!("../FORMAT.md");
        let (_, tables) = document.split_once("## Tables\n").expect("it has a part for them");
        assert!(tables.trim() == format_tables().trim(), "replace that part by:\n{}", format_tables());
    }
}
