//! How requests identify newswire, and the certificates, proxies and connections that they use.

use std::io::{Read, Write};
use std::time::Duration;

use newswire::feed::Validators;
use regex::Regex;

use crate::fetch::{document, error, fetcher, first_poll, poll};
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply, Request};
use crate::support::tls;

fn ok() -> Reply {
    Reply::new(200, &[("Content-Type", "text/html; charset=utf-8")], "<rss/>")
}

#[tokio::test]
async fn a_poll_identifies_itself_and_the_types_it_accepts() {
    let origin = Origin::replies([ok()]);
    document(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
    let request = &origin.requests()[0];
    let text = |name: &str| String::from_utf8(request.header(name).unwrap()).unwrap();
    let identity = Regex::new(r"^newswire/\d+\.\d+\.\d+ \(\+https://news\.example\.org/about\)$").unwrap();
    assert!(identity.is_match(&text("User-Agent")), "{}", text("User-Agent"));
    for media_type in ["application/atom+xml", "application/rss+xml", "application/feed+json", "application/xml"] {
        assert!(text("Accept").contains(media_type));
    }
    assert!(text("Accept-Encoding").contains("gzip"));
    let names = request.headers().into_iter().map(|(name, _)| name.to_lowercase()).collect::<Vec<_>>();
    let expected = ["accept", "user-agent", "accept-encoding", "connection", "host"];
    assert!(names.iter().filter(|name| !name.is_empty()).all(|name| expected.contains(&name.as_str())), "{names:?}");
}

/// A made-up address would send publishers to somebody who knows nothing of the polls.
#[tokio::test]
async fn a_poll_without_a_contact_names_only_the_program() {
    let origin = Origin::replies([ok()]);
    let fetcher = newswire::fetch::Fetcher::new(None::<&url::Url>);
    let feed = feed(&origin.url("/feed"), &[origin.allow()]);
    document(poll(&fetcher, &feed, &Validators::default()).await);
    let agent = String::from_utf8(origin.requests()[0].header("User-Agent").unwrap()).unwrap();
    assert!(Regex::new(r"^newswire/\d+\.\d+\.\d+$").unwrap().is_match(&agent), "{agent}");
}

#[tokio::test]
async fn user_agent_and_language_of_a_feed_are_sent_on_every_hop() {
    let origin = Origin::start(|request| match request.number {
        0 => Reply::redirect(302, "/next"),
        _ => ok(),
    });
    let mut feed = feed(&origin.url("/feed"), &[origin.allow()]);
    feed.user_agent = Some("jungle-drum/1.0".to_owned());
    feed.accept_language = Some("mi, en;q=0.5".to_owned());
    document(first_poll(&feed).await);
    for request in origin.requests() {
        assert_eq!(request.header("User-Agent").unwrap(), b"jungle-drum/1.0");
        assert_eq!(request.header("Accept-Language").unwrap(), b"mi, en;q=0.5");
    }
}

#[tokio::test]
async fn the_declared_media_type_is_reported_but_not_checked() {
    let origin = Origin::replies([ok()]);
    let document = document(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
    assert_eq!(document.content_type.as_deref(), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let origin = Origin::start_tls(tls::server(&[]), |_| ok());
    let error = error(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
    assert_eq!(
        error.to_string(),
        "could not make a secure connection to 127.0.0.1: certificate signed by an unknown authority; \
         if you trust it, set ca_file"
    );
    assert_eq!((error.kind().words(), origin.requests().len()), ("tls", 0));
}

#[tokio::test]
async fn a_ca_file_certifies_servers_under_their_own_names_only() {
    let origin = Origin::start_tls(tls::server(&[]), |_| ok());
    let mut trusted = feed(&origin.url("/feed"), &[origin.allow()]);
    trusted.ca_file = Some(tls::ca_file());
    document(first_poll(&trusted).await);
    let mut misnamed = feed(&origin.url_as("wrong.test", "/feed"), &[origin.allow()]);
    misnamed.ca_file = Some(tls::ca_file());
    let lookup = std::sync::Arc::new(|_: &str| Ok(vec![[127, 0, 0, 1].into()]));
    let fetcher = newswire::fetch::Fetcher::with_lookup(&crate::fetch::contact(), lookup);
    let error = error(poll(&fetcher, &misnamed, &Validators::default()).await);
    assert_eq!(
        error.to_string(),
        "could not make a secure connection to wrong.test: its certificate is for another name"
    );
}

#[tokio::test]
async fn an_unusable_ca_file_is_named_in_the_error() {
    for (file, message) in [
        ("missing.pem", "ca_file of the feed cannot be used: missing.pem: No such file or directory"),
        ("Cargo.toml", "ca_file of the feed cannot be used: Cargo.toml: it contains no PEM certificate"),
    ] {
        let mut feed = feed(&"https://feeds.example/".parse().unwrap(), &[]);
        feed.ca_file = Some(file.into());
        assert_eq!(error(first_poll(&feed).await).to_string(), message);
    }
}

#[tokio::test]
async fn the_proxy_of_a_feed_may_be_anywhere_and_its_password_goes_only_to_it() {
    let proxy = Origin::replies([ok()]);
    let mut feed = feed(&"http://feeds.example/feed".parse().unwrap(), &[]);
    feed.proxy = Some(format!("http://user:canary@{}", proxy.address).into());
    document(first_poll(&feed).await);
    assert_eq!(proxy.requests()[0].target(), "http://feeds.example/feed");
    assert!(proxy.requests()[0].header("Proxy-Authorization").is_some());
    feed.proxy = Some("http://user:canary@127.0.0.1:1".into());
    let failure = error(first_poll(&feed).await);
    assert_eq!(failure.kind().words(), "connect");
    feed.proxy = Some("gopher://user:canary@127.0.0.1".into());
    let unusable = error(first_poll(&feed).await);
    assert_eq!(unusable.kind().words(), "setting");
    assert!(!format!("{failure} {failure:?} {unusable} {unusable:?}").contains("canary"));
}

/// Starts a SOCKS5 proxy (RFC 1928) that answers every request itself. It also reports the requested host names.
fn socks_proxy() -> (std::net::SocketAddr, std::sync::mpsc::Receiver<String>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, names) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for mut socket in listener.incoming().map_while(Result::ok) {
            let mut head = [0; 2];
            socket.read_exact(&mut head).unwrap();
            socket.read_exact(&mut vec![0; head[1].into()]).unwrap();
            socket.write_all(&[5, 0]).unwrap();
            let mut request = [0; 5];
            socket.read_exact(&mut request).unwrap();
            let mut name = vec![0; usize::from(request[4]) + 2];
            socket.read_exact(&mut name).unwrap();
            asked.send(String::from_utf8_lossy(&name[..name.len() - 2]).into_owned()).unwrap();
            socket.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
            let _ = socket.read(&mut [0; 4096]);
            socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<rss/>").unwrap();
        }
    });
    (address, names)
}

#[tokio::test]
async fn a_socks_proxy_resolves_the_names_of_a_feed() {
    let (address, names) = socks_proxy();
    let mut feed = feed(&"http://feeds.onion/feed".parse().unwrap(), &[]);
    feed.proxy = Some(format!("socks5h://{address}").into());
    assert_eq!(document(first_poll(&feed).await).body, "<rss/>");
    assert_eq!(names.recv().unwrap(), "feeds.onion");
}

/// The test below runs this one in a separate process, whose environment hides the system's certificates.
#[tokio::test]
#[ignore = "needs the environment that the test below gives it"]
async fn polls_without_certificates() {
    let (plain, secure) = (Origin::replies([ok()]), Origin::start_tls(tls::server(&[]), |_| ok()));
    document(first_poll(&feed(&plain.url("/feed"), &[plain.allow()])).await);
    let mut feed = feed(&secure.url("/feed"), &[secure.allow()]);
    let error = error(first_poll(&feed).await);
    assert_eq!(error.kind().words(), "tls");
    assert!(error.to_string().contains("install the package ca-certificates"), "{error}");
    feed.ca_file = Some(tls::ca_file());
    document(first_poll(&feed).await);
}

#[test]
fn a_system_without_certificates_gets_a_hint_and_still_polls_http_feeds() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "fetch::identity::polls_without_certificates", "--ignored"]);
    child.env("SSL_CERT_FILE", "/nonexistent").env("SSL_CERT_DIR", "/nonexistent");
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[tokio::test]
async fn literal_private_addresses_are_refused_through_a_proxy_too() {
    let proxy = Origin::replies([ok()]);
    let mut feed = feed(&"http://169.254.169.254/latest".parse().unwrap(), &[]);
    feed.proxy = Some(format!("http://{}", proxy.address).into());
    assert_eq!(error(first_poll(&feed).await).kind().words(), "refused address");
    assert_eq!(proxy.connections(), 0);
}

#[tokio::test]
async fn an_invalid_header_is_reported_without_its_value() {
    let mut feed = feed(&"http://feeds.example/".parse().unwrap(), &[]);
    feed.headers = vec![("X-Key".to_owned(), "canary\r\nHost: evil".into())];
    let error = error(first_poll(&feed).await);
    assert_eq!(
        error.to_string(),
        "headers of the feed cannot be used: it contains characters that a header cannot have"
    );
}

#[tokio::test]
async fn connection_is_kept_for_waiting_polls_of_its_origin_and_then_closed() {
    let origin = Origin::replies([ok()]);
    let (feed, fetcher) = (feed(&origin.url("/feed"), &[origin.allow()]), fetcher());
    let permits = [0; 3].map(|_| fetcher.host_permit(&feed, None));
    for permit in permits {
        document(fetcher.get(&feed, None, &Validators::default(), permit.await, None).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(origin.connections(), 1);
    let closing = |request: &Request| request.header("connection").is_some_and(|value| value == b"close");
    assert_eq!(origin.requests().iter().map(closing).collect::<Vec<_>>(), [false, false, true]);
}
