//! What a publication costs: only what a change touches is read and rendered again.

use crate::support::bed;

use std::sync::Arc;

use bed::{ALL, Bed, entry, own_words, polled, three_feeds};
use newswire::commit;
use newswire::feed::FeedId;
use newswire::newsroom::Outcome;
use newswire::store::KnownInfo;

/// Polls a feed whose document gives the feed this title, and has one story.
async fn poll_with_title(bed: &mut Bed, feed: &str, title: &str) {
    bed.now = bed.now + bed::HOUR;
    let story = entry(&format!("https://{feed}.example/1"), &format!("Story of {feed}"), &own_words(feed));
    let mut polled = polled(feed, bed.now, &[story]);
    if let Outcome::Document(document) = &mut polled.outcome {
        document.info.title = Some(title.to_owned());
    }
    commit::apply(&bed.store, bed.config.clone(), polled).await.unwrap();
}

async fn info(bed: &Bed, feed: &str, before: Option<KnownInfo>) -> KnownInfo {
    let feed = FeedId::from(feed);
    bed.store.read(move |reader| reader.feed_info(&feed, before.as_ref())).await.unwrap()
}

#[tokio::test]
async fn what_a_feed_says_about_itself_is_parsed_again_only_after_it_changed() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    poll_with_title(&mut bed, "origin", "Before").await;
    let first = info(&bed, "origin", None).await;
    poll_with_title(&mut bed, "origin", "Before").await;
    poll_with_title(&mut bed, "wire", "Other").await;
    let second = info(&bed, "origin", Some(first.clone())).await;
    assert!(Arc::ptr_eq(&first.info, &second.info));
    poll_with_title(&mut bed, "origin", "After").await;
    let third = info(&bed, "origin", Some(second)).await;
    assert_eq!(third.info.title.as_deref(), Some("After"));
    assert_eq!(info(&bed, "wire", Some(third)).await.info.title.as_deref(), Some("Other"), "each feed has its own");
}
