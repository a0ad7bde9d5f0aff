//! Handshake, records, certificates, liveness.
