//! What this kernel's io_uring can do, asked once per ring.

use crate::error::{Refusal, errno_of};
use base::io::Errno;
use base::limits::Limits;
use io_uring::{IoUring, Probe, opcode};

/// Completions that a ring holds where there is no memory for more.
const COMPLETIONS_LEAST: u32 = 512;

/// What is there beyond the required.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// SEND_ZC (Linux 6.0).
    pub send_zc: bool,
    /// MSG_RING (Linux 5.18) and silent success (5.17), to wake other cores.
    pub msg_ring: bool,
    /// Completions run on the core's own thread when it asks (DEFER_TASKRUN, Linux 6.1).
    pub deferred: bool,
}

impl Found {
    /// What this kernel lacks and the engine does without.
    pub fn missing(&self) -> Vec<&'static str> {
        let all = [
            (self.send_zc, "SEND_ZC (Linux 6.0)"),
            (self.msg_ring, "MSG_RING (Linux 5.18)"),
            (self.deferred, "DEFER_TASKRUN (Linux 6.1)"),
        ];
        all.iter().filter(|(there, _)| !there).map(|(_, name)| *name).collect()
    }
}

/// Whether io_uring can be used here.
///
/// # Errors
/// Why it cannot.
pub fn probe() -> Result<Found, Refusal> {
    make(&Limits::TINY).map(|(_, found)| found)
}

/// Makes a ring with the best flags this kernel takes, and asks what it can do.
pub(crate) fn make(limits: &Limits) -> Result<(IoUring, Found), Refusal> {
    // Submissions go out once a turn; when the queue fills earlier it is submitted earlier.
    let submissions = limits.ops_in_flight_per_core.next_power_of_two().min(1024);
    // Every operation, a cancellation of each, and the ring's own; more than the kernel's most is clamped, and
    // the kernel then keeps what does not fit until there is room.
    let completions = (limits.ops_in_flight_per_core * 2 + 64).next_power_of_two();
    match make_with(submissions, completions) {
        // A machine short of memory may still have room for a small queue: what does not fit waits in the kernel.
        Err(Refusal::Failed(Errno::NOMEM)) if completions > COMPLETIONS_LEAST => {
            make_with(submissions.min(COMPLETIONS_LEAST / 2), COMPLETIONS_LEAST)
        }
        made => made,
    }
}

fn make_with(submissions: u32, completions: u32) -> Result<(IoUring, Found), Refusal> {
    let mut last = Refusal::Missing;
    for flavour in 0..4 {
        let mut builder = IoUring::builder();
        builder.setup_cqsize(completions).setup_clamp().dontfork();
        match flavour {
            0 => builder.setup_single_issuer().setup_defer_taskrun().setup_taskrun_flag(),
            1 => builder.setup_single_issuer().setup_coop_taskrun().setup_taskrun_flag(),
            2 => builder.setup_coop_taskrun().setup_taskrun_flag(),
            _ => &mut builder,
        };
        match builder.build(submissions) {
            Ok(ring) => {
                let found = features(&ring, flavour == 0)?;
                return Ok((ring, found));
            }
            Err(error) => match refusal(&error) {
                Refusal::Failed(Errno::INVAL) => last = Refusal::Failed(Errno::INVAL),
                other => return Err(other),
            },
        }
    }
    Err(last)
}

fn refusal(error: &std::io::Error) -> Refusal {
    match errno_of(error) {
        Errno::NOSYS => Refusal::Missing,
        Errno::PERM | Errno::ACCES => Refusal::Forbidden { disabled: disabled() },
        other => Refusal::Failed(other),
    }
}

/// kernel.io_uring_disabled (Linux 6.6): 1 for processes outside a group, 2 for all.
fn disabled() -> Option<u8> {
    let text = std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled").ok()?;
    text.trim().parse().ok().filter(|&value| value != 0)
}

fn features(ring: &IoUring, deferred: bool) -> Result<Found, Refusal> {
    let params = ring.params();
    for (there, name) in [
        (params.is_feature_nodrop(), "FEAT_NODROP (Linux 5.5)"),
        (params.is_feature_fast_poll(), "FEAT_FAST_POLL (Linux 5.7)"),
        (params.is_feature_ext_arg(), "FEAT_EXT_ARG (Linux 5.11)"),
    ] {
        if !there {
            return Err(Refusal::Lacks(name));
        }
    }
    let mut probe = Probe::new();
    ring.submitter().register_probe(&mut probe).map_err(|error| refusal(&error))?;
    for (code, name) in [
        (opcode::Accept::CODE, "ACCEPT"),
        (opcode::Connect::CODE, "CONNECT"),
        (opcode::Recv::CODE, "RECV"),
        (opcode::Send::CODE, "SEND"),
        (opcode::Read::CODE, "READ"),
        (opcode::Write::CODE, "WRITE"),
        (opcode::Fsync::CODE, "FSYNC"),
        (opcode::Fallocate::CODE, "FALLOCATE"),
        (opcode::Close::CODE, "CLOSE"),
        (opcode::AsyncCancel::CODE, "ASYNC_CANCEL"),
    ] {
        if !probe.is_supported(code) {
            return Err(Refusal::Lacks(name));
        }
    }
    Ok(Found {
        send_zc: probe.is_supported(opcode::SendZc::CODE),
        msg_ring: probe.is_supported(opcode::MsgRingData::CODE) && params.is_feature_skip_cqe_on_success(),
        deferred,
    })
}
