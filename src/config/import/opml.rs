//! Reads OPML 1.0 and 2.0, valid or broken.
//!
//! The outermost folder becomes a section; folders within it and categories become tags. Accepts bare ampersands, attributes
//! in any case, mismatched tags and a missing end. Ignores document types; never fetches `type="include"`. Restores the ids
//! that newswire's own export writes.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Folder, ImportError, Imported, ImportedFeed, MAX_DEPTH, MAX_OUTLINES, web_address};
use crate::normalize;

/// Attributes of FreshRSS and Miniflux for things that newswire does in another way, or not at all.
const EXTRAS: [(&str, &str); 15] = [
    ("scraperrules", "newswire does not fetch full texts"),
    ("crawler", "newswire does not fetch full texts"),
    ("frss:cssfullcontent", "newswire does not fetch full texts"),
    ("frss:csscontentfilter", "newswire does not fetch full texts"),
    ("rewriterules", "newswire does not rewrite entries"),
    ("urlrewriterules", "newswire does not rewrite entries"),
    ("blocklistrules", "write it as a `drop` rule of a section"),
    ("blockfilterentryrules", "write it as a `drop` rule of a section"),
    ("frss:filtersactionread", "write it as a `drop` rule of a section"),
    ("keeplistrules", "write it as a `keep` rule of a section"),
    ("keepfilterentryrules", "write it as a `keep` rule of a section"),
    ("cookie", "may be a secret; write it under `headers` as { env = \"…\" }"),
    ("frss:curlopt_cookie", "may be a secret; write it under `headers` as { env = \"…\" }"),
    ("proxyurl", "may contain a secret; write `proxy` by hand"),
    ("frss:curlopt_proxy", "may contain a secret; write `proxy` by hand"),
];

pub(super) fn read(text: &str) -> Result<Imported, ImportError> {
    let mut list = OpmlList { imported: Imported { format: "OPML", ..Imported::default() }, ..OpmlList::default() };
    let mut reader = Reader::from_str(text);
    let settings = reader.config_mut();
    settings.check_end_names = false;
    settings.allow_unmatched_ends = true;
    settings.allow_dangling_amp = true;
    let mut is_opml = false;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) if is_outline(tag.local_name().as_ref()) => list.open(&tag, false)?,
            Ok(Event::Empty(tag)) if is_outline(tag.local_name().as_ref()) => list.open(&tag, true)?,
            Ok(Event::Start(tag)) if tag.local_name().as_ref().eq_ignore_ascii_case("opml") => is_opml = true,
            Ok(Event::End(tag)) if is_outline(tag.local_name().as_ref()) => drop(list.open.pop()),
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                let at = text[..text.floor_char_boundary(as_index(reader.error_position()))].lines().count().max(1);
                list.imported.skip(format!("everything from line {at} on"), format!("broken XML: {error}"));
                break;
            }
        }
    }
    if is_opml || list.outlines > 0 { Ok(list.imported) } else { Err(ImportError::Unknown) }
}

#[derive(Default)]
struct OpmlList {
    imported: Imported,
    /// The open outlines; `None` for a feed, and for an outline without a title.
    open: Vec<Option<Folder>>,
    outlines: usize,
}

impl OpmlList {
    fn open(&mut self, tag: &BytesStart, is_empty: bool) -> Result<(), ImportError> {
        self.outlines += 1;
        if self.outlines > MAX_OUTLINES {
            return Err(ImportError::TooMany);
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(ImportError::TooDeep);
        }
        let outline = Outline::of(tag);
        self.take(&outline, is_empty);
        if !is_empty {
            self.open.push(outline.folder());
        }
        Ok(())
    }

