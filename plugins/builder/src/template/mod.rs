//! What `xferd plugin new` unpacks.
