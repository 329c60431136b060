//! Reads the ini of Planet and Planet Venus, in which every section with an address as its name is a feed.
//!
//! `name` becomes the title, `face` the image, `link` the site; `filter` and `exclude` become drop rules of the planet's
//! section. Settings for Planet's own pages are skipped.

use std::collections::BTreeMap;

use url::Url;

use super::{Filter, Folder, ImportError, Imported, ImportedFeed, MAX_OUTLINES, web_address};
use crate::rule::{Field, Pattern};

/// Keys that newswire ignores without a note, because it does not need them.
const NEEDLESS: [&str; 4] = ["facewidth", "faceheight", "nick", "feedtype"];

/// One `[section]`.
struct PlanetSection {
    name: String,
    keys: BTreeMap<String, String>,
}

pub(super) fn is_planet(text: &str) -> bool {
    text.lines().map(str::trim).any(|line| {
        let line = line.to_ascii_lowercase();
        line == "[planet]" || line.starts_with("[http://") || line.starts_with("[https://")
    })
}

pub(super) fn read(text: &str) -> Result<Imported, ImportError> {
    let mut imported = Imported { format: "Planet's ini", ..Imported::default() };
    let sections = sections(text);
    // Two sections are not feeds: the defaults, and the planet itself.
    if sections.len() > MAX_OUTLINES + 2 {
        return Err(ImportError::TooMany);
    }
    let find = |name: &str| sections.iter().find(|section| section.name.eq_ignore_ascii_case(name));
    let planet = find("Planet");
    let title = planet.and_then(|planet| planet.keys.get("name")).map_or("Planet", String::as_str);
    let base = planet.and_then(|planet| Url::parse(planet.keys.get("link")?).ok());
    let mut skipped = Vec::new();
    let mut of_feeds: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for general in [find("DEFAULT"), planet].into_iter().flatten() {
        read_general(general, &mut imported, &mut skipped);
    }
    for section in &sections {
        if matches!(section.name.to_ascii_lowercase().as_str(), "planet" | "default") {
            continue;
        }
        match super::repaired(&section.name).filter(|_| section.name.contains("://")) {
            Some(url) if section.keys.get("content_type").is_some_and(|kind| kind.contains("opml")) => {
                imported.skip(url, "the list is not fetched; import it by itself");
            }
            Some(url) => {
                for key in read_feed(&url, section, title, base.as_ref(), &mut imported) {
                    of_feeds.entry(key).or_default().push(url.clone());
                }
            }
            None => skipped.push(format!("[{}]", section.name)),
        }
    }
    if !skipped.is_empty() || !of_feeds.is_empty() {
        skipped.extend(of_feeds.into_iter().map(|(key, urls)| match &urls[..] {
            [url] => format!("{key} of {url}"),
            _ => format!("{key} of {} feeds", urls.len()),
        }));
        imported.skip("these settings have no counterpart in newswire and were skipped", skipped.join(", "));
    }
    Ok(imported)
}

/// Reads the section with the settings of all feeds, or the section of the planet itself. Adds settings without a
/// counterpart to `skipped`.
fn read_general(general: &PlanetSection, imported: &mut Imported, skipped: &mut Vec<String>) {
    add_filters(&general.keys, None, imported);
    for (key, value) in &general.keys {
        let heading = format!("{key} of [{}]", general.name);
        match key.as_str() {
            "items_per_page" => imported.limit = value.parse().ok().filter(|limit| (1..=500).contains(limit)),
            "filter" | "exclude" => {}
            "name" => {
                imported.skip(heading, format!("write title = {} under [site]", super::super::edit::quoted(value)))
            }
            "link" => imported.skip(heading, format!("write url = {} under [site]", super::super::edit::quoted(value))),
            "owner_name" | "owner_email" => {
                imported.skip(heading, "write owner = { name = \"…\", email = \"…\" } under [site]")
            }
            _ => skipped.push(heading),
        }
    }
}

/// Reads a feed. Returns the keys without a counterpart.
fn read_feed(
    url: &String,
    section: &PlanetSection,
    planet: &str,
    base: Option<&Url>,
    imported: &mut Imported,
) -> Vec<String> {
    let keys = &section.keys;
    let mut skipped = Vec::new();
    add_filters(keys, Some(url), imported);
    let face = keys.get("face");
    let relative = |face: &str| web_address(base?.join("images/").ok()?.join(face).ok()?.as_str());
    let image = face.and_then(|face| web_address(face).or_else(|| relative(face)));
    for key in keys.keys().filter(|key| !NEEDLESS.contains(&key.as_str())) {
        match key.as_str() {
            "name" | "link" | "filter" | "exclude" => {}
            "face" if image.is_some() => {}
            "face" => imported.skip(format!("face of {url}"), "the address is relative, and the planet has no link"),
            _ => skipped.push(key.clone()),
        }
    }
    imported.take(ImportedFeed {
        title: keys.get("name").cloned(),
        site: keys.get("link").and_then(|link| web_address(link)),
        folders: vec![Folder { title: planet.to_owned(), id: None }],
        image,
        url: url.clone(),
        ..ImportedFeed::default()
    });
    skipped
}

/// Adds the filters: `exclude` drops entries that match, `filter` drops entries that do not match.
fn add_filters(keys: &BTreeMap<String, String>, feed: Option<&String>, imported: &mut Imported) {
    for (key, drops_matches) in [("exclude", true), ("filter", false)] {
        let Some(pattern) = keys.get(key).filter(|pattern| !pattern.is_empty()) else { continue };
        match Pattern::parse(&format!("/{pattern}/"), Field::Text) {
            Ok(_) => imported.drops.push(Filter { feed: feed.cloned(), pattern: pattern.clone(), drops_matches }),
            Err(why) => {
                let of = feed.map_or("the planet", String::as_str);
                imported.skip(format!("{key} = {pattern} of {of}"), why);
            }
        }
    }
}

/// Parses the file like Python's ConfigParser, without interpolation. Ignores empty values.
fn sections(text: &str) -> Vec<PlanetSection> {
    let mut sections: Vec<PlanetSection> = Vec::new();
    let mut last_key: Option<String> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.rsplit_once(']')).map(|(name, _)| name) {
            sections.push(PlanetSection { name: name.trim().to_owned(), keys: BTreeMap::new() });
            last_key = None;
            continue;
        }
        let Some(section) = sections.last_mut() else { continue };
        let continued = last_key.as_ref().filter(|_| line.starts_with([' ', '\t']));
        if let Some(value) = continued.and_then(|key| section.keys.get_mut(key)) {
            value.push(' ');
            value.push_str(trimmed);
            continue;
        }
        if let Some((key, value)) = trimmed.split_once(['=', ':']) {
            let key = key.trim().to_lowercase();
            section.keys.insert(key.clone(), value.trim().to_owned());
            last_key = Some(key);
        }
    }
    for section in &mut sections {
        section.keys.retain(|_, value| !value.is_empty());
    }
    sections
}
