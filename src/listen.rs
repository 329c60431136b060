//! Listens on a TCP address, or on a Unix socket behind a reverse proxy.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::io::FdFlags;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio_util::either::Either;

use crate::config::Listen;

/// How many connections may wait to be accepted on a Unix socket. tokio has the same number for TCP.
const BACKLOG: i32 = 1024;

/// An accepted connection, over TCP or a Unix socket.
pub type Stream = Either<TcpStream, UnixStream>;

/// Who may connect to a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketReach {
    /// Every user who can access the folder of the socket, because the content is public.
    AllUsers,
    /// Only the user that newswire runs as.
    Owner,
}

/// A bound listener. If it is dropped, the file of a Unix socket is removed.
#[derive(Debug)]
pub enum Listener {
    /// A TCP address.
    Tcp(TcpListener),
    /// A Unix socket with its file.
    Unix(UnixListener, SocketFile),
}

/// The file of a Unix socket. Dropping this value removes the file.
#[derive(Debug)]
pub struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // The file may have been removed already.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Binds an address. Replaces a Unix socket on which no process listens. Never replaces any other file.
    ///
    /// # Errors
    ///
    /// Fails if the address is in use, or the system refuses it.
    pub async fn bind(listen: &Listen, reach: SocketReach) -> io::Result<Listener> {
        match listen {
            Listen::Address(address) => TcpListener::bind(address).await.map(Listener::Tcp),
            Listen::Unix(path) => {
                remove_dead_socket(path).await?;
                let (socket, file) = bound_socket(path)?;
                let mode = if reach == SocketReach::AllUsers { 0o666 } else { 0o600 };
                // The mode is set before listening. Until then no one can connect, whatever mode the file got from the
                // umask.
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
                rustix::net::listen(&socket, BACKLOG)?;
                let listener = std::os::unix::net::UnixListener::from(socket);
                listener.set_nonblocking(true)?;
                Ok(Listener::Unix(UnixListener::from_std(listener)?, file))
            }
        }
    }

    /// Returns the address with the actual port, such as `http://127.0.0.1:8080` or `unix:/run/newswire/site.sock`.
    ///
    /// # Errors
    ///
    /// Fails if the system does not return the address.
    pub fn name(&self) -> io::Result<String> {
        match self {
            Listener::Tcp(listener) => Ok(format!("http://{}", listener.local_addr()?)),
            Listener::Unix(_, file) => Ok(format!("unix:{}", file.0.display())),
        }
    }

    /// Returns the IP address. Returns `None` for a Unix socket.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().ok().map(|address| address.ip()),
            Listener::Unix(..) => None,
        }
    }

    /// Returns the port. Returns `None` for a Unix socket.
    pub fn port(&self) -> Option<u16> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().ok().map(|address| address.port()),
            Listener::Unix(..) => None,
        }
    }

    /// Accepts the next connection. Returns it with the peer's address, which is `None` for a Unix socket.
    ///
    /// # Errors
    ///
    /// Fails if the system cannot accept a connection, for example because too many files are open.
    pub async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Answers are written as a whole, so waiting for more data would only delay them.
                stream.set_nodelay(true)?;
                Ok((Either::Left(stream), Some(peer.ip().to_canonical())))
            }
            Listener::Unix(listener, _) => listener.accept().await.map(|(stream, _)| (Either::Right(stream), None)),
        }
    }
}

/// Binds a socket to a new file at `path`, without listening yet.
fn bound_socket(path: &Path) -> io::Result<(OwnedFd, SocketFile)> {
    let address = SocketAddrUnix::new(path)?;
    let socket = rustix::net::socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
    rustix::io::fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    rustix::net::bind(&socket, &address)?;
    Ok((socket, SocketFile(path.to_owned())))
}

async fn remove_dead_socket(path: &Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    let is_dead = || async {
        matches!(UnixStream::connect(path).await, Err(error) if error.kind() == io::ErrorKind::ConnectionRefused)
    };
    if is_socket && is_dead().await { std::fs::remove_file(path) } else { Ok(()) }
}
