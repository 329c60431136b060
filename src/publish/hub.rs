//! WebSub publishing: the hub is told once of each change of a public section, and again later if it does not answer.
//!
//! The hub fetches the section itself and distributes it; nothing of its content goes there. Changes that come while the
//! hub is not to be reached are told together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::section::{FEED_FORMATS, path};
use crate::config::Config;
use crate::feed::{Failure, SectionId};
use crate::fetch::Fetcher;
use crate::render;

/// How long it waits after the first failure; twice as long after each further one.
const FIRST_WAIT: Duration = Duration::from_secs(30);

/// After so many failures the hub is given up until the next change: by then its subscribers have polled.
const MOST_FAILURES: u32 = 8;

/// What is still to be told of a section.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    failures: u32,
    due: Instant,
}

/// Tells the configured hub of the sections that come by `changes`, until these end or `shutdown`.
pub async fn run(
    fetcher: Fetcher,
    configs: watch::Receiver<Arc<Config>>,
    mut changes: mpsc::UnboundedReceiver<SectionId>,
    shutdown: CancellationToken,
) {
    let mut waiting: BTreeMap<SectionId, Waiting> = BTreeMap::new();
    loop {
        let next = waiting.iter().min_by_key(|(_, waiting)| waiting.due).map(|(section, at)| (section.clone(), *at));
        let due = next.as_ref().map(|(_, waiting)| waiting.due);
        tokio::select! {
            () = shutdown.cancelled() => return,
            changed = changes.recv() => match changed {
                Some(section) => drop(waiting.insert(section, Waiting { failures: 0, due: Instant::now() })),
                None => return,
            },
            () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                let Some((section, Waiting { failures, .. })) = next else { continue };
                waiting.remove(&section);
                let config = configs.borrow().clone();
                if let Err(error) = tell(&fetcher, &config, &section).await {
                    let failures = failures + 1;
                    let error = error.to_string();
                    tracing::warn!(%section, failures, error, "the hub could not be told of a change");
                    if failures < MOST_FAILURES {
                        let due = Instant::now() + FIRST_WAIT * 2_u32.pow(failures - 1);
                        waiting.insert(section, Waiting { failures, due });
                    }
                }
            }
        }
    }
}

/// One POST for all the formats of a section. How a hub is told is not laid down (WebSub §6); these fields are what hubs know.
async fn tell(fetcher: &Fetcher, config: &Config, section: &SectionId) -> Result<(), Failure> {
    let is_public = config.section(section).is_some_and(|section| section.access.is_none());
    let Some(hub) = config.publish.hub.as_ref().filter(|_| is_public) else { return Ok(()) };
    let topics = FEED_FORMATS.map(|format| render::under(&config.site, &path(section, format)).to_string());
    let mut fields = vec![("hub.mode", "publish")];
    fields.extend(topics.iter().map(|topic| ("hub.url", topic.as_str())));
    fetcher.post_form(hub, &config.poll.allow, &fields).await?;
    tracing::info!(%section, "the hub was told of a change");
    Ok(())
}
