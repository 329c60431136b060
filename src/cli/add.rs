//! `newswire add`: finds the feed at an address, shows it, and writes it into the TOML.

use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::anyhow;
use url::Url;

use super::edit::{commit, in_file, known};
use super::output::{columns, count, cut, print, safe, wrap};
use super::{CommandError, Done, load, runtime};
use crate::config::edit;
use crate::config::{self, Feed, Level};
use crate::discover::{self, Looked, Seen};
use crate::feed::SectionId;
use crate::fetch::Fetcher;
use crate::files::{self, Loaded, short};
use crate::normalize;
use crate::parse::{Hints, ParseError};
use crate::time::Timestamp;

/// How many of a page's feeds are offered. Some pages link to a feed per tag, which is too many to choose from.
const MAX_CHOICES: usize = 10;

/// How many of the first entries are shown.
const SHOWN_ENTRIES: usize = 3;

#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct Args {
    /// The address of a feed, or of a page that links to one; or a file
    url: String,
    /// A section that takes the feed; may be given several times
    #[arg(long, value_name = "ID")]
    section: Vec<String>,
    /// A tag for the feed; may be given several times
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// The id of the feed [default: made from the address]
    #[arg(long)]
    id: Option<String>,
    /// The title of the feed [default: what the feed says]
    #[arg(long)]
    title: Option<String>,
    /// The config file to which to add the feed [default: the file with its section's feeds, else the file with most
    /// feeds]
    #[arg(long)]
    file: Option<PathBuf>,
    /// Which feed to add if the page has several
    #[arg(long, value_name = "N")]
    choose: Option<usize>,
    /// Add the feed even if the config has it already; without this, newswire warns, writes nothing and exits with 0
    #[arg(long)]
    force: bool,
    /// Add the address as given, without fetching it
    #[arg(long)]
    unseen: bool,
    /// Print the difference and write nothing
    #[arg(long)]
    dry_run: bool,
    /// If the page has several feeds and there is no terminal to ask on, the error message names this option.
    #[arg(skip = "--choose N")]
    choose_by: &'static str,
}

impl Args {
    /// Returns the arguments for a command other than `add`. The error message for several feeds names the option
    /// `choose_by` of that command, which takes the address of the feed itself.
    pub(super) fn of_address(url: &str, choose_by: &'static str) -> Args {
        Args { url: url.to_owned(), choose_by, ..Args::default() }
    }
}

/// A feed that could be added.
pub(super) struct FoundFeed {
    /// The address to write into the TOML: absolute, or a `file:` URL that may be relative to the TOML.
    pub url: String,
    /// The fetched document; `None` if the feed was not fetched.
    pub seen: Option<Box<Seen>>,
}

/// Why no feed was found at an address.
pub(super) enum NotFound {
    /// The address could not be fetched, for this reason; secrets in it are masked.
    Unreachable(String),
    /// The address has no feed, or another step failed.
    Failed(CommandError),
}

impl<E: Into<CommandError>> From<E> for NotFound {
    fn from(error: E) -> Self {
        NotFound::Failed(error.into())
    }
}

