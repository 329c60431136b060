//! One story is published once: which entries are recognised as one story, which stay apart, what edits do, and what a
//! feed cannot do to the stories of others.

use crate::support::bed;

use bed::{ALL, Bed, DAY, HOUR, config, entry, own_words, polled, start, three_feeds};
use newswire::commit::{self, Mode};
use newswire::entry::Entry;
use newswire::feed::{FeedId, Note, SectionId};
use newswire::newsroom::Outcome;
use newswire::time::Timestamp;
use url::Url;

/// A text that many sites publish. It is long and specific enough to identify its story.
const WIRE_TEXT: &str = "The harbour board voted on Tuesday evening to reopen the old quay, which has been closed to the \
public since a crane fell into the water. Fishermen who had argued for the step filled the hall and applauded. Repairs will \
begin in spring, the chairwoman announced, provided that the divers find no further damage beneath the northern wall.";

const TITLE: &str = "Harbour board votes to reopen the old quay";

fn wire_entry(link: &str) -> Entry {
    entry(link, TITLE, WIRE_TEXT)
}

#[tokio::test]
async fn one_text_at_two_sites_is_one_story_with_a_reason_and_a_score() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[wire_entry("https://origin.example/1")]).await;
    let mut copy = wire_entry("https://other.example/a");
    copy.content_html = Some(format!("<p>{WIRE_TEXT}</p><p>Originally at Origin.</p>"));
    assert_eq!(bed.poll("other", &[copy]).await.joined, 1);
    let copies = bed.copies("https://origin.example/1").await;
    let reasons: Vec<_> = copies.iter().map(|copy| copy.reason.as_str()).collect();
    assert_eq!(reasons, ["first", "text"]);
    assert!(copies[1].score.is_some_and(|score| score > 0.8 && score <= 1.0), "{:?}", copies[1].score);
}

#[tokio::test]
async fn copy_that_names_the_feed_of_the_original_joins_it_under_another_headline() {
    let original = "The board opens the old quay to walkers in April, said its chairwoman. Repairs cost 4 million.";
    let check = async |text: &str, expected: usize| {
        let mut bed = Bed::new(three_feeds(ALL)).await;
        bed.poll("origin", &[entry("https://origin.example/1", TITLE, original)]).await;
        let copy = entry("https://other.example/a", "Boats and walkers return", text);
        assert_eq!(bed.poll("other", &[copy]).await.joined, expected, "{text}");
    };
    let opening = "<p>The board opens the old quay to walkers in April, said its chairwoman.</p>";
    let credit = "<p>Source: <a href=\"https://origin.example/1\">Origin</a></p>";
    check(&format!("{opening}{credit}"), 1).await;
    let list = "<p>Read also</p><ul><li>Strike on 7 May stops buses, trams and trains in the whole of the county</li>\
                <li>Measles cases in Millbay rise to nineteen, says the board of health in its report</li>\
                <li>Choir sings between the carriages of the old depot on a Sunday night in winter</li></ul>";
    check(&format!("{opening}{credit}{list}"), 1).await;
    check(opening, 0).await;
    check(&format!("{opening}<p>Source: <a href=\"https://origin.example/2\">Origin</a></p>"), 0).await;
    check(
        &format!("<p>A crane fell into the water this morning, but nobody was near it or hurt.</p>{opening}{credit}"),
        0,
    )
    .await;
}

#[tokio::test]
async fn entries_of_two_feeds_with_one_random_guid_are_one_story_unless_title_and_text_differ() {
    let check = async |guid: &str, title: &str, text: &str, expected: usize| {
        let with_guid = |mut entry: Entry| {
            guid.clone_into(&mut entry.guid.value);
            entry.guid.kind = newswire::entry::GuidKind::Guid;
            entry
        };
        let mut bed = Bed::new(three_feeds(ALL)).await;
        let own = entry(
            "https://origin.example/7",
            "The roof",
            "A roofer left with the deposit, and our reporter follows the money through four firms.",
        );
        bed.poll("origin", &[with_guid(own)]).await;
        let copy = with_guid(entry("https://other.example/a", title, text));
        assert_eq!(bed.poll("other", &[copy]).await.joined, expected, "{guid} {title}");
    };
    let same =
        ("Small Print: The roof", "A roofer left with the deposit, and our reporter follows the money. Write to us!");
    check("9f86d081884c7d659a2feaa0c55ad015", same.0, same.1, 1).await;
    check("1001", same.0, same.1, 0).await;
    check("9f86d081884c7d659a2feaa0c55ad015", "The eclipse", "Two hundred strangers waited on a hill.", 0).await;
}

