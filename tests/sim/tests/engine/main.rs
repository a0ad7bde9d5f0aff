//! The real engine in the simulated world: two ends of two cores each, one network, two disks, one seed.

mod machine;
mod plain;
mod planted;
mod points;
mod scene;
mod seeds;
mod states;
mod town;
mod trial;
mod watch;
