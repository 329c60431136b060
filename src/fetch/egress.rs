//! Builds the HTTP clients: one for each way out, that is, for each combination of permitted addresses, proxy,
//! certificates and HTTP version. Requests with the same way out share connections. Each client connects only to
//! addresses that `guard` permits.
//!
//! No client follows a redirect, repeats a request, keeps a cookie, sends a Referer, reads a proxy from the
//! environment, or accepts an invalid certificate. TLS is 1.2 or newer. An invalid header line is ignored, as in
//! browsers. An answer of ambiguous length is refused. A `ca_file` replaces the system's certificates for the feeds
//! that name it.
//!
//! A `proxy` from the config is trusted, so it may be at any address. Some proxies (`http:`, `socks5h:`) resolve names
//! themselves. Therefore `guard` refuses private addresses and local names before the request. Only the proxy can
//! refuse a public name that leads into the proxy's own network.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, Proxy, redirect, retry, tls};
use secrecy::ExposeSecret;
use thiserror::Error;
use tokio::sync::Mutex;
use url::Url;

use super::error::{CONNECT_TIMEOUT, causes, reason, root_cause};
use super::file;
use super::guard::{self, Reach};
use super::wire;
use crate::config::{Feed, PROXY_SCHEMES};
use crate::feed::{Failure, FeedKey, HttpFault, PollPhase, SettingFault, TlsFault};
use crate::foreign::Line;

/// How long an idle connection is kept. This is long enough for the next feed of the same host a second later, and
/// short because most hosts are not needed again for an hour.
const IDLE_TIMEOUT: Duration = Duration::from_secs(2);

/// The most bytes that an HTTP/2 server may send before newswire reads them. It is small because the buffers for these
/// bytes are not part of the memory budget of bodies. A feed from the other side of the earth still arrives at a
/// megabyte per second.
const HTTP2_WINDOW_BYTES: u32 = 256 * 1024;

/// The most headers of an answer. Sites behind several proxies and firewalls send more than the usual 100. The message
/// of `WireFault::Head` repeats the number.
const MOST_HEADERS: usize = 256;
const MOST_HEADER_BYTES: u32 = 32 * 1024;

/// The most clients that are kept, one per way out. No config needs more. Beyond that, all clients are dropped, and
/// built again when needed.
const MOST_CLIENTS: usize = 256;

/// How names are resolved. Each new connection resolves its name once.
#[derive(Clone)]
pub(super) enum Names {
    /// The operating system resolves names.
    System,
    Table(Lookup),
}

/// A function that resolves names instead of the name server.
pub type Lookup = Arc<dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync>;

/// What two requests must have in common to share a client.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Egress {
    reach: Reach,
    proxy: Option<String>,
    ca_file: Option<PathBuf>,
    http2: bool,
}

/// The most bytes of a `ca_file`. The system's own bundle has 0.2 MB.
const MAX_CERTIFICATES_BYTES: u64 = 16 << 20;

/// The clients built so far.
pub(super) struct Clients {
    names: Names,
    /// The clients, by what their requests have in common. The map is locked while a client is built, because the
    /// waiting callers mostly need the same client.
    by_egress: Mutex<HashMap<Egress, Way>>,
}

/// One way out: a client, and what is known about its connections.
#[derive(Clone)]
pub(super) struct Way {
    pub client: Client,
    /// The host of the proxy, if there is one. Connections then lead to the proxy, so the peer's address says nothing
    /// about the server.
    pub proxy: Option<Arc<str>>,
    /// Why this system has no CA certificates, if it has none. No server can be verified then.
    pub no_roots: Option<Line>,
}

impl Clients {
    pub(super) fn new(names: Names) -> Clients {
        // This fails only if the program has already installed a crypto provider, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Clients { names, by_egress: Mutex::default() }
    }

    /// Returns the way out for a feed, with a client that may be shared.
    ///
    /// # Errors
    ///
    /// Fails if the feed's `proxy` or `ca_file` is unusable.
    pub(super) async fn way(&self, reach: &Reach, feed: &Feed) -> Result<Way, Failure> {
        let proxy = feed.proxy.as_ref().map(|proxy| proxy.expose_secret().to_owned());
        self.client(Egress { reach: reach.clone(), proxy, ca_file: feed.ca_file.clone(), http2: feed.http2 }).await
    }