/// Returns an episode of a podcast, with the description that every episode of its hosting service has.
fn episode(link: &str, title: &str, recording: &str) -> Entry {
    let text = "Hosted by Voices. See voices.example/privacy for more on how we use what we know of you, and for adverts. \
                Voices is the home of the best shows in the land, made by people who love to talk and to listen.";
    let mut episode = entry(link, title, text);
    let enclosure = serde_json::json!({ "url": recording, "type": "audio/mpeg" });
    episode.enclosures.push(serde_json::from_value(enclosure).unwrap());
    episode
}

#[tokio::test]
async fn episodes_with_different_recordings_are_different_stories() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let title = "Season two trailer";
    bed.poll("origin", &[episode("https://origin.example/t", title, "https://media.example/origin/1.mp3")]).await;
    let other = episode("https://wire.example/t", title, "https://media.example/wire/1.mp3");
    assert_eq!(bed.poll("wire", &[other]).await.joined, 0);
    let same = episode("https://other.example/t", title, "https://count.example/e/media.example/origin/1.mp3");
    assert_eq!(bed.poll("other", &[same]).await.joined, 1, "one recording under both addresses is one episode");
    assert_eq!(bed.titles("all").await.len(), 2);
}

#[tokio::test]
async fn text_that_a_feed_has_under_several_titles_joins_no_stories() {
    let advert = |host: &str, title: &str| {
        let text = "Get our best reports by mail every morning. It costs nothing, and you can leave whenever you like. Join \
                    the forty thousand readers who begin their day with us, and never miss what matters to your town.";
        entry(&format!("https://{host}.example/{}", title.replace(' ', "-")), title, text)
    };
    let headline = "Town hall closes for the whole of August";
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[advert("origin", headline)]).await;
    let reused = [advert("wire", "Baker wins the marathon on his first try"), advert("wire", headline)];
    assert_eq!(bed.poll("wire", &reused).await.joined, 0, "the feed uses this text under several titles");
    assert_eq!(
        bed.poll("other", &[advert("other", headline)]).await.joined,
        0,
        "so other feeds do not join by it either"
    );
}

#[tokio::test]
async fn text_joins_stories_only_inside_the_window_and_as_the_feeds_allow() {
    let config_of = |stories: &str, feed: &str| {
        config(&format!(
            "[site]\ntitle = \"T\"\n[stories]\n{stories}\n[[feed]]\nid = \"origin\"\nurl = \"https://origin.example/\"\n\
             [[feed]]\nid = \"other\"\nurl = \"https://other.example/\"\n{feed}\n{ALL}"
        ))
    };
    for (stories, feed, days, expected) in [
        ("", "", 2, 1),
        ("", "", 4, 2),
        ("window = \"5 days\"", "", 4, 1),
        ("dedup = \"links\"", "", 0, 2),
        ("dedup = \"links\"", "dedup = \"text\"", 0, 2),
        ("", "dedup = \"off\"", 0, 2),
    ] {
        let mut bed = Bed::new(config_of(stories, feed)).await;
        let mut first = wire_entry("https://origin.example/1");
        first.published = Some(start());
        let mut second = wire_entry("https://other.example/a");
        second.published = Some(start() + DAY * days);
        bed.poll_at(start() + DAY * 10, "origin", &[first]).await;
        bed.poll_at(start() + DAY * 11, "other", &[second]).await;
        assert_eq!(bed.titles("all").await.len(), expected, "{stories} {feed}, {days} days apart");
    }
}

#[tokio::test]
async fn two_headlines_with_numbers_at_one_link_are_one_story_unless_they_are_of_a_series() {
    let joined = async |one: &str, other: &str| {
        let mut bed = Bed::new(three_feeds(ALL)).await;
        let link = "https://origin.example/storm";
        bed.poll("origin", &[entry(link, one, "The storm tore the roofs off whole streets in the night.")]).await;
        let text = "Rescuers found more bodies, the governor said at noon, and many people are missing.";
        bed.poll("wire", &[entry(link, other, text)]).await.joined == 1
    };
    assert!(joined("Storm kills 12 on the coast", "Death toll from floods rises to 19").await);
    assert!(joined("Second storm in a week", "Three dead after roofs come down").await);
    assert!(!joined("Storm diary, day 5: roofs", "Storm diary, day 6: what the water left").await);
    assert!(!joined("Weather for Monday, 5 March", "Weather for Tuesday, 6 March").await);
}

