//! Hooks: who is notified of what, when, how often, and what a message has.

mod daemon;
mod mistakes;
mod scripts;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use newswire::commit::{self, ActiveConfig};
use newswire::config::Config;
use newswire::delivery::{Delivery, HookPass};
use newswire::entry::Entry;
use newswire::feed::{Failure, FailureKind};
use newswire::fetch::Fetcher;
use newswire::hook::HookId;
use newswire::newsroom::Outcome;
use newswire::render;
use newswire::rows::HookRecord;
use newswire::status::{self, HookCondition};
use newswire::store::{Reader, Store};
use newswire::time::Timestamp;
use serde_json::Value;
use url::Url;

use crate::support::bed::*;
use crate::support::receiver::{Answer, Posted, Receiver};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A store whose hooks are served by hand.
struct Wire {
    bed: Bed,
    clock: Arc<Mutex<Timestamp>>,
    delivery: Delivery,
}

impl Wire {
    async fn new(config: Arc<Config>) -> Wire {
        let bed = Bed::new(config).await;
        Wire::of(bed)
    }

    fn of(bed: Bed) -> Wire {
        let clock = Arc::new(Mutex::new(bed.now));
        let shown = clock.clone();
        let delivery = Delivery::new(bed.store.clone(), Fetcher::new(&bed.config.poll.contact), &bed.config);
        let delivery = delivery.with_clock(Arc::new(move || *shown.lock().unwrap()));
        Wire { bed, clock, delivery }
    }

    /// Polls a feed an hour later, and sends the messages that are due then.
    async fn poll(&mut self, feed: &str, entries: &[Entry]) -> HookPass {
        self.bed.poll(feed, entries).await;
        self.pass_at(self.bed.now).await
    }

    async fn pass_at(&self, now: Timestamp) -> HookPass {
        *self.clock.lock().unwrap() = now;
        self.delivery.pass(&self.bed.config, &HookId::from("hook")).await.unwrap()
    }

    /// Writes a poll that failed, the `failures`th in a row, and sends the messages.
    async fn fail(&mut self, feed: &str, failures: u32) -> HookPass {
        self.bed.now = self.bed.now + HOUR;
        let failed = polled(feed, self.bed.now, &[]);
        let outcome = Outcome::Failed(Failure::Status { status: 503 });
        let failed = newswire::newsroom::Polled { outcome, failures, ..failed };
        commit::apply(&self.bed.store, self.bed.config.clone(), failed).await.unwrap();
        self.pass_at(self.bed.now).await
    }

    async fn waiting(&self) -> u64 {
        let standings = self.bed.store.read(|reader| reader.hook_standings()).await.unwrap();
        standings.iter().map(|standing| standing.waiting).sum()
    }

    async fn record(&self) -> HookRecord {
        self.bed.store.read(|reader| reader.hook_standings()).await.unwrap().remove(0).record
    }

    async fn state(&self) -> HookCondition {
        let config = self.bed.config.clone();
        self.bed.store.read(move |reader| status::hooks(&config, reader)).await.unwrap()[0].state
    }
}

/// Returns a config with the feeds of [`three_feeds`], a section `all`, and a hook with these further keys.
fn hooked(receiver: &Receiver, keys: &str) -> Arc<Config> {
    with_hook(receiver, keys, ALL)
}

fn with_hook(receiver: &Receiver, keys: &str, sections: &str) -> Arc<Config> {
    three_feeds(&format!(
        "{sections}\n[[hook]]\nid = \"hook\"\nurl = \"{}\"\nallow = [\"{}\"]\n{keys}\n",
        receiver.url(),
        receiver.address
    ))
}

fn story(name: &str) -> Entry {
    entry(&format!("https://origin.example/{name}"), &format!("The {name}"), &own_words(name))
}

/// Returns a wire with one message in its queue: the story `ferry` of the feed `origin`.
async fn with_a_message(receiver: &Receiver, keys: &str) -> Wire {
    let mut wire = Wire::new(hooked(receiver, keys)).await;
    wire.bed.poll("origin", &[story("bridge")]).await;
    wire.bed.poll("origin", &[story("ferry"), story("bridge")]).await;
    assert_eq!(wire.waiting().await, 1);
    wire
}

