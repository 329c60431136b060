//! The commands, one file each: they print, and nothing else; the work is done by the modules below.
//!
//! Data goes to stdout, logs and errors to stderr. Exit codes: 0; 1 a failure at run time; 2 usage; 78 bad config.

mod add;
mod backup;
mod check;
mod edit;
mod explain;
mod feeds;
mod import;
mod inspect;
mod join;
mod output;
mod poll;
mod publish;
mod run;
mod search;
mod setup;
mod split;
mod trial;
mod upgrade;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::clock::now;
use crate::commit;
use crate::config::{self, Config, Level};
use crate::daemon::control::{self, Answer, Edit, EditOutcome, Mode, Request, StoryEditError, Unclear};
use crate::feed::SectionId;
use crate::files::{self, LoadError, Loaded};
use crate::newsroom::Moves;
use crate::shown::{CANDIDATES, Candidate};
use crate::store::{Reader, StoreError};
use output::print;

/// sysexits' EX_CONFIG: what systemd knows as "do not start me again".
const EXIT_CONFIG: u8 = 78;

/// As clap ends: the command was not understood.
const EXIT_USAGE: u8 = 2;

/// A newswire that you run yourself: polls feeds, recognises stories, republishes sections.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// The main TOML file [default: ./newswire.toml, ./config/newswire.toml, then the user's and the system's]
    #[arg(long, short, global = true, env = "NEWSWIRE_CONFIG", value_name = "FILE", hide_env_values = true)]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The daemon: polls on schedule, publishes, serves, reloads when the TOML changes
    Run,
    /// Polls what is due, then ends
    Poll(poll::Args),
    /// Writes all editions and pages as files; unchanged files are not touched
    Publish(publish::Args),
    /// Reads the config and prints every problem
    Check(check::Args),
    /// Shows how the feeds are doing
    Feeds(feeds::FeedsArgs),
    /// Shows how the sections are doing
    Sections(feeds::Args),
    /// Finds the feed behind an address and writes it into the TOML
    Add(add::Args),
    /// Takes a feed out of the TOML
    Remove(edit::FeedArgs),
    /// Polls a disabled feed again
    Enable(edit::FeedArgs),
    /// Stops polling a feed; its stories stay
    Disable(edit::FeedArgs),
    /// Sets keys of a feed in the TOML
    Set(edit::SetArgs),
    /// Takes the feeds of another program's list into the TOML
    Import(import::ImportArgs),
    /// Prints the feeds as OPML 2.0, without secrets
    Export(import::ExportArgs),
    /// Shows how newswire reads a document
    Inspect(inspect::Args),
    /// Shows a story, its copies, and why it is in each section or not
    Explain(explain::Args),
    /// Shows what a changed config, or one more rule, would put into the sections and take out; changes nothing
    Try(trial::Args),
    /// Takes a copy out of a story that it does not belong to, for ever
    Split(split::Args),
    /// Makes two stories one
    Join(join::Args),
    /// Searches the archive
    Search(search::Args),
    /// Asks four questions and writes a config that works
    Init(setup::InitArgs),
    /// Prints the config in force, each value with its origin, secrets masked
    Config(setup::ConfigArgs),
    /// Prints the JSON Schema of the TOML, for editors
    Schema,
    /// Prints a script that completes commands in a shell
    Completions(setup::CompletionsArgs),
    /// Prints the manual page, or writes those of all commands
    Man(setup::ManArgs),
    /// Copies the store while it is in use
    Backup(backup::Args),
    /// Checks that the store is sound
    Verify,
}

