//! The loop of one core: completions in, decisions, operations out. No lock, no block, no thread.

use crate::command::{Command, Handshake, JobEnd};
use crate::control::Control;
use crate::link::{LinkEvent, Role};
use crate::links::{Links, MS};
use crate::mailbox::{Mail, Mailbox};
use crate::ops::{Finish, Owner, Yield};
use crate::receive::Receives;
use crate::recover::Start;
use crate::send::{Sends, StreamRef};
use crate::settings::Settings;
use crate::tools::Core;
use base::hooks::{Hooks, Reply, Ticket};
use base::ids::CoreId;
use base::io::{Done, Io, Op};
use proto::wire::FrameType;
use std::sync::Arc;

/// One core.
pub struct Shard<I: Io, H: Hooks> {
    core: Core<I, H>,
    links: Links<I::Buf>,
    sends: Sends<I::Buf>,
    receives: Receives<I::Buf>,
    control: Control,
    done: Vec<Done<I::Buf>>,
    replies: Vec<(Ticket, Reply)>,
    sweep_ns: u64,
    start: Start<I::Buf>,
    over: bool,
}

impl<I: Io, H: Hooks> Shard<I, H> {
    /// A core that listens on its settings' sockets, once the first one has settled what earlier runs left.
    pub fn new(settings: Arc<Settings>, id: CoreId, mail: Mailbox, io: I, hooks: H) -> Self {
        let done = Vec::with_capacity(settings.limits.done_per_turn as usize);
        let start = Start::new(&settings, id);
        let core = Core::new(io, hooks, settings, id, mail);
        let control = Control::new(&core.settings);
        Self {
            core,
            links: Links::new(),
            sends: Sends::new(),
            receives: Receives::new(),
            control,
            done,
            replies: Vec::new(),
            sweep_ns: 0,
            start,
            over: false,
        }
    }

    /// The world this core runs in.
    pub fn io(&mut self) -> &mut I {
        &mut self.core.io
    }

    /// The hooks this core runs with.
    pub fn hooks(&mut self) -> &mut H {
        &mut self.core.hooks
    }

    /// The end of the job, once.
    pub fn job_end(&mut self) -> Option<JobEnd> {
        self.control.job_end()
    }

    /// Whether what earlier runs left is settled: before that no connection is accepted.
    pub fn is_recovered(&self) -> bool {
        matches!(self.start, Start::Over)
    }

    /// Whether the core has closed everything and may be dropped.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// Operations in flight: what a test compares before and after.
    pub fn operations(&self) -> usize {
        self.core.ops.in_flight()
    }

    /// One turn: waits at most until the next deadline, then handles everything that came.
    pub fn turn(&mut self) {
        let wait_until = self.wait_until();
        self.core.ops.retry(&mut self.core.io);
        let mut done = core::mem::take(&mut self.done);
        self.core.io.turn(wait_until, &mut done);
        self.core.now = self.core.io.now();
        for one in done.drain(..) {
            if let Some((owner, finish)) = self.core.ops.finish(&mut self.core.io, one) {
                self.on_finish(owner, finish);
                self.on_events();
            }
        }
        self.done = done;
        self.on_replies();
        self.control.look_again(&mut self.core, &mut self.links);
        while let Some(mail) = self.core.mail.next() {
            self.on_mail(mail);
            self.on_events();
        }
        self.recover();
        self.sends.step(&mut self.core, &mut self.links);
        self.receives.step(&mut self.core, &mut self.links);
        self.control.step(&mut self.core, &mut self.links);
        let limits = &self.core.settings.limits;
        let wanted = self.sends.wants_streams(limits).or_else(|| self.receives.wants_streams(limits));
        if let Some((link, count)) = wanted {
            self.control.open_streams(&mut self.core, &self.links, link, count);
        }
        self.on_events();
        self.links.feed(&mut self.core);
        self.links.look(&mut self.core);
        if self.core.now.mono_ns >= self.sweep_ns {
            self.sweep();
        }
        self.on_events();
        self.on_ends();
        let io = &mut self.core.io;
        self.core.mail.flush(|core| io.wake(core));
        self.core.hooks.turned();
        let recovering = matches!(self.start, Start::Recovering { .. });
        let idle = self.links.is_empty() && self.control.is_idle();
        self.over = self.control.stopping() && idle && !recovering;
    }

