//! Reads `aliases` of sections: further addresses of their documents, such as those that feeds had in another program.

use std::collections::{HashMap, HashSet};

use super::id::SectionIds;
use super::keys::ALIAS_FORMATS;
use super::model::Alias;
use super::problem::Place;
use super::reader::{Fault, Node, Reading};
use super::value;
use crate::feed::SectionId;

/// The longest alias. Parts of it become names of files, which may have 255 bytes.
const MAX_LENGTH: usize = 200;

/// The files of the site. None has an alias, or lies above one.
const FILES: [&str; 11] = [
    "404.html",
    "410.html",
    "favicon.svg",
    "feed.css",
    "feeds.opml",
    "index.html",
    "robots.txt",
    "search",
    "sitemap.xml",
    "style.css",
    "websub",
];

/// The folders of the site, now or later.
const FOLDERS: [&str; 7] = ["about", "desk", "feeds", "story", "submit", "tags", "websub"];

/// What stands under the folder of a section, now or later.
const IN_SECTION: [&str; 5] = ["archive", "daily", "index", "top", "weekly"];

/// Reads the aliases of a section. Reports each invalid one at its own position.
pub(super) fn read(node: Node) -> Result<Vec<Alias>, Fault> {
    let mut aliases = Vec::new();
    for (path, place, format) in node.pairs()? {
        let path = checked(path).map_err(|fault| node.reading.fail(&place, fault)).ok();
        let formats = ALIAS_FORMATS.map(|format| (format, format));
        let extension = value::choice(format, &formats).map_err(|fault| node.reading.fail(&format.place(), fault)).ok();
        aliases.extend(path.zip(extension).map(|(path, extension)| Alias { path, extension }));
    }
    Ok(aliases)
}

/// Returns the path without its slash.
fn checked(text: &str) -> Result<String, Fault> {
    let wanted = || {
        let message = format!(
            "an alias is a path of at most {MAX_LENGTH} letters, digits and -._~+ that begins with a slash, and no part of \
             which begins with a dot"
        );
        Fault::new(message, "such as \"/rss20.xml\" or \"/feed/\"")
    };
    let path = text.strip_prefix('/').filter(|path| path.len() <= MAX_LENGTH).ok_or_else(wanted)?;
    let is_part = |part: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+".contains(&byte);
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_plain)
    };
    let is_path = path.strip_suffix('/').unwrap_or(path).split('/').all(is_part);
    if is_path { Ok(path.to_owned()) } else { Err(wanted()) }
}

/// Reports each alias that is an address of the site already, that another alias repeats, or that cannot be a file beside
/// another one: in the folder, `/feed` would be a file and `/feed/` a folder of the same name.
pub(super) fn check(aliases: &[(String, Place, &Reading)], sections: &SectionIds, formerly: &HashSet<SectionId>) {
    let mut first: HashMap<&str, &Place> = HashMap::new();
    for (path, place, reading) in aliases {
        let fault = if is_own(path, sections, formerly) {
            Some(Fault::from(format!("`/{path}` is an address of the site itself, so it cannot be an alias")))
        } else if let Some(other) = first.insert(path, place) {
            let hint = format!("first used in {}", reading.location(other, place));
            Some(Fault::new(format!("the alias `/{path}` is used twice"), hint))
        } else {
            let above = parents(path).find(|parent| aliases.iter().any(|(other, ..)| other == parent));
            above.map(|above| {
                let message = format!(
                    "`/{path}` cannot be an alias beside `/{above}`, which is a file in the folder of the site"
                );
                Fault::new(message, "keep one of them; newswire redirects `/feed` to an alias `/feed/`")
            })
        };
        if let Some(fault) = fault {
            reading.fail(place, fault);
        }
    }
}

/// Returns the paths of the folders above a path, without final slashes.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

/// Whether a path is an address of the site, or lies under one that is a file.
fn is_own(path: &str, sections: &SectionIds, formerly: &HashSet<SectionId>) -> bool {
    let is_section = |id: &str| sections.find(id).is_some() || formerly.contains(&SectionId::from(id));
    let extension_of_section = |path: &str| {
        let (id, extension) = path.split_once('.')?;
        (is_section(id) && ALIAS_FORMATS.contains(&extension)).then_some(())
    };
    let is_file = |path: &str| {
        let is_sitemap = path.starts_with("sitemap-") && path.ends_with(".xml");
        FILES.contains(&path) || is_sitemap || extension_of_section(path).is_some()
    };
    let (folder, rest) = path.split_once('/').map_or((path, None), |(folder, rest)| (folder, Some(rest)));
    let is_in_section =
        |rest: &str| rest.is_empty() || IN_SECTION.contains(&rest.split(['.', '/']).next().unwrap_or(""));
    is_file(path)
        || parents(path).any(is_file)
        || FOLDERS.contains(&folder)
        || is_section(folder) && rest.is_none_or(is_in_section)
}
