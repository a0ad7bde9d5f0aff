//! TCP sockets: listening, options, addresses as the kernel wants them.

use crate::error::errno_of;
use base::io::{Errno, Fd};
use rustix::fd::{BorrowedFd, IntoRawFd, OwnedFd};
use rustix::net::{
    AddressFamily, Shutdown, SocketAddrAny, SocketFlags, SocketType, bind, getpeername, getsockname, ipproto,
    socket_with, sockopt,
};
use std::io;
use std::mem::size_of;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// Listens on `addr` (port 0: one the system chooses) with SO_REUSEPORT, so that every core has its own
/// listener on the same port. The descriptor is the caller's; beside it the address that resulted. An IPv6
/// listener takes IPv6 alone.
///
/// # Errors
/// What the system said; EADDRINUSE when another program has the port.
pub fn listen(addr: SocketAddr, backlog: i32) -> io::Result<(Fd, SocketAddr)> {
    let socket = tcp(addr, SocketFlags::CLOEXEC)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_socket_reuseport(&socket, true)?;
    if addr.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    bind(&socket, &addr)?;
    rustix::net::listen(&socket, backlog)?;
    let bound: SocketAddr = getsockname(&socket)?.try_into()?;
    Ok((Fd(socket.into_raw_fd()), bound))
}

fn tcp(addr: SocketAddr, flags: SocketFlags) -> rustix::io::Result<OwnedFd> {
    let family = if addr.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))
}

/// A socket to connect with.
pub(crate) fn outgoing(to: SocketAddr, nonblocking: bool) -> Result<i32, Errno> {
    let flags = if nonblocking { SocketFlags::CLOEXEC | SocketFlags::NONBLOCK } else { SocketFlags::CLOEXEC };
    tcp(to, flags).map(IntoRawFd::into_raw_fd).map_err(crate::error::errno)
}

/// Congestion control of connections within one machine, part of every kernel and allowed to everyone.
const UNPACED: &str = "reno";

/// Options of a socket that has just become a connection: TCP_NODELAY, and within one machine no pacing.
///
/// Where BBR is the system's congestion control (or another that paces), the timers of its pacing run on the sender's
/// CPU, on loopback as anywhere: they cost a third of the throughput of a route that cannot be congested. Of every other
/// route the system's choice stands.
///
/// Both are extras: what refuses them, such as a socket that is not TCP, works without.
pub fn settle(socket: Fd) {
    let Some(socket) = borrow(socket.0) else { return };
    let _ = sockopt::set_tcp_nodelay(socket, true);
    if within_machine(socket) {
        let _ = sockopt::set_tcp_congestion(socket, UNPACED);
    }
}

/// Whether both ends of a connection have one address, or the other's is loopback.
fn within_machine(socket: BorrowedFd<'_>) -> bool {
    let ip = |address: Option<SocketAddrAny>| {
        address.and_then(|any| SocketAddr::try_from(any).ok()).map(|addr| addr.ip().to_canonical())
    };
    let Some(peer) = ip(getpeername(socket).ok().flatten()) else { return false };
    peer.is_loopback() || ip(getsockname(socket).ok()) == Some(peer)
}

/// SO_RCVLOWAT, which `rustix` does not have.
///
/// # Errors
/// What setsockopt said.
pub(crate) fn set_low_water(socket: i32, bytes: u32) -> Result<(), Errno> {
    let value = i32::try_from(bytes).unwrap_or(i32::MAX);
    // SAFETY: the option takes an int, read during the call.
    let result = unsafe {
        libc::setsockopt(
            socket,
            libc::SOL_SOCKET,
            libc::SO_RCVLOWAT,
            (&raw const value).cast(),
            size_of::<i32>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(errno_of(&io::Error::last_os_error())) }
}

/// Shuts directions down; a socket that is not connected has none.
pub(crate) fn shut(socket: i32, which: Shutdown) {
    if let Some(socket) = borrow(socket) {
        let _ = rustix::net::shutdown(socket, which);
    }
}

/// Borrows a descriptor for one call.
pub(crate) fn borrow(fd: i32) -> Option<BorrowedFd<'static>> {
    if fd < 0 {
        return None;
    }
    // SAFETY: not negative; used for one call that touches no memory when the number is not open.
    Some(unsafe { BorrowedFd::borrow_raw(fd) })
}

