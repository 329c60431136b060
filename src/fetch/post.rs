//! Notifies a WebSub hub of changes: one POST, through the same guard as every poll.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use url::Url;

use super::guard::{self, Reach};
use super::{Fetcher, egress};
use crate::config::Allow;
use crate::feed::{Failure, PollPhase};

/// How long a hub may take to answer. It need not do any work before it answers.
const TIMEOUT: Duration = Duration::from_secs(20);

impl Fetcher {
    /// Posts fields as a form (`application/x-www-form-urlencoded`). Follows no redirect, and does not read the
    /// answer's body. `allow` permits private addresses, as for a feed.
    ///
    /// # Errors
    ///
    /// Fails if the address is refused, if there is no answer, or if the status is not 2xx.
    pub async fn post_form(&self, url: &Url, allow: &[Allow], fields: &[(&str, &str)]) -> Result<(), Failure> {
        let host = url.host_str().unwrap_or_default();
        let reach = Reach::of(url, allow)?;
        let way = self.shared.clients.plain_way(&reach).await?;
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = way
            .client
            .post(url.clone())
            .header(USER_AGENT, self.user_agent.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        let late = |_| Failure::Timeout { host: host.into(), proxied: false, phase: PollPhase::Answer, after: TIMEOUT };
        let response = tokio::time::timeout(TIMEOUT, request.send()).await.map_err(late)?;
        let response = response.map_err(|error| egress::explain(&error, url, false))?;
        if let Some(peer) = response.remote_addr().filter(|peer| !reach.admits(peer.ip())) {
            return Err(guard::refusal(host, peer.ip(), peer.port()));
        }
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(Failure::Status { status: status.as_u16() }) }
    }
}
