//! Sections that are podcasts: which stories they take, what their feeds say, and what `check` says about them.

use crate::samples::rules;
use crate::support;

use std::path::PathBuf;

use newswire::config::{self, SourceFile};
use support::daemon::*;

const PODCAST: &str = "podcast = { category = \"News\", explicit = false }";

fn config(site: &str, podcast: &str) -> String {
    format!(
        "[site]\nurl = \"{site}\"\nlanguage = \"en\"\nowner = {{ name = \"Ann\", email = \"ann@news.example.org\" }}\n\
         [[feed]]\nid = \"a\"\nurl = \"file:a.xml\"\n\
         [[section]]\nid = \"listen\"\nfeeds = [\"*\"]\nimage = \"https://news.example.org/cover.jpg\"\n{podcast}\n"
    )
}

const RECORDING: &str = "<enclosure url=\"https://a.example/1.mp3\" length=\"9\" type=\"audio/mpeg\"/>\
    <enclosure url=\"https://a.example/notes.pdf\" length=\"9\" type=\"application/pdf\"/>\
    <podcast:alternateEnclosure type=\"audio/opus\" length=\"5\" title=\"Small\"><podcast:source uri=\"ipfs://x\"/>\
    <podcast:source uri=\"https://a.example/1.opus\"/></podcast:alternateEnclosure><itunes:episodeType>Bonus</itunes:episodeType>";

/// Returns a feed with an episode of these files, an article, and one with a picture.
fn feed(files: &str) -> String {
    format!(
        "<rss version=\"2.0\" xmlns:podcast=\"https://podcastindex.org/namespace/1.0\" \
         xmlns:itunes=\"http://www.itunes.com/dtds/podcast-1.0.dtd\"><channel><title>A</title><link>https://a.example/</link>\
         <description>d</description>\
         <item><guid isPermaLink=\"false\">1</guid><title>We talk</title><link>https://a.example/1</link>{files}</item>\
         <item><guid isPermaLink=\"false\">2</guid><title>We write</title><link>https://a.example/2</link></item>\
         <item><guid isPermaLink=\"false\">3</guid><title>We draw</title><link>https://a.example/3</link>\
         <enclosure url=\"https://a.example/3.jpg\" length=\"9\" type=\"image/jpeg\"/></item></channel></rss>"
    )
}

/// Polls and publishes. Returns the RSS document of the podcast.
fn published(workspace: &Workspace) -> String {
    for arguments in [&["poll", "--force"] as &[&str], &["publish", "--out", "site"]] {
        let done = workspace.run(arguments);
        assert_eq!(done.code, 0, "{}", done.err);
    }
    workspace.read("site/listen.rss")
}

fn site(podcast: &str) -> Workspace {
    let workspace = Workspace::whole(&config("https://news.example.org/", podcast));
    workspace.write("a.xml", &feed(RECORDING));
    workspace
}

#[test]
fn podcast_takes_only_stories_with_a_recording_and_an_episode_leaves_with_its_recording() {
    let workspace = site(PODCAST);
    let rss = published(&workspace);
    assert_eq!(rules::podcast_faults(rss.as_bytes()), Vec::<String>::new(), "{rss}");
    assert!(rss.contains("<title>We talk") && !rss.contains("We write") && !rss.contains("We draw"), "{rss}");
    let explained = workspace.run(&["explain", "https://a.example/2"]).out;
    let explained = explained.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(explained.contains("the story has no audio or video file that may be published"), "{explained}");

    workspace.write("a.xml", &feed(""));
    let rss = published(&workspace);
    assert!(!rss.contains("<item>"), "{rss}");
    workspace.write("a.xml", &feed(RECORDING));
    assert!(published(&workspace).contains("<title>We talk"));
}

/// With `republish = "link"`, no recording may be published, so the episode would be empty.
#[test]
fn episode_whose_recording_may_not_be_published_is_left_out() {
    let text = config("https://news.example.org/", PODCAST)
        .replace("url = \"file:a.xml\"", "url = \"file:a.xml\"\nrepublish = \"link\"");
    let workspace = Workspace::whole(&text);
    workspace.write("a.xml", &feed(RECORDING));
    assert!(!published(&workspace).contains("<item>"));
}

#[test]
fn section_that_becomes_a_podcast_loses_its_other_stories() {
    let workspace = site("");
    assert!(published(&workspace).contains("We write"));
    workspace.write("newswire.toml", &config("https://news.example.org/", PODCAST));
    let rss = published(&workspace);
    assert!(rss.contains("We talk") && !rss.contains("We write"), "{rss}");
}

