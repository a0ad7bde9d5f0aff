//! Offers: what a peer wants to send here or to have, decided before the transfer begins.

use crate::command::Failure;
use crate::control::{Control, failure};
use crate::decide::{Leave, TransferFacts, Watch, Wish};
use crate::link::{Link, LinkId};
use crate::links::Links;
use crate::place::{self, Located};
use crate::receive::{ReceiveSpec, Receives};
use crate::send::{SendSpec, Sends};
use crate::tools::Core;
use base::codes::Code;
use base::hooks::{Action, Hooks, Obligations, Peer};
use base::io::Io;
use disk::paths::SharePath;
use proto::message::Request;
use proto::transfer::offer::{self, Direction, Offer, OfferReply};

impl Control {
    /// Somebody wants to send files here, or to have some.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn offer<I: Io, H: Hooks>(
        &mut self,
        core: &mut Core<I, H>,
        links: &mut Links<I::Buf>,
        sends: &mut Sends<I::Buf>,
        receives: &mut Receives<I::Buf>,
        link: LinkId,
        peer: &Peer,
        request: &Request,
    ) -> Result<Vec<u8>, Failure> {
        let limits = core.limits();
        let offer = Offer::parse(&request.payload, &limits)
            .map_err(|error| failure(error.code(), "the offer breaks a rule of the protocol"))?;
        if self.draining() {
            return Err(failure(Code::Unavailable, "the server is shutting down; try again later"));
        }
        let running = sends.of_session(link) + receives.of_session(link);
        if running >= limits.transfers_per_session_max {
            return Err(failure(Code::Busy, "this session has as many transfers as it may"));
        }
        let initiator = links.find(link).and_then(Link::up).is_some_and(|up| up.initiator);
        if offer.transfer.is_multiple_of(2) != initiator {
            return Err(failure(Code::InvalidRequest, "the transfer's number is not the offering side's"));
        }
        let mut located = place::locate(core, &self.shares, &offer)?;
        let (watch, leave) = Watch::begin(core, wish(links, link, peer, &offer, &located))?;
        let obligations = &leave.obligations;
        if offer.direction == Direction::Push {
            if located.share.read_only || obligations.read_only {
                let message = format!("the share /{} is read-only", located.share.name);
                return Err(Failure { code: Code::ReadOnly, message });
            }
            if let Some(place) = &obligations.store_as {
                store_as(core, &mut located, place, &leave)?;
            }
        }
        let durability = match offer.options.dry_run {
            true => offer::Durability::None,
            false => offer.options.durability.max(located.share.durability_min),
        };
        let unbounded = obligations.bytes_per_second == u64::MAX && offer.options.bytes_per_second.is_none();
        let reply = OfferReply {
            destination: located.destination,
            durability,
            window: limits.window_bytes_per_stream,
            // A rate is kept on the control connection, so no other carries data.
            streams_max: if unbounded { limits.streams_max as u16 } else { 1 },
            home: core.id.0,
            cores: core.settings.cores,
            limits: obligations.into(),
        };
        limit_rate(core, links, link, &offer, obligations);
        let streams = self.sessions.get(&link).map_or(Vec::new(), |session| session.streams.clone());
        match offer.direction {
            Direction::Push => {
                let spec = receive_spec(link, peer, &offer, &located, durability, (watch, leave));
                receives.begin(core, spec, &streams);
            }
            Direction::Pull => sends.begin(core, send_spec(link, offer, located, (watch, leave)), &streams),
        }
        Ok(reply.encode())
    }
}

/// Everything an offer does: each source of a pull, the destination of a push, and what `--delete` removes there.
fn wish<'a, B: AsRef<[u8]> + AsMut<[u8]>>(
    links: &Links<B>,
    link: LinkId,
    peer: &'a Peer,
    offer: &Offer,
    located: &'a Located,
) -> Wish<'a> {
    let connect = links.find(link).and_then(|link| link.connect.as_deref());
    let first = located.paths.first().cloned().unwrap_or_default();
    let asked = match offer.direction {
        Direction::Push if offer.options.delete => {
            vec![(Action::Push, first.clone()), (Action::Remove, first)]
        }
        Direction::Push => vec![(Action::Push, first)],
        Direction::Pull => located.paths.iter().map(|path| (Action::Pull, path.clone())).collect(),
    };
    Wish {
        peer,
        root: &located.share.name,
        asked,
        label: connect.and_then(|connect| connect.obligations.label.clone()),
        session: connect.map_or(Obligations::NONE, |connect| connect.obligations.clone()),
        facts: TransferFacts::of(offer),
    }
}

/// Puts another place beneath the same share in place of the one that was asked for.
fn store_as<I: Io, H: Hooks>(
    core: &mut Core<I, H>,
    located: &mut Located,
    place: &str,
    leave: &Leave,
) -> Result<(), Failure> {
    let parsed = SharePath::parse(place.as_bytes(), &core.settings.limits).map_err(|refused| {
        let message = format!("denied: {} demands to store at {place}: {:?}", leave.by, refused.rule);
        Failure { code: Code::AccessDenied, message }
    })?;
    let path = parsed.whole().as_bytes().to_vec();
    located.destination = place::destination(core, located.share.root, &path)?;
    located.paths = vec![path];
    Ok(())
}

fn limit_rate<I: Io, H: Hooks>(
    core: &Core<I, H>,
    links: &mut Links<I::Buf>,
    link: LinkId,
    offer: &Offer,
    obligations: &Obligations,
) {
    if obligations.bytes_per_second != u64::MAX {
        links.limit_rate(core, link, obligations.bytes_per_second, true);
    }
    if let (Direction::Pull, Some(rate)) = (offer.direction, offer.options.bytes_per_second) {
        links.limit_rate(core, link, rate, false);
    }
}

fn receive_spec(
    link: LinkId,
    peer: &Peer,
    offer: &Offer,
    located: &Located,
    durability: offer::Durability,
    (watch, leave): (Watch, Leave),
) -> ReceiveSpec {
    ReceiveSpec {
        link,
        number: offer.transfer,
        id: offer.id,
        peer: peer.device,
        root: located.share.root,
        anchor: located.share.name.clone(),
        offered: offer.root.clone(),
        destination: located.paths.first().cloned().unwrap_or_default(),
        options: offer.options.clone(),
        durability,
        account: (!offer.options.dry_run).then(|| peer.account.clone()),
        owners: located.share.owners,
        own_root: false,
        places: leave.guard.clone(),
        leave,
        watch: Some(Box::new(watch)),
        streams: None,
        streams_max: 0,
    }
}

fn send_spec(link: LinkId, offer: Offer, located: Located, (watch, leave): (Watch, Leave)) -> SendSpec {
    SendSpec {
        link,
        number: offer.transfer,
        id: offer.id,
        sources: place::sources(&located, offer.into),
        options: offer.options,
        leave,
        watch: Some(Box::new(watch)),
        streams: None,
        streams_max: 0,
    }
}