#[tokio::test]
async fn title_in_another_unicode_form_is_the_same_title() {
    let joined = async |one: &str, other: &str| {
        let mut bed = Bed::new(three_feeds(ALL)).await;
        bed.poll("origin", &[entry("https://origin.example/1", one, WIRE_TEXT)]).await;
        bed.poll("wire", &[entry("https://wire.example/1", other, &format!("{WIRE_TEXT} More soon."))]).await.joined
            == 1
    };
    assert!(joined("Alte Straße wird im Frühjahr größer", "ALTE STRASSE WIRD IM FRU\u{308}HJAHR GRÖSSER").await);
    assert!(joined("Harbour cuts CO₂ by half", "Harbour cuts CO2 by half").await);
    assert!(!joined("Harbour cuts CO₂ by half", "Harbour raises NO₂ by a third").await);
}

#[tokio::test]
async fn parts_of_one_page_are_separate_stories() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let at = |part: &str, title: &str| entry(&format!("https://origin.example/changes{part}"), title, "See the page.");
    bed.poll("origin", &[at("#v7", "Lantern is quicker")]).await;
    bed.poll("other", &[at("#v8", "Lantern reads maps")]).await;
    assert_eq!(bed.titles("all").await.len(), 2);
    bed.poll("wire", &[at("#v8", "Worth a look")]).await;
    bed.poll("wire", &[at("", "Lantern's changes")]).await;
    assert_eq!(bed.titles("all").await.len(), 2, "an entry with the same part, or with the whole page, is joined");
}

#[tokio::test]
async fn entries_of_a_live_report_are_joined_only_if_their_words_are_similar() {
    let check = async |at: &str, first: (&str, &str), second: (&str, &str), stories: usize| {
        let mut bed = Bed::new(three_feeds(ALL)).await;
        let tell = |(title, text): (&str, &str), part: &str| {
            entry(&format!("https://origin.example/sport/{at}{part}"), title, text)
        };
        bed.poll("origin", &[tell(first, "")]).await;
        bed.poll("other", &[tell(second, "#post-9")]).await;
        assert_eq!(bed.titles("all").await.len(), stories, "{at} {second:?}");
    };
    let quay = ("Quay closed after the storm", "The old quay is closed until the divers are done.");
    let goal = ("LIVE:", "Lakeside lead by one goal at half-time.");
    check("live/blog-7", quay, goal, 2).await;
    check("live/blog-7", quay, ("Live: quay closed after the storm", "Lakeside lead."), 1).await;
    check("live/blog-7", quay, ("As it happened", quay.1), 1).await;
    check("quay-7", quay, goal, 1).await;
}

#[tokio::test]
async fn entries_of_one_feed_are_never_joined_by_their_text() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[wire_entry("https://origin.example/1"), wire_entry("https://origin.example/2")]).await;
    assert_eq!(bed.titles("all").await.len(), 2);
    let applied = bed.poll("other", &[wire_entry("https://other.example/a")]).await;
    assert_eq!(applied.joined, 0, "a text that two stories of a feed share identifies neither");
}

#[tokio::test]
async fn edit_to_the_text_of_another_story_merges_the_two() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[wire_entry("https://origin.example/1")]).await;
    bed.poll("other", &[entry("https://other.example/a", "Quay news", "Details follow.")]).await;
    assert_eq!(bed.titles("all").await.len(), 2);
    let applied = bed.poll("other", &[wire_entry("https://other.example/a")]).await;
    assert_eq!((applied.revised, applied.merged), (1, 1));
    assert_eq!(applied.sections[&SectionId::from("all")].left, 1);
    assert_eq!(bed.ids("all").await, ["https://origin.example/1"], "the older id stays");
    assert_eq!(bed.find("https://other.example/a").await.id, "https://origin.example/1", "the younger leads to it");
    let slug = newswire::story::slug("Quay news", newswire::number::StoryNumber(2));
    let by_slug = bed.store.read(move |reader| newswire::shown::named(reader, None, &slug)).await.unwrap();
    assert_eq!(by_slug[0].id, "https://origin.example/1");
}

#[tokio::test]
async fn section_that_had_only_the_younger_story_keeps_its_id_and_position() {
    let sections = format!("{ALL}\n[[section]]\nid = \"mine\"\ntitle = \"M\"\nfeeds = [\"other\"]");
    let mut bed = Bed::new(three_feeds(&sections)).await;
    bed.poll("origin", &[wire_entry("https://origin.example/1")]).await;
    bed.poll("other", &[entry("https://other.example/a", "Quay news", "Details follow.")]).await;
    let before = bed.shown("mine").await;
    bed.poll("other", &[wire_entry("https://other.example/a")]).await;
    let after = bed.shown("mine").await;
    assert_eq!((after.len(), &after[0].id), (1, &before[0].id), "nothing is published a second time");
    assert_eq!(after[0].sort_at, before[0].sort_at);
    assert_eq!(bed.ids("all").await, ["https://origin.example/1"]);
}