#[tokio::test]
async fn new_story_is_posted_once_with_the_item_of_the_json_edition() {
    let receiver = Receiver::statuses(&[204]);
    let mut wire = Wire::new(hooked(&receiver, "")).await;
    wire.poll("origin", &[story("bridge")]).await;
    assert_eq!(receiver.titles(), [""; 0], "the first document of a feed is not news");
    let pass = wire.poll("origin", &[story("ferry"), story("bridge")]).await;
    assert_eq!((pass.delivered, pass.failed, pass.next), (1, 0, None));
    assert_eq!(receiver.titles(), ["The ferry"]);
    let posted = receiver.posted().remove(0);
    assert_eq!(posted.line, "POST /hook HTTP/1.1");
    assert_eq!(posted.header("content-type"), "application/json");
    assert_eq!(posted.header("webhook-signature"), "", "there is no key");
    let message = posted.json();
    assert_eq!(message["type"], "published");
    assert_eq!(message["timestamp"], wire.bed.now.to_string());
    let section = serde_json::json!({ "id": "all", "title": "All", "url": "http://127.0.0.1:8080/all/" });
    assert_eq!(message["data"]["section"], section);
    let config = wire.bed.config.clone();
    let stories = wire.bed.shown("all").await;
    let view = section_view(&config, &config.sections[0], "urn:x", &stories);
    let edition: Value = serde_json::from_slice(&render::json(&view.prepare()).unwrap()).unwrap();
    assert_eq!(message["data"]["story"], edition["items"][0]);

    wire.poll("origin", &[story("ferry"), story("bridge")]).await;
    wire.poll("wire", &[]).await;
    assert_eq!(receiver.titles().len(), 1, "never again after a 2xx");
}

#[tokio::test]
async fn message_is_signed_as_standard_webhooks_says() {
    use hmac::{Hmac, KeyInit, Mac};
    let receiver = Receiver::statuses(&[200]);
    let wire = with_a_message(&receiver, &format!("secret = \"{SECRET}\"")).await;
    wire.pass_at(wire.bed.now).await;
    let posted = receiver.posted().remove(0);
    let (id, timestamp) = (posted.header("webhook-id"), posted.header("webhook-timestamp"));
    assert_eq!(timestamp, (wire.bed.now.millis() / 1000).to_string());
    assert!(id.starts_with("msg_") && id.len() > 30, "{id}");
    // The bytes of the key, decoded by another program.
    let key = [
        0x31, 0xf2, 0x90, 0xf6, 0xbf, 0x06, 0x29, 0x8a, 0xab, 0x4f, 0x08, 0xd4, 0x3c, 0x3f, 0x08, 0x2c, 0xf6, 0x48,
        0xa3, 0x62, 0xda, 0x2d, 0xa4, 0xb0,
    ];
    let mut hmac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    hmac.update(format!("{id}.{timestamp}.").as_bytes());
    hmac.update(&posted.body);
    let expected = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, hmac.finalize().into_bytes());
    assert_eq!(posted.header("webhook-signature"), format!("v1,{expected}"));
}

#[tokio::test]
async fn retries_keep_the_id_and_end_with_the_first_2xx() {
    let receiver = Receiver::statuses(&[500, 429, 202]);
    let wire = with_a_message(&receiver, &format!("secret = \"{SECRET}\"")).await;
    let mut now = wire.bed.now;
    for _ in 0..2 {
        let pass = wire.pass_at(now).await;
        assert_eq!((pass.delivered, pass.failed), (0, 1));
        assert_eq!(wire.state().await, HookCondition::Failing);
        now = pass.next.unwrap();
    }
    let pass = wire.pass_at(now).await;
    assert_eq!((pass.delivered, pass.next), (1, None));
    assert_eq!(wire.state().await, HookCondition::Ok);
    for later in [HOUR, DAY] {
        wire.pass_at(now + later).await;
    }
    let posted = receiver.posted();
    let of_all = |name: &str| posted.iter().map(|posted| posted.header(name).to_owned()).collect::<Vec<_>>();
    assert_eq!(of_all("webhook-id"), vec![of_all("webhook-id")[0].clone(); 3]);
    let (times, signatures) = (of_all("webhook-timestamp"), of_all("webhook-signature"));
    assert!(times.is_sorted() && times[0] != times[1], "each attempt has its own time: {times:?}");
    assert!(signatures[0] != signatures[1] && signatures.iter().all(|signature| signature.starts_with("v1,")));
}

