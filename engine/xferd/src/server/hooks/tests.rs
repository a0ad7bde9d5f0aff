//! Hooks against a real store thread: one reply each, none beyond the bound, joins end to end.

use super::super::open;
use super::*;
use crate::config::{Environment, Flags, load};
use base::ids::{DeviceId, PskId, SessionId};
use base::io::Io;
use identity::{Address, DeviceKey, JoinReply, JoinRequest, JoinToken};
use ring::{Engine, Mode};
use state::StoreThread;

struct Bench {
    hooks: DaemonHooks,
    thread: StoreThread,
    control: mpsc::Receiver<ToControl>,
    engine: Engine,
    token: JoinToken,
    _home: tempfile::TempDir,
}

fn bench(limits: Limits) -> Bench {
    let home = tempfile::tempdir().expect("temporary directory");
    let mut opened = open::open(&home.path().join("state"), &Limits::DEFAULT).expect("made");
    let addresses = [Address::parse("127.0.0.1:1", &limits).expect("address")];
    let invited = opened.enrol.invite(&mut opened.store, "alice", 60_000, &addresses).expect("invited");
    let token =
        JoinToken::parse(invited["token"].as_str().expect("text"), &Limits::DEFAULT).expect("a token");
    let thread = StoreThread::start(opened.store, &limits).expect("started");
    let path = home.path().join("x.toml");
    std::fs::write(&path, "root = \"/srv\"\n").expect("written");
    let flags = Flags { config: Some(path), ..Flags::default() };
    let config = load(&flags, &Environment { variable: &|_| None, is_root: false, cpus: 1 }).expect("valid");
    let engine = Engine::new(Mode::Threads, base::ids::CoreId(0), &Limits::TINY).expect("made");
    let (to_control, control) = mpsc::channel(limits.hook_queue_max as usize);
    let known = Arc::new(Known::new(DeviceId::default(), [], Arc::default()));
    let plugins = PluginThread::start(thread.handle(), known.clone(), Vec::new(), Arc::new(limits.clone()));
    let shared = Shared {
        rules: Arc::new(Rules::new(Authorizer::new(&config, Arc::default(), 1), None)),
        store: thread.handle(),
        enrol: Arc::new(opened.enrol),
        names: Arc::new(Names::default()),
        control: to_control,
        dropped: Arc::new(AtomicU64::new(0)),
        decisions: Arc::new(Decisions::new(DecisionId(0), utc_ms())),
        known,
        plugins: plugins.expect("started"),
        stored: Arc::default(),
        places: Arc::from([]),
        limits: Arc::new(limits),
    };
    let hooks = DaemonHooks::new(shared, engine.waker());
    Bench { hooks, thread, control, engine, token, _home: home }
}

fn peer(token: PskId, session: SessionId) -> Peer {
    Peer {
        device: DeviceId::default(),
        account: "".into(),
        address: "127.0.0.1:1".parse().expect("address"),
        session,
        trust: Trust::JoinToken(token),
    }
}

impl Bench {
    /// Waits for the next replies: each comes with a wake, which ends the engine's turn.
    fn replies(&mut self) -> Vec<(Ticket, Reply)> {
        let (mut out, mut done) = (Vec::new(), Vec::with_capacity(16));
        while out.is_empty() {
            self.engine.turn(u64::MAX, &mut done);
            done.clear();
            self.hooks.poll(&mut out);
        }
        out
    }
}