#[tokio::test]
async fn stories_that_an_editor_split_are_not_joined_again() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[wire_entry("https://origin.example/1")]).await;
    bed.poll("other", &[wire_entry("https://other.example/a")]).await;
    let (story, copies) = (bed.find("https://origin.example/1").await, bed.copies("https://origin.example/1").await);
    let edited =
        commit::split(&bed.store, bed.config.clone(), (story.number, copies[1].number), Mode::Perform, bed.now)
            .await
            .unwrap()
            .unwrap();
    assert_eq!(edited.story.id, "https://other.example/a");
    assert_eq!(bed.titles("all").await.len(), 2);
    let mut revised = wire_entry("https://other.example/a");
    revised.content_html = Some(format!("<p>{WIRE_TEXT} It rained.</p>"));
    assert_eq!(bed.poll("other", &[revised]).await.merged, 0, "split stories stay apart");
    assert_eq!(bed.titles("all").await.len(), 2);
    let alone =
        commit::split(&bed.store, bed.config.clone(), (edited.story.number, copies[1].number), Mode::Perform, bed.now)
            .await
            .unwrap();
    assert!(alone.is_none(), "a story of one copy cannot be split");
}

#[tokio::test]
async fn first_copy_that_is_split_off_again_has_its_former_id() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let mut first = wire_entry("https://origin.example/1");
    first.guid.value = "a guid of the feed's own".to_owned();
    bed.poll("origin", &[first]).await;
    bed.poll("other", &[wire_entry("https://other.example/a")]).await;
    let (story, copies) = (bed.find("https://other.example/a").await, bed.copies("https://other.example/a").await);
    let mut ids = Vec::new();
    for _ in 0..2 {
        let split =
            commit::split(&bed.store, bed.config.clone(), (story.number, copies[0].number), Mode::Perform, bed.now)
                .await
                .unwrap()
                .unwrap();
        ids.push(split.story.id);
        let joined =
            commit::join(&bed.store, bed.config.clone(), (story.number, split.story.number), Mode::Perform, bed.now)
                .await
                .unwrap();
        assert_eq!(joined.story.id, story.id, "the rest keeps the id under which it was published");
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn editor_joins_unrecognised_copies_and_can_undo_it() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[entry("https://origin.example/1", "One", "one")]).await;
    bed.poll("other", &[entry("https://other.example/a", "Other", "other")]).await;
    let (one, other) = (bed.find("https://origin.example/1").await, bed.find("https://other.example/a").await);
    let edited =
        commit::join(&bed.store, bed.config.clone(), (other.number, one.number), Mode::Perform, bed.now).await.unwrap();
    assert_eq!(edited.story.id, "https://origin.example/1");
    assert_eq!(bed.ids("all").await, ["https://origin.example/1"]);
    let copies = bed.copies("https://other.example/a").await;
    assert_eq!(copies[1].reason.as_str(), "editor");
    commit::split(&bed.store, bed.config.clone(), (one.number, copies[1].number), Mode::Perform, bed.now)
        .await
        .unwrap()
        .unwrap();
    let mut ids = bed.ids("all").await;
    ids.sort();
    assert_eq!(ids, ["https://origin.example/1", "https://other.example/a"], "each has its former id");
}

#[tokio::test]
async fn feed_that_repeats_ids_links_and_texts_changes_no_other_feed() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[wire_entry("https://origin.example/1")]).await;
    let before = bed.shown("all").await;
    let mut forged = entry("https://origin.example/1", TITLE, WIRE_TEXT);
    forged.content_html = Some(format!("<p>{WIRE_TEXT} All lies.</p>"));
    forged.source =
        Some(serde_json::from_str(r#"{ "title": "Origin", "url": "https://origin.example/feed" }"#).unwrap());
    bed.poll("other", &[forged.clone()]).await;
    forged.title = "Nothing happened".to_owned();
    forged.content_html = Some(format!("<p>{}</p>", own_words("lie")));
    bed.poll("other", &[forged]).await;
    let after = bed.shown("all").await;
    assert_eq!(after.len(), 1);
    assert_eq!((&after[0].id, &after[0].entry), (&before[0].id, &before[0].entry));
}

#[tokio::test]
async fn feed_cannot_join_two_stories_of_other_feeds() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    bed.poll("origin", &[entry("https://origin.example/1", "Quay reopened", &own_words("quay"))]).await;
    bed.poll("wire", &[entry("https://wire.example/2", "Mayor resigns", &own_words("mayor"))]).await;
    let mut bridge = entry("https://origin.example/1", "Mayor resigns", "");
    bridge.guid.value = "1".to_owned();
    bridge.original = Some(Url::parse("https://wire.example/2").unwrap());
    assert_eq!(bed.poll("other", &[bridge]).await.merged, 0);
    assert_eq!(bed.titles("all").await.len(), 2);
}

