//! Which names `--delete` removes.