/// How a command fails.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("{0}")]
    Config(#[from] LoadError),
    #[error(transparent)]
    Unclear(#[from] Unclear),
    /// The command line says something that cannot be done.
    #[error("{}", in_one_sentence(.0))]
    Usage(anyhow::Error),
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

impl From<StoreError> for CommandError {
    fn from(error: StoreError) -> Self {
        CommandError::Other(error.into())
    }
}

impl From<StoryEditError> for CommandError {
    fn from(error: StoryEditError) -> Self {
        match error {
            StoryEditError::Unclear(unclear) => CommandError::Unclear(unclear),
            error => CommandError::Other(error.into()),
        }
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        CommandError::Other(error.into())
    }
}

impl From<serde_json::Error> for CommandError {
    fn from(error: serde_json::Error) -> Self {
        CommandError::Other(error.into())
    }
}

type Done = Result<ExitCode, CommandError>;

impl Cli {
    /// Logs go to stderr; `RUST_LOG` sets what is logged. A command that ends by itself logs warnings only.
    pub fn start_logging(&self) {
        // The verifier of certificates logs each that it refuses, which is an error of its feed and told there.
        let default = match self.command {
            Command::Run => "newswire=info,warn,rustls_platform_verifier=off",
            _ => "error,rustls_platform_verifier=off",
        };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
        let is_styled =
            std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(is_styled)
            // A terminal that was closed takes no log. Saying so there would panic.
            .log_internal_errors(false)
            .with_target(false)
            .init();
    }

    /// Runs the command; what went wrong is told on stderr in one sentence, or as a list of the config's problems.
    pub fn execute(self) -> ExitCode {
        let config = self.config.as_deref();
        let done = match self.command {
            Command::Run => run::run(config),
            Command::Poll(args) => poll::run(config, &args),
            Command::Publish(args) => publish::run(config, &args),
            Command::Check(args) => check::run(config, &args),
            Command::Feeds(args) => feeds::feeds(config, &args),
            Command::Sections(args) => feeds::sections(config, &args),
            Command::Add(args) => add::run(config, &args),
            Command::Remove(args) => edit::remove(config, &args),
            Command::Enable(args) => edit::enable(config, &args),
            Command::Disable(args) => edit::disable(config, &args),
            Command::Set(args) => edit::set(config, &args),
            Command::Import(args) => import::import(config, &args),
            Command::Export(args) => import::export(config, &args),
            Command::Inspect(args) => inspect::run(config, &args),
            Command::Explain(args) => explain::run(config, &args),
            Command::Try(args) => trial::run(config, &args),
            Command::Split(args) => split::run(config, &args),
            Command::Join(args) => join::run(config, &args),
            Command::Search(args) => search::run(config, &args),
            Command::Init(args) => setup::init(config, &args),
            Command::Config(args) => setup::config(config, &args),
            Command::Schema => setup::schema(),
            Command::Completions(args) => setup::completions(&args),
            Command::Man(args) => setup::man(&args),
            Command::Backup(args) => backup::run(config, &args),
            Command::Verify => backup::verify(config),
        };
        match done {
            Ok(code) => code,
            Err(CommandError::Config(error)) => {
                anstream::eprintln!("{}", error.render(true).trim_end());
                let errors = error.problems.iter().filter(|problem| problem.level == Level::Error).count();
                if errors > 1 {
                    anstream::eprintln!("\nnewswire: the config has {errors} errors");
                }
                ExitCode::from(EXIT_CONFIG)
            }
            Err(CommandError::Unclear(unclear)) => {
                anstream::eprint!("newswire: {unclear}\n{}", candidates(&unclear, load(config).ok().as_ref()));
                ExitCode::from(EXIT_USAGE)
            }
            Err(CommandError::Usage(error)) => {
                anstream::eprintln!("newswire: {}", in_one_sentence(&error));
                ExitCode::from(EXIT_USAGE)
            }
            Err(CommandError::Other(error)) => {
                anstream::eprintln!("newswire: {}", in_one_sentence(&error));
                ExitCode::FAILURE
            }
        }
    }
}

/// Returns an error and what led to it, without what an outer error says already.
fn in_one_sentence(error: &anyhow::Error) -> String {
    let mut sentence = String::new();
    let mut before = None;
    for cause in error.chain().map(ToString::to_string) {
        let is_said =
            sentence.contains(&cause) || before.as_ref().is_some_and(|before: &String| cause.ends_with(before));
        if !is_said {
            let colon = if sentence.is_empty() { "" } else { ": " };
            sentence = format!("{sentence}{colon}{cause}");
        }
        before = Some(cause);
    }
    sentence
}

/// The config in force for a command.
fn load(config: Option<&Path>) -> Result<Loaded, LoadError> {
    files::load(&files::find(config)?)
}

/// The config and a reader of its store; none if there is no store yet.
fn load_with_reader(config: Option<&Path>) -> Result<(Arc<Config>, Option<Reader>), CommandError> {
    let config = Arc::new(load(config)?.config);
    match Reader::open(&config.store.path) {
        Ok(reader) => Ok((config, Some(reader))),
        Err(StoreError::Missing(_)) => Ok((config, None)),
        Err(error) => Err(error.into()),
    }
}

/// Says that no feed has this id, and which id is like it.
fn no_feed(config: &Config, id: &str) -> anyhow::Error {
    absent("feed", id, config.feeds.iter().map(|feed| feed.id.as_str()))
}

/// Says that no section has this id, and which id is like it.
fn no_section(config: &Config, id: &str) -> anyhow::Error {
    absent("section", id, config.sections.iter().map(|section| section.id.as_str()))
}

fn absent<'c>(what: &str, id: &str, known: impl Iterator<Item = &'c str>) -> anyhow::Error {
    let way_out = like(id, known).unwrap_or_else(|| format!("`newswire {what}s` lists them"));
    anyhow::anyhow!("there is no {what} {:?}; {way_out}", config::masked_urls(id))
}

/// As in `did you mean "beta"?`; `None` if no known id is like it.
fn like<'c>(id: &str, known: impl Iterator<Item = &'c str>) -> Option<String> {
    config::nearest(id, known).map(|nearest| format!("did you mean {nearest:?}?"))
}

