//! Which addresses and ports are refused when connecting, what `allow` permits, and which servers get the secrets of a
//! feed.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use newswire::config::{Allow, BasicAuth, Feed};
use newswire::feed::Failure;
use newswire::feed::Validators;
use newswire::fetch::{Fetcher, Lookup};
use url::Url;

use crate::fetch::{contact, document, error, first_poll, poll};
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply};

fn ok() -> Origin {
    Origin::replies([Reply::new(200, &[], "<rss/>")])
}

/// Returns a lookup that answers with these address lists in turn, whatever the name.
fn flipping(answers: Vec<Vec<IpAddr>>) -> Lookup {
    let asked = AtomicUsize::new(0);
    Arc::new(move |_: &str| Ok(answers[asked.fetch_add(1, Ordering::Relaxed) % answers.len()].clone()))
}

/// Returns a fetcher that resolves all names to this machine.
fn local_names() -> Fetcher {
    Fetcher::with_lookup(&contact(), flipping(vec![vec![Ipv4Addr::LOCALHOST.into()]]))
}

fn network(text: &str) -> Allow {
    Allow::Network(text.parse().unwrap())
}

async fn check_refused(url: &str) {
    let feed = feed(&Url::parse(url).unwrap(), &[]);
    let error = error(poll(&local_names(), &feed, &Validators::default()).await);
    assert_eq!(error.kind().words(), "refused address", "{url}: {error}");
}

#[tokio::test]
async fn private_addresses_are_refused_by_default_and_never_connected_to() {
    let origin = ok();
    let port = origin.address.port();
    for host in ["127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "100.64.0.1", "192.168.1.1", "localhost"] {
        check_refused(&format!("http://{host}/feed")).await;
        check_refused(&format!("http://{host}:8080/feed")).await;
        check_refused(&format!("http://{host}:{port}/feed")).await;
    }
    assert_eq!(origin.connections(), 0);
}

#[tokio::test]
async fn the_refusal_shows_the_line_that_permits_the_address() {
    let refused = error(first_poll(&feed(&Url::parse("http://[::ffff:7f00:1]:8123/").unwrap(), &[])).await);
    assert_eq!(
        refused.to_string(),
        "[::ffff:7f00:1] has an address that is not public: 127.0.0.1 (loopback); \
         to permit it, add allow = [\"127.0.0.1:8123\"] to the feed"
    );
    let refused = error(first_poll(&feed(&Url::parse("http://feeds.example:6379/").unwrap(), &[])).await);
    assert_eq!(
        refused.to_string(),
        "port 6379 of feeds.example is not a web port (80, 443, 8000 to 8999); \
         to permit it, add allow = [\"feeds.example:6379\"] to the feed"
    );
}

const SPELLINGS: [&str; 18] = [
    "127.0.0.1",
    "[::ffff:127.0.0.1]",
    "2130706433",
    "0x7f.1",
    "0177.0.0.1",
    "127.1",
    "127.0.0.1.",
    "017700000001",
    "0x7F000001",
    "%31%32%37.0.0.1",
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[2002:7f00:1::]",
    "localhost.",
    "0",
    "[::]",
    "[64:ff9b::7f00:1]",
];

#[tokio::test]
async fn every_spelling_of_a_private_address_is_refused() {
    for host in SPELLINGS {
        check_refused(&format!("http://{host}/")).await;
    }
}

#[tokio::test]
async fn every_spelling_is_refused_as_the_target_of_a_redirect() {
    let elsewhere = SPELLINGS.map(|host| format!("http://{host}:8765/"));
    let others = ["//127.0.0.1:8765/", "http:\\\\127.0.0.1:8765", "\\\\127.0.0.1:8765", "http://u:p@127.0.0.1:8765/"];
    for location in elsewhere.iter().map(String::as_str).chain(others) {
        let to = location.to_owned();
        let origin = Origin::start(move |_| Reply::redirect(302, &to));
        let feed = feed(&origin.url("/feed"), &[origin.allow()]);
        let error = error(poll(&local_names(), &feed, &Validators::default()).await);
        assert_eq!(error.kind().words(), "refused address", "{location}: {error}");
    }
}

