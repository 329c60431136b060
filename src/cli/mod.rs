//! The commands, one file each. A command reads its arguments and prints the result; other modules do the work.
//!
//! Data goes to stdout, logs and errors to stderr. Exit codes: 0 success; 1 a failure at run time; 2 wrong usage;
//! 78 bad config.

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
mod templates;
mod trial;
mod upgrade;

use std::collections::BTreeMap;
use std::ffi::OsString;
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
use crate::delivery::{RUN_LIMITED, exec_limited};
use crate::feed::SectionId;
use crate::files::{self, LoadError, Loaded};
use crate::newsroom::Moves;
use crate::shown::{CANDIDATES, Candidate};
use crate::store::{Reader, StoreError};
use output::print;

/// The exit code for a bad config (`EX_CONFIG` of sysexits.h). The systemd unit does not restart newswire after it.
const EXIT_CONFIG: u8 = 78;

/// The exit code for wrong usage, the same as clap's.
const EXIT_USAGE: u8 = 2;

/// A newswire that you run yourself: polls feeds, recognises stories, republishes sections.
#[derive(Debug, Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    /// The main config file [default: ./newswire.toml, ./config/newswire.toml, then the user's and the system's]
    #[arg(long, short, global = true, env = "NEWSWIRE_CONFIG", value_name = "FILE", hide_env_values = true)]
    config: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the daemon: polls on schedule, publishes, serves, reloads when the TOML changes
    Run,
    /// Polls the feeds that are due, then exits
    Poll(poll::Args),
    /// Writes all editions and pages as files; does not touch unchanged files
    Publish(publish::Args),
    /// Writes the built-in templates of the pages into a folder, to be changed
    Templates(templates::Args),
    /// Reads the config and prints every problem
    Check(check::Args),
    /// Shows the state of the feeds
    Feeds(feeds::FeedsArgs),
    /// Shows the state of the sections
    Sections(feeds::Args),
    /// Finds the feed at an address and adds it to the TOML
    Add(add::Args),
    /// Removes a feed from the TOML
    Remove(edit::FeedArgs),
    /// Starts polling a disabled feed again
    Enable(edit::FeedArgs),
    /// Stops polling a feed; its stories stay
    Disable(edit::FeedArgs),
    /// Sets keys of a feed in the TOML
    Set(edit::SetArgs),
    /// Adds the feeds in another program's list to the TOML
    Import(import::ImportArgs),
    /// Prints the feeds as OPML 2.0, without secrets
    Export(import::ExportArgs),
    /// Shows how newswire reads a document
    Inspect(inspect::Args),
    /// Shows a story, its copies, and why it is or is not in each section
    Explain(explain::Args),
    /// Shows which stories a changed config or rule would add to sections and remove; changes nothing
    Try(trial::Args),
    /// Permanently takes a wrongly joined copy out of a story
    Split(split::Args),
    /// Merges two stories
    Join(join::Args),
    /// Searches the full text of the stories
    Search(search::Args),
    /// Asks four questions and writes a config that works
    Init(setup::InitArgs),
    /// Prints the effective config, each value with its origin; masks secrets
    Config(setup::ConfigArgs),
    /// Prints the JSON Schema of the TOML, for text editors
    Schema,
    /// Prints a shell completion script
    Completions(setup::CompletionsArgs),
    /// Prints the manual page, or writes the pages of all commands
    Man(setup::ManArgs),
    /// Backs up the store, even while it is in use
    Backup(backup::Args),
    /// Checks the integrity of the store
    Verify,
    /// Runs a program with limited memory; newswire calls it for the programs of hooks
    #[command(name = RUN_LIMITED, hide = true)]
    RunLimited(LimitedArgs),
}