#[tokio::test]
async fn message_that_is_never_accepted_is_given_up_after_a_day() {
    let receiver = Receiver::statuses(&[500]);
    let wire = with_a_message(&receiver, "").await;
    let (start, mut now, mut waits) = (wire.bed.now, wire.bed.now, Vec::new());
    let given_up = loop {
        let pass = wire.pass_at(now).await;
        let Some(next) = pass.next else { break pass.given_up };
        waits.push(next.since(now));
        now = next;
    };
    assert_eq!((given_up, wire.waiting().await), (1, 0));
    let minutes: Vec<u64> = waits.iter().map(|wait| wait.as_secs() / 60).collect();
    assert_eq!(minutes, [0, 5, 30, 2 * 60, 5 * 60, 10 * 60, 5 * 60 + 24], "the last one is before the day ends");
    assert_eq!(receiver.posted().len(), waits.len() + 1);
    assert!(now.since(start) < DAY && now.since(start) > 20 * HOUR, "{:?}", now.since(start));
    let record = wire.record().await;
    assert_eq!((record.given_up, record.failure, record.failure_status), (1, Some(FailureKind::Status), Some(500)));
}

#[tokio::test]
async fn message_that_waited_too_long_is_not_sent_at_all() {
    let receiver = Receiver::statuses(&[200]);
    let wire = with_a_message(&receiver, "").await;
    let pass = wire.pass_at(wire.bed.now + 2 * DAY).await;
    assert_eq!((pass.delivered, pass.given_up, wire.waiting().await), (0, 1, 0));
    assert!(receiver.posted().is_empty());
}

#[tokio::test]
async fn receiver_that_is_gone_gets_nothing_more_until_its_address_changes() {
    let receiver = Receiver::statuses(&[410, 200]);
    let mut wire = with_a_message(&receiver, "").await;
    let pass = wire.pass_at(wire.bed.now).await;
    assert_eq!((pass.failed, pass.given_up, pass.next), (1, 1, None));
    assert_eq!(wire.state().await, HookCondition::Gone);
    wire.poll("origin", &[story("tower"), story("ferry")]).await;
    assert_eq!((receiver.posted().len(), wire.waiting().await), (1, 0));

    let other = hooked(&receiver, "");
    let mut other = Config::clone(&other);
    let mut hook = newswire::config::Hook::clone(&other.hooks[0]);
    if let newswire::config::HookTarget::Url { url, .. } = &mut hook.target {
        url.set_path("/other");
    }
    other.hooks = vec![Arc::new(hook)];
    wire.bed.follow(Arc::new(other)).await;
    wire.poll("origin", &[story("lighthouse"), story("tower")]).await;
    assert_eq!(receiver.titles(), ["The ferry", "The lighthouse"]);
}

#[tokio::test]
async fn redirect_is_a_failure_and_is_not_followed() {
    let inner = Receiver::statuses(&[200]);
    let to = inner.url();
    let receiver = Receiver::start(move |_, _| Answer::Redirect(to.clone()));
    let wire = with_a_message(&receiver, "").await;
    let pass = wire.pass_at(wire.bed.now).await;
    assert_eq!((pass.failed, receiver.posted().len(), inner.posted().len()), (1, 1, 0));
    let config = wire.bed.config.clone();
    let hook = wire.bed.store.read(move |reader| status::hooks(&config, reader)).await.unwrap().remove(0);
    let expected = "the receiver redirects (302), and hooks follow no redirects; set url to the final address";
    assert_eq!(hook.last_error.as_deref(), Some(expected));
}

