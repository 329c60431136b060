//! `newswire remove`, `enable`, `disable` and `set`: one feed's table in the TOML, all else left as it is.

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
pub struct FeedArgs {
    /// The id of the feed, or its address
    feed: String,
    /// Print the difference and write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub struct SetArgs {
    /// The id of the feed, or its address
    feed: String,
    /// As in schedule="every 2 hours", tags=world,sea or title= (which takes the key out)
    #[arg(required = true, value_name = "KEY=VALUE")]
    values: Vec<String>,
    /// Print the difference and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// `newswire remove`: also out of the `feeds` of the sections.
pub fn remove(path: Option<&Path>, args: &FeedArgs) -> Done {
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
    // The feed's own table goes last: a section that names a feed which is not there would be an error.
    texts.sort_by_key(|(file, _)| *file == place.file);
    commit(&loaded, texts, args.dry_run)?;
    done(args.dry_run, &format!("removed {id}; its stories stay in the store, and come back with it\n"))
}

/// `newswire enable`.
pub fn enable(path: Option<&Path>, args: &FeedArgs) -> Done {
    change(path, &args.feed, args.dry_run, "enabled", |text, index| edit::set(text, index, "enabled", None))
}

/// `newswire disable`: no longer polled; its stories stay.
pub fn disable(path: Option<&Path>, args: &FeedArgs) -> Done {
    change(path, &args.feed, args.dry_run, "disabled", |text, index| edit::set(text, index, "enabled", Some("false")))
}

/// `newswire set`.
pub fn set(path: Option<&Path>, args: &SetArgs) -> Done {
    let mut values = Vec::new();
    for text in &args.values {
        let pair = text.split_once('=').ok_or_else(|| anyhow!("expected KEY=VALUE, as in title=Harbour"))?;
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
    let what_it_is = if what == "changed" { "so" } else { what };
    let told = if is_same { format!("{id} is already {what_it_is}\n") } else { format!("{what} {id}\n") };
    done(dry_run, &told)
}

/// Says which file cannot be edited.
pub fn in_file(source: &SourceFile) -> impl Fn(EditError) -> anyhow::Error {
    |error| anyhow!("{}: {error}", short(&source.path).display())
}

/// The feed with this id or address, and where its table stands.
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

/// The configured feed with this address, in whatever spelling.
pub fn known<'c>(config: &'c Config, url: &Url) -> Option<&'c config::Feed> {
    let is_same = |feed: &&std::sync::Arc<config::Feed>| config::spelling(&feed.url.secret) == config::spelling(url);
    config.feeds.iter().find(is_same).map(|feed| &**feed)
}

/// Checks the config with these texts in the place of those that they come from, and writes what differs.
///
/// On a dry run the difference is printed instead. Returns the config that is in the files then.
pub fn commit(loaded: &Loaded, texts: Vec<(usize, String)>, dry_run: bool) -> Result<Loaded, CommandError> {
    let mut sources = loaded.sources.clone();
    for (file, text) in &texts {
        sources[*file].text.clone_from(text);
    }
    let edited = files::check(sources).inspect_err(|_| {
        anstream::eprintln!("newswire: nothing was written, since the config would have problems then:\n");
    })?;
    for (file, text) in texts {
        let source = &loaded.sources[file];
        if dry_run {
            print(&edit::difference(&short(&source.path).display().to_string(), &source.text, &text))?;
        } else if text != source.text {
            files::replace(&source.path, &source.text, &text).map_err(anyhow::Error::from)?;
        }
    }
    warn_of_news(loaded, &edited);
    Ok(edited)
}

/// What the edit alone gives cause to warn of.
fn warn_of_news(before: &Loaded, after: &Loaded) {
    let is_old = |problem: &&Problem| before.warnings.iter().any(|old| old.message == problem.message);
    let news: Vec<Problem> = after.warnings.iter().filter(|problem| !is_old(problem)).cloned().collect();
    if !news.is_empty() {
        anstream::eprintln!("{}", config::render_problems(&news, &after.sources, true).trim_end());
    }
}

fn done(dry_run: bool, told: &str) -> Done {
    if !dry_run {
        print(told)?;
    }
    Ok(ExitCode::SUCCESS)
}
