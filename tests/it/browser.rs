//! The pages in Chromium on a phone, a tablet, a desktop and paper, in light and dark: no page scrolls sideways, no element
//! covers another, every picture is in its place, and every text has the contrast that WCAG 2.2 §1.4.3 asks for.

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
// In a text from right to left, the scroll bar is on the left, so the page does not begin at 0.
const whole = root.getBoundingClientRect();
for (const img of document.querySelectorAll('img')) {
  const rect = img.getBoundingClientRect();
  // A picture in a text that does not load takes no room.
  const isLost = !img.closest('.content') && (rect.width < 1 || rect.height < 1);
  if (isLost || rect.right > whole.right + 1 || rect.left < whole.left - 1) faults.push('picture out of place: ' + img.src);
}
const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const rgba = colour => {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data];
};
const light = colour => {
  const linear = part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
};
const behind = element => {
  for (; element; element = element.parentElement) {
    const colour = rgba(getComputedStyle(element).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
};
const seen = new Set();
for (const element of document.querySelectorAll('body *')) {
  const hasText = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
  if (!hasText || !element.checkVisibility()) continue;
  const key = getComputedStyle(element).color + ' on ' + behind(element);
  if (seen.has(key)) continue;
  seen.add(key);
  const [one, other] = [light(rgba(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => b - a);
  const contrast = (one + 0.05) / (other + 0.05);
  if (contrast < 4.5) faults.push('contrast ' + contrast.toFixed(1) + ' of ' + name(element));
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

/// A page as it looks in one place.
struct Look {
    name: String,
    width: u32,
    html: String,
}

/// A script that writes what each frame measured into the title, as a list.
const COLLECT: &str = "
onload = () => {
  document.title = 'all: ' + JSON.stringify([...document.querySelectorAll('iframe')].map(frame => frame.contentDocument.title));
};
";

/// Returns what [`MEASURE`] finds on each page, in frames of one Chromium window; `None` if Chromium is not installed.
fn measured(looks: &[Look]) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pages.html");
    let frame = |look: &Look| {
        let page = look.html.replace("</body>", &format!("<script>{MEASURE}</script></body>"));
        let page = html_escape::encode_double_quoted_attribute(&page);
        format!("<iframe width=\"{}\" height=\"1200\" srcdoc=\"{page}\"></iframe>", look.width)
    };
    let frames: String = looks.iter().map(frame).collect();
    std::fs::write(&file, format!("<!doctype html><title></title><script>{COLLECT}</script>{frames}")).unwrap();
    let mut chromium = Command::new("chromium");
    chromium.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--host-resolver-rules=MAP * ~NOTFOUND",
        "--dump-dom",
    ]);
    chromium.arg(format!("--user-data-dir={}", folder.path().join("profile").display()));
    chromium.arg(format!("file://{}", file.display()));
    match chromium.stderr(Stdio::null()).output() {
        Ok(done) => {
            let document = String::from_utf8_lossy(&done.stdout).into_owned();
            let list = document.split("<title>all: ").nth(1).and_then(|rest| rest.split("</title>").next());
            let list = html_escape::decode_html_entities(list.expect("Chromium measures the pages")).into_owned();
            Some(serde_json::from_str(&list).unwrap())
        }
        Err(error) => {
            assert!(std::env::var_os("NEWSWIRE_VALIDATORS").is_none(), "chromium: {error}");
            eprintln!("chromium is not installed, so the pages are not measured ({error})");
            None
        }
    }
}

/// Returns how the page looks in each place: on a phone in the dark, on a tablet, on a desktop, and on paper. The rules for
/// the dark and for paper are made to apply in the window.
fn looks(page: &str) -> [(&'static str, u32, String); 4] {
    let always = |condition: &str| {
        assert!(page.contains(condition), "the style sheet has no rules for {condition}");
        page.replace(condition, "@media all")
    };
    [
        ("a phone in the dark", 390, always("@media (prefers-color-scheme: dark)")),
        ("a tablet", 768, page.to_owned()),
        ("a desktop", 1280, page.to_owned()),
        ("paper", 720, always("@media print")),
    ]
}

#[track_caller]
fn check(site: &Site, sections: &[Section]) {
    let looks = pages(site, sections).into_iter().flat_map(|(name, page)| {
        looks(&page).map(|(place, width, html)| Look { name: format!("{name} on {place}"), width, html })
    });
    let looks: Vec<Look> = looks.collect();
    let Some(measured) = measured(&looks) else { return };
    assert_eq!(measured.len(), looks.len());
    let faults: Vec<_> = looks.iter().zip(&measured).filter(|(_, measured)| *measured != "measured: well").collect();
    let faults: Vec<String> = faults.iter().map(|(look, measured)| format!("{}: {measured}", look.name)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
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

#[test]
fn faults_of_a_layout_are_found() {
    let page = |body: &str| Look {
        name: String::new(),
        width: 390,
        html: format!(
            "<!doctype html><html><head><style>body {{ margin: 0 }}</style></head><body>{body}</body></html>"
        ),
    };
    let looks = [
        page("<p style=\"width: 900px\">wide</p>"),
        page("<div class=\"box\"><p>one</p><p style=\"margin-top: -3rem\">other</p></div>"),
        page("<p style=\"color: #999\">pale</p>"),
        page("<img src=\"x.png\" width=\"9\" height=\"9\" style=\"margin-left: -5px\">"),
        page("<p>good</p>"),
    ];
    let Some(measured) = measured(&looks) else { return };
    let expected = ["scrolls sideways to 900", "p. covers p.", "contrast 2.8 of p.", "picture out of place", "well"];
    for (found, expected) in measured.iter().zip(expected) {
        assert!(found.starts_with(&format!("measured: {expected}")), "{expected}: {found}");
    }
}