    fn wait_until(&self) -> u64 {
        if self.start.is_due()
            || self.core.mail.backlog()
            || self.core.mail.has_local()
            || !self.core.events.is_empty()
        {
            return 0;
        }
        let limits = &self.core.settings.limits;
        // What a transfer waits for is not always told; whoever has none sleeps until a deadline.
        let works = self.sends.is_busy() || self.receives.is_busy() || self.links.waits.is_hungry();
        let sweep_ns = if works || self.control.is_waiting() { self.sweep_ns } else { u64::MAX };
        sweep_ns
            .min(self.links.waits.due_ns())
            .min(self.sends.deadline_ns(limits))
            .min(self.receives.deadline_ns(limits))
            .min(self.control.deadline_ns(&self.core))
            .max(self.core.now.mono_ns + 1)
    }

    fn sweep(&mut self) {
        let limits = &self.core.settings.limits;
        let pace_ms = limits.handshake_ms.min(limits.record_ms).min(limits.ping_ms).min(1600) / 16;
        self.sweep_ns = self.core.now.mono_ns + pace_ms.max(1) * MS;
        self.control.sweep(&mut self.core, &mut self.links, &self.sends, &self.receives);
    }

    /// Settles what earlier runs left; then begins what waits for it.
    fn recover(&mut self) {
        let Start::Recovering { recovery, cancelled, .. } = &mut self.start else { return };
        if *cancelled || self.control.draining() {
            recovery.stop();
        }
        recovery.step(&mut self.core);
        if !recovery.is_over() {
            return;
        }
        let started = core::mem::replace(&mut self.start, Start::Over);
        let Start::Recovering { job: Some(job), cancelled, .. } = started else {
            self.core.hooks.recovered();
            for other in (0..self.core.mail.cores()).map(CoreId).filter(|core| *core != self.core.id) {
                self.core.mail.post(other, Mail::Recovered);
            }
            return self.accept();
        };
        let Self { core, links, sends, receives, control, .. } = self;
        control.begin_job(core, links, *job);
        if cancelled {
            control.cancel_job(core, links, sends, receives);
        }
        self.on_events();
    }

    fn accept(&mut self) {
        if self.control.draining() {
            return;
        }
        for index in 0..self.core.settings.listeners.len() as u32 {
            let listener = self.core.settings.listeners[index as usize];
            self.core.start(Owner::Listener(index), Op::Accept { listener });
        }
    }

    fn on_finish(&mut self, owner: Owner, finish: Finish<I::Buf>) {
        let Self { core, links, sends, receives, control, .. } = self;
        match owner {
            Owner::LinkRx(link) => links.on_rx(core, link, finish),
            Owner::LinkTx(link) => links.on_tx(core, link, finish),
            Owner::Connect(link) => links.on_connect(core, link, finish),
            Owner::Listener(index) => {
                if let (Ok(_), Yield::Accepted { socket, from }) = (&finish.result, &finish.yields) {
                    links.on_accept(core, *socket, *from);
                }
                if !control.draining() {
                    let listener = core.settings.listeners[index as usize];
                    core.start(owner, Op::Accept { listener });
                }
            }
            Owner::Send { link, number } => sends.on_op(core, links, (link, number), finish),
            Owner::SendLane { link, tag } => sends.on_lane_op(core, links, link, tag, finish),
            Owner::Receive { link, number, tag } => receives.on_op(core, links, (link, number), tag, finish),
            Owner::ReceiveLane { link, tag } => receives.on_lane_op(core, links, link, tag, finish),
            Owner::Recovery => {
                if let Start::Recovering { recovery, .. } = &mut self.start {
                    recovery.on_op(core, finish);
                }
            }
            Owner::Nobody => {}
        }
    }

    fn on_events(&mut self) {
        while let Some(event) = self.core.events.pop_front() {
            let Self { core, links, sends, receives, control, .. } = self;
            match event {
                LinkEvent::Open(link) => control.client.on_open(core, link),
                LinkEvent::Healthy(link) => control.client.on_healthy(core, link),
                LinkEvent::Up(link) => match links.find(link).map(|link| link.role) {
                    Some(Role::Control) => control.on_up(core, links, link),
                    Some(Role::Stream { .. }) => links.tell_home(core, link),
                    None => {}
                },
                LinkEvent::Frame { link, kind, slot, data_len, trailer } => match kind {
                    FrameType::Chunk | FrameType::Pack => {
                        receives.on_data(core, links, link, slot, data_len, trailer);
                    }
                    FrameType::Entries | FrameType::Seal | FrameType::Manifest => {
                        receives.on_frame(core, links, link, kind, slot, data_len);
                    }
                    // Both ends send these. Of an incoming transfer it is the sender that wants no more pieces.
                    FrameType::Pieces | FrameType::Times if receives.has(link, &slot) => {
                        receives.on_frame(core, links, link, kind, slot, data_len);
                    }
                    _ => sends.on_frame(core, links, link, kind, slot, data_len),
                },
                LinkEvent::Control { link, bytes } => {
                    control.on_message(core, links, sends, receives, link, bytes);
                }
                LinkEvent::Room(link) => sends.on_room(core, links, link),
                LinkEvent::Down { link, role, code, detail } => {
                    sends.on_down(core, links, link, code, &detail);
                    receives.on_down(link, code, &detail);
                    match role {
                        Role::Control => control.on_down(core, links, link, code, &detail),
                        Role::Stream { session, home, index } => {
                            let (at, stream) = (core.id, link);
                            core.post(home, Mail::StreamDown { session, core: at, stream, index });
                        }
                    }
                }
            }
        }
    }