/// Runs `newswire add`. Warns and writes nothing if the config already has the feed.
pub(super) fn run(path: Option<&Path>, args: &Args) -> Done {
    let loaded = load(path)?;
    let file = file_for(&loaded, args.file.as_deref(), &args.section)?;
    let local = local_file(&args.url, &loaded.sources[file].path)?;
    let args = &Args { url: local.unwrap_or_else(|| args.url.clone()), ..args.clone() };
    let found = if args.unseen {
        FoundFeed { url: with_scheme(&args.url, "https"), seen: None }
    } else {
        find(&loaded, file, args).map_err(|error| match error {
            NotFound::Unreachable(why) => anyhow!("{why}; use --unseen to add the address anyway").into(),
            NotFound::Failed(failure) => failure,
        })?
    };
    if let Some(known) = known_feed(&loaded, &found).filter(|_| !args.force) {
        anstream::eprintln!("{}", already_there(known, &found).trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(seen) = &found.seen {
        print(&shown(&found.url, seen))?;
    }
    let source = &loaded.sources[file];
    let text = edit::add(&source.text, "feed", &block(&found, args)).map_err(in_file(source))?;
    let edited = commit(&loaded, vec![(file, text)], args.dry_run)?;
    if !args.dry_run {
        let id = &added(&edited, file)?.id;
        print(&format!("added {id} to {}\n", short(&source.path).display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the `file:` address of a local file that was given by its path. The address is relative to the folder of the
/// TOML if the file is in that folder. `None` if the text is not a path.
fn local_file(text: &str, config: &Path) -> anyhow::Result<Option<String>> {
    let is_path = ["/", "./", "../"].iter().any(|start| text.starts_with(start)) && !text.starts_with("//");
    if has_scheme(text) || !(is_path || Path::new(text).is_file()) {
        return Ok(None);
    }
    let path = std::path::absolute(text)?;
    if !path.is_file() {
        return Err(anyhow!("{text} is not a file; check the path"));
    }
    let folder = config.parent().and_then(|folder| Url::from_directory_path(folder).ok());
    let url = Url::from_file_path(&path).map_err(|()| anyhow!("{text} cannot be written as an address"))?;
    let inside = folder.as_ref().and_then(|folder| url.path().strip_prefix(folder.path()));
    // In a relative address, a colon in the first part of the path would make that part a scheme.
    let inside = inside.filter(|inside| !inside.split('/').next().is_some_and(|first| first.contains(':')));
    Ok(Some(format!("file:{}", inside.unwrap_or(url.path()))))
}

/// Adds the scheme to an address that was typed without one.
fn with_scheme(url: &str, scheme: &str) -> String {
    let url = config::without_feed_scheme(url);
    if let Some(rest) = url.strip_prefix("//") {
        return format!("{scheme}://{rest}");
    }
    if has_scheme(url) { url.to_owned() } else { format!("{scheme}://{url}") }
}

fn has_scheme(url: &str) -> bool {
    url.contains("://") || url.starts_with("file:")
}

/// Returns the index of the config file that a new feed goes into. This is the first of these that there is: the named
/// file; the file with most feeds of the first section (unless that section takes all feeds); an included file without
/// tables; the file with most feeds.
///
/// # Errors
///
/// If the named file is not part of the config.
pub(super) fn file_for(loaded: &Loaded, named: Option<&Path>, sections: &[String]) -> anyhow::Result<usize> {
    if let Some(named) = named {
        let wanted = named.canonicalize().unwrap_or_else(|_| named.to_owned());
        let is_it = |source: &config::SourceFile| source.path.canonicalize().is_ok_and(|path| path == wanted);
        let position = loaded.sources.iter().position(is_it);
        return position.ok_or_else(|| anyhow!("{} is not part of the config; `include` it first", named.display()));
    }
    let places = edit::places(&loaded.sources);
    let section = sections.first().and_then(|id| loaded.config.section(&SectionId::from(id.as_str())));
    let mut of_section = vec![0; loaded.sources.len()];
    let mut of_all = vec![0; loaded.sources.len()];
    for (feed, place) in loaded.config.feeds.iter().zip(&places) {
        of_section[place.file] += usize::from(section.is_some_and(|section| section.takes(&feed.id)));
        of_all[place.file] += 1;
    }
    let most = |counts: &[usize]| (0..counts.len()).filter(|file| counts[*file] > 0).max_by_key(|file| counts[*file]);
    let is_waiting = |file: &usize| loaded.sources[*file].text.lines().all(is_comment);
    let waiting = (1..loaded.sources.len()).find(is_waiting);
    let names_feeds = section.is_some_and(|section| section.feeds.iter().count() < loaded.config.feeds.len());
    Ok(most(&of_section).filter(|_| names_feeds).or(waiting).or(most(&of_all)).unwrap_or(0))
}

fn is_comment(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with('#')
}

/// Returns the address for display, with its secrets masked.
fn masked(url: &str) -> String {
    // A `file:` address may be relative to the TOML; parsing would make it absolute.
    if url.starts_with("file:") {
        return safe(url);
    }
    safe(&Url::parse(url).map_or_else(|_| config::masked_urls(url), |url| config::shown(&url).to_string()))
}

/// Finds the feed at the address of `args`. If the address is a page, finds one of the feeds to which it links.
///
/// # Errors
///
/// If there is no feed, or the address cannot be fetched.
pub(super) fn find(loaded: &Loaded, file: usize, args: &Args) -> Result<FoundFeed, NotFound> {
    let fetcher = Fetcher::new(&loaded.config.poll.contact);
    let runtime = runtime()?;
    let look = |url: &str| -> Result<Looked, CommandError> {
        let feed = draft(loaded, file, url)?;
        Ok(runtime.block_on(discover::look(&fetcher, &feed, &Hints::default())))
    };
    let (url, looked) = look_by_scheme(&args.url, ["https", "http"], look)?;
    let offered = match looked {
        Looked::Feed(seen) => return Ok(FoundFeed { url, seen: Some(seen) }),
        Looked::Refused { offers, .. } if !offers.is_empty() => offers,
        Looked::Refused { error: ParseError::Page { .. }, .. } => return Ok(well_known(&url, look)?),
        Looked::Refused { error, .. } => return Err(anyhow!("{}: {error}", masked(&url)).into()),
        Looked::Failed(why) => return Err(NotFound::Unreachable(format!("{}: {why}", masked(&url)))),
    };
    // The site certainly supports the scheme of its page, so try that one first.
    let schemes = if url.starts_with("https:") { ["https", "http"] } else { ["http", "https"] };
    let mut found = Vec::new();
    for offer in discover::without_comments(offered).into_iter().take(MAX_CHOICES) {
        // Skip a link that is not a usable feed address, just like a feed that cannot be read.
        if let Ok((url, Looked::Feed(seen))) = look_by_scheme(&offer, schemes, look) {
            found.push(FoundFeed { url, seen: Some(seen) });
        }
    }
    Ok(choose(found, args)?)
}

/// Fetches an address. If the address has no scheme, tries each of `schemes` in turn.
fn look_by_scheme(
    address: &str,
    schemes: [&str; 2],
    look: impl Fn(&str) -> Result<Looked, CommandError>,
) -> Result<(String, Looked), CommandError> {
    let [url, other] = schemes.map(|scheme| with_scheme(address, scheme));
    let looked = look(&url)?;
    if matches!(looked, Looked::Failed(_)) && other != url {
        let again = look(&other)?;
        if !matches!(again, Looked::Failed(_)) {
            return Ok((other, again));
        }
    }
    Ok((url, looked))
}

fn well_known(page: &str, look: impl Fn(&str) -> Result<Looked, CommandError>) -> Result<FoundFeed, CommandError> {
    let page_url = Url::parse(page).map_err(anyhow::Error::from)?;
    for url in discover::well_known(&page_url) {
        if let Looked::Feed(seen) = look(url.as_str())? {
            return Ok(FoundFeed { url: url.into(), seen: Some(seen) });
        }
    }
    let page = masked(page);
    Err(anyhow!("{page}: no feed found at this address; give the address of the feed itself").into())
}

fn choose(mut found: Vec<FoundFeed>, args: &Args) -> Result<FoundFeed, CommandError> {
    let number = match (args.choose, found.len()) {
        (_, 0) => {
            return Err(anyhow!("{}: none of the feeds that the page links to can be read", masked(&args.url)).into());
        }
        (Some(number), _) => number,
        (None, 1) => 1,
        (None, _) => {
            let list: String = found.iter().zip(1..).map(|(found, number)| choice(number, found)).collect();
            if !std::io::stdin().is_terminal() {
                let option = args.choose_by;
                return Err(anyhow!("the page has several feeds; choose one with {option}\n{}", list.trim_end()).into());
            }
            ask(&list)?
        }
    };
    if (1..=found.len()).contains(&number) {
        Ok(found.swap_remove(number - 1))
    } else {
        Err(anyhow!("there is no choice {number}: the page has {}", count(found.len(), "feed", "feeds")).into())
    }
}

fn choice(number: usize, found: &FoundFeed) -> String {
    let seen = found.seen.as_ref().map(|seen| {
        let info = normalize::info(&seen.parsed);
        let entries = count(seen.parsed.entries.len(), "entry", "entries");
        format!("{}: {}, {entries}", safe(info.title.as_deref().unwrap_or("no title")), seen.parsed.format)
    });
    format!("  {number}  {}\n     {}\n", seen.unwrap_or_default(), masked(&found.url))
}

fn ask(list: &str) -> Result<usize, CommandError> {
    let mut stderr = std::io::stderr();
    write!(stderr, "{list}which one? ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().parse().unwrap_or(0))
}

/// Returns the feed that the config would have if this address were added to `file`, with the defaults under `[poll]`.
///
/// # Errors
///
/// If the address cannot be added to the config.
pub(super) fn draft(loaded: &Loaded, file: usize, url: &str) -> Result<Arc<Feed>, CommandError> {
    let mut sources = loaded.sources.clone();
    let block = format!("[[feed]]\nurl = {}\n", edit::quoted(url));
    sources[file].text = edit::add(&sources[file].text, "feed", &block).map_err(in_file(&sources[file]))?;
    let drafted = files::check(sources).map_err(|error| {
        let first = error.problems.iter().find(|problem| problem.level == Level::Error);
        let why = first.map_or("the config would have errors", |problem| &*problem.message);
        anyhow!("{} cannot be added: {why}", masked(url))
    });
    Ok(added(&drafted?, file)?)
}

/// Returns the last feed of a file.
fn added(loaded: &Loaded, file: usize) -> anyhow::Result<Arc<Feed>> {
    let last = edit::places(&loaded.sources).iter().rposition(|place| place.file == file);
    let feed = last.and_then(|last| loaded.config.feeds.get(last));
    feed.cloned().ok_or_else(|| anyhow!("the added feed cannot be found in the config"))
}

/// Returns the configured feed of which `found` is a duplicate. Its address is that of `found`, or the one to which
/// `found` redirects, or the one that the document gives for itself (`self`).
fn known_feed<'l>(loaded: &'l Loaded, found: &FoundFeed) -> Option<&'l Feed> {
    let addresses = found.seen.iter().flat_map(|seen| {
        let self_link = normalize::info(&seen.parsed).self_link;
        [Some(seen.final_url.clone()), seen.moved.clone(), self_link].into_iter().flatten()
    });
    Url::parse(&found.url).ok().into_iter().chain(addresses).find_map(|url| known(&loaded.config, &url))
}

/// Returns the warning that the config has this feed already. Polling a feed twice brings nothing new and costs its
/// publisher twice as much.
fn already_there(known: &Feed, found: &FoundFeed) -> String {
    let (id, shown) = (&known.id, &known.url.shown);
    let is_same = Url::parse(&found.url).is_ok_and(|url| url == known.url.secret);
    let spelling = if is_same { String::new() } else { format!(" under another spelling, {shown}") };
    let warning = format!("warning: the config already has this feed as {id}{spelling}; nothing was written");
    let hint = format!("change it with `newswire set {id} KEY=VALUE`, or add it again with --force");
    wrap(&warning, columns(), "  ") + &wrap(&format!("  {hint}"), columns(), "  ")
}

/// Returns the `[[feed]]` table for a feed that was found, as TOML.
pub(super) fn block(found: &FoundFeed, args: &Args) -> String {
    let title = found.seen.as_ref().and_then(|seen| normalize::info(&seen.parsed).title);
    let comment = title.map(|title| safe(&title)).filter(|title| !title.is_empty() && args.title.is_none());
    let comment = comment.map(|title| format!("  # {}", cut(&title, 60))).unwrap_or_default();
    let mut block = format!("[[feed]]\nurl = {}{comment}\n", edit::quoted(&found.url));
    for (key, value) in [("id", &args.id), ("title", &args.title)] {
        block.extend(value.as_ref().map(|value| format!("{key} = {}\n", edit::quoted(value))));
    }
    for (key, values) in [("sections", &args.section), ("tags", &args.tag)] {
        if !values.is_empty() {
            block.push_str(&format!("{key} = {}\n", edit::list(values.iter().map(String::as_str))));
        }
    }
    block
}

/// Describes a feed before it is added: title, address, format, entries and how often it publishes.
pub(super) fn shown(url: &str, seen: &Seen) -> String {
    let parsed = &seen.parsed;
    let info = normalize::info(parsed);
    let entries: Vec<_> = parsed.entries.iter().map(|entry| normalize::entry(entry, parsed)).collect();
    let mut text = format!("{}\n", safe(info.title.as_deref().unwrap_or("(no title)")));
    text.push_str(&format!("  {}\n  {}, {}", masked(url), parsed.format, count(entries.len(), "entry", "entries")));
    let mut dates: Vec<Timestamp> = entries.iter().filter_map(|entry| entry.published.or(entry.updated)).collect();
    dates.sort_unstable();
    text.push_str(&rhythm(&dates).map(|rhythm| format!(", {rhythm}")).unwrap_or_default());
    text.push('\n');
    for entry in entries.iter().take(SHOWN_ENTRIES) {
        let date =
            entry.published.or(entry.updated).map_or("no date   ".to_owned(), |date| date.rfc3339()[..10].to_owned());
        text.push_str(&format!("  {date}  {}\n", cut(&safe(&entry.title), columns().saturating_sub(14))));
    }
    if let Some(moved) = &seen.moved {
        text.push_str(&format!("  moved permanently to {}\n", config::shown(moved)));
    }
    text
}

/// Describes how often the feed publishes, from the dates of its entries in ascending order. Returns `None` for fewer
/// than three dates, or if all are equal.
fn rhythm(dates: &[Timestamp]) -> Option<String> {
    let (first, last) = (dates.first()?, dates.last()?);
    let days = last.since(*first).as_secs_f64() / 86_400.0;
    let gaps = dates.len() - 1;
    if gaps < 2 || days <= 0.0 {
        return None;
    }
    Some(crate::status::frequency(gaps as f64 / days))
}
