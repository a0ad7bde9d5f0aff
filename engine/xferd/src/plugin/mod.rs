//! What `xferd plugin` does below its command line.

pub mod author;
pub mod bench;
pub mod cases;
pub mod signature;
pub mod trial;
