//! Fetches one feed with one conditional GET. Fetching is limited in time, size, redirects and addresses, and polite to
//! the host.
//!
//! One poll sends one GET, and one more for each redirect. It does not probe, repeat or guess. It identifies itself,
//! sends no cookie and no Referer, and adds nothing to the query of the URL. It sends validators back, byte for byte,
//! to the URL that gave them. It sends a feed's secrets only to the feed's own origin. Every result says when the
//! server wants the next poll (`Retry-After` and the like), and `schedule::next` follows it. Validators must be stored
//! only together with the entries of their document. A failed poll returns none.
//!
//! The specifications are RFC 9110 and RFC 9111. Each module holds one policy: `guard` (which addresses), `egress`
//! (through which client), `request` (the headers), `redirect` (where to), `hosts` (in which order), `stopwatch` and
//! `progress` (how long), `wire` (what is wrong with an answer that is not HTTP), `budget`, `body` and `decode` (how
//! much), `lifetimes` (when again), `file` (documents on disk).
//!
//! This module never parses a document, reads the store, or logs.

mod body;
mod budget;
mod decode;
mod egress;
mod error;
mod file;
mod guard;
mod hosts;
mod lifetimes;
mod post;
mod progress;
mod redirect;
mod request;
mod stopwatch;
mod wire;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use reqwest::header::{CONNECTION, CONTENT_LOCATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Response, StatusCode};
use url::Url;

pub use egress::Lookup;
pub use error::{is_answer, is_unreachable};
pub use hosts::{HostPermit, REFUSAL_KEPT, SPACING};
pub use post::PostAnswer;
pub use progress::Progress;

use crate::config::{Feed, Secrets};
use crate::feed::{Failure, Lifetimes, PollPhase, TlsFault, Validators};
use crate::time::Timestamp;
use budget::Budget;
use egress::{Clients, Names};
use guard::Reach;
use hosts::{Hosts, Queue};
use redirect::Trail;
use stopwatch::Stopwatch;

/// Fetches feeds. It is cheap to clone. All clones share connections, turns at hosts (see `hosts`), and the memory for
/// bodies.
#[derive(Clone)]
pub struct Fetcher {
    user_agent: HeaderValue,
    shared: Arc<FetcherParts>,
}

struct FetcherParts {
    clients: Clients,
    hosts: Hosts,
    budget: Budget,
}

/// The longest URL to which a feed can move permanently. It is logged and shown, and belongs in the TOML. Servers and
/// browsers support at least this length.
const LONGEST_MOVE_BYTES: usize = 2000;

/// The origins that are on hold (must not be polled), each with the end of its hold.
pub type Holds = HashMap<String, Timestamp>;

/// The result of one poll.
#[derive(Debug)]
pub struct Attempt {
    /// The document, or why there is none.
    pub result: Result<Fetched, Failure>,
    /// The status of the last answer. `None` if there was no answer.
    pub status: Option<u16>,
    /// What the server asked for in the last answer, whatever its status. What redirects ask for is ignored.
    pub lifetimes: Lifetimes,
    /// Where the redirects led, if all were permanent (301 or 308) and led to a document or a 304. `None` if the new
    /// URL contains a secret or is longer than 2000 bytes, because it could not be stored.
    pub permanent: Option<Url>,
    /// The origin (scheme, host and port) of the last answer. It is put on hold if the answer is a refusal for the
    /// whole host (429, or 503 with `Retry-After`). `None` means that no origin can be put on hold. This is so for
    /// files, and for hosts that `allow` permits, because these are the editor's own (the editor writes the config).
    pub public_origin: Option<String>,
    /// Whether the poll never left the server that the config names. If a redirect led elsewhere, the answer counts
    /// only for this feed. Otherwise a publisher could cause a hold on any other server by redirecting to it.
    pub stayed_home: bool,
}

/// The document of a successful poll.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one of them exists for each poll in flight")]
pub enum Fetched {
    /// The known document is still current.
    NotModified {
        /// The validators to store. Those of the answer replace the known ones (RFC 9111 §4.3.4).
        validators: Validators,
    },
    /// A new document.
    Document(FetchedDocument),
}

