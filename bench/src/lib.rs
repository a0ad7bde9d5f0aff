//! Speed: what the benches under `benches/` share.

#![forbid(unsafe_code)]
