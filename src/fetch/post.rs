//! Posts to addresses of the config: notifies a WebSub hub of changes, and sends messages to hooks. Each is one POST,
//! through the same guard as every poll. No redirect is followed, and no body of an answer is read.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use url::Url;

use super::guard::{self, Reach};
use super::{Fetcher, egress, lifetimes};
use crate::config::Allow;
use crate::feed::{Failure, PollPhase};

/// How long a receiver may take to answer. It need not do any work before it answers. Standard Webhooks recommends 15 to
/// 30 seconds.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The answer to a POST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PostAnswer {
    /// The HTTP status.
    pub status: u16,
    /// How long the receiver asks to wait before the next request.
    pub retry_after: Option<Duration>,
}

impl Fetcher {
    /// Posts fields as a form (`application/x-www-form-urlencoded`). `allow` permits private addresses, as for a feed.
    ///
    /// # Errors
    ///
    /// Fails if the address is refused, if there is no answer, or if the status is not 2xx.
    pub async fn post_form(&self, url: &Url, allow: &[Allow], fields: &[(&str, &str)]) -> Result<(), Failure> {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind)]);
        match self.post(url, allow, headers, form.into()).await?.status {
            200..=299 => Ok(()),
            status => Err(Failure::Status { status }),
        }
    }

    /// Posts JSON with further headers, and returns the answer whatever its status. `allow` permits private addresses,
    /// as for a feed. The names of the headers are in lower case; a value that no header may have is left out.
    ///
    /// # Errors
    ///
    /// Fails if the address is refused, or if there is no answer.
    pub async fn post_json(
        &self,
        url: &Url,
        allow: &[Allow],
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> Result<PostAnswer, Failure> {
        let pairs = headers
            .iter()
            .filter_map(|(name, value)| Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?)));
        let mut headers = HeaderMap::from_iter(pairs);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.post(url, allow, headers, body).await
    }

    async fn post(&self, url: &Url, allow: &[Allow], headers: HeaderMap, body: Bytes) -> Result<PostAnswer, Failure> {
        let host = url.host_str().unwrap_or_default();
        let reach = Reach::of(url, allow)?;
        let way = self.shared.clients.plain_way(&reach).await?;
        let request = way.client.post(url.clone()).header(USER_AGENT, self.user_agent.clone());
        let request = request.headers(headers).body(body);
        let late = |_| Failure::Timeout { host: host.into(), proxied: false, phase: PollPhase::Answer, after: TIMEOUT };
        let response = tokio::time::timeout(TIMEOUT, request.send()).await.map_err(late)?;
        let response = response.map_err(|error| egress::explain(&error, url, false))?;
        if let Some(peer) = response.remote_addr().filter(|peer| !reach.admits(peer.ip())) {
            return Err(guard::refusal(host, peer.ip(), peer.port()));
        }
        let retry_after = lifetimes::read(response.headers(), SystemTime::now()).retry_after;
        Ok(PostAnswer { status: response.status().as_u16(), retry_after })
    }
}