    /// Returns the way out for requests that belong to no feed.
    ///
    /// # Errors
    ///
    /// Fails if the client cannot be built. The cause is never a setting, because these requests have none.
    pub(super) async fn plain_way(&self, reach: &Reach) -> Result<Way, Failure> {
        self.client(Egress { reach: reach.clone(), proxy: None, ca_file: None, http2: true }).await
    }

    async fn client(&self, egress: Egress) -> Result<Way, Failure> {
        let mut by_egress = self.by_egress.lock().await;
        if let Some(way) = by_egress.get(&egress) {
            return Ok(way.clone());
        }
        let (names, wanted) = (self.names.clone(), egress.clone());
        let built = tokio::task::spawn_blocking(move || build(&wanted, names)).await;
        let way = built.expect("building a client does not panic, as a crypto provider is installed")?;
        if by_egress.len() >= MOST_CLIENTS {
            by_egress.clear();
        }
        by_egress.insert(egress, way.clone());
        Ok(way)
    }
}

/// Builds a client. Reads certificates from disk.
fn build(egress: &Egress, names: Names) -> Result<Way, Failure> {
    let proxy = egress.proxy.as_deref().map(trusted_hop).transpose()?.map(|(host, _)| Arc::from(host));
    let roots = egress.ca_file.as_deref().map(certificates).transpose()?;
    let system_roots = roots.is_none();
    match configure(egress, names.clone(), roots)?.build() {
        Ok(client) => Ok(Way { client, proxy, no_roots: None }),
        Err(error) if system_roots => {
            let why = root_cause(&error);
            let client =
                configure(egress, names, Some(Vec::new()))?.build().map_err(|error| unusable(egress, &error))?;
            Ok(Way { client, proxy, no_roots: Some(why) })
        }
        Err(error) => Err(unusable(egress, &error)),
    }
}

fn configure(
    egress: &Egress,
    names: Names,
    roots: Option<Vec<Certificate>>,
) -> Result<reqwest::ClientBuilder, Failure> {
    let proxy = egress.proxy.as_deref().map(trusted_hop).transpose()?;
    let trusted = proxy.as_ref().map(|(host, _)| host.clone());
    let resolver = GuardedResolver { reach: egress.reach.clone(), trusted, names };
    let mut builder = Client::builder()
        .dns_resolver(resolver)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .no_proxy()
        .tls_version_min(tls::Version::TLS_1_2)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(1)
        .http1_max_headers(MOST_HEADERS)
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http2_max_header_list_size(MOST_HEADER_BYTES)
        .http2_initial_stream_window_size(HTTP2_WINDOW_BYTES)
        .http2_initial_connection_window_size(HTTP2_WINDOW_BYTES);
    if let Some((_, proxy)) = proxy {
        builder = builder.proxy(proxy);
    }
    if let Some(roots) = roots {
        builder = builder.tls_certs_only(roots);
    }
    Ok(if egress.http2 { builder } else { builder.http1_only() })
}

/// Parses the URL of a proxy, and also returns its host. Errors contain nothing of the URL, because it may contain a
/// password.
fn trusted_hop(proxy: &str) -> Result<(String, Proxy), Failure> {
    let unusable = |fault| Failure::Setting { key: FeedKey::Proxy, fault };
    let url = Url::parse(proxy).map_err(|_| unusable(SettingFault::NoUrl))?;
    let host = url.host_str().ok_or_else(|| unusable(SettingFault::NoHost))?.to_owned();
    if !PROXY_SCHEMES.contains(&url.scheme()) {
        return Err(unusable(SettingFault::BadScheme));
    }
    let proxy = Proxy::all(url).map_err(|_| unusable(SettingFault::NoProxy))?;
    Ok((host, proxy))
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Failure> {
    let shown = || Line::from(path.display().to_string());
    let unusable = |fault| Failure::Setting { key: FeedKey::CaFile, fault };
    let unreadable = |why| unusable(SettingFault::Unreadable { path: shown(), why });
    let pem = read_certificates(path).map_err(|error| unreadable(reason(&error)))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| unreadable(root_cause(&error)))?;
    if certificates.is_empty() {
        return Err(unusable(SettingFault::NoCertificate { path: shown() }));
    }
    Ok(certificates)
}

