//! The imports, one file for each group; every one charges the call's bounds before it does anything.

mod facts;
mod own;
mod saying;

use crate::bindings::xferd::plugin::types;
use crate::guest::Guest;

impl types::Host for Guest {}
