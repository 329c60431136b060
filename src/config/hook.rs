//! Reads the `[[hook]]` tables, which only the main file may have.
//!
//! The policy held here: neither the address nor the key of a hook is ever quoted. Whether a program may be run is
//! checked again before each run, because files change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::feed::Feeds;
use super::id::{self, Ids, SectionIds};
use super::model::{Commands, Hook, HookCommand, HookTarget};
use super::reader::{Fault, Node, Table};
use super::{rule, value};
use crate::feed::SectionId;
use crate::hook::{HookEvent, HookId};

/// The default of `max_age`.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The longest `max_age`: as long as the events of feeds are kept.
const LONGEST_MAX_AGE: Duration = Duration::from_secs(30 * 24 * 3600);

/// The prefix of a key, and the lengths that it may have (Standard Webhooks, "Signature scheme").
const KEY_PREFIX: &str = "whsec_";
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Events of Standard Webhooks' users that newswire may send one day.
const LATER: [&str; 3] = ["withdrawn", "feed.suspect", "review.waiting"];

/// Reads all hooks. Returns those without errors, in the order of the file.
pub(super) fn read_all(tables: &[Table], commands: &Commands, sections: &SectionIds, feeds: &Feeds) -> Vec<Arc<Hook>> {
    let mut ids = Ids::default();
    let mut hooks = Vec::new();
    for table in tables {
        let id = table.need("id", id::hook).filter(|id| ids.claim(id, table));
        hooks.extend(read(table, id, commands, sections, feeds).map(Arc::new));
    }
    hooks
}

/// Reads all keys of a hook; `None` if it has no id or no target.
fn read(table: &Table, id: Option<HookId>, commands: &Commands, sections: &SectionIds, feeds: &Feeds) -> Option<Hook> {
    let target = target(table, commands);
    let events = table.get("events", events);
    let is_of_feeds = events
        .as_ref()
        .is_some_and(|events: &Vec<HookEvent>| !events.is_empty() && !events.iter().any(|event| event.is_of_story()));
    let keep = table.get("keep", |node| node.list(|node| rule::read(node, feeds))).unwrap_or_default();
    if is_of_feeds && !keep.is_empty() {
        let fault =
            Fault::new("`keep` has no effect, because no event of a story is sent", "add \"published\" to `events`");
        table.reading.warn(&table.place_of("keep"), fault);
    }
    Some(Hook {
        sections: table.get("sections", |node| node.list(|node| section(node, sections))).unwrap_or_default(),
        keep,
        events: events.unwrap_or_else(|| vec![HookEvent::Published]),
        max_age: table.get("max_age", max_age).unwrap_or(DAY),
        // These come last because `?` returns at once: the problems of all other keys are reported before that.
        id: id?,
        target: target?,
    })
}

fn target(table: &Table, commands: &Commands) -> Option<HookTarget> {
    let url = table.get("url", url);
    let secret = table.get("secret", key);
    let allow = table.get("allow", |node| node.list(value::allow)).unwrap_or_default();
    let command = table.get("command", |node| command(node, commands));
    match (table.has("url"), table.has("command")) {
        (true, false) => Some(HookTarget::Url { url: url?, secret, allow }),
        (false, true) => {
            for key in ["secret", "allow"].into_iter().filter(|key| table.has(key)) {
                let message = format!("`{key}` is for a hook with a `url`; a command runs on this machine");
                table.reading.fail(&table.place_of(key), Fault::new(message, "remove it"));
            }
            command.map(HookTarget::Command)
        }
        (true, true) => {
            let fault = Fault::new("a hook cannot have both `url` and `command`", "make two hooks of it");
            table.reading.fail(&table.place_of("command"), fault);
            None
        }
        (false, false) => {
            table.need("url", |_| Ok(()));
            None
        }
    }
}

/// Reads the address. It may be secret as a whole, so no message repeats any of it.
fn url(node: Node) -> Result<Url, Fault> {
    let text = value::secret(node)?;
    let fault = || Fault::from("expected a URL that begins with http:// or https://".to_owned());
    value::parse_web(text.expose_secret()).map_err(|_| fault())
}

/// Reads the key of the signatures, as Standard Webhooks writes it.
fn key(node: Node) -> Result<SecretString, Fault> {
    let secret = value::secret(node)?;
    match key_bytes(secret.expose_secret()) {
        Some(bytes) if KEY_BYTES.contains(&bytes.len()) => Ok(secret),
        _ => Err(Fault::new(
            "expected `whsec_` and 24 to 64 bytes in base64",
            "make one with `echo whsec_$(openssl rand -base64 32)`",
        )),
    }
}

/// Returns the bytes of a key of signatures; `None` if it is not written as Standard Webhooks wants it.
pub fn key_bytes(secret: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(secret.trim().strip_prefix(KEY_PREFIX)?).ok()
}

fn section(node: Node, sections: &SectionIds) -> Result<SectionId, Fault> {
    let name = node.text()?;
    sections.find(name).or_else(|| node.reading.is_broken().then(|| SectionId::from(name))).ok_or_else(|| Fault {
        message: format!("there is no section `{name}`"),
        hint: node.reading.suggest(name, sections.names()),
    })
}

fn events(node: Node) -> Result<Vec<HookEvent>, Fault> {
    let mut events: Vec<HookEvent> = Vec::new();
    for event in node.one_or_more(event)? {
        if !events.contains(&event) {
            events.push(event);
        }
    }
    Ok(events)
}

fn event(node: Node) -> Result<HookEvent, Fault> {
    let choices = HookEvent::ALL.map(|event| (event.name(), event));
    let name = node.text()?;
    if LATER.contains(&name) {
        let names = HookEvent::ALL.map(|event| format!("\"{}\"", event.name())).join(", ");
        return Err(Fault::new(format!("newswire does not send `{name}` yet"), format!("it sends {names}")));
    }
    value::choice(node, &choices)
}

fn max_age(node: Node) -> Result<Duration, Fault> {
    let max_age = value::duration_from(Duration::from_secs(60))(node)?;
    if max_age > LONGEST_MAX_AGE { Err("expected at most 30 days".to_owned().into()) } else { Ok(max_age) }
}

/// Reads a program with its arguments. A program without a slash is looked for in the allowed folders; another one is
/// relative to the TOML, and must be in an allowed folder.
fn command(node: Node, commands: &Commands) -> Result<HookCommand, Fault> {
    let mut words = node.list(|node| node.text().map(str::to_owned))?.into_iter();
    let Some(program) = words.next().filter(|program| !program.trim().is_empty() && !program.contains('\0')) else {
        return Err(Fault::new("expected a program and its arguments", "such as [\"notify.sh\"]"));
    };
    if commands.allow.is_empty() {
        let hint = "add allow = [\"/usr/local/lib/newswire\"] to [commands], with the folder of the program";
        return Err(Fault::new("no folder is allowed to run programs from", hint));
    }
    let candidates = if program.contains('/') {
        vec![plain(&node.folder().join(&program))]
    } else {
        commands.allow.iter().map(|folder| folder.join(&program)).collect()
    };
    let is_allowed = |path: &PathBuf| commands.allow.iter().any(|folder| path.starts_with(plain(folder)));
    if program.ends_with('/') || !candidates.iter().all(|path| is_allowed(&plain(path))) {
        let hint = "put the program there, or add its folder";
        return Err(Fault::new("the program is in none of the folders in `allow` of [commands]", hint));
    }
    let config_file = node.reading.files[node.file].path.clone();
    Ok(HookCommand { candidates, arguments: words.collect(), config_file })
}

/// Returns the path without `.` and `..`. Links are resolved before the program is run.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}
