//! Core to core: bounded queues of plain values, one wake per batch. No buffer and no key crosses.

use crate::command::Command;
use crate::link::{LinkId, StreamHello, StreamPlace};
use crate::receive::ReceiveMail;
use crate::send::SendMail;
use base::ids::{CoreId, PartId, TransferId};
use base::limits::Limits;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

/// One message to a core.
#[derive(Debug)]
pub enum Mail {
    /// From the control thread or the program.
    Command(Box<Command>),
    /// To the home core: a connection whose first message asks to join one of its sessions.
    StreamHello(Box<StreamHello>),
    /// From the home core to the core that shall carry the stream.
    StreamPlace(Box<StreamPlace>),
    /// To the home core: a stream of this session stands.
    StreamUp {
        /// The session's control link on the home core.
        session: LinkId,
        /// The core that carries it.
        core: CoreId,
        /// Its link there.
        stream: LinkId,
        /// Its number in the session.
        index: u16,
    },
    /// A stream of this session ended.
    StreamDown {
        /// The session's control link on the home core.
        session: LinkId,
        /// The core that carried it.
        core: CoreId,
        /// Its link there.
        stream: LinkId,
        /// Its number in the session.
        index: u16,
    },
    /// To every core: another transfer of the same device takes a part over.
    Yield {
        /// Which part.
        part: PartId,
        /// Who takes it.
        to: TransferId,
    },
    /// To a core that carries a stream: its session ended.
    StreamClose(LinkId),
    /// To a core that carries a stream: its bytes per second changed.
    StreamRate(LinkId, u64),
    /// From the first core: what earlier runs left is settled, connections may be accepted.
    Recovered,
    /// Between the home and the lanes of an outgoing transfer.
    Send(SendMail),
    /// Between the home and the lanes of an incoming transfer.
    Receive(ReceiveMail),
}

/// The sending ends of all cores' mailboxes.
#[derive(Clone, Debug)]
pub struct Addresses(Vec<SyncSender<Mail>>);

impl Addresses {
    /// Sends without waiting.
    ///
    /// # Errors
    /// The mailbox is full, or its core has ended; the mail is given back.
    #[allow(clippy::result_large_err)]
    pub fn send(&self, to: CoreId, mail: Mail) -> Result<(), Mail> {
        let Some(sender) = self.0.get(usize::from(to.0)) else { return Err(mail) };
        sender.try_send(mail).map_err(|error| match error {
            TrySendError::Full(mail) | TrySendError::Disconnected(mail) => mail,
        })
    }

    /// How many cores.
    pub fn cores(&self) -> u16 {
        self.0.len() as u16
    }
}

/// One core's mailbox.
#[derive(Debug)]
pub struct Mailbox {
    inbox: Receiver<Mail>,
    addresses: Addresses,
    /// Mail that found its mailbox full, in order, per core.
    waiting: Vec<VecDeque<Mail>>,
    /// Cores that got mail since the last wake.
    woken: Vec<bool>,
    own: CoreId,
    local: VecDeque<Mail>,
}

/// Mailboxes of `cores` cores that know each other.
pub fn mailboxes(cores: u16, limits: &Limits) -> (Vec<Mailbox>, Addresses) {
    let (senders, inboxes): (Vec<_>, Vec<_>) =
        (0..cores).map(|_| sync_channel(limits.mailbox_max as usize)).unzip();
    let addresses = Addresses(senders);
    let boxes = inboxes
        .into_iter()
        .enumerate()
        .map(|(index, inbox)| Mailbox {
            inbox,
            addresses: addresses.clone(),
            waiting: (0..cores).map(|_| VecDeque::new()).collect(),
            woken: vec![false; usize::from(cores)],
            own: CoreId(index as u16),
            local: VecDeque::new(),
        })
        .collect();
    (boxes, addresses)
}

impl Mailbox {
    /// How many cores there are.
    pub(crate) fn cores(&self) -> u16 {
        self.addresses.cores()
    }

    /// Queues mail for a core; mail to oneself arrives in the same turn.
    pub(crate) fn post(&mut self, to: CoreId, mail: Mail) {
        if to == self.own {
            self.local.push_back(mail);
            return;
        }
        let index = usize::from(to.0);
        let Some(queue) = self.waiting.get_mut(index) else { return };
        queue.push_back(mail);
    }

    /// Hands queued mail over and names the cores to wake.
    pub(crate) fn flush(&mut self, mut wake: impl FnMut(CoreId)) {
        for (index, queue) in self.waiting.iter_mut().enumerate() {
            while let Some(mail) = queue.pop_front() {
                match self.addresses.send(CoreId(index as u16), mail) {
                    Ok(()) => self.woken[index] = true,
                    Err(mail) => {
                        queue.push_front(mail);
                        break;
                    }
                }
            }
        }
        for (index, woken) in self.woken.iter_mut().enumerate() {
            if core::mem::take(woken) {
                wake(CoreId(index as u16));
            }
        }
    }

    /// Whether mail waits for room in another core's mailbox: then the next turn must not sleep long.
    pub(crate) fn backlog(&self) -> bool {
        self.waiting.iter().any(|queue| !queue.is_empty())
    }

    /// Whether mail to this core itself waits.
    pub(crate) fn has_local(&self) -> bool {
        !self.local.is_empty()
    }

    /// The next mail.
    pub(crate) fn next(&mut self) -> Option<Mail> {
        if let Some(mail) = self.local.pop_front() {
            return Some(mail);
        }
        self.inbox.try_recv().ok()
    }
}
