//! `newswire init`, `config`, `schema`, `completions` and `man`: help to set up and inspect newswire.

use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::CommandFactory;
use serde::Serialize;
use url::{Host, Url};

use super::add::{self, FoundFeed, NotFound};
use super::output::{count, print};
use super::{Cli, CommandError, Done, in_one_sentence, load};
use crate::config::effective::{EffectiveSetting, Origin, effective};
use crate::config::{self, SourceFile, edit};
use crate::files::{self, Loaded};

/// The column of the comment that gives a value's origin.
const ORIGIN_COLUMN: usize = 48;

#[derive(Debug, clap::Args)]
pub(super) struct InitArgs {
    /// The title of the site
    #[arg(long)]
    title: Option<String>,
    /// The public address of the site, such as https://news.example.org/ [default: none; it can be set later]
    #[arg(long)]
    url: Option<String>,
    /// A page that tells publishers who polls their feeds
    #[arg(long, value_name = "URL")]
    contact: Option<String>,
    /// A first feed; may be given several times
    #[arg(long, value_name = "URL")]
    feed: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ConfigArgs {
    /// Also print the defaults of feeds and sections
    #[arg(long)]
    all: bool,
    /// Print an array of objects
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct CompletionsArgs {
    shell: clap_complete::Shell,
}

#[derive(Debug, clap::Args)]
pub(super) struct ManArgs {
    /// Write a page per command into this folder, instead of printing the main page
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs `newswire init`: writes a config that works. Never overwrites a file.
pub(super) fn init(path: Option<&Path>, args: &InitArgs) -> Done {
    let named = path.is_some();
    let path = std::path::absolute(path.unwrap_or(Path::new("newswire.toml")))?;
    if path.exists() {
        return Err(anyhow!("{} already exists; nothing was written", files::short(&path).display()).into());
    }
    let title = answer(args.title.as_ref(), "Title of the site?", "Newswire", |_| true)?;
    let url = answer(
        args.url.as_ref(),
        "Public address of the site, such as https://news.example.org/? (optional)",
        "",
        is_web,
    )?;
    let contact = answer(args.contact.as_ref(), "Page that tells publishers who polls them? (optional)", "", is_web)?;
    let config = |allow: &[String], feeds: &[String]| first_config(&title, &url, &contact, allow, feeds);
    let check = |text: String| {
        let checked = files::check(vec![SourceFile { path: path.clone(), text }]);
        checked.inspect_err(|_| anstream::eprintln!("newswire: nothing was written; the config would have errors:\n"))
    };
    let mut allow = Vec::new();
    let mut feeds = Vec::new();
    let mut look = |address: &str| -> Result<(), CommandError> {
        allow.extend(opening(address).filter(|opening| !allow.contains(opening)));
        feeds.push(first_feed(&check(config(&allow, &[]))?, address)?);
        Ok(())
    };
    check(config(&[], &[]))?;
    args.feed.iter().filter(|address| !address.is_empty()).try_for_each(|address| look(address))?;
    while args.feed.is_empty() {
        let address = answer(None, "First feed, or a page that links to one? (optional)", "", is_web)?;
        if address.is_empty() {
            break;
        }
        match look(&address) {
            Ok(()) => break,
            // Ask again if the address cannot be used.
            Err(CommandError::Other(error)) => anstream::eprintln!("{}", in_one_sentence(&error)),
            Err(failure) => return Err(failure),
        }
    }
    let text = config(&allow, &feeds);
    check(text.clone())?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    files::replace(&path, "", &text).map_err(anyhow::Error::from)?;
    let option = if named { format!(" --config {}", files::short(&path).display()) } else { String::new() };
    print(&format!(
        "wrote {}\nadd feeds with `newswire add URL{option}`, then start with `newswire run{option}`\n",
        files::short(&path).display()
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the `[[feed]]` table of the first feed. If the address is a page, takes the feed that the page links to. If
/// the address cannot be fetched, takes it as typed and warns.
fn first_feed(loaded: &Loaded, address: &str) -> Result<String, CommandError> {
    let args = add::Args::of_address(address, "--feed URL");
    let found = match add::find(loaded, 0, &args) {
        Ok(found) => found,
        Err(NotFound::Failed(failure)) => return Err(failure),
        Err(NotFound::Unreachable(why)) => {
            anstream::eprintln!("warning: {why}; the feed was added without a check");
            FoundFeed { url: address.to_owned(), seen: None }
        }
    };
    if let Some(seen) = &found.seen {
        print(&add::shown(&found.url, seen))?;
    }
    Ok(add::block(&found, &args))
}

/// Returns the `allow` entry that a feed at a private address needs; `None` for a public address. The user typed the
/// address, so polling it is intended.
fn opening(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let is_private = match url.host()? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback() || address.is_private(),
        Host::Ipv6(address) => address.is_loopback() || address.is_unique_local(),
    };
    let port = url.port_or_known_default()?;
    is_private.then(|| format!("{}:{port}", url.host_str().unwrap_or_default()))
}

fn is_web(address: &str) -> bool {
    Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// Returns the flag's value, else the answer typed on a terminal, else the default. Asks again until the answer is
/// valid.
fn answer(
    given: Option<&String>,
    question: &str,
    default: &str,
    is_good: impl Fn(&str) -> bool,
) -> Result<String, CommandError> {
    if let Some(given) = given {
        return Ok(given.clone());
    }
    if !std::io::stdin().is_terminal() {
        return Ok(default.to_owned());
    }
    let mut stderr = std::io::stderr();
    let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
    loop {
        write!(stderr, "{question}{shown} ")?;
        stderr.flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        match answer.trim() {
            "" => return Ok(default.to_owned()),
            answer if is_good(answer) => return Ok(answer.to_owned()),
            _ => writeln!(stderr, "expected a URL that begins with http:// or https://")?,
        }
    }
}

/// Returns the text of a new config. Questions without an answer become commented-out examples. The feeds come last,
/// because `add` and `import` append more of them there.
fn first_config(title: &str, url: &str, contact: &str, allow: &[String], feeds: &[String]) -> String {
    let line = |key: &str, value: &str, example: &str| match value {
        "" => format!("# {key} = {}", edit::quoted(example)),
        value => format!("{key} = {}", edit::quoted(value)),
    };
    let title = line("title", title, "Newswire");
    let url = line("url", url, "https://news.example.org/");
    let contact = line("contact", contact, "https://news.example.org/about/");
    let feeds = match feeds {
        [] => "\n# [[feed]]\n# url = \"https://blog.example.org/feed.xml\"\n# tags = [\"town\"]\n".to_owned(),
        feeds => feeds.iter().map(|table| format!("\n{table}")).collect(),
    };
    let allow = match allow {
        [] => String::new(),
        allow => format!(
            "# Private addresses that newswire may poll.\nallow = {}\n",
            edit::list(allow.iter().map(String::as_str))
        ),
    };
    format!(
        r##"# The config of a newswire. `newswire check` finds mistakes; a running newswire
# reloads this file when you save it.

[site]
{title}
# The base of every published link. To make it reachable, put a web server with TLS in front of `listen`.
{url}

[server]
# `listen` is for readers: pages and feeds. `admin` is private: status and metrics.
listen = "127.0.0.1:8080"
admin = "127.0.0.1:8081"

[poll]
schedule = "every 1 hour"
# The User-Agent tells publishers this address.
{contact}
{allow}
# A section publishes a story if a `keep` rule matches it (or there is none) and no
# `drop` rule does.

[[section]]
id = "all"
title = "All"
feeds = ["*"]
# keep = [{{ title = "harbour" }}, {{ tag = "town" }}]
# drop = [{{ title = "sponsored" }}]

# The feeds. Sections and rules can refer to their `tags`.
{feeds}"##
    )
}

#[derive(Serialize)]
struct SettingRow<'s> {
    table: &'s str,
    of: Option<&'s str>,
    key: &'s str,
    value: &'s str,
    origin: &'static str,
    file: Option<String>,
    line: Option<usize>,
}

/// Runs `newswire config`.
pub(super) fn config(path: Option<&Path>, args: &ConfigArgs) -> Done {
    let loaded = load(path)?;
    let settings = effective(&loaded.config, &loaded.sources, args.all);
    if args.json {
        let rows: Vec<SettingRow> = settings.iter().map(row).collect();
        print(&format!("{}\n", serde_json::to_string_pretty(&rows)?))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    let mut last = None;
    for setting in &settings {
        let table = (setting.table, setting.of.as_ref());
        if last != Some(table) {
            text.push_str(&format!("{}{}\n", if text.is_empty() { "" } else { "\n" }, setting.table));
            last = Some(table);
        }
        let line = format!("{} = {}", setting.key, setting.value);
        text.push_str(&format!("{line:ORIGIN_COLUMN$}  # {}\n", origin(&setting.origin)));
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn row(setting: &EffectiveSetting) -> SettingRow<'_> {
    let (origin, file, line) = match &setting.origin {
        Origin::File { path, line } => ("file", Some(path.display().to_string()), Some(*line)),
        Origin::Default => ("default", None, None),
        Origin::Made => ("made", None, None),
    };
    let EffectiveSetting { table, of, key, value, .. } = setting;
    SettingRow { table, of: of.as_deref(), key, value, origin, file, line }
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::File { path, line } => format!("{}:{line}", files::short(path).display()),
        Origin::Default => "default".to_owned(),
        Origin::Made => "derived".to_owned(),
    }
}

/// Runs `newswire schema`.
pub(super) fn schema() -> Done {
    print(&format!("{}\n", serde_json::to_string_pretty(&config::schema())?))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `newswire completions`.
pub(super) fn completions(args: &CompletionsArgs) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "newswire", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs `newswire man`.
pub(super) fn man(args: &ManArgs) -> Done {
    let mut page = Vec::new();
    match &args.out {
        Some(folder) => {
            let failed = || format!("cannot write to {}", folder.display());
            std::fs::create_dir_all(folder).with_context(failed)?;
            clap_mangen::generate_to(Cli::command(), folder).with_context(failed)?;
            let commands = Cli::command();
            let shown = commands.get_subcommands().filter(|command| !command.is_hide_set());
            let pages = count(shown.count() + 1, "page", "pages");
            print(&format!("{pages} written to {}\n", folder.display()))?;
        }
        None => clap_mangen::Man::new(Cli::command()).render(&mut page)?,
    }
    print(&String::from_utf8_lossy(&page))?;
    Ok(ExitCode::SUCCESS)
}
