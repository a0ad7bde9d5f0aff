//! What a restart keeps, rolls forward and sweeps.