/// Reads a regular file. A pipe would delay every feed that waits for its client.
fn read_certificates(path: &Path) -> io::Result<Vec<u8>> {
    let mut pem = Vec::new();
    file::open_regular(path)?.take(MAX_CERTIFICATES_BYTES).read_to_end(&mut pem)?;
    Ok(pem)
}

fn unusable(egress: &Egress, error: &reqwest::Error) -> Failure {
    let key = if egress.ca_file.is_some() { FeedKey::CaFile } else { FeedKey::Proxy };
    Failure::Setting { key, fault: SettingFault::Other { why: root_cause(error) } }
}

/// Resolves names, and leaves out the addresses that the guard refuses.
struct GuardedResolver {
    reach: Reach,
    /// The host of the proxy, which may be at any address.
    trusted: Option<String>,
    names: Names,
}

/// The error for a name whose addresses are all refused. It contains one of them.
#[derive(Debug, Error)]
#[error("{0} is refused")]
struct Blocked(IpAddr);

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = (self.trusted.as_deref() != Some(name.as_str())).then(|| self.reach.clone());
        let names = self.names.clone();
        Box::pin(async move {
            let addresses = names.look_up(name.as_str()).await?;
            let admits = |address: &IpAddr| reach.as_ref().is_none_or(|reach| reach.admits(*address));
            let (admitted, refused): (Vec<_>, Vec<_>) = addresses.into_iter().partition(admits);
            match (admitted.is_empty(), refused.first()) {
                (true, Some(refused)) => Err(Blocked(*refused).into()),
                (true, None) => Err("the name has no address".into()),
                // The client replaces the port 0 with that of the URL.
                (false, _) => Ok(Box::new(admitted.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs),
            }
        })
    }
}

impl Names {
    async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            Names::System => Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()),
            Names::Table(lookup) => lookup(name),
        }
    }
}

/// Converts an error of the HTTP client to a failure, for a request to `url`.
pub(super) fn explain(error: &reqwest::Error, url: &Url, proxied: bool) -> Failure {
    let name = url.host_str().unwrap_or_default();
    let (host, why) = (Line::from(name), root_cause(error));
    if let Some(Blocked(address)) = causes(error).find_map(|cause| cause.downcast_ref()) {
        return guard::refusal(name, *address, url.port_or_known_default().unwrap_or_default());
    }
    if let Some(error) = causes(error).find_map(tls_error) {
        return Failure::Tls { host, fault: distrust(error).unwrap_or(TlsFault::Other { why }) };
    }
    if error.is_dns() {
        // With a proxy, the name may also be the feed's, because some SOCKS proxies leave resolving to newswire.
        return Failure::Dns { host, proxied, why };
    }
    if error.is_timeout() {
        return Failure::Timeout { host, proxied, phase: PollPhase::Connect, after: CONNECT_TIMEOUT };
    }
    if error.is_connect() {
        return Failure::Connect { host, proxied, why };
    }
    let wire = wire::fault(why.as_str()).map(|wire| HttpFault::Wire { wire });
    Failure::Http { host, fault: wire.unwrap_or(HttpFault::Other { why }) }
}

/// Finds the TLS error. It is wrapped in one or two I/O errors, whose `source` skips the error that they wrap.
fn tls_error<'e>(cause: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    cause.downcast_ref().or_else(|| tls_error(wrapped?))
}

/// Returns why a certificate is not trusted, if the reason is one that the editor (who writes the config) can act on.
fn distrust(error: &rustls::Error) -> Option<TlsFault> {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, NotValidYetContext,
        UnknownIssuer,
    };
    let rustls::Error::InvalidCertificate(error) = error else { return None };
    match error {
        UnknownIssuer => Some(TlsFault::UnknownIssuer),
        Expired | ExpiredContext { .. } => Some(TlsFault::Expired),
        NotValidYet | NotValidYetContext { .. } => Some(TlsFault::NotYetValid),
        NotValidForName | NotValidForNameContext { .. } => Some(TlsFault::OtherName),
        _ => None,
    }
}