/// Returns twenty posts of a blog, one per day.
fn archive(address: impl Fn(usize) -> (String, String)) -> Vec<Entry> {
    let post = |number: usize| {
        let (guid, link) = address(number);
        let mut post = entry(&link, &format!("What I learned about {}", word(number)), &own_words(&word(number)));
        post.guid.value = guid;
        post.published = Some(start() + DAY * number as u32);
        post
    };
    (0..20).rev().map(post).collect()
}

fn word(number: usize) -> String {
    format!("topic{}", char::from(b'a' + number as u8))
}

#[tokio::test]
async fn feed_that_changes_its_guids_and_links_publishes_no_old_entry_as_new() {
    let before = |n: usize| (format!("http://blog.example/?p={n}"), format!("http://blog.example/{}", word(n)));
    type Address = fn(usize) -> (String, String);
    let changes: [(&str, Address); 4] = [
        ("https", |n| (format!("https://blog.example/?p={n}"), format!("https://blog.example/{}", word(n)))),
        ("new software", |n| (format!("uuid-{n}"), format!("http://blog.example/posts/{}-{n}", word(n)))),
        ("new domain", |n| (format!("tag:new.example,2018:{n}"), format!("https://new.example/{}", word(n)))),
        ("new guids", |n| (format!("{n}"), format!("http://blog.example/{}", word(n)))),
    ];
    for (name, after) in changes {
        let mut bed = Bed::new(three_feeds(ALL)).await;
        bed.now = start() + DAY * 30;
        bed.poll("origin", &archive(before)).await;
        let known = bed.ids("all").await;
        let mut migrated = archive(after);
        for entry in &mut migrated {
            entry.published = Some(bed.now);
        }
        let mut news = entry("https://blog.example/news", "Something that nobody knew", &own_words("news"));
        news.published = Some(bed.now);
        migrated.insert(0, news);
        let applied = bed.poll("origin", &migrated).await;
        assert_eq!((applied.new, applied.rekeyed), (1, 20), "{name}");
        assert_eq!(applied.notes(), [Note::Rekeyed { rekeyed: 20, listed: 21 }]);
        assert_eq!(bed.ids("all").await[1..], known, "{name}: every story has its former position and id");
        let again = bed.poll("origin", &migrated).await;
        assert_eq!((again.new, again.revised, again.rekeyed), (0, 0, 0), "{name}: the next poll changes nothing");
        let back = bed.poll("origin", &archive(before)).await;
        assert_eq!((back.new, back.rekeyed), (0, 20), "{name}: the former guids add no new entry either");
        let status = bed.store.read(|reader| reader.feed_statuses()).await.unwrap();
        let note = status.values().find_map(|status| status.note.clone()).unwrap().0;
        assert_eq!(Note::line(&note), "20 of 20 entries are known entries with new guids");
    }
}

#[tokio::test]
async fn new_guid_with_a_known_link_is_another_entry_if_the_text_differs() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let live = |guid: &str, stem: &str| {
        let mut live = entry("https://origin.example/live", "Live", &own_words(stem));
        live.guid.value = guid.to_owned();
        live
    };
    bed.poll("origin", &[live("1", "monday")]).await;
    assert_eq!(bed.poll("origin", &[live("2", "monday")]).await.rekeyed, 1);
    let applied = bed.poll("origin", &[live("3", "tuesday")]).await;
    assert_eq!((applied.rekeyed, applied.new), (0, 1));
    assert_eq!(bed.titles("all").await.len(), 2);
}

const STORM: &str = "Tens of thousands of homes are without power after the storm made landfall on the coast";

/// Returns a version of an article. Its guid ends in the number of the version.
fn version(count: usize, title: &str, text: &str) -> Entry {
    let mut version = entry("https://origin.example/news/c1", title, text);
    version.guid.value = format!("https://origin.example/news/c1#{count}");
    version.published = Some(start());
    version
}