#[test]
fn other_forms_of_a_recording_and_the_kind_of_an_episode_are_kept() {
    let rss = published(&site(PODCAST));
    assert!(rss.contains("<enclosure url=\"https://a.example/1.mp3\""), "{rss}");
    let alternate =
        rss.split("<podcast:alternateEnclosure").nth(1).unwrap().split("</podcast:alternateEnclosure>").next().unwrap();
    for part in ["length=\"5\"", "title=\"Small\"", "type=\"audio/opus\"", "uri=\"https://a.example/1.opus\""] {
        assert!(alternate.contains(part), "{part}: {alternate}");
    }
    assert_eq!(rss.matches("<podcast:alternateEnclosure").count(), 1, "a PDF is no recording: {rss}");
    assert!(rss.contains("<itunes:episodeType>bonus</itunes:episodeType>"), "{rss}");
    let again = site(PODCAST);
    again.write("a.xml", &rss);
    let read = published(&again);
    assert!(read.contains("<itunes:episodeType>bonus<") && read.contains("uri=\"https://a.example/1.opus\""), "{read}");
}

fn guid(rss: &str) -> String {
    rss.split("<podcast:guid>").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

#[test]
fn guid_of_a_podcast_stays_when_its_address_changes() {
    let workspace = site(PODCAST);
    let first = guid(&published(&workspace));
    assert_eq!(first.len(), 36, "{first}");
    workspace.write("newswire.toml", &config("https://other.example.org/wire/", PODCAST));
    let moved = published(&workspace);
    assert!(moved.contains("https://other.example.org/wire/listen.rss"), "{moved}");
    assert_eq!(guid(&moved), first);
    let renamed = config("https://other.example.org/wire/", PODCAST)
        .replace("id = \"listen\"", "id = \"hear\"\nformerly = [\"listen\"]");
    workspace.write("newswire.toml", &renamed);
    published(&workspace);
    assert_eq!(guid(&workspace.read("site/hear.rss")), first);
    let elsewhere = Workspace::whole(&config("https://other.example.org/wire/", PODCAST));
    elsewhere.write("a.xml", &feed(RECORDING));
    assert_ne!(guid(&published(&elsewhere)), first, "another podcast has another guid");
}

#[test]
fn episodes_of_others_are_kept_out_of_directories_unless_the_editor_opens_them() {
    let check = |keys: &str, expected: [&str; 2], unexpected: &str| {
        let rss = published(&site(&format!("podcast = {{ category = \"News\", explicit = false{keys} }}")));
        expected.iter().for_each(|part| assert!(rss.contains(part), "{part}: {rss}"));
        assert!(!rss.contains(unexpected), "{rss}");
    };
    let locked = |yes: &str| format!("<podcast:locked owner=\"ann@news.example.org\">{yes}</podcast:locked>");
    check("", [&locked("yes"), "<itunes:block>Yes</itunes:block>"], "canary");
    check(", locked = false, block = false", [&locked("no"), "<itunes:explicit>false"], "<itunes:block>");
}

fn warnings(text: &str) -> Vec<String> {
    let file = SourceFile { path: PathBuf::from("/srv/newswire.toml"), text: text.to_owned() };
    config::check(&[file], &|_| Err(String::new())).1.iter().map(ToString::to_string).collect()
}

#[test]
fn check_says_what_podcast_directories_would_refuse() {
    let whole = config("https://news.example.org/", PODCAST);
    assert_eq!(warnings(&whole), Vec::<String>::new());
    let check = |from: &str, to: &str, expected: &str| {
        let found = warnings(&whole.replace(from, to));
        assert!(found.len() == 1 && found[0].contains(expected), "{from}: {found:#?}");
    };
    check("image = \"https://news.example.org/cover.jpg\"\n", "", "without a cover (add image");
    check(
        "cover.jpg",
        "cover.svg",
        "refuse this image as a cover (it must be a square JPEG or PNG of 1400 to 3000 pixels",
    );
    check("\"News\"", "\"Society and Culture\"", "did you mean \"Society & Culture\"?");
    check(", explicit = false", "", "whether a podcast is explicit");
    check("language = \"en\"\n", "", "without a language");
    check(", email = \"ann@news.example.org\"", "", "the owner's e-mail address");
    check("category = \"News\", ", "", "needs `category`");
}
