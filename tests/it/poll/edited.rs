//! An edit of the config during a poll.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use newswire::commit::ActiveConfig;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn config_active_at_the_end_of_a_poll_decides_about_its_entries() {
    let (asked_tx, asked) = channel();
    let (go, waiting) = channel::<()>();
    let waiting = Mutex::new(waiting);
    let origin = Origin::start(move |_| {
        asked_tx.send(()).unwrap();
        waiting.lock().unwrap().recv().unwrap();
        Reply::new(200, &[], FEED)
    });
    let bed = Bed::of(&origin, "").await;
    let edited = Bed::of(&origin, "[[section]]\nid = \"new\"\ntitle = \"New\"\nfeeds = [\"a\"]\n").await;
    let active = ActiveConfig::new(bed.config.clone());
    let (poller, config) = (bed.poller.clone().following(active.clone()), bed.config.clone());
    let polling = tokio::spawn(async move { poller.poll_due(&config, start()).await.unwrap() });
    tokio::task::spawn_blocking(move || asked.recv().unwrap()).await.unwrap();

    active.follow(&bed.store, edited.config.clone(), start()).await.unwrap();
    go.send(()).unwrap();
    let reports = polling.await.unwrap();
    let sections: Vec<_> = reports[0].applied.sections.keys().map(|id| id.as_str()).collect();
    assert_eq!(sections, ["all", "new"]);
}