#[tokio::test]
async fn private_address_is_refused_unless_the_hook_itself_allows_it() {
    let receiver = Receiver::statuses(&[200]);
    let allow = format!("[poll]\nallow = [\"{}\", \"127.0.0.0/8\"]\n", receiver.address);
    let text = format!("{allow}{ALL}\n[[hook]]\nid = \"hook\"\nurl = \"{}\"\n", receiver.url());
    let mut wire = Wire::new(three_feeds(&text)).await;
    wire.poll("origin", &[story("bridge")]).await;
    let pass = wire.poll("origin", &[story("ferry")]).await;
    assert_eq!((pass.failed, receiver.posted().len()), (1, 0));
    assert_eq!(wire.record().await.failure, Some(FailureKind::RefusedAddress));
}

#[tokio::test]
async fn only_young_stories_that_the_rules_keep_are_posted() {
    let receiver = Receiver::statuses(&[200]);
    let mut wire = Wire::new(hooked(&receiver, "keep = [{ title = \"ferry\" }, { text = \"tower7\" }]")).await;
    wire.poll("origin", &[story("bridge")]).await;
    let mut old = story("old-ferry");
    old.published = Some(start() - 3 * DAY);
    let mut young = story("young-ferry");
    young.published = Some(wire.bed.now - HOUR);
    wire.poll("origin", &[old, young, story("tower"), story("harbour")]).await;
    let mut titles = receiver.titles();
    titles.sort();
    assert_eq!(titles, ["The tower", "The young-ferry"]);
}

#[tokio::test]
async fn story_is_posted_once_whichever_of_the_hooks_sections_it_enters() {
    let receiver = Receiver::statuses(&[200]);
    let sections = "[[section]]\nid = \"one\"\nfeeds = [\"origin\"]\n\
        [[section]]\nid = \"two\"\nfeeds = [\"*\"]\n\
        [[section]]\nid = \"inner\"\nfeeds = [\"*\"]\ntoken = \"a secret of readers\"\n";
    let check = async |keys: &str, expected: &[&str]| {
        let before = receiver.posted().len();
        let mut wire = Wire::new(with_hook(&receiver, keys, sections)).await;
        wire.poll("origin", &[story("bridge")]).await;
        wire.poll("wire", &[story("quay")]).await;
        wire.poll("origin", &[story("ferry")]).await;
        let copy = entry("https://origin.example/ferry", "The ferry", &own_words("ferry"));
        wire.poll("wire", &[copy]).await;
        let section = |posted: &Posted| posted.json()["data"]["section"]["id"].as_str().unwrap().to_owned();
        let sections: Vec<String> = receiver.posted()[before..].iter().map(section).collect();
        assert_eq!(sections, expected, "{keys}");
    };
    check("", &["one"]).await;
    check("sections = [\"two\"]", &["two"]).await;
    check("sections = [\"inner\", \"one\"]", &["one"]).await;
    check("sections = [\"inner\"]", &["inner"]).await;
}

#[tokio::test]
async fn feed_whose_first_document_was_empty_is_not_new_any_more() {
    let receiver = Receiver::statuses(&[200]);
    let mut wire = Wire::new(hooked(&receiver, "")).await;
    wire.poll("origin", &[]).await;
    wire.poll("origin", &[story("ferry")]).await;
    assert_eq!(receiver.titles(), ["The ferry"]);
}

#[tokio::test]
async fn new_rules_and_reloads_post_nothing() {
    let receiver = Receiver::statuses(&[200]);
    let none = "[[section]]\nid = \"all\"\nfeeds = [\"*\"]\nkeep = [{ title = \"nothing\" }]";
    let mut wire = Wire::new(with_hook(&receiver, "", none)).await;
    wire.poll("origin", &[story("bridge")]).await;
    wire.poll("origin", &[story("ferry"), story("bridge")]).await;
    assert_eq!(wire.bed.ids("all").await.len(), 0);
    wire.bed.follow(with_hook(&receiver, "", ALL)).await;
    assert_eq!(wire.bed.ids("all").await.len(), 2, "the new rules take old stories in");
    wire.bed.follow(with_hook(&receiver, "", ALL)).await;
    wire.poll("origin", &[story("ferry"), story("bridge")]).await;
    assert!(receiver.posted().is_empty());
    wire.poll("origin", &[story("tower"), story("ferry")]).await;
    assert_eq!(receiver.titles(), ["The tower"]);
}