/// A feed document that has not been read yet.
pub struct FetchedDocument {
    /// The body, decoded as its `Content-Encoding` says. It counts against the memory for all bodies until its last
    /// clone is dropped.
    pub body: Bytes,
    /// The URL after all redirects. It may contain tokens, so do not show it, and do not use it unchanged as the base
    /// of links.
    pub final_url: Url,
    /// The requested URLs, including the last one; empty for a file. They may contain tokens too.
    pub hops: Vec<Url>,
    /// The `Content-Type` header as received, with its charset.
    pub content_type: Option<String>,
    /// A better base than `final_url`, if the server names one within its own origin (RFC 9110 §8.7). It may contain
    /// tokens too.
    pub content_location: Option<Url>,
    /// The validators of this document.
    pub validators: Validators,
}

/// Shows neither the body nor the URLs, because they may contain secrets.
impl fmt::Debug for FetchedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let FetchedDocument { body, content_type, validators, .. } = self;
        let mut document = f.debug_struct("FetchedDocument");
        document.field("bytes", &body.len()).field("content_type", content_type).field("validators", validators);
        document.finish_non_exhaustive()
    }
}

impl Fetcher {
    /// Creates a fetcher. `contact` is the URL of the page that says who polls. It is part of the User-Agent.
    pub fn new<'c>(contact: impl Into<Option<&'c Url>>) -> Fetcher {
        Fetcher::with_names(contact.into(), Names::System)
    }

    /// Creates a fetcher that resolves names with `lookup` instead of the system's resolver.
    pub fn with_lookup<'c>(contact: impl Into<Option<&'c Url>>, lookup: Lookup) -> Fetcher {
        Fetcher::with_names(contact.into(), Names::Table(lookup))
    }

    fn with_names(contact: Option<&Url>, names: Names) -> Fetcher {
        let shared = FetcherParts { clients: Clients::new(names), hosts: Hosts::default(), budget: Budget::new() };
        Fetcher { user_agent: request::user_agent(contact), shared: Arc::new(shared) }
    }

    /// Begins to build the client for a feed, while the caller prepares other things. Reading the system's certificates
    /// takes some milliseconds, and most feeds use the same client.
    pub fn prepare(&self, feed: &Arc<Feed>) {
        let (shared, feed) = (self.shared.clone(), feed.clone());
        tokio::spawn(async move {
            if let Ok(reach) = Reach::of(&feed.url.secret, &feed.allow) {
                // A failure is reported when the feed is polled.
                let _ = shared.clients.way(&reach, &feed).await;
            }
        });
    }

    /// Waits for a turn at the feed's host. A host has only one request in flight, and the starts of two requests are a
    /// second apart. The request is in the queue as soon as this function is called, even if the future is not awaited
    /// yet. So the requests before it know that they must keep the connection open.
    ///
    /// The caller should await the permit before it takes anything that feeds of other hosts wait for, such as a slot
    /// for a poll in flight.
    pub fn host_permit(&self, feed: &Feed, start: Option<&Url>) -> impl Future<Output = HostPermit> + use<> {
        self.shared.hosts.turn(queue(start.unwrap_or(&feed.url.secret), feed))
    }

    /// Polls a feed. The first URL is `start`, the target of a stored permanent move, or else the feed's own URL.
    ///
    /// Takes at most the feed's `timeout`, not counting waits for turns at other hosts and for memory. A redirect to an
    /// origin in `holds` is not followed. Without `holds`, as in a forced poll, every redirect is followed.
    pub async fn get(
        &self,
        feed: &Feed,
        start: Option<&Url>,
        validators: &Validators,
        permit: HostPermit,
        holds: Option<&Holds>,
    ) -> Attempt {
        if feed.url.is_file() {
            let result = file::read(feed, validators, &self.shared.budget, &permit.progress()).await;
            let lifetimes = Lifetimes::default();
            return Attempt {
                result,
                status: None,
                lifetimes,
                permanent: None,
                public_origin: None,
                stayed_home: true,
            };
        }
        let mut answer = LastAnswer::default();
        let mut trail = Trail::start(start.unwrap_or(&feed.url.secret));
        let result = self.follow(feed, &mut trail, validators, permit, holds, &mut answer).await;
        let secrets = Secrets::of(feed);
        let moved_to = trail.moved_to().filter(|url| url.as_str().len() <= LONGEST_MOVE_BYTES);
        let moved_to = moved_to.filter(|url| secrets.kept(url) == **url);
        let permanent = moved_to.filter(|_| result.is_ok()).cloned();
        let public_origin = (!is_own(trail.here(), feed)).then(|| trail.here().origin().ascii_serialization());
        let stayed_home = trail.stays_at(&feed.url.secret);
        Attempt { result, status: answer.status, lifetimes: answer.lifetimes, permanent, public_origin, stayed_home }
    }

    /// Sends requests and follows redirects, until an answer is not a redirect.
    async fn follow(
        &self,
        feed: &Feed,
        trail: &mut Trail,
        validators: &Validators,
        mut permit: HostPermit,
        holds: Option<&Holds>,
        answer: &mut LastAnswer,
    ) -> Result<Fetched, Failure> {
        let mut stopwatch = Stopwatch::new(feed.timeout, permit.progress());
        loop {
            permit.start();
            let last = permit.is_last();
            let response = self.ask(feed, trail, validators, last, &mut stopwatch).await?;
            answer.status = Some(response.status().as_u16());
            if !redirect::is_redirect(response.status()) {
                answer.lifetimes = lifetimes::read(response.headers(), SystemTime::now());
                if is_refusal(response.status(), &answer.lifetimes) && trail.stays_at(&feed.url.secret) {
                    permit.refuse();
                }
                return self.conclude(feed, trail, validators, response, stopwatch).await;
            }
            let location = response.headers().get(LOCATION).map(HeaderValue::as_bytes);
            trail.follow(response.status(), location)?;
            drop(response);
            permit = self.move_on(feed, trail.here(), permit, holds).await?;
        }
    }

    /// Waits for a turn at the host to which a redirect leads. Fails if that host is on hold.
    async fn move_on(
        &self,
        feed: &Feed,
        url: &Url,
        permit: HostPermit,
        holds: Option<&Holds>,
    ) -> Result<HostPermit, Failure> {
        let held = |until| Failure::Held { host: url.host_str().unwrap_or_default().into(), until };
        if let Some(until) = holds.and_then(|holds| holds.get(&url.origin().ascii_serialization())) {
            return Err(held(Some(*until)));
        }
        let progress = permit.progress();
        let permit = progress.waiting(self.shared.hosts.move_on(permit, queue(url, feed))).await;
        if holds.is_some() && permit.is_refused() { Err(held(None)) } else { Ok(permit) }
    }

    /// Sends one request, and checks that the guard permits the answer's peer. If no other request waits for the host
    /// (`last`), the connection is closed.
    async fn ask(
        &self,
        feed: &Feed,
        trail: &Trail,
        validators: &Validators,
        last: bool,
        stopwatch: &mut Stopwatch,
    ) -> Result<Response, Failure> {
        let url = trail.here();
        let host = url.host_str().unwrap_or_default();
        let reach = Reach::of(url, &feed.allow)?;
        let way = self.shared.clients.way(&reach, feed).await?;
        if let Some(proxy) = &way.proxy {
            reach.check_name_for_proxy(url, proxy)?;
        }
        if let (Some(why), "https") = (way.no_roots, url.scheme()) {
            return Err(Failure::Tls { host: host.into(), fault: TlsFault::NoRoots { why } });
        }
        let mut request = request::get(&way.client, feed, trail, validators, &self.user_agent)?;
        if last {
            request = request.header(CONNECTION, "close");
        }
        let sent = stopwatch.run(stopwatch.total(), request.send()).await;
        let response = sent.map_err(|overrun| overrun.into_failure(host, PollPhase::Answer))?;
        let response = response.map_err(|error| egress::explain(&error, url, way.proxy.is_some()))?;
        match response.remote_addr() {
            Some(peer) if way.proxy.is_none() && !reach.admits(peer.ip()) => {
                Err(guard::refusal(host, peer.ip(), peer.port()))
            }
            _ => Ok(response),
        }
    }

    /// Returns what the last answer means.
    async fn conclude(
        &self,
        feed: &Feed,
        trail: &Trail,
        known: &Validators,
        response: Response,
        mut stopwatch: Stopwatch,
    ) -> Result<Fetched, Failure> {
        let url = trail.here();
        let host = url.host_str().unwrap_or_default();
        if is_bot_wall(response.headers()) {
            return Err(Failure::BotWall { host: host.into() });
        }
        let given = request::validators(response.headers(), Secrets::of(feed).kept(url));
        let conditional = !known.is_empty() && known.url == given.url;
        match response.status() {
            // 203 is a 200 that a proxy on the way has changed.
            StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => {
                let content_type = text(response.headers(), CONTENT_TYPE);
                let content_location = content_location(response.headers(), url);
                let budget = &self.shared.budget;
                let body = body::read(response, feed.max_body_bytes, budget, &mut stopwatch, host).await?;
                let (final_url, hops, validators) = (url.clone(), trail.hops().to_vec(), given);
                Ok(Fetched::Document(FetchedDocument {
                    body,
                    final_url,
                    hops,
                    content_type,
                    content_location,
                    validators,
                }))
            }
            StatusCode::NOT_MODIFIED if conditional => Ok(Fetched::NotModified { validators: merge(known, given) }),
            StatusCode::GONE if trail.is_permanent() => Err(Failure::Gone),
            status => Err(Failure::Status { status: status.as_u16() }),
        }
    }
}