/// 127.0.0.1 stands for a public address, because `allow` permits it. 127.0.0.2 stands for a private address.
#[tokio::test]
async fn a_name_whose_answer_changes_is_never_connected_to_at_a_private_address() {
    let public = Origin::replies([Reply::new(200, &[], "<rss/>").close()]);
    let private = Origin::start_on(([127, 0, 0, 2], public.address.port()).into(), |_| Reply::silence());
    let feed = feed(&public.url_as("rebinding.test", "/feed"), &[network("127.0.0.1/32")]);
    let lookup = flipping(vec![vec![public.address.ip()], vec![private.address.ip()]]);
    for poll_number in 0..200 {
        let fetcher = Fetcher::with_lookup(&contact(), lookup.clone());
        let result = poll(&fetcher, &feed, &Validators::default()).await.result;
        assert_eq!(result.is_ok(), poll_number % 2 == 0);
    }
    assert_eq!((public.connections(), private.connections()), (100, 0));
}

#[tokio::test]
async fn only_permitted_addresses_of_a_name_are_connected_to() {
    let origin = ok();
    let other = Origin::start_on(([127, 0, 0, 2], origin.address.port()).into(), |_| Reply::silence());
    let addresses = vec![other.address.ip(), origin.address.ip()];
    let fetcher = Fetcher::with_lookup(&contact(), flipping(vec![addresses]));
    let one = network("127.0.0.1/32");
    let feed = feed(&origin.url_as("mixed.test", "/feed"), &[one]);
    document(poll(&fetcher, &feed, &Validators::default()).await);
    assert_eq!((origin.connections(), other.connections()), (1, 0));
}

#[tokio::test]
async fn only_web_ports_are_permitted() {
    for port in [1, 22, 25, 6379, 7999, 9000, 11211] {
        check_refused(&format!("http://feeds.example:{port}/")).await;
    }
}

/// Returns whether a feed with this `allow` can fetch from the origin under this host name.
async fn is_open(origin: &Origin, host: &str, allow: Allow) -> bool {
    let fetcher = local_names();
    let attempt = poll(&fetcher, &feed(&origin.url_as(host, "/feed"), &[allow]), &Validators::default()).await;
    match attempt.result {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.kind().words(), "refused address", "{error}");
            false
        }
    }
}

#[tokio::test]
async fn allow_permits_networks_addresses_with_port_and_names() {
    let origin = ok();
    let (here, port) = (origin.address, origin.address.port());
    let beside = std::net::SocketAddr::new(here.ip(), port ^ 1);
    let host = |name: &str, port| Allow::Host(name.to_owned(), port);
    for (name, allow, expected) in [
        ("127.0.0.1", network("127.0.0.0/8"), true),
        ("127.0.0.1", network("10.0.0.0/8"), false),
        ("127.0.0.1", Allow::Address(here), true),
        ("127.0.0.1", Allow::Address(beside), false),
        ("intranet.test", network("127.0.0.0/8"), true),
        ("intranet.test", Allow::Address(here), true),
        ("intranet.test", Allow::Address(beside), false),
        ("intranet.test", host("intranet.test", None), true),
        ("bücher.test", host("Bücher.test", None), true),
        ("intranet.test.", host("intranet.test", None), true),
        ("intranet.test", host("intranet.test", Some(port)), true),
        ("intranet.test", host("intranet.test", Some(port ^ 1)), false),
        ("other.test", host("intranet.test", None), false),
        ("127.0.0.1", host("intranet.test", None), false),
    ] {
        assert_eq!(is_open(&origin, name, allow.clone()).await, expected, "{name} {allow:?}");
    }
}