/// The limit, and the program to run.
#[derive(Debug, clap::Args)]
struct LimitedArgs {
    /// The most memory, in bytes
    memory: u64,
    /// The program
    program: PathBuf,
    /// Its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// An error of a command. The variants differ in exit code and layout.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error("{0}")]
    Config(#[from] LoadError),
    #[error(transparent)]
    Unclear(#[from] Unclear),
    /// An argument that clap accepts, but newswire cannot use.
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
    /// Starts logging to stderr. `RUST_LOG` sets the level; by default, `run` logs at INFO and the other commands log
    /// errors only.
    pub fn start_logging(&self) {
        // The certificate verifier logs every certificate that it rejects. Turn that off, because the error of the feed
        // reports the same.
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
            // If stderr is a closed terminal, the subscriber would panic when it reports that a log line could not be
            // written.
            .log_internal_errors(false)
            .with_target(false)
            .init();
    }

    /// Runs the command and returns its exit code. Prints an error to stderr as one sentence, or as a list of the
    /// config's problems.
    pub fn execute(self) -> ExitCode {
        let config = self.config.as_deref();
        let done = match self.command {
            Command::Run => run::run(config),
            Command::Poll(args) => poll::run(config, &args),
            Command::Publish(args) => publish::run(config, &args),
            Command::Templates(args) => templates::run(&args),
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
            Command::RunLimited(LimitedArgs { memory, program, arguments }) => {
                Err(exec_limited(memory, &program, &arguments).into())
            }
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

/// Returns an error with its causes, separated by colons; skips a cause that an outer error repeats.
fn in_one_sentence(error: &anyhow::Error) -> String {
    let mut sentence = String::new();
    let mut before = None;
    for cause in error.chain().map(ToString::to_string) {
        let is_repeated =
            sentence.contains(&cause) || before.as_ref().is_some_and(|before: &String| cause.ends_with(before));
        if !is_repeated {
            let colon = if sentence.is_empty() { "" } else { ": " };
            sentence = format!("{sentence}{colon}{cause}");
        }
        before = Some(cause);
    }
    sentence
}

/// Loads the config that a command uses.
fn load(config: Option<&Path>) -> Result<Loaded, LoadError> {
    files::load(&files::find(config)?)
}

/// Loads the config and opens a reader of its store; `None` if there is no store yet.
fn load_with_reader(config: Option<&Path>) -> Result<(Arc<Config>, Option<Reader>), CommandError> {
    let config = Arc::new(load(config)?.config);
    match Reader::open(&config.store.path) {
        Ok(reader) => Ok((config, Some(reader))),
        Err(StoreError::Missing(_)) => Ok((config, None)),
        Err(error) => Err(error.into()),
    }
}

/// Returns the error for an unknown feed id, with the nearest known id.
fn no_feed(config: &Config, id: &str) -> anyhow::Error {
    absent("feed", id, config.feeds.iter().map(|feed| feed.id.as_str()))
}

/// Returns the error for an unknown section id, with the nearest known id.
fn no_section(config: &Config, id: &str) -> anyhow::Error {
    absent("section", id, config.sections.iter().map(|section| section.id.as_str()))
}

fn absent<'c>(what: &str, id: &str, known: impl Iterator<Item = &'c str>) -> anyhow::Error {
    let hint = like(id, known).unwrap_or_else(|| format!("`newswire {what}s` lists them"));
    anyhow::anyhow!("there is no {what} {:?}; {hint}", config::masked_urls(id))
}

/// Returns a question such as `did you mean "beta"?`; `None` if no known id is similar.
fn like<'c>(id: &str, known: impl Iterator<Item = &'c str>) -> Option<String> {
    config::nearest(id, known).map(|nearest| format!("did you mean {nearest:?}?"))
}

/// Splits or joins stories, in this process or through the daemon that has the store open. A dry run changes nothing.
fn edit(config: Option<&Path>, command: &str, edit: Edit, dry_run: bool) -> Result<EditOutcome, CommandError> {
    let config = Arc::new(load(config)?.config);
    if !config.store.path.exists() {
        return Err(StoreError::Missing(config.store.path.clone()).into());
    }
    runtime()?.block_on(async {
        match upgrade::open(&config.store.path, &format!("`newswire {command}`")) {
            Ok(store) if dry_run => Ok(control::perform(&store, config, &edit, Mode::DryRun, now()).await?),
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
                    other => Err(anyhow::anyhow!("unexpected answer from the daemon: {other:?}").into()),
                }
            }
        }
    })
}

/// Lists the stories that the user may have meant, with their dates and ids.
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
        text.push_str("  … and more; use `newswire search` to find the story\n");
    }
    text
}

/// Sends the request to the daemon that has the store open. If there is no such daemon, returns `held` as the error.
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

/// Prints one line per section: how many stories an editor's command added and removed.
fn print_sections(sections: &BTreeMap<SectionId, Moves>) -> std::io::Result<()> {
    let line = |(section, moves): (&SectionId, &Moves)| {
        let (entered, left) = (moves.entered, moves.left);
        format!("  {section}: {entered} in, {left} out\n")
    };
    print(&sections.iter().map(line).collect::<String>())
}

/// Creates the async runtime of a command.
fn runtime() -> Result<tokio::runtime::Runtime, CommandError> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}