#[tokio::test]
async fn versions_of_one_entry_in_one_document_are_one_entry_with_the_latest_text() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let other = entry("https://origin.example/news/d2", "Another headline", &own_words("other"));
    let first = version(0, "Storm hits coast", STORM);
    let second = version(1, "Storm hits coast as thousands lose power", &format!("{STORM}, the grid says"));
    let applied = bed.poll("origin", &[second.clone(), first.clone(), other.clone()]).await;
    assert_eq!((applied.new, applied.revised), (2, 0));
    assert_eq!(
        bed.titles("all").await,
        [second.title.as_str(), &other.title],
        "the stories have the order of the document"
    );
    let id = bed.find("https://origin.example/news/c1").await;

    let applied = bed.poll("origin", &[first.clone(), second.clone(), other.clone()]).await;
    assert_eq!((applied.new, applied.revised, applied.rekeyed), (0, 0, 0), "the order of the document does not matter");
    let third = version(2, "Storm: two dead", &format!("Two people have died. {STORM}"));
    let listed = [third.clone(), second, first, other.clone()];
    let applied = bed.poll("origin", &listed).await;
    assert_eq!((applied.new, applied.revised, applied.rekeyed), (0, 1, 1));
    for _ in 0..2 {
        let applied = bed.poll("origin", &listed).await;
        assert_eq!((applied.new, applied.revised, applied.rekeyed), (0, 0, 0), "the next polls change nothing");
    }
    assert_eq!(bed.titles("all").await, [third.title.as_str(), &other.title]);
    assert_eq!(bed.find("https://origin.example/news/c1").await.number, id.number);
    let copy = entry("https://origin.example/news/c1", "Storm at the coast", "Homes are dark.");
    assert_eq!(
        bed.poll("other", &[copy]).await.joined,
        1,
        "versions of one entry do not count as several entries that share the link"
    );
}

#[tokio::test]
async fn parts_of_one_page_in_one_document_are_not_versions_of_each_other() {
    let two = || [version(5, "Re: Storm", &format!("I say: {STORM}")), version(4, "Re: Storm", STORM)];
    let check = async |what: &str, entries: Vec<Entry>| {
        let mut bed = Bed::new(three_feeds(ALL)).await;
        assert_eq!(bed.poll("origin", &entries).await.new, entries.len(), "{what}");
        assert_eq!(bed.poll("origin", &entries).await.new, 0, "{what}");
        assert_eq!(bed.titles("all").await.len(), entries.len(), "{what}");
    };
    let changed = |change: fn(&mut Entry)| {
        let mut two = two();
        change(&mut two[0]);
        two.to_vec()
    };
    let author = |name: &str| serde_json::from_value(serde_json::json!({ "name": name })).unwrap();
    let by = |names: [Option<&str>; 2]| {
        let mut two = two();
        for (entry, name) in two.iter_mut().zip(names) {
            entry.authors.extend(name.map(author));
        }
        two.to_vec()
    };
    check("other dates", changed(|entry| entry.published = Some(start() + HOUR))).await;
    check("one without a date", changed(|entry| entry.published = None)).await;
    check("both without a date", two().map(|entry| Entry { published: None, ..entry }).to_vec()).await;
    check("other authors", by([Some("Ann"), Some("Bob")])).await;
    check("one without an author", by([Some("Ann"), None])).await;
    check("other words", changed(|entry| entry.content_html = Some(own_words("reply")))).await;
    check("other pages", changed(|entry| entry.link = Some("https://origin.example/news/c2".parse().unwrap()))).await;
    check("other parts", changed(|entry| entry.link = Some("https://origin.example/news/c1#r5".parse().unwrap())))
        .await;
    check("other guids", changed(|entry| entry.guid.value = "https://origin.example/comment#5".to_owned())).await;
    let release = |count: usize| version(count, &format!("Release 1.{count}"), STORM);
    check("releases", vec![release(5), release(4)]).await;
    let recording = |count: usize, url: &str| {
        let episode = episode("https://origin.example/show", "Season two trailer", url);
        let mut version = version(count, "", "");
        (version.title, version.content_html) = (episode.title, episode.content_html);
        version.enclosures = episode.enclosures;
        version
    };
    check("recordings", vec![recording(1, "https://m.example/1.mp3"), recording(2, "https://m.example/2.mp3")]).await;
    let mut third = version(3, "Re: Storm", &own_words("third"));
    third.published = Some(start() + HOUR);
    check("a page of parts", [two().to_vec(), vec![third]].concat()).await;
    check("very many", (0..9).map(|count| version(count, "Re: Storm", STORM)).collect()).await;
}

#[tokio::test]
async fn edit_under_a_new_guid_is_a_revision_and_updates_the_date() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let mut first = wire_entry("https://origin.example/1");
    first.published = Some(start());
    bed.poll("origin", std::slice::from_ref(&first)).await;
    let mut edited = first.clone();
    edited.guid.value = "tag:origin.example,2018:1".to_owned();
    assert_eq!(bed.poll("origin", std::slice::from_ref(&edited)).await.revised, 0, "the words are the same");
    assert_eq!(bed.shown("all").await[0].updated, start());
    edited.guid.value = "urn:x-origin:1".to_owned();
    edited.content_html = edited.content_html.map(|html| html.replace("applauded", "booed"));
    let applied = bed.poll("origin", &[edited]).await;
    assert_eq!((applied.new, applied.rekeyed, applied.revised), (0, 1, 1));
    let shown = bed.shown("all").await;
    assert_eq!((shown.len(), shown[0].updated), (1, bed.now));
    assert!(shown[0].entry.content_html.as_deref().is_some_and(|html| html.contains("booed")));
}

