//! Decides for which host names the admin address answers requests.
//!
//! Any web site may resolve its own host name to 127.0.0.1 (DNS rebinding). The browser then lets the pages of the site
//! read the answers of the admin address. A page cannot choose the `Host` header that the browser sends, so newswire
//! refuses host names that are not configured. The machine's own IP addresses are accepted too, because DNS cannot
//! redirect them. If newswire listens on all addresses, it accepts every IP address.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http::header;
use http::uri::Authority;
use tokio::sync::watch;

use super::answer::plain;
use crate::config::Config;
use crate::listen::Listener;

/// The accepted host names of the admin address.
#[derive(Clone)]
pub(super) struct KnownHosts {
    /// The IP address of the listener; `None` for a Unix socket, which browsers cannot reach.
    listens_on: Option<IpAddr>,
    configs: watch::Receiver<Arc<Config>>,
}

impl KnownHosts {
    /// Returns the host names for a listener; follows changes of the config.
    pub(super) fn of(listener: &Listener, configs: watch::Receiver<Arc<Config>>) -> KnownHosts {
        KnownHosts { listens_on: listener.ip(), configs }
    }

    /// Returns whether every host that the request names is known.
    fn accepts(&self, request: &Request) -> bool {
        let Some(listens_on) = self.listens_on else { return true };
        let config = self.configs.borrow().clone();
        let mut names: Vec<&str> = config.server.admin_hosts.iter().map(String::as_str).collect();
        names.extend(config.site.url.domain());
        let in_headers = request.headers().get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
        in_headers
            .chain(request.uri().authority().map(Authority::as_str))
            .all(|host| is_known(host, listens_on, &names))
    }
}

/// Refuses requests for unknown hosts with 421 Misdirected Request.
pub(super) async fn known_host(State(hosts): State<KnownHosts>, request: Request, next: Next) -> Response {
    if hosts.accepts(&request) {
        return next.run(request).await;
    }
    plain(
        StatusCode::MISDIRECTED_REQUEST,
        "unknown host name; use localhost or the IP address, or add the name to admin_hosts under [server]\n",
    )
}

/// Returns whether a host is known. `host` is the value of a `Host` header, with or without a port.
fn is_known(host: &str, listens_on: IpAddr, names: &[&str]) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_end_matches('.').to_ascii_lowercase();
    match name.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(ip) => {
            let ip = ip.to_canonical();
            ip.is_loopback() || ip == listens_on.to_canonical() || listens_on.is_unspecified()
        }
        Err(_) => name == "localhost" || name.ends_with(".localhost") || names.contains(&name.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_names_and_own_addresses_are_answered_for() {
        let check = |host: &str, listens_on: &str, expected: bool| {
            let names = ["newswire", "news.example.org"];
            assert_eq!(is_known(host, listens_on.parse().unwrap(), &names), expected, "{host} on {listens_on}");
        };
        for host in ["127.0.0.1:8081", "localhost:8081", "LOCALHOST", "localhost.", "[::1]:8081", "wire.localhost"] {
            check(host, "127.0.0.1", true);
            check(host, "192.0.2.7", true);
        }
        for host in
            ["evil.example:8081", "127.0.0.1.evil.example", "localhost.evil.example", "", "a@b@c", "198.51.100.1"]
        {
            check(host, "127.0.0.1", false);
        }
        check("192.0.2.7:8081", "192.0.2.7", true);
        check("192.0.2.8:8081", "192.0.2.7", false);
        check("192.0.2.8:8081", "0.0.0.0", true);
        check("[2001:db8::1]", "::", true);
        check("newswire:8081", "0.0.0.0", true);
        check("News.Example.org", "127.0.0.1", true);
        check("evil.example", "0.0.0.0", false);
    }
}
