//! Listeners: for each address one per core on the same port, by SO_REUSEPORT.

use crate::failure::{Failure, plain};
use base::codes::Code;
use base::io::Fd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long a port may take to become free: the kernel gives the sockets of a killed process's rings back a
/// while after its end, and a daemon that is started again at once meets its own past.
const PORT_WAIT: Duration = Duration::from_secs(2);
const PORT_PAUSE: Duration = Duration::from_millis(20);

/// Connections the kernel holds for a core that is busy.
const BACKLOG: i32 = 4096;

/// What each core listens on, and the addresses that resulted.
pub struct Listeners {
    /// By core.
    pub by_core: Vec<Vec<Fd>>,
    /// Where; a port of 0 has become a real one.
    pub addresses: Vec<SocketAddr>,
}

/// Opens them all.
///
/// # Errors
/// A port is in use or may not be used: exit 5.
pub fn listen(wanted: &[SocketAddr], cores: u16) -> Result<Listeners, Failure> {
    let until = Instant::now() + PORT_WAIT;
    for address in wanted {
        while let Err(errno) = refuse_port_in_use(*address) {
            if errno != rustix::io::Errno::ADDRINUSE || Instant::now() >= until {
                return Err(refused(*address, &errno.into()));
            }
            std::thread::sleep(PORT_PAUSE);
        }
    }
    let mut by_core: Vec<Vec<Fd>> = vec![Vec::new(); usize::from(cores)];
    let mut addresses = Vec::new();
    for address in wanted {
        let mut bound = *address;
        for listeners in &mut by_core {
            let (fd, resulted) = ring::listen(bound, BACKLOG).map_err(|error| refused(bound, &error))?;
            bound = resulted;
            listeners.push(fd);
        }
        addresses.push(bound);
    }
    Ok(Listeners { by_core, addresses })
}

/// SO_REUSEPORT would let two daemons of one user share a port and split its connections between them. A socket
/// without it cannot be bound beside another's listener, and so tells.
fn refuse_port_in_use(address: SocketAddr) -> rustix::io::Result<()> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    bind(&socket, &address)
}

fn refused(address: SocketAddr, error: &std::io::Error) -> Failure {
    let (code, next) = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            (Code::Conflict, "stop the program that has the port ('ss -ltnp' names it), or listen on another")
        }
        std::io::ErrorKind::PermissionDenied => {
            (Code::AccessDenied, "listen on a port above 1023, or run with CAP_NET_BIND_SERVICE")
        }
        std::io::ErrorKind::AddrNotAvailable => (Code::NotFound, "listen on an address of this machine"),
        _ => (Code::Io, "listen on another address"),
    };
    Failure::start(code, format!("cannot listen on {address}: {}", plain(error)), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_share_a_port_and_a_second_daemon_does_not() {
        let free = "127.0.0.1:0".parse().expect("address");
        let first = listen(&[free], 3).expect("listening");
        assert_eq!(first.by_core.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1]);
        let taken = first.addresses[0];
        assert_ne!(taken.port(), 0);
        let refused = listen(&[taken], 1).err().expect("in use");
        assert_eq!((refused.exit, refused.code), (5, Code::Conflict));
    }
}