#[tokio::test]
async fn allow_of_a_feed_applies_neither_to_its_redirects_nor_to_other_feeds() {
    let (inside, entrance) = (ok(), ok());
    let to = inside.url("/secret").to_string();
    let redirecting = Origin::start(move |_| Reply::redirect(302, &to));
    let refused = error(first_poll(&feed(&redirecting.url("/feed"), &[redirecting.allow()])).await);
    assert!(matches!(refused, Failure::Port { .. } | Failure::Address { .. }));
    let fetcher = crate::fetch::fetcher();
    let known = Validators::default();
    document(poll(&fetcher, &feed(&entrance.url("/feed"), &[entrance.allow()]), &known).await);
    assert_eq!(
        error(poll(&fetcher, &feed(&entrance.url("/feed"), &[]), &known).await).kind().words(),
        "refused address"
    );
    assert_eq!((inside.connections(), entrance.connections()), (0, 1));
}

/// The test below runs this one in a separate process, because environment variables apply to a whole process.
#[tokio::test]
#[ignore = "needs the environment that another test gives it"]
async fn polls_despite_a_proxy_in_the_environment() {
    let origin = ok();
    document(first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await);
}

#[test]
fn proxies_of_the_environment_are_not_used() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "fetch::guard::polls_despite_a_proxy_in_the_environment", "--ignored"]);
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"] {
        child.env(name, "http://127.0.0.1:9");
    }
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
}

const SECRET_HEADERS: [&str; 3] = ["Authorization", "X-Api-Key", "Cookie"];

fn with_secrets(mut feed: Feed) -> Feed {
    feed.basic_auth = Some(BasicAuth { user: "editor".to_owned(), password: "canary".into() });
    feed.headers = vec![("X-Api-Key".to_owned(), "canary".into()), ("Cookie".to_owned(), "canary".into())];
    feed
}

#[tokio::test]
async fn secrets_go_to_the_configured_origin_and_to_no_other() {
    let other = ok();
    let to = other.url("/feed").to_string();
    let own = Origin::start(move |request| match request.number {
        0 => Reply::redirect(302, "/elsewhere"),
        _ => Reply::redirect(302, &to),
    });
    document(first_poll(&with_secrets(feed(&own.url("/feed"), &[own.allow(), other.allow()]))).await);
    for request in own.requests() {
        assert_eq!(request.header("Authorization").unwrap(), b"Basic ZWRpdG9yOmNhbmFyeQ==");
        assert_eq!(request.header("X-Api-Key").unwrap(), b"canary");
    }
    let request = &other.requests()[0];
    assert!(SECRET_HEADERS.iter().all(|name| request.header(name).is_none()));
    assert!(!String::from_utf8_lossy(&request.bytes).contains("canary"));
}

#[tokio::test]
async fn a_foreign_server_cannot_redirect_a_poll_back_with_the_secrets() {
    let own = std::sync::OnceLock::<Url>::new();
    let own = Arc::new(own);
    let back = own.clone();
    let other = Origin::start(move |_| Reply::redirect(302, back.get().unwrap().as_str()));
    let to = other.url("/bounce").to_string();
    let first = Origin::start(move |request| match request.target().as_str() {
        "/feed" => Reply::redirect(302, &to),
        _ => Reply::new(200, &[], "<rss/>"),
    });
    own.set(first.url("/delete-everything")).unwrap();
    document(first_poll(&with_secrets(feed(&first.url("/feed"), &[first.allow(), other.allow()]))).await);
    let requests = first.requests();
    assert_eq!(requests.len(), 2);
    assert!(SECRET_HEADERS.iter().all(|name| requests[0].header(name).is_some() && requests[1].header(name).is_none()));
}

#[tokio::test]
async fn userinfo_of_the_url_is_sent_as_basic_credentials_to_its_origin_only() {
    let other = ok();
    let to = other.url("/feed").to_string();
    let own = Origin::start(move |_| Reply::redirect(302, &to));
    let mut url = own.url("/feed");
    url.set_username("ed%20itor").unwrap();
    url.set_password(Some("canary")).unwrap();
    let attempt = first_poll(&feed(&url, &[own.allow(), other.allow()])).await;
    assert_eq!(own.requests()[0].header("Authorization").unwrap(), b"Basic ZWQgaXRvcjpjYW5hcnk=");
    assert_eq!(other.requests()[0].header("Authorization"), None);
    assert_eq!(document(attempt).final_url, other.url("/feed"));
}