/// A socket address as the kernel reads and writes it: sockaddr_in or sockaddr_in6, told apart by the
/// family, which both begin with.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) union RawAddress {
    family: libc::sa_family_t,
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

/// Length of the larger of the two.
pub(crate) const RAW_ADDRESS_BYTES: libc::socklen_t = size_of::<RawAddress>() as libc::socklen_t;

impl RawAddress {
    /// All zero: no address.
    pub(crate) const NONE: Self = Self {
        // The larger member, so that every byte is initialised.
        v6: libc::sockaddr_in6 {
            sin6_family: 0,
            sin6_port: 0,
            sin6_flowinfo: 0,
            sin6_addr: libc::in6_addr { s6_addr: [0; 16] },
            sin6_scope_id: 0,
        },
    };

    /// The address and its length.
    pub(crate) fn encode(addr: SocketAddr) -> (Self, libc::socklen_t) {
        let mut raw = Self::NONE;
        match addr {
            SocketAddr::V4(v4) => {
                raw.v4 = libc::sockaddr_in {
                    sin_family: libc::AF_INET as libc::sa_family_t,
                    sin_port: v4.port().to_be(),
                    sin_addr: libc::in_addr { s_addr: u32::from(*v4.ip()).to_be() },
                    sin_zero: [0; 8],
                };
                (raw, size_of::<libc::sockaddr_in>() as libc::socklen_t)
            }
            SocketAddr::V6(v6) => {
                raw.v6 = libc::sockaddr_in6 {
                    sin6_family: libc::AF_INET6 as libc::sa_family_t,
                    sin6_port: v6.port().to_be(),
                    sin6_flowinfo: v6.flowinfo().to_be(),
                    sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                    sin6_scope_id: v6.scope_id(),
                };
                (raw, RAW_ADDRESS_BYTES)
            }
        }
    }

    /// The address; the unspecified one for a family that is neither.
    pub(crate) fn decode(&self) -> SocketAddr {
        // SAFETY: every byte of the union is initialised (NONE, then encode or the kernel), and every bit
        // pattern is valid in all of its members.
        unsafe {
            match i32::from(self.family) {
                libc::AF_INET => {
                    let ip = Ipv4Addr::from(u32::from_be(self.v4.sin_addr.s_addr));
                    SocketAddrV4::new(ip, u16::from_be(self.v4.sin_port)).into()
                }
                libc::AF_INET6 => {
                    let ip = Ipv6Addr::from(self.v6.sin6_addr.s6_addr);
                    let (port, flow) = (u16::from_be(self.v6.sin6_port), u32::from_be(self.v6.sin6_flowinfo));
                    SocketAddrV6::new(ip, port, flow, self.v6.sin6_scope_id).into()
                }
                _ => SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0).into(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_round_trip() {
        for text in ["127.0.0.1:80", "[::1]:65535", "[fe80::1%3]:7", "0.0.0.0:0"] {
            let addr: SocketAddr = text.parse().expect("valid");
            assert_eq!(RawAddress::encode(addr).0.decode(), addr);
        }
        assert_eq!(RawAddress::NONE.decode(), "0.0.0.0:0".parse().expect("valid"));
    }

    #[test]
    fn a_connection_within_the_machine_is_not_paced() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("listens");
        let client = std::net::TcpStream::connect(listener.local_addr().expect("bound")).expect("connects");
        let (server, _) = listener.accept().expect("accepts");
        for end in [&client, &server] {
            settle(Fd(std::os::fd::AsRawFd::as_raw_fd(end)));
            assert!(end.nodelay().expect("set"));
            assert_eq!(sockopt::tcp_congestion(end).expect("readable"), UNPACED);
        }
    }

    #[test]
    fn two_listeners_share_a_port() {
        let (one, bound) = listen("127.0.0.1:0".parse().expect("valid"), 8).expect("listens");
        let (two, again) = listen(bound, 8).expect("listens too");
        assert_eq!(bound, again);
        for fd in [one, two] {
            crate::pool::close(fd.0).expect("open");
        }
    }
}
