//! Speed: what the benches under `benches/` share.
