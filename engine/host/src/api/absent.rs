//! Imports that the engine has nothing behind: each says so with `unavailable`, as `xferd.wit` tells authors to expect.
//! Of `messages`, the answer to a call that is answered later is there.

use crate::bindings::xferd::plugin::types::{Attr, Digest, Error, GroupId, PageReq, PeerId, Ticket};
use crate::bindings::xferd::plugin::{
    blobs, datagrams, dns_sd, files, membership, messages, peers, shares, transfers, versions,
};
use crate::effects::{Deed, OWN_TICKET};
use crate::guest::Guest;
use wasmtime::Result;

impl Guest {
    /// The answer of an import with nothing behind it.
    fn absent<T>(&mut self) -> Result<Result<T, Error>> {
        self.charge(0)?;
        Ok(Err(Error::Unavailable))
    }
}

impl messages::Host for Guest {
    fn send(&mut self, _: PeerId, _: String, _: Vec<u8>) -> Result<Result<(), Error>> {
        self.absent()
    }

    fn ask(&mut self, _: PeerId, _: String, _: Vec<u8>, _: u32) -> Result<Result<Ticket, Error>> {
        self.absent()
    }

    fn answer(&mut self, to: Ticket, body: Vec<u8>) -> Result<Result<(), Error>> {
        self.charge(body.len())?;
        self.effect()?;
        if body.len() > self.plugin.limits.plugin_body_bytes_max as usize {
            return Ok(Err(Error::Limit));
        }
        if to & OWN_TICKET != 0 {
            return Ok(Err(Error::NotFound));
        }
        self.work.effects.push(Deed::Answer { ticket: to, body });
        Ok(Ok(()))
    }

    fn broadcast(&mut self, _: GroupId, _: String, _: Vec<u8>) -> Result<Result<u32, Error>> {
        self.absent()
    }
}

impl peers::Host for Guest {
    fn look_up(&mut self, _: PeerId) -> Result<Option<peers::Peer>> {
        self.charge(32)?;
        Ok(None)
    }

    fn online(&mut self, _: PageReq) -> Result<Vec<PeerId>> {
        self.charge(0)?;
        Ok(Vec::new())
    }

    fn members(&mut self, _: GroupId, _: PageReq) -> Result<Result<Vec<PeerId>, Error>> {
        self.absent()
    }
}

impl files::Host for Guest {
    fn stat(&mut self, _: String, _: String) -> Result<Result<files::Meta, Error>> {
        self.absent()
    }

    fn entries(&mut self, _: String, _: String, _: PageReq) -> Result<Result<Vec<files::Meta>, Error>> {
        self.absent()
    }
}

impl transfers::Host for Guest {
    fn begin(&mut self, _: transfers::Order) -> Result<Result<Ticket, Error>> {
        self.absent()
    }

    fn cancel(&mut self, _: Ticket) -> Result<Result<(), Error>> {
        self.absent()
    }
}

impl datagrams::Host for Guest {
    fn send(&mut self, _: String, _: Option<(String, u16)>, _: Vec<u8>) -> Result<Result<(), Error>> {
        self.absent()
    }
}

impl shares::Host for Guest {
    fn put(&mut self, _: shares::Share) -> Result<Result<u64, Error>> {
        self.absent()
    }

    fn drop(&mut self, _: u64) -> Result<Result<(), Error>> {
        self.absent()
    }

    fn page(
        &mut self,
        _: String,
        _: Option<String>,
        _: PageReq,
    ) -> Result<Result<Vec<shares::Share>, Error>> {
        self.absent()
    }
}

impl blobs::Host for Guest {
    fn put(&mut self, _: PeerId, _: String, _: Vec<u8>, _: u64) -> Result<Result<u64, Error>> {
        self.absent()
    }

    fn take(&mut self, _: PeerId, _: String, _: u32) -> Result<Result<Vec<(u64, Vec<u8>)>, Error>> {
        self.absent()
    }

    fn done(&mut self, _: Vec<u64>) -> Result<Result<(), Error>> {
        self.absent()
    }

    fn wraps(&mut self, _: String) -> Result<Result<Vec<(PeerId, Vec<u8>)>, Error>> {
        self.absent()
    }

    fn put_wrap(&mut self, _: String, _: PeerId, _: Vec<u8>) -> Result<Result<(), Error>> {
        self.absent()
    }

    fn group_wraps(&mut self, _: GroupId, _: u64, _: Vec<(PeerId, Vec<u8>)>) -> Result<Result<(), Error>> {
        self.absent()
    }
}

impl membership::Host for Guest {
    fn create(&mut self, _: String) -> Result<Result<GroupId, Error>> {
        self.absent()
    }

    fn remove_group(&mut self, _: GroupId) -> Result<Result<(), Error>> {
        self.absent()
    }

    fn add(&mut self, _: GroupId, _: String, _: bool) -> Result<Result<u64, Error>> {
        self.absent()
    }

    fn remove(&mut self, _: GroupId, _: String) -> Result<Result<u64, Error>> {
        self.absent()
    }
}

impl versions::Host for Guest {
    fn current(&mut self, _: String, _: String) -> Result<Result<(u64, Digest), Error>> {
        self.absent()
    }

    fn expect(&mut self, _: String, _: String, _: u64) -> Result<Result<Ticket, Error>> {
        self.absent()
    }

    fn restore(&mut self, _: String, _: String, _: u64) -> Result<Result<(), Error>> {
        self.absent()
    }
}

impl dns_sd::Host for Guest {
    fn announce(&mut self, _: u16, _: Vec<Attr>, _: u32) -> Result<Result<(), Error>> {
        self.absent()
    }

    fn stop(&mut self) -> Result<()> {
        Ok(self.charge(0)?)
    }

    fn browse(&mut self) -> Result<Result<(), Error>> {
        self.absent()
    }
}
