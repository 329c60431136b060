//! WebSub publishing: notifies the hubs of each change of a public section, and retries if that fails.
//!
//! A hub fetches the section itself and distributes it; newswire sends it no content. The notices are in the store, so
//! neither a crash nor a restart loses one. If a section changes several times while a hub cannot be reached, the hub
//! gets one notice. Each hub gets its notices one after another, so a hub that hangs does not delay the others.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::edition::{FEED_FORMATS, path};
use crate::clock;
use crate::config::Config;
use crate::feed::Failure;
use crate::fetch::Fetcher;
use crate::render;
use crate::rows::NoticeRow;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// How long to wait after the first failure. The wait doubles with each further failure.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// After this many failures, wait for the next change. By then, subscribers have polled the section themselves.
const MOST_FAILURES: u32 = 8;

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = FIRST_WAIT.saturating_mul(1 << (MOST_FAILURES - 2));

/// How long to wait after a failure of the store, such as a full disk.
const STORE_RETRY: Duration = Duration::from_secs(5);

/// Notifies hubs of changed sections.
pub struct HubTask {
    /// Has the notices.
    pub store: Store,
    /// Sends them.
    pub fetcher: Fetcher,
    /// Names the hubs.
    pub configs: watch::Receiver<Arc<Config>>,
}

/// The notices that have to be sent now, by hub, and when the next one is due.
#[derive(Default)]
struct DueNotices {
    now: BTreeMap<Url, Vec<NoticeRow>>,
    next: Option<Timestamp>,
}

impl HubTask {
    /// Notifies the hubs until `shutdown`, or until `published` closes. Each change of `published` says that all noted
    /// editions are served now, as those of an earlier run are at the start.
    pub async fn run(self, mut published: watch::Receiver<()>, shutdown: CancellationToken) {
        let (mut sending, mut busy) = (FuturesUnordered::new(), HashSet::new());
        let mut is_served = true;
        loop {
            let wait = match self.due(&busy, is_served).await {
                Ok(due) => {
                    is_served = false;
                    for (hub, notices) in due.now {
                        busy.insert(hub.clone());
                        sending.push(self.send(hub, notices));
                    }
                    due.next.map_or(LONGEST_WAIT, |next| next.since(clock::now()).min(LONGEST_WAIT))
                }
                Err(error) => {
                    tracing::error!(%error, "cannot read the notices for the WebSub hubs; retrying");
                    STORE_RETRY
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                changed = published.changed() => match changed {
                    Ok(()) => is_served = true,
                    Err(_) => return,
                },
                Some(hub) = sending.next() => drop(busy.remove(&hub)),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Loads the notices that are due, except those of hubs in `busy`. If `is_served`, makes new notices due first.
    async fn due(&self, busy: &HashSet<Url>, is_served: bool) -> Result<DueNotices, StoreError> {
        let now = clock::now();
        if is_served {
            self.store.turn(move |turn| turn.release_notices(now)).await?;
        }
        let mut due = DueNotices::default();
        let notices = self.store.read(|reader| reader.notices()).await?;
        for notice in notices.into_iter().filter(|notice| !busy.contains(&notice.hub)) {
            // A time that is farther away than the longest wait was written by a wrong clock.
            if notice.due <= now || notice.due > now + LONGEST_WAIT {
                due.now.entry(notice.hub.clone()).or_default().push(notice);
            } else {
                due.next = Some(due.next.map_or(notice.due, |next| next.min(notice.due)));
            }
        }
        Ok(due)
    }

    /// Sends a hub these notices, one after another. Returns the hub.
    async fn send(&self, hub: Url, notices: Vec<NoticeRow>) -> Url {
        for notice in notices {
            let config = self.configs.borrow().clone();
            let sent = notify(&self.fetcher, &config, &notice).await;
            if let Err(error) = self.record(notice, sent).await {
                tracing::error!(%hub, %error, "cannot write that a WebSub hub was notified");
                tokio::time::sleep(STORE_RETRY).await;
                break;
            }
        }
        hub
    }

    /// Writes how an attempt ended.
    async fn record(&self, notice: NoticeRow, sent: Result<(), Failure>) -> Result<(), StoreError> {
        let Err(failure) = sent else {
            return self.store.turn(move |turn| turn.forget_notice(&notice)).await;
        };
        let (failures, error) = (notice.failures + 1, failure.to_string());
        let (section, hub) = (&notice.section, &notice.hub);
        tracing::warn!(%section, %hub, failures, error, "cannot notify the WebSub hub");
        if failures >= MOST_FAILURES {
            return self.store.turn(move |turn| turn.forget_notice(&notice)).await;
        }
        let next = clock::now() + FIRST_WAIT * 2_u32.pow(failures - 1);
        self.store.turn(move |turn| turn.postpone_notice(&notice, next)).await
    }
}

/// Sends a hub one POST for all formats of a section; nothing if the section or the hub is no longer announced. WebSub
/// §6 does not specify the request; these fields are what hubs accept.
async fn notify(fetcher: &Fetcher, config: &Config, notice: &NoticeRow) -> Result<(), Failure> {
    let NoticeRow { hub, section, .. } = notice;
    let is_public = config.section(section).is_some_and(|section| section.is_public());
    if !is_public || !config.publish.hubs.contains(hub) {
        return Ok(());
    }
    let topics = FEED_FORMATS.map(|format| render::under(&config.site, &path(section, format)).to_string());
    let mut fields = vec![("hub.mode", "publish")];
    fields.extend(topics.iter().map(|topic| ("hub.url", topic.as_str())));
    fetcher.post_form(hub, &config.poll.allow, &fields).await?;
    tracing::info!(%section, %hub, "WebSub hub notified");
    Ok(())
}