#[tokio::test]
async fn poll_that_takes_an_old_story_into_a_section_that_is_still_judged_posts_only_new_stories() {
    let receiver = Receiver::statuses(&[200]);
    let none = "[[section]]\nid = \"all\"\nfeeds = [\"*\"]\nkeep = [{ title = \"nothing\" }]";
    let before = with_hook(&receiver, "", none);
    let mut wire = Wire::new(before.clone()).await;
    wire.poll("origin", &[story("bridge")]).await;
    wire.poll("origin", &[story("ferry"), story("bridge")]).await;
    let after = with_hook(&receiver, "", ALL);
    ActiveConfig::new(before).follow(&wire.bed.store, after.clone(), wire.bed.now).await.unwrap();
    wire.bed.config = after;
    let revised = entry("https://origin.example/ferry", "The ferry sank", &own_words("sunk"));
    wire.poll("origin", &[story("tower"), revised, story("bridge")]).await;
    assert_eq!(receiver.titles(), ["The tower"]);
}

#[tokio::test]
async fn hook_that_is_added_later_is_not_notified_of_earlier_stories() {
    let receiver = Receiver::statuses(&[200]);
    let mut wire = Wire::new(three_feeds(ALL)).await;
    wire.bed.poll("origin", &[story("bridge")]).await;
    wire.bed.poll("origin", &[story("ferry"), story("bridge")]).await;
    wire.bed.follow(hooked(&receiver, "events = [\"published\", \"revised\"]")).await;
    let revised = entry("https://origin.example/ferry", "The ferry sank", &own_words("sunk"));
    wire.poll("origin", &[story("tower"), revised, story("bridge")]).await;
    assert_eq!(receiver.titles(), ["The tower"]);
    wire.bed.follow(three_feeds(ALL)).await;
    wire.bed.poll("origin", &[story("quay"), story("tower")]).await;
    wire.bed.follow(hooked(&receiver, "")).await;
    wire.poll("origin", &[story("lighthouse"), story("quay")]).await;
    assert_eq!(receiver.titles(), ["The tower", "The lighthouse"]);
}

#[tokio::test]
async fn restored_store_posts_nothing_again() {
    let receiver = Receiver::statuses(&[200]);
    let mut wire = with_a_message(&receiver, "").await;
    let file = wire.bed.folder.path().join("backup.db");
    Reader::open(wire.bed.store.path()).unwrap().backup(wire.bed.store.path(), &file).unwrap();
    wire.pass_at(wire.bed.now).await;
    wire.poll("origin", &[story("tower"), story("ferry"), story("bridge")]).await;
    assert_eq!(receiver.titles(), ["The ferry", "The tower"]);

    let Bed { folder, config, now, .. } = wire.bed;
    let store = Store::open(&file, "a test").unwrap();
    commit::sync(&store, config.clone(), now).await.unwrap();
    let mut wire = Wire::of(Bed { folder, store, config, now });
    assert_eq!(wire.waiting().await, 0);
    wire.poll("origin", &[story("tower"), story("ferry"), story("bridge")]).await;
    assert_eq!(receiver.titles().len(), 2, "what the backup lacked was posted already");
    wire.poll("origin", &[story("quay"), story("tower")]).await;
    assert_eq!(receiver.titles(), ["The ferry", "The tower", "The quay"]);
}

#[tokio::test]
async fn revised_story_is_posted_with_its_new_words() {
    let receiver = Receiver::statuses(&[200]);
    let mut wire = Wire::new(hooked(&receiver, "events = \"revised\"")).await;
    wire.poll("origin", &[story("bridge")]).await;
    wire.poll("origin", &[story("ferry"), story("bridge")]).await;
    let revised = entry("https://origin.example/ferry", "The ferry sank", &own_words("sunk"));
    wire.poll("origin", &[revised.clone(), story("bridge")]).await;
    wire.poll("origin", &[revised, story("bridge")]).await;
    let posted: Vec<_> =
        receiver.posted().iter().map(|posted| (posted.json()["type"].clone(), posted.title())).collect();
    assert_eq!(posted, [(Value::from("revised"), "The ferry sank".to_owned())]);
}