    fn take(&mut self, outline: &Outline, is_empty: bool) {
        let title = outline.title();
        let named = || title.clone().unwrap_or_else(|| "an outline without a title".to_owned());
        let kind = outline.get("type").unwrap_or_default().to_lowercase();
        if let Some(url) = outline.get("frss:opmlurl") {
            self.imported.skip(named(), format!("the list at {url} is not fetched; import it by itself"));
        }
        if matches!(kind.as_str(), "include" | "link") {
            self.imported.skip(named(), "newswire does not fetch included lists; import that list by itself");
            return;
        }
        let Some(url) = outline.feed_url() else {
            if is_empty {
                self.imported.skip(named(), "this outline has no feed address");
            }
            return;
        };
        if kind.contains("xpath") || kind.contains("dotnotation") {
            self.imported.skip(named(), "this source is scraped from web pages; newswire reads only feeds");
            return;
        }
        self.report_extras(outline, &named());
        let mut folders = self.open.iter().flatten().cloned();
        let section = folders.next();
        let tags = folders.map(|folder| folder.title).chain(outline.categories()).collect();
        self.imported.take(ImportedFeed {
            url: url.to_owned(),
            site: outline.get("htmlurl").and_then(web_address),
            user_agent: outline.get("useragent").or(outline.get("frss:curlopt_useragent")).map(str::to_owned),
            folders: section.into_iter().collect(),
            is_disabled: outline.is_disabled(),
            id: outline.get("newswire:id").map(str::to_owned),
            image: None,
            title,
            tags,
        });
    }

    fn report_extras(&mut self, outline: &Outline, title: &str) {
        for (name, why) in EXTRAS.iter().filter(|(name, _)| outline.get(name).is_some_and(|value| value != "false")) {
            let name = name.strip_prefix("frss:").unwrap_or(name);
            self.imported.skip(format!("{name} of {title}"), *why);
        }
    }
}

/// The attributes of one outline: names in lower case, without empty values.
struct Outline(BTreeMap<String, String>);

impl Outline {
    fn of(tag: &BytesStart) -> Outline {
        let mut attributes = tag.html_attributes();
        let attributes = attributes.with_checks(false).flatten().map(|attribute| {
            // XML reads a line break in an attribute value as a space (XML 1.0 §3.3.3), and the TOML strings are on one
            // line.
            let value = html_escape::decode_html_entities(&attribute.value).replace(char::is_control, " ");
            (attribute.key.as_ref().to_lowercase(), value.trim().to_owned())
        });
        Outline(attributes.filter(|(_, value)| !value.is_empty()).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns the address of the feed, which some programs write as `url`.
    fn feed_url(&self) -> Option<&str> {
        let is_feed = self.get("type").is_some_and(|kind| matches!(&*kind.to_lowercase(), "rss" | "atom" | "feed"));
        self.get("xmlurl").or(self.get("url").filter(|_| is_feed))
    }

    /// Returns the outline as a folder; `None` if it is a feed or has no title.
    fn folder(&self) -> Option<Folder> {
        let title = self.title().filter(|_| self.feed_url().is_none())?;
        Some(Folder { title, id: self.get("newswire:id").map(str::to_owned) })
    }

    /// Whether Miniflux or newswire's own export marks the feed as disabled.
    fn is_disabled(&self) -> bool {
        let says = |name, wanted: &str| self.get(name).is_some_and(|value| value.eq_ignore_ascii_case(wanted));
        says("disabled", "true") || says("newswire:enabled", "false")
    }

    /// Returns the title as plain text; titles may contain HTML.
    fn title(&self) -> Option<String> {
        let title = self.get("title").or(self.get("text"))?;
        let plain = if title.contains(['<', '&']) { normalize::plain_text(title) } else { title.to_owned() };
        let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(plain).filter(|title| !title.is_empty())
    }

    /// Returns the paths of `category="/a/b,c"`, without slashes at the ends.
    fn categories(&self) -> impl Iterator<Item = String> {
        let categories = self.get("category").unwrap_or_default().split(',');
        categories.map(|category| category.trim().trim_matches('/').to_owned()).filter(|category| !category.is_empty())
    }
}

fn is_outline(name: &str) -> bool {
    name.eq_ignore_ascii_case("outline")
}

fn as_index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
