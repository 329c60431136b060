//! The pages in Chromium: no page scrolls sideways, no element covers another, and every picture is in its place.

use crate::samples;

use std::process::{Command, Stdio};

use newswire::config::{Front, Section, Site};
use newswire::render::{ListingKind, Pages, SectionSummary, SectionView};
use newswire::section::ShownStory;
use samples::*;

/// A script that measures a page and writes the faults of the layout into the title of the page.
const MEASURE: &str = "
const faults = [];
const root = document.documentElement;
if (root.scrollWidth > root.clientWidth) faults.push('scrolls sideways to ' + root.scrollWidth + ' of ' + root.clientWidth);
const name = element => element.tagName.toLowerCase() + '.' + element.className;
for (const box of document.querySelectorAll('.story, .band, .box, .whole > header, .page-head, .bar, .post')) {
  const parts = [...box.children].map(child => [child, child.getBoundingClientRect()]).filter(([, rect]) => rect.width > 1 && rect.height > 1);
  parts.forEach(([one, a], at) => parts.slice(at + 1).forEach(([other, b]) => {
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left), high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && high > 1 && getComputedStyle(one).float === 'none') faults.push(name(one) + ' covers ' + name(other));
  }));
}
for (const img of document.querySelectorAll('img')) {
  const rect = img.getBoundingClientRect();
  // A picture in a text that does not load takes no room.
  const isLost = !img.closest('.content') && (rect.width < 1 || rect.height < 1);
  if (isLost || rect.right > root.clientWidth + 1 || rect.left < -1) faults.push('picture out of place: ' + img.src);
}
document.title = 'measured: ' + (faults.slice(0, 5).join('; ') || 'well');
";

fn long(word: &str) -> String {
    word.repeat(300 / word.len())
}

/// Returns stories as feeds should not write them: long words, many tags, pictures of impossible sizes, no titles.
fn awkward_stories() -> Vec<ShownStory> {
    let mut stories: Vec<ShownStory> =
        (0..12).map(|number| ShownStory { slug: format!("war-{number}"), ..war_story() }).collect();
    stories.extend([hostile_title_story(), markup_title_story(), bare_story(), episode()]);
    let category = |number: usize| newswire::entry::Category { term: format!("tag {number}"), ..Default::default() };
    for (number, story) in stories.iter_mut().enumerate() {
        match number {
            0 => story.entry.title = long("Donaudampfschifffahrtsgesellschaft"),
            1 => story.source.title = Some(long("source")),
            2 => story.categories = (0..10_000).map(category).collect(),
            3 => {
                let cells = "<td>a wide cell of a table</td>".repeat(30);
                let content = format!(
                    "<table><tr>{cells}</tr></table><pre>{}</pre><img src=\"https://pictures.invalid/1\" width=\"50000\" height=\"50000\"><img src=\"data:image/png;base64,AA\" width=\"0\"><p>{}</p>",
                    long("code "),
                    "A word of many. ".repeat(3000)
                );
                story.entry.content_html = Some(content);
            }
            _ => {}
        }
        if number.is_multiple_of(2) {
            story.entry.image = Some(url("https://pictures.invalid/quay.jpg"));
        }
        story.byline = format!("by {}", long("author "));
    }
    stories
}

/// Returns the pages of a site with this many sections, by name.
fn pages(site: &Site, sections: &[Section]) -> Vec<(String, String)> {
    let pages = Pages::new(&[]).unwrap().with_search().with_sections(site, sections.iter());
    let (stories, feeds) = (awkward_stories(), feeds());
    let summary = |section| SectionSummary {
        section,
        stories: &stories,
        updated: time("2018-01-02T03:04:05Z"),
        count: stories.len(),
        feeds: &feeds,
    };
    let summaries: Vec<_> = sections.iter().map(summary).collect();
    let shown = view(site, &sections[0], &stories, &feeds);
    let empty = view(site, &sections[0], &[], &[]);
    let mut all = vec![
        ("front".to_owned(), pages.index(site, &summaries).unwrap()),
        ("river".to_owned(), pages.index(&Site { front: Front::River, ..site.clone() }, &summaries).unwrap()),
        ("section".to_owned(), pages.section(&shown.prepare()).unwrap()),
        ("empty".to_owned(), pages.section(&empty.prepare()).unwrap()),
        ("older".to_owned(), pages.archive(&SectionView { archive: Some(2), ..shown }.prepare()).unwrap()),
        ("source".to_owned(), pages.listing(&shown.prepare(), ListingKind::Source(&feeds[0])).unwrap()),
        ("not found".to_owned(), pages.not_found(site).unwrap()),
    ];
    for story in &stories {
        all.push((format!("story {}", story.slug), pages.story(site, &of_story(story), &[&sections[0]]).unwrap()));
    }
    let style = format!("<style>{}</style>", pages.style(site));
    let with_style = |page: String| page.replace("<link rel=\"stylesheet\" href=\"/style.css\">", &style);
    all.into_iter().map(|(name, page)| (name, with_style(page))).collect()
}

/// Returns what [`MEASURE`] finds on a page in a Chromium window of this width; `None` if Chromium is not installed.
fn measured(page: &str, width: u32) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    std::fs::write(&file, page.replace("</body>", &format!("<script>{MEASURE}</script></body>"))).unwrap();
    let mut chromium = Command::new("chromium");
    chromium.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--dump-dom",
    ]);
    chromium.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
    chromium.arg(format!("--window-size={width},1200")).arg(format!("file://{}", file.display()));
    match chromium.stderr(Stdio::null()).output() {
        Ok(done) => {
            let document = String::from_utf8_lossy(&done.stdout).into_owned();
            let title = document.split("<title>measured: ").nth(1).and_then(|rest| rest.split("</title>").next());
            Some(title.unwrap_or_else(|| panic!("not measured: {document}")).to_owned())
        }
        Err(error) => {
            assert!(std::env::var_os("NEWSWIRE_VALIDATORS").is_none(), "chromium: {error}");
            eprintln!("chromium is not installed, so the pages are not measured ({error})");
            None
        }
    }
}

#[track_caller]
fn check(site: &Site, sections: &[Section]) {
    for (name, page) in pages(site, sections) {
        for width in [390, 1280] {
            let Some(measured) = measured(&page, width) else { return };
            assert_eq!(measured, "well", "{name} at {width} pixels");
        }
    }
}

#[test]
fn pages_of_many_sections_with_long_names_have_no_layout_faults() {
    let sections: Vec<Section> =
        (0..50).map(|number| section(&format!("s{number}"), &format!("{number} {}", long("name")))).collect();
    check(&site(), &sections);
}

#[test]
fn pages_of_one_section_from_right_to_left_have_no_layout_faults() {
    let site = Site { language: "ar".to_owned(), title: long("عنوان"), ..site() };
    check(&site, &[section("all", "الكل")]);
}
