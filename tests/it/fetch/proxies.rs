//! What a feed with a `proxy` may reach: local names and private addresses are refused even if the proxy resolves the
//! names.

use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use newswire::config::Allow;
use newswire::feed::Validators;
use newswire::fetch::{Attempt, Fetcher};
use url::Url;

use crate::fetch::{contact, document, error, poll};
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply};

/// A SOCKS5 proxy that answers in place of all servers: the path `/feed` redirects, and every other path is a document.
struct Socks {
    address: SocketAddr,
    /// The names or addresses to which clients asked to be connected.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Socks {
    fn start(location: &str) -> Socks {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::default());
        let (seen, location) = (Arc::clone(&asked), location.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that hangs up is not a failure of the proxy.
                let _ = answer(stream.unwrap(), &location, &seen);
            }
        });
        Socks { address, asked }
    }

    fn requested(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers one client as a SOCKS5 proxy (RFC 1928) without a password does.
fn answer(mut stream: TcpStream, location: &str, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let take = |stream: &mut TcpStream, count: usize| {
        let mut bytes = vec![0; count];
        stream.read_exact(&mut bytes).map(|()| bytes)
    };
    let methods = take(&mut stream, 2)?[1];
    take(&mut stream, methods.into())?;
    stream.write_all(&[5, 0])?;
    let name = match take(&mut stream, 4)?[3] {
        3 => {
            let length = take(&mut stream, 1)?[0];
            String::from_utf8(take(&mut stream, length.into())?).unwrap()
        }
        1 => IpAddr::from(<[u8; 4]>::try_from(take(&mut stream, 4)?).unwrap()).to_string(),
        _ => IpAddr::from(<[u8; 16]>::try_from(take(&mut stream, 16)?).unwrap()).to_string(),
    };
    take(&mut stream, 2)?;
    asked.lock().unwrap().push(name);
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.extend(take(&mut stream, 1)?);
    }
    match request.starts_with(b"GET /feed ") {
        true => write!(stream, "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"),
        false => write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<rss/>"),
    }
}

/// Returns a fetcher that resolves `localhost` and the name of the proxy to this machine, and all other names to a
/// public address.
fn fetcher() -> Fetcher {
    let lookup = |name: &str| {
        let is_here = name.starts_with("localhost") || name == "proxy.company.example";
        Ok(vec![if is_here { [127, 0, 0, 1].into() } else { [1, 1, 1, 1].into() }])
    };
    Fetcher::with_lookup(&contact(), Arc::new(lookup))
}

/// Polls a public feed through the proxy.
async fn poll_by(proxy: &str, allow: &[Allow]) -> Attempt {
    let mut feed = feed(&Url::parse("http://feeds.example/feed").unwrap(), allow);
    feed.proxy = Some(proxy.into());
    poll(&fetcher(), &feed, &Validators::default()).await
}

const LOCAL: [&str; 14] = [
    "http://localhost/",
    "http://LocalHost.:8080/",
    "http://some.localhost/",
    "http://localhost.localdomain/",
    "http://router/",
    "http://printer.local/",
    "http://db.internal:8080/",
    "http://metadata.google.internal/",
    "http://box.home.arpa/",
    "http://nas.lan/",
    "http://127.0.0.1:8080/",
    "http://[::1]/",
    "http://10.0.0.1/",
    "http://169.254.169.254/",
];

#[tokio::test]
async fn redirect_to_a_local_name_or_a_private_address_is_refused_through_a_socks_proxy() {
    for location in LOCAL {
        for scheme in ["socks5h", "socks5"] {
            let proxy = Socks::start(location);
            let refused = error(poll_by(&format!("{scheme}://{}", proxy.address), &[]).await);
            assert_eq!(refused.kind().words(), "refused address", "{location} by {scheme}: {refused}");
            assert_eq!(proxy.requested().len(), 1, "{location} by {scheme}: {:?}", proxy.requested());
        }
    }
}

#[tokio::test]
async fn redirect_to_a_local_name_or_a_private_address_is_refused_through_an_http_proxy() {
    for location in LOCAL {
        let proxy = Origin::replies([Reply::redirect(302, location), Reply::new(200, &[], "<rss/>")]);
        let refused = error(poll_by(&format!("http://{}", proxy.address), &[]).await);
        assert_eq!(refused.kind().words(), "refused address", "{location}: {refused}");
        assert_eq!(proxy.requests().len(), 1, "{location}");
    }
}

#[tokio::test]
async fn proxy_that_needs_credentials_is_distinguished_from_a_server_that_does() {
    let proxy = Origin::replies([Reply::new(407, &[], "")]);
    let refused = error(poll_by(&format!("http://{}", proxy.address), &[]).await);
    assert_eq!(
        refused.to_string(),
        "the proxy requires credentials (407); add them to the URL under proxy of the feed"
    );
}

#[tokio::test]
async fn redirect_to_the_name_of_the_proxy_itself_is_refused() {
    let proxy = Socks::start("http://proxy.company.example:8080/");
    let by_name = format!("socks5://proxy.company.example:{}", proxy.address.port());
    let refused = error(poll_by(&by_name, &[]).await);
    assert_eq!(
        refused.to_string(),
        "proxy.company.example is a local name, which the feed's proxy would look up in its own network; \
         to permit it, add allow = [\"proxy.company.example:8080\"] to the feed"
    );
    assert_eq!(proxy.requested(), ["1.1.1.1"]);
}

#[tokio::test]
async fn public_and_allowed_names_are_fetched_through_a_proxy() {
    let host = |name: &str| Allow::Host(name.to_owned(), None);
    for (location, allow) in [
        ("http://elsewhere.example/", Vec::new()),
        ("http://expyuzz4wqqyqhjn.onion/", Vec::new()),
        ("http://router/", vec![host("router")]),
        ("http://localhost:8080/", vec![host("localhost")]),
        ("http://localhost/", vec![Allow::Network("127.0.0.0/8".parse().unwrap())]),
    ] {
        let proxy = Socks::start(location);
        document(poll_by(&format!("socks5h://{}", proxy.address), &allow).await);
        let to = Url::parse(location).unwrap();
        assert_eq!(proxy.requested(), ["feeds.example", to.host_str().unwrap()]);
    }
}