    fn on_mail(&mut self, mail: Mail) {
        let Self { core, links, sends, receives, control, .. } = self;
        match mail {
            Mail::Command(command) => self.on_command(*command),
            Mail::StreamHello(hello) => control.on_stream_hello(core, links, *hello),
            Mail::StreamPlace(place) => links.on_stream_place(core, *place),
            Mail::StreamUp { session, core: at, stream, index } => {
                let stream = StreamRef { core: at, link: stream, stream: index };
                if control.on_stream(session, stream, true) {
                    sends.on_stream_up(session, stream);
                    receives.on_stream_up(session, stream);
                } else {
                    core.post(at, Mail::StreamClose(stream.link));
                }
            }
            Mail::StreamDown { session, core: at, stream, index } => {
                let stream = StreamRef { core: at, link: stream, stream: index };
                let lost_ns = core.now.mono_ns + core.settings.limits.stream_lost_ms * MS;
                sends.on_stream_down(session, stream, lost_ns);
                // The lane of an incoming transfer stays until the home asks it to let go: its writes may be
                // in flight on descriptors of the home.
                control.on_stream(session, stream, false);
            }
            Mail::Yield { part, to } => receives.on_yield(part, to),
            Mail::StreamClose(link) => links.bye(core, link),
            Mail::StreamRate(link, per_second) => links.change_rate(core, link, per_second, None),
            Mail::Recovered => {
                self.start = Start::Over;
                self.accept();
            }
            Mail::Send(mail) => sends.on_mail(core, links, mail),
            Mail::Receive(mail) => receives.on_mail(core, links, mail),
        }
    }

    fn on_command(&mut self, command: Command) {
        let Self { core, links, sends, receives, control, .. } = self;
        match command {
            Command::Job(job) => match Start::before(&job) {
                Some(recovery) => {
                    self.start = Start::Recovering { recovery, job: Some(job), cancelled: false };
                }
                None => control.begin_job(core, links, *job),
            },
            Command::Cancel => match &mut self.start {
                Start::Recovering { cancelled, .. } => *cancelled = true,
                Start::Waiting | Start::Over => control.cancel_job(core, links, sends, receives),
            },
            Command::Drain { deadline_ns } => control.drain(core, links, deadline_ns),
            Command::Stop => control.stop(core, links),
            Command::Shares(shares) => control.set_shares(shares),
            Command::Handshake(Handshake(handshake)) => {
                core.settings = Arc::new(Settings { handshake, ..(*core.settings).clone() });
            }
            Command::Status(to) => {
                let mut status = core.status.clone();
                status.half_open = links.admission.half_open();
                for link in links.iter() {
                    match link.role {
                        Role::Control if link.socket.0 < 0 => {}
                        Role::Control => {
                            status.sessions += u32::from(link.is_up());
                            status.phases[link.course.phase() as usize] += 1;
                        }
                        Role::Stream { .. } => status.streams += u32::from(link.is_up()),
                    }
                }
                sends.status(links, &mut status);
                receives.status(links, &mut status);
                // Whoever asked may have gone; then nobody misses the answer.
                let _ = to.try_send(status);
            }
            Command::Expel(device, code) => control.expel(core, links, device, code),
        }
    }

    fn on_replies(&mut self) {
        let mut replies = core::mem::take(&mut self.replies);
        self.core.hooks.poll(&mut replies);
        for (ticket, reply) in replies.drain(..) {
            let Self { core, links, receives, control, .. } = self;
            if receives.on_reply(core, links, ticket, &reply) {
                continue;
            }
            control.on_reply(core, links, ticket, reply);
            self.on_events();
        }
        self.replies = replies;
    }

    fn on_ends(&mut self) {
        while let Some(ended) = self.sends.ended().or_else(|| self.receives.ended()) {
            let Self { core, links, control, .. } = self;
            control.on_ended(core, links, ended);
            self.on_events();
        }
    }
}