/// Does what an editor asks, here or through the daemon that has the store; on a dry run nothing is changed.
fn edit(config: Option<&Path>, command: &str, edit: Edit, dry_run: bool) -> Result<EditOutcome, CommandError> {
    let config = Arc::new(load(config)?.config);
    if !config.store.path.exists() {
        return Err(StoreError::Missing(config.store.path.clone()).into());
    }
    runtime()?.block_on(async {
        match upgrade::open(&config.store.path, &format!("`newswire {command}`")) {
            Ok(store) if dry_run => Ok(control::perform(&store, config, &edit, Mode::Rehearse, now()).await?),
            Ok(store) => {
                let now = now();
                commit::sync(&store, config.clone(), now).await?;
                Ok(control::perform(&store, config, &edit, Mode::Perform, now).await?)
            }
            Err(held) => {
                let request = if dry_run { Request::Rehearse(edit) } else { Request::Edit(edit) };
                match ask(&config, held, &request).await? {
                    Answer::Edited(edited) => Ok(edited),
                    Answer::Unclear(unclear) => Err(unclear.into()),
                    other => Err(anyhow::anyhow!("the daemon answered another question: {other:?}").into()),
                }
            }
        }
    })
}

/// The stories that words may mean, with their days and ids.
fn candidates(unclear: &Unclear, loaded: Option<&Loaded>) -> String {
    let mut text = String::new();
    for Candidate { id, title, sort_at, published } in unclear.candidates.iter().take(CANDIDATES) {
        let time = published.unwrap_or(*sort_at);
        let day = match loaded {
            Some(loaded) => output::story_date(time, &loaded.config),
            None => time.datetime().format("%Y-%m-%d").to_string(),
        };
        text.push_str(&format!("  {day}  {}\n              {}\n", output::safe(title), output::safe(id)));
    }
    if unclear.candidates.len() > CANDIDATES {
        text.push_str("  and more; `newswire search` finds stories\n");
    }
    text
}

/// What the daemon says that has the store; `held`, if none has it.
async fn ask(config: &Config, held: StoreError, request: &Request) -> Result<Answer, CommandError> {
    let answer = match held {
        StoreError::Held(_) => control::ask(&config.store.path, request).await,
        _ => Ok(None),
    };
    match answer.context("the daemon did not answer")? {
        Some(Answer::Failed(error)) => Err(anyhow::anyhow!(error).into()),
        Some(answer) => Ok(answer),
        None => Err(held.into()),
    }
}

/// What an editor changed, section by section, in a line each.
fn print_sections(sections: &BTreeMap<SectionId, Moves>) -> std::io::Result<()> {
    let line = |(section, moves): (&SectionId, &Moves)| {
        let (entered, left) = (moves.entered, moves.left);
        format!("  {section}: {entered} in, {left} out\n")
    };
    print(&sections.iter().map(line).collect::<String>())
}

/// A runtime for a command that ends by itself.
fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
