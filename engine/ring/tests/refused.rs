//! Where io_uring is forbidden, as container runtimes do it, the engine says why and uses threads.

use base::ids::CoreId;
use base::io::Io;
use base::limits::Limits;
use ring::{Engine, Mode, Refusal, RingError};

/// Makes io_uring_setup fail with EPERM, for this thread alone.
fn forbid_io_uring() {
    let statement = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let mut filter = [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0),
        libc::sock_filter {
            code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
            jt: 0,
            jf: 1,
            k: libc::SYS_io_uring_setup as u32,
        },
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: `program` and the filter it points to outlive the calls, which copy them.
    unsafe {
        assert_eq!(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
        assert_eq!(libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program), 0);
    }
}

#[test]
fn a_forbidden_io_uring_is_named_and_replaced() {
    forbid_io_uring();
    let refused = Engine::new(Mode::Uring, CoreId(0), &Limits::TINY).err();
    assert!(matches!(refused, Some(RingError::Refused(Refusal::Forbidden { .. }))), "{refused:?}");
    let engine = Engine::new(Mode::Auto, CoreId(0), &Limits::TINY).expect("threads");
    assert_eq!(engine.caps().name, "threads");
    let notice = engine.caps().notice.as_deref().expect("a reason");
    assert!(notice.contains("io_uring is forbidden"), "{notice}");
    let asked = Engine::new(Mode::Threads, CoreId(0), &Limits::TINY).expect("threads");
    assert_eq!(asked.caps().notice, None, "threads were asked for");
}

#[test]
fn modes_have_names() {
    for mode in [Mode::Auto, Mode::Uring, Mode::Threads] {
        assert_eq!(Mode::from_name(mode.name()), Some(mode));
    }
    assert_eq!(Mode::from_name("fast"), None);
}