#[tokio::test]
async fn reply_by_another_author_is_not_an_edit_of_the_previous_one() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let reply = |count: usize, author: &str, stem: &str| {
        let mut reply = version(count, "Re: Which boat", &own_words(stem));
        reply.authors.push(serde_json::from_value(serde_json::json!({ "name": author })).unwrap());
        reply
    };
    bed.poll("origin", &[reply(4, "Ann", "blue")]).await;
    let mut next = reply(5, "Bob", "anchor");
    next.title = "Two anchors".to_owned();
    assert_eq!(bed.poll("origin", &[next]).await.new, 1, "the reply is a new entry, although both have the same date");
}

#[tokio::test]
async fn column_with_one_title_and_text_brings_a_new_entry_every_day() {
    let mut bed = Bed::new(three_feeds(ALL)).await;
    for day in 0..5 {
        let text = "Every day our editors choose the best picture of the day from all over the world for you to enjoy.";
        let mut photo = entry(&format!("https://origin.example/photo/{day}"), "Picture of the day", text);
        photo.published = Some(start() + DAY * day);
        assert_eq!(bed.poll_at(start() + DAY * day + HOUR, "origin", &[photo]).await.new, 1);
    }
}

#[tokio::test]
async fn old_entries_that_return_after_retention_are_not_new() {
    let mut bed = Bed::new(three_feeds(&format!("{ALL}\n[store]\nkeep = \"10 days\""))).await;
    let posts = |n: usize| (format!("http://origin.example/?p={n}"), format!("http://origin.example/{}", word(n)));
    bed.now = start() + DAY * 20;
    bed.poll("origin", &archive(posts)).await;
    bed.poll("origin", &archive(posts)[..5]).await;
    let later = bed.now + DAY * 11;
    while commit::retain_batch(&bed.store, bed.config.clone(), later).await.unwrap().0 > 0 {}
    assert_eq!(bed.titles("all").await.len(), 5);
    assert_eq!(bed.poll_at(later, "origin", &archive(posts)).await.new, 0);
    let secure = |n: usize| (format!("https://origin.example/?p={n}"), format!("https://origin.example/{}", word(n)));
    assert_eq!(
        bed.poll_at(later + HOUR, "origin", &archive(secure)).await.new,
        0,
        "the entries are not new under other guids either"
    );
    assert_eq!(bed.titles("all").await.len(), 5);
}

#[tokio::test]
async fn store_with_too_many_entries_removes_the_oldest_unlisted_ones() {
    let mut bed = Bed::new(three_feeds(&format!("{ALL}\n[store]\nmax_entries = 1000"))).await;
    let posts = |range: std::ops::Range<usize>| -> Vec<Entry> {
        range
            .map(|n| entry(&format!("https://origin.example/{n}"), &format!("Post {n}"), &format!("text {n}")))
            .collect()
    };
    bed.poll("origin", &posts(0..700)).await;
    bed.poll("origin", &posts(700..1_400)).await;
    let mut gone = 0;
    loop {
        let (done, _) = commit::retain_batch(&bed.store, bed.config.clone(), bed.now).await.unwrap();
        gone += done;
        if done == 0 {
            break;
        }
    }
    assert_eq!(gone, 400);
    assert_eq!(bed.poll("origin", &posts(0..700)).await.new, 0);
}

#[tokio::test]
async fn correction_of_the_text_revises_an_entry_and_changed_boilerplate_does_not() {
    let sections = "[[section]]\nid = \"a\"\ntitle = \"A\"\nfeeds = [\"origin\"]\n[[section]]\nid = \"b\"\ntitle = \"B\"\nfeeds = [\"*\"]";
    let mut bed = Bed::new(three_feeds(sections)).await;
    let page = |votes: u32, comments: u32, advertisement: u32| {
        let mut page = wire_entry("https://origin.example/1");
        page.content_html = Some(format!(
            "<p>{WIRE_TEXT} The motion passed by {votes} votes to four, after a debate that lasted for most of the night.</p>\
             <p>{comments} comments</p><p>Advertisement: buy boat {advertisement}</p>\
             <a href=\"https://ads.example/?n={advertisement}\"><img src=\"https://ads.example/{advertisement}.gif?{advertisement}\"></a>"
        ).replace(&format!("/{advertisement}.gif"), "/banner.gif"));
        page
    };
    bed.poll("origin", &[page(9, 1, 1)]).await;
    assert_eq!(bed.poll("origin", &[page(9, 2, 2)]).await.revised, 0);
    let applied = bed.poll("origin", &[page(11, 2, 2)]).await;
    assert_eq!((applied.revised, applied.sections.len()), (1, 2), "a corrected number in the text is lasting");
}

