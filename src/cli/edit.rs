//! `newswire remove`, `enable`, `disable` and `set`: edit one feed's table in the TOML and leave the rest as it is.

use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;
use url::Url;

use super::output::print;
use super::{CommandError, Done, load, no_feed};
use crate::config::edit::{self, EditError, FeedPlace};
use crate::config::{self, Config, Problem, SourceFile};
use crate::feed::FeedId;
use crate::files::{self, Loaded, short};

#[derive(Debug, clap::Args)]
pub(super) struct FeedArgs {
    /// The id of the feed, or its address
    feed: String,
    /// Print the difference and write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct SetArgs {
    /// The id of the feed, or its address
    feed: String,
    /// Keys with their new values, such as schedule="every 2 hours", tags=world,sea or title= (which removes the key)
    #[arg(required = true, value_name = "KEY=VALUE")]
    values: Vec<String>,
    /// Print the difference and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Runs `newswire remove`: removes the feed's table, and its id from the `feeds` of the sections.
pub(super) fn remove(path: Option<&Path>, args: &FeedArgs) -> Done {
    let loaded = load(path)?;
    let (id, place) = find(&loaded, &args.feed)?;
    let mut texts = Vec::new();
    for (file, source) in loaded.sources.iter().enumerate() {
        let mut text = edit::unlist(&source.text, &id).map_err(in_file(source))?;
        if file == place.file {
            text = edit::remove(&text, place.index).map_err(in_file(source))?;
        }
        texts.push((file, text));
    }
    // Write the file with the feed's table last: a section that names a missing feed would be an error.
    texts.sort_by_key(|(file, _)| *file == place.file);
    commit(&loaded, texts, args.dry_run)?;
    done(args.dry_run, &format!("removed {id}; its stories stay in the store and return if you add the feed again\n"))
}

/// Runs `newswire enable`.
pub(super) fn enable(path: Option<&Path>, args: &FeedArgs) -> Done {
    change(path, &args.feed, args.dry_run, "enabled", |text, index| edit::set(text, index, "enabled", None))
}

/// Runs `newswire disable`: stops polling the feed; its stories stay.
pub(super) fn disable(path: Option<&Path>, args: &FeedArgs) -> Done {
    change(path, &args.feed, args.dry_run, "disabled", |text, index| edit::set(text, index, "enabled", Some("false")))
}

/// Runs `newswire set`.
pub(super) fn set(path: Option<&Path>, args: &SetArgs) -> Done {
    let mut values = Vec::new();
    for text in &args.values {
        let pair = text.split_once('=').ok_or_else(|| anyhow!("expected KEY=VALUE, such as title=Harbour"))?;
        let (key, value) = (pair.0.trim(), pair.1.trim());
        let value = (!value.is_empty()).then(|| edit::feed_value(key, value)).transpose();
        values.push((key, value.map_err(anyhow::Error::from)?));
    }
    change(path, &args.feed, args.dry_run, "changed", |text, index| {
        values.iter().try_fold(text.to_owned(), |text, (key, value)| edit::set(&text, index, key, value.as_deref()))
    })
}

fn change(
    path: Option<&Path>,
    feed: &str,
    dry_run: bool,
    what: &str,
    edit: impl FnOnce(&str, usize) -> Result<String, EditError>,
) -> Done {
    let loaded = load(path)?;
    let (id, place) = find(&loaded, feed)?;
    let source = &loaded.sources[place.file];
    let text = edit(&source.text, place.index).map_err(in_file(source))?;
    let is_same = text == source.text;
    commit(&loaded, vec![(place.file, text)], dry_run)?;
    done(
        dry_run,
        &match (is_same, what) {
            (false, _) => format!("{what} {id}\n"),
            (true, "changed") => format!("nothing to change: {id} already has these values\n"),
            (true, _) => format!("{id} is already {what}\n"),
        },
    )
}

/// Adds the path of the file to an edit's error.
pub(super) fn in_file(source: &SourceFile) -> impl Fn(EditError) -> anyhow::Error {
    |error| anyhow!("{}: {error}", short(&source.path).display())
}

/// Returns the feed with this id or address, and the place of its table.
fn find(loaded: &Loaded, wanted: &str) -> anyhow::Result<(FeedId, FeedPlace)> {
    let config = &loaded.config;
    let by_id = config.feed(&FeedId::from(wanted));
    let by_url = || Url::parse(wanted).ok().and_then(|url| known(config, &url));
    let Some(feed) = by_id.map(|feed| &**feed).or_else(by_url) else {
        return Err(no_feed(config, wanted));
    };
    let place = edit::place_of(config, &loaded.sources, &feed.id);
    Ok((feed.id.clone(), place.ok_or_else(|| anyhow!("the table of {} was not found", feed.id))?))
}

/// Returns the configured feed with this address, in any spelling.
pub(super) fn known<'c>(config: &'c Config, url: &Url) -> Option<&'c config::Feed> {
    let is_same = |feed: &&std::sync::Arc<config::Feed>| config::spelling(&feed.url.secret) == config::spelling(url);
    config.feeds.iter().find(is_same).map(|feed| &**feed)
}

/// Checks the config with these texts in place of the old ones, and writes the files that differ. A dry run prints the
/// differences instead. Returns the edited config.
///
/// # Errors
///
/// If the edited config has errors, or a file cannot be written.
pub(super) fn commit(loaded: &Loaded, texts: Vec<(usize, String)>, dry_run: bool) -> Result<Loaded, CommandError> {
    let mut sources = loaded.sources.clone();
    for (file, text) in &texts {
        sources[*file].text.clone_from(text);
    }
    let edited = files::check(sources).inspect_err(|_| {
        anstream::eprintln!("newswire: nothing was written; the edited config would have errors:\n");
    })?;
    for (file, text) in texts {
        let source = &loaded.sources[file];
        if dry_run {
            print(&edit::difference(&short(&source.path).display().to_string(), &source.text, &text))?;
        } else if text != source.text {
            files::replace(&source.path, &source.text, &text).map_err(anyhow::Error::from)?;
        }
    }
    print_new_warnings(loaded, &edited);
    Ok(edited)
}

/// Prints the warnings that the edit caused.
fn print_new_warnings(before: &Loaded, after: &Loaded) {
    let is_old = |problem: &&Problem| before.warnings.iter().any(|old| old.message == problem.message);
    let new: Vec<Problem> = after.warnings.iter().filter(|problem| !is_old(problem)).cloned().collect();
    if !new.is_empty() {
        anstream::eprintln!("{}", config::render_problems(&new, &after.sources, true).trim_end());
    }
}

fn done(dry_run: bool, message: &str) -> Done {
    if !dry_run {
        print(message)?;
    }
    Ok(ExitCode::SUCCESS)
}