#[tokio::test]
async fn story_that_left_its_section_before_it_was_sent_is_not_sent() {
    let receiver = Receiver::statuses(&[200]);
    let mut wire = with_a_message(&receiver, "").await;
    let without = with_hook(&receiver, "", &format!("{ALL}\ndrop = [{{ title = \"ferry\" }}]"));
    wire.bed.follow(without).await;
    let pass = wire.pass_at(wire.bed.now).await;
    assert_eq!((pass.delivered, wire.waiting().await, receiver.posted().len()), (0, 0, 0));
}

#[tokio::test]
async fn hook_is_notified_once_of_a_feed_that_fails_recovers_and_moves() {
    let receiver = Receiver::statuses(&[200]);
    let events = "events = [\"feed.failed\", \"feed.recovered\", \"feed.moved\"]";
    let mut wire = Wire::new(hooked(&receiver, events)).await;
    wire.poll("origin", &[story("bridge")]).await;
    for failures in 1..=5 {
        wire.fail("origin", failures).await;
    }
    let failed_at = start() + 4 * HOUR;
    for _ in 0..2 {
        wire.poll("origin", &[story("bridge")]).await;
    }
    let recovered_at = start() + 7 * HOUR;
    for _ in 0..5 {
        let at = wire.bed.now + 20 * HOUR;
        let permanent = Some(Url::parse("https://new.example/feed").unwrap());
        let moved = newswire::newsroom::Polled { permanent, ..polled("origin", at, &[story("bridge")]) };
        commit::apply(&wire.bed.store, wire.bed.config.clone(), moved).await.unwrap();
        wire.bed.now = at;
        wire.pass_at(at).await;
    }
    let data: Vec<Value> = receiver.posted().iter().map(Posted::json).collect();
    let kinds: Vec<&str> = data.iter().map(|message| message["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["feed.failed", "feed.recovered", "feed.moved"]);
    let feed = serde_json::json!({ "id": "origin", "url": "https://origin.example/feed", "title": "The origin" });
    assert!(data.iter().all(|message| message["data"]["feed"] == feed), "{data:?}");
    assert_eq!(data[0]["data"]["reason"], "failed 3 times in a row: server error (503)");
    assert_eq!(data[0]["data"]["since"], failed_at.to_string());
    assert_eq!(data[1]["data"]["reason"], "answers again after 5 failures");
    assert_eq!(data[1]["data"]["since"], recovered_at.to_string());
    assert_eq!(data[2]["data"]["to"], "https://new.example/feed");
}

#[tokio::test]
async fn hook_of_a_section_is_notified_only_of_the_feeds_of_that_section() {
    let receiver = Receiver::statuses(&[200]);
    let sections = format!("{ALL}\n[[section]]\nid = \"one\"\nfeeds = [\"wire\"]\n");
    let keys = "sections = [\"one\"]\nevents = [\"feed.failed\"]";
    let mut wire = Wire::new(with_hook(&receiver, keys, &sections)).await;
    for failures in 1..=3 {
        wire.fail("origin", failures).await;
        wire.fail("wire", failures).await;
    }
    let feeds: Vec<_> = receiver.posted().iter().map(|posted| posted.json()["data"]["feed"]["id"].clone()).collect();
    assert_eq!(feeds, ["wire"]);
}

#[tokio::test]
async fn failing_receiver_gets_few_requests_however_many_messages_wait() {
    let receiver = Receiver::statuses(&[503]);
    let mut wire = Wire::new(hooked(&receiver, "")).await;
    wire.bed.poll("origin", &[story("bridge")]).await;
    let many: Vec<Entry> = (0..40).map(|number| story(&format!("tide{number}x"))).collect();
    wire.bed.poll("origin", &many).await;
    assert_eq!(wire.waiting().await, 40);
    let (start, mut now) = (wire.bed.now, wire.bed.now);
    while now < start + HOUR {
        let pass = wire.pass_at(now).await;
        assert!(pass.failed <= 1, "a pass ends with the first failure");
        now = pass.next.unwrap().max(now + Duration::from_millis(1));
    }
    assert!(receiver.posted().len() < 25, "{} requests in an hour", receiver.posted().len());
}
