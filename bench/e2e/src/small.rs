//! A small request, again and again: how long others wait while the daemon is busy.

use crate::Shared;
use crate::session::Session;
use proto::transfer::list::{self, ListRequest};
use std::path::Path;
use std::time::Instant;

/// Milliseconds of every answer.
pub(crate) fn ask(shared: &Shared, state: &Path) -> Vec<f64> {
    let mut session = Session::open(shared.to, state);
    shared.gate.wait();
    shared.gate.wait();
    let request =
        ListRequest { root: shared.folder.clone(), path: Vec::new(), recursive: false, after: None };
    let mut times = Vec::new();
    while !shared.is_over() {
        let began = Instant::now();
        let asked = match &mut session {
            Ok(session) => session.request(list::PROTOCOL, request.encode()).map(drop),
            Err(why) => Err(why.clone()),
        };
        if let Err(why) = asked {
            shared.failed(format!("small request {}: {why}", times.len()));
            break;
        }
        times.push(began.elapsed().as_secs_f64() * 1e3);
        std::thread::sleep(shared.pause);
    }
    times
}