/// Returns whether the feed is the editor's own: a file, or at a host that `allow` permits. Polling it does not disturb
/// other people.
pub fn is_editors_own(feed: &Feed) -> bool {
    feed.url.is_file() || is_own(&feed.url.secret, feed)
}

/// What is known about the last answer apart from its document.
#[derive(Default)]
struct LastAnswer {
    status: Option<u16>,
    lifetimes: Lifetimes,
}

/// Returns whether the answer asks for a pause of the whole host, by the rules of `schedule::next`.
fn is_refusal(status: StatusCode, lifetimes: &Lifetimes) -> bool {
    match status {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::SERVICE_UNAVAILABLE => lifetimes.retry_after.is_some(),
        _ => false,
    }
}

/// Returns whether `allow` permits the URL's host, so that the host is the editor's own.
fn is_own(url: &Url, feed: &Feed) -> bool {
    Reach::of(url, &feed.allow).is_ok_and(|reach| reach.is_own(url))
}

fn queue(url: &Url, feed: &Feed) -> Queue {
    match url.scheme() {
        "file" => Queue { name: url.to_string(), spaced: false },
        _ if is_own(url, feed) => Queue { name: url.origin().ascii_serialization(), spaced: false },
        _ => Queue { name: url.host_str().unwrap_or_default().to_owned(), spaced: true },
    }
}

/// Merges the validators of a 304 with the known ones. The 304 replaces only the validators that it names.
fn merge(known: &Validators, given: Validators) -> Validators {
    Validators {
        etag: given.etag.or_else(|| known.etag.clone()),
        last_modified: given.last_modified.or_else(|| known.last_modified.clone()),
        url: given.url,
    }
}

/// Returns whether the answer is a challenge for browsers. Cloudflare and AWS mark it with a header, whatever the
/// status.
fn is_bot_wall(headers: &HeaderMap) -> bool {
    headers.contains_key("cf-mitigated") || headers.contains_key("x-amzn-waf-action")
}

/// Returns the URL in `Content-Location` if it is of the same origin. Otherwise a server could attach its relative
/// links to another site.
fn content_location(headers: &HeaderMap, url: &Url) -> Option<Url> {
    let location = url.join(&redirect::as_text(headers.get(CONTENT_LOCATION)?.as_bytes())).ok()?;
    (location.origin() == url.origin()).then_some(location)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}