fn newswire(folder: &std::path::Path, arguments: &[&str]) -> String {
    let mut command = assert_cmd::Command::cargo_bin("newswire").unwrap();
    let output = command.arg("--config").arg(folder.join("newswire.toml")).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn join_and_split_commands_work_and_explain_shows_the_result() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = "[site]\ntitle = \"T\"\n[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\n".to_owned();
    for name in ["one", "two"] {
        let item = format!(
            "<item><guid>https://{name}.example/1</guid><link>https://{name}.example/1</link><title>Title {name}</title></item>"
        );
        let feed = format!("<rss version=\"2.0\"><channel><title>{name}</title>{item}</channel></rss>");
        std::fs::write(folder.path().join(format!("{name}.xml")), feed).unwrap();
        text.push_str(&format!("[[feed]]\nid = \"{name}\"\nurl = \"file:{name}.xml\"\n"));
    }
    std::fs::write(folder.path().join("newswire.toml"), text).unwrap();
    newswire(folder.path(), &["poll"]);
    assert!(
        newswire(folder.path(), &["join", "https://two.example/1", "https://one.example/1"])
            .contains("merged into one story")
    );
    let explained = newswire(folder.path(), &["explain", "https://two.example/1"]);
    assert!(explained.contains("joined by an editor"), "{explained}");
    newswire(folder.path(), &["split", "https://one.example/1", "https://two.example/1"]);
    let explained = newswire(folder.path(), &["explain", "https://two.example/1"]);
    assert!(explained.contains("One copy"), "{explained}");
}

#[tokio::test]
async fn undated_entries_of_a_first_document_are_placed_next_to_their_neighbours() {
    let dated = |link: &str, date: Option<Timestamp>| {
        let title = link.rsplit('/').next().unwrap();
        Entry { published: date, updated: None, ..entry(link, title, &own_words(title)) }
    };
    let page = |name: &str| format!("https://origin.example/{name}");
    let (old, older) = (start() - DAY * 20, start() - DAY * 30);
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let fresh =
        Entry { published: Some(start() - DAY), ..entry("https://wire.example/fresh", "fresh", &own_words("f")) };
    bed.poll("wire", &[fresh]).await;
    let first = [
        dated(&page("top"), None),
        dated(&page("old"), Some(old)),
        dated(&page("below"), None),
        dated(&page("lower"), None),
        dated(&page("older"), Some(older)),
    ];
    bed.poll("origin", &first).await;
    assert_eq!(bed.titles("all").await, ["fresh", "top", "old", "below", "lower", "older"]);
    let statuses = bed.store.read(|reader| reader.feed_statuses()).await.unwrap();
    assert_eq!(statuses[&FeedId::from("origin")].newest, Some(old), "an entry without date does not count as new");

    // Undated entries that appear only in a later document are new.
    let mut later = vec![dated(&page("new"), None)];
    later.extend(first);
    bed.poll("origin", &later).await;
    assert_eq!(bed.titles("all").await[..2], ["new", "fresh"]);

    // If no entry has a date, newswire knows only the order of the document.
    bed.poll("other", &[dated("https://other.example/a", None), dated("https://other.example/b", None)]).await;
    assert_eq!(bed.titles("all").await[..3], ["a", "b", "new"]);
}

#[tokio::test]
async fn link_that_a_hundred_entries_share_joins_no_later_entry() {
    let page = "https://page.example/latest";
    let short = |name: &str| Entry { published: Some(start()), ..entry(page, name, "See there.") };
    let guided = |name: &str| {
        let mut entry = short(name);
        entry.guid.value = name.to_owned();
        entry
    };
    let mut bed = Bed::new(three_feeds(ALL)).await;
    let crowd: Vec<Entry> = (0..120).map(|number| guided(&format!("crowd {number}"))).collect();
    bed.poll("wire", &crowd).await;
    let mut listed = vec![guided("first"), guided("second")];
    bed.poll("origin", &listed).await;
    // The third entry is the only new one of its document: the others are unchanged, and are not read again.
    listed.insert(0, guided("third"));
    bed.now = bed.now + HOUR;
    let mut polled = polled("origin", bed.now, &listed);
    if let Outcome::Document(document) = &mut polled.outcome {
        document.entries[1..].iter_mut().for_each(|entry| entry.cleaned = None);
    }
    commit::apply(&bed.store, bed.config.clone(), polled).await.unwrap();
    let applied = bed.poll("other", &[guided("elsewhere")]).await;
    assert_eq!((applied.new, applied.joined), (1, 0));
}
