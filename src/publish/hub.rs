//! WebSub publishing: notifies the hubs of each change of a public section, and retries if that fails.
//!
//! A hub fetches the section itself and distributes it; newswire sends it no content. If a section changes several
//! times while a hub is unreachable, newswire sends it one notification. Each hub has its own notifications and retries.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::edition::{FEED_FORMATS, path};
use crate::config::Config;
use crate::feed::{Failure, SectionId};
use crate::fetch::Fetcher;
use crate::render;

/// How long to wait after the first failure. The wait doubles with each further failure.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// After this many failures, wait for the next change. By then, subscribers have polled the section themselves.
const MOST_FAILURES: u32 = 8;

/// A notification of a hub about a section that still has to be sent.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    failures: u32,
    due: Instant,
}

/// Notifies the configured hubs of the sections from `changes`, until that channel closes or `shutdown` is cancelled.
pub async fn run(
    fetcher: Fetcher,
    configs: watch::Receiver<Arc<Config>>,
    mut changes: mpsc::UnboundedReceiver<SectionId>,
    shutdown: CancellationToken,
) {
    let mut waiting: BTreeMap<(SectionId, Url), Waiting> = BTreeMap::new();
    loop {
        let next = waiting.iter().min_by_key(|(_, waiting)| waiting.due).map(|(to, at)| (to.clone(), *at));
        let due = next.as_ref().map(|(_, waiting)| waiting.due);
        tokio::select! {
            () = shutdown.cancelled() => return,
            changed = changes.recv() => match changed {
                Some(section) => {
                    let hubs = configs.borrow().publish.hubs.clone();
                    let now = Waiting { failures: 0, due: Instant::now() };
                    waiting.extend(hubs.into_iter().map(|hub| ((section.clone(), hub), now)));
                }
                None => return,
            },
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                let Some(((section, hub), Waiting { failures, .. })) = next else { continue };
                waiting.remove(&(section.clone(), hub.clone()));
                let config = configs.borrow().clone();
                if let Err(error) = notify(&fetcher, &config, &section, &hub).await {
                    let failures = failures + 1;
                    let error = error.to_string();
                    tracing::warn!(%section, %hub, failures, error, "cannot notify the WebSub hub");
                    if failures < MOST_FAILURES {
                        let due = Instant::now() + FIRST_WAIT * 2_u32.pow(failures - 1);
                        waiting.insert((section, hub), Waiting { failures, due });
                    }
                }
            }
        }
    }
}

/// Sends a hub one POST for all formats of a section; nothing if the section or the hub is no longer announced. WebSub §6 does not specify the request; these fields are what hubs accept.
async fn notify(fetcher: &Fetcher, config: &Config, section: &SectionId, hub: &Url) -> Result<(), Failure> {
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
