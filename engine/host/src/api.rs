//! The imports, one file for each group; every one charges the call's bounds before it does anything.

mod absent;
mod facts;
mod lane;
mod own;
mod saying;

use crate::bindings::xferd::plugin::types;
use crate::guest::Guest;

impl types::Host for Guest {}