// proves: L2, O1
#[test]
fn a_token_enrols_one_device_and_the_same_one_again() {
    let mut bench = bench(Limits::DEFAULT);
    let (key, session) = (DeviceKey::generate(&[7; 32]), SessionId([1; 32]));
    let from = peer(bench.token.psk_id(), session);
    bench.hooks.store(Ticket(1), StoreAsk::Psk(bench.token.psk_id())).expect("accepted");
    let replies = bench.replies();
    let [(Ticket(1), Reply::Psk(Some(psk)))] = replies.as_slice() else { panic!("{replies:?}") };
    assert_eq!(psk.secret, *bench.token.secret().expose());
    let mut certificates = Vec::new();
    for ticket in [2, 3] {
        let payload = JoinRequest::sign(&key, "laptop", &session).expect("signed");
        let call = Call { protocol: "xferd.join", payload: &payload, metadata: None };
        assert!(matches!(bench.hooks.request(Ticket(ticket), &from, &call), Answer::Later));
        let replies = bench.replies();
        let [(got, Reply::Success(Some(bytes)))] = replies.as_slice() else { panic!("{replies:?}") };
        assert_eq!(*got, Ticket(ticket));
        let reply = JoinReply::verify(bytes, &key, "alice", utc_ms()).expect("holds");
        certificates.push(reply.certificate.encode().to_vec());
    }
    assert_eq!(certificates[0], certificates[1]);
    let other = DeviceKey::generate(&[8; 32]);
    let payload = JoinRequest::sign(&other, "thief", &session).expect("signed");
    let call = Call { protocol: "xferd.join", payload: &payload, metadata: None };
    assert!(matches!(bench.hooks.request(Ticket(4), &from, &call), Answer::Later));
    assert!(matches!(bench.replies().as_slice(), [(_, Reply::Error { code: Code::InvalidToken, .. })]));
    let replayed = peer(bench.token.psk_id(), SessionId([2; 32]));
    let payload = JoinRequest::sign(&key, "laptop", &session).expect("signed");
    let call = Call { protocol: "xferd.join", payload: &payload, metadata: None };
    assert!(matches!(bench.hooks.request(Ticket(5), &replayed, &call), Answer::Later));
    assert!(matches!(bench.replies().as_slice(), [(_, Reply::Error { code: Code::InvalidSignature, .. })]));
}

#[test]
fn beyond_the_bound_requests_are_refused_and_each_accepted_one_has_one_reply() {
    let limits = Limits { hook_queue_max: 4, ..Limits::DEFAULT };
    let mut bench = bench(limits);
    let asked = |bench: &mut Bench, from: u64| -> Vec<u64> {
        (from..from + 8)
            .filter(|n| bench.hooks.store(Ticket(*n), StoreAsk::Psk(PskId::default())).is_ok())
            .collect()
    };
    let mut expected = asked(&mut bench, 0);
    assert!(expected.len() <= 4, "{expected:?}");
    let mut got: Vec<u64> = Vec::new();
    while got.len() < expected.len() {
        got.extend(bench.replies().iter().map(|(ticket, _)| ticket.0));
    }
    expected.extend(asked(&mut bench, 100));
    assert!(expected.len() > got.len(), "room again");
    while got.len() < expected.len() {
        got.extend(bench.replies().iter().map(|(ticket, _)| ticket.0));
    }
    got.sort_unstable();
    assert_eq!(got, expected);
}

#[test]
fn status_goes_to_the_control_thread_and_unknown_protocols_nowhere() {
    let mut bench = bench(Limits::DEFAULT);
    let from = Peer {
        account: "alice".into(),
        trust: Trust::Certificate,
        ..peer(PskId::default(), SessionId::default())
    };
    let call = |protocol| Call { protocol, payload: b"", metadata: None };
    assert!(matches!(bench.hooks.request(Ticket(1), &from, &call("xferd.status")), Answer::Later));
    let Ok(ToControl::Status { peer, reply }) = bench.control.try_recv() else { panic!("no status") };
    assert_eq!(&*peer.account, "alice");
    reply.send(Reply::Success(None));
    assert_eq!(bench.replies(), [(Ticket(1), Reply::Success(None))]);
    let answer = bench.hooks.request(Ticket(2), &from, &call("no.such"));
    assert!(matches!(answer, Answer::Now(Reply::Error { code: Code::NotFound, .. })));
    let answer = bench.hooks.request(Ticket(3), &from, &call("xferd.join"));
    assert!(matches!(answer, Answer::Now(Reply::Error { code: Code::InvalidRequest, .. })));
    bench.thread.stop().expect("stopped");
}

#[test]
fn decisions_are_kept_while_the_control_thread_is_slow() {
    let limits = Limits { hook_queue_max: 2, ..Limits::DEFAULT };
    let mut bench = bench(limits);
    let peer = Peer { trust: Trust::Certificate, ..peer(PskId::default(), SessionId::default()) };
    let decision = {
        struct None;
        impl base::hooks::Facts for None {
            fn get(&self, _: &str) -> Option<base::hooks::Fact> {
                Option::None
            }
        }
        let ask = Ask { subject: &peer, action: base::hooks::Action::Connect, root: "", facts: &None };
        bench.hooks.decide(&ask, Now::default())
    };
    for _ in 0..4 {
        bench.hooks.event(&Event::Decided {
            peer: &peer,
            action: "connect",
            root: "",
            path: b"",
            decision: &decision,
        });
    }
    let mut got = 0;
    while bench.control.try_recv().is_ok() {
        got += 1;
        bench.hooks.poll(&mut Vec::new());
    }
    assert_eq!((got, bench.hooks.shared.dropped.load(Ordering::Relaxed)), (4, 0));
}
