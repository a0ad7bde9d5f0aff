//! Frames and their layouts.
