//! Requests of a transfer: BSON inside Control. Unknown fields and options are refused, never ignored.

mod document;
pub mod filter;
pub mod list;
pub mod offer;
pub mod options;
pub mod remove;
