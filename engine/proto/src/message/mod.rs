//! What two verified peers say to each other besides data.

pub mod close;

pub use close::{Beat, Close};
