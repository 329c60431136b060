//! Where connections come in: a TCP address, or a socket in the file system behind a reverse proxy.

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

/// How many connections wait to be accepted at a socket, as tokio has it for addresses.
const BACKLOG: i32 = 1024;

/// A connection's bytes, whichever way they come.
pub type Stream = Either<TcpStream, UnixStream>;

/// Who may connect to a socket in the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketReach {
    /// Everybody who can reach its folder: what is served there is public.
    Everybody,
    /// The user whom newswire runs as.
    Owner,
}

/// A bound place; a socket's file goes when it is dropped.
#[derive(Debug)]
pub enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

/// Removed on drop.
#[derive(Debug)]
pub struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Binds the place. A socket that nobody listens at any more is replaced; any other file is left alone.
    ///
    /// # Errors
    ///
    /// If somebody listens there already, or the system does not let us.
    pub async fn bind(listen: &Listen, reach: SocketReach) -> io::Result<Listener> {
        match listen {
            Listen::Address(address) => TcpListener::bind(address).await.map(Listener::Tcp),
            Listen::Unix(path) => {
                remove_dead_socket(path).await?;
                let (socket, file) = bound_socket(path)?;
                let mode = if reach == SocketReach::Everybody { 0o666 } else { 0o600 };
                // Before it listens: until then no one can connect, whatever mode the umask left.
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
                rustix::net::listen(&socket, BACKLOG)?;
                let listener = std::os::unix::net::UnixListener::from(socket);
                listener.set_nonblocking(true)?;
                Ok(Listener::Unix(UnixListener::from_std(listener)?, file))
            }
        }
    }

    /// As in `http://127.0.0.1:8080` or `unix:/run/newswire/site.sock`, with the port that the system gave.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub fn name(&self) -> io::Result<String> {
        match self {
            Listener::Tcp(listener) => Ok(format!("http://{}", listener.local_addr()?)),
            Listener::Unix(_, file) => Ok(format!("unix:{}", file.0.display())),
        }
    }

    /// The IP address that it listens on, if it has one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().ok().map(|address| address.ip()),
            Listener::Unix(..) => None,
        }
    }

    /// The port that it listens on, if it has one.
    pub fn port(&self) -> Option<u16> {
        match self {
            Listener::Tcp(listener) => listener.local_addr().ok().map(|address| address.port()),
            Listener::Unix(..) => None,
        }
    }

    /// The next connection, and whose it is; `None` where the peer is on this machine by its nature.
    ///
    /// # Errors
    ///
    /// If the system refuses it, as where too many files are open.
    pub async fn accept(&self) -> io::Result<(Stream, Option<IpAddr>)> {
        match self {
            Listener::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                // Answers are written whole; waiting for more to send only delays them.
                stream.set_nodelay(true)?;
                Ok((Either::Left(stream), Some(peer.ip().to_canonical())))
            }
            Listener::Unix(listener, _) => listener.accept().await.map(|(stream, _)| (Either::Right(stream), None)),
        }
    }
}

/// A socket that is bound to a new file at `path` and does not listen yet.
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
