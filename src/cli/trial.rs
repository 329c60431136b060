//! `newswire try`: shows which stories a changed config, or additional rules, would add to sections and remove. Changes
//! nothing.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::anyhow;

use super::output::{columns, count, cut, print, safe, story_date, wrap};
use super::{CommandError, Done, load, no_section};
use crate::clock;
use crate::config::{self, Config, Section};
use crate::feed::SectionId;
use crate::files;
use crate::rule::Rule;
use crate::store::{Reader, StoreError};
use crate::trial::{self, Move, RuleTrial, SectionTrial, Trial};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this section
    #[arg(long, value_name = "ID")]
    section: Option<String>,
    /// An additional keep rule for the section, such as 'title=/ferr(y|ies)/' or '{ tag = "world", words = ">300" }'
    #[arg(long, value_name = "RULE", requires = "section")]
    keep: Vec<String>,
    /// An additional drop rule for the section
    #[arg(long, value_name = "RULE", requires = "section")]
    drop: Vec<String>,
    /// List at most this many stories that enter, and that leave [--json: all]
    #[arg(long, default_value_t = 20, value_name = "N")]
    limit: usize,
    /// Exit with 1 if anything would change
    #[arg(long)]
    exit_code: bool,
    /// Print one object
    #[arg(long)]
    json: bool,
}

/// Runs `newswire try`.
pub(super) fn run(path: Option<&Path>, args: &Args) -> Done {
    let mut config = load(path)?.config;
    let reader = open_store(&config)?;
    let only = args.section.as_deref().map(SectionId::from);
    if let Some(id) = &only {
        add_rules(&mut config, id, args)?;
    }
    let trial = trial::run(&config, &reader, only.as_ref(), clock::now())?;
    print(&if args.json {
        serde_json::to_string_pretty(&trial)? + "\n"
    } else {
        as_text(&trial, &config, args.limit)
    })?;
    let has_failed = args.exit_code && trial.changes_anything();
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Opens the store of the config. If there is none, as for a draft config in another folder, opens the store of the
/// default config.
fn open_store(config: &Config) -> Result<Reader, CommandError> {
    match Reader::open(&config.store.path) {
        Err(StoreError::Missing(missing)) => {
            let in_use = std::env::var_os("NEWSWIRE_CONFIG").map(std::path::PathBuf::from);
            let in_use = files::find(in_use.as_deref()).ok().and_then(|path| files::load(&path).ok());
            let reader = in_use.and_then(|loaded| Reader::open(&loaded.config.store.path).ok());
            Ok(reader.ok_or(StoreError::Missing(missing))?)
        }
        result => Ok(result?),
    }
}

/// Appends the rules from the command line to those of the section.
fn add_rules(config: &mut Config, id: &SectionId, args: &Args) -> Result<(), CommandError> {
    let Some(at) = config.sections.iter().position(|section| section.id == *id) else {
        return Err(no_section(config, id.as_str()).into());
    };
    let parse = |texts: &[String]| texts.iter().map(|text| rule(text, config)).collect::<anyhow::Result<Vec<Rule>>>();
    let (keep, drop) =
        (parse(&args.keep).map_err(CommandError::Usage)?, parse(&args.drop).map_err(CommandError::Usage)?);
    let mut section = Section::clone(&config.sections[at]);
    section.keep.extend(keep);
    section.drop.extend(drop);
    config.sections[at] = Arc::new(section);
    Ok(())
}

fn rule(text: &str, config: &Config) -> anyhow::Result<Rule> {
    config::parse_rule(text, config).map_err(|problems| {
        let messages = problems.iter().map(|problem| match &problem.hint {
            Some(hint) => format!("{} ({hint})", problem.message),
            None => problem.message.clone(),
        });
        anyhow!("the rule {text:?}: {}", messages.collect::<Vec<_>>().join("; "))
    })
}

fn as_text(trial: &Trial, config: &Config, limit: usize) -> String {
    let mut text = String::new();
    for section in &trial.sections {
        text.push_str(&of_section(section, config, limit));
        for rule in trial.rules.iter().filter(|rule| rule.section == section.section) {
            text.push_str(&wrap(&format!("  {}: {}", rule.rule, effect(rule)), columns(), "    "));
        }
        text.push('\n');
    }
    for warning in &trial.warnings {
        text.push_str(&wrap(&format!("warning: {}", safe(warning)), columns(), "  "));
    }
    if !trial.changes_anything() {
        text.push_str("nothing would change\n");
    }
    format!("{}\n", text.trim_end())
}

/// Describes what a rule does, such as `14 stories, 3 of them in the last week; 2 more are decided by other rules`.
fn effect(rule: &RuleTrial) -> String {
    let stories = match (rule.stories, rule.last_week) {
        (0, _) if rule.matches == 0 => "matches no story".to_owned(),
        (0, _) => "decides no story".to_owned(),
        (1, 0) => "1 story, not in the last week".to_owned(),
        (1, _) => "1 story, in the last week".to_owned(),
        (stories, 0) => format!("{stories} stories, none of them in the last week"),
        (stories, week) => format!("{stories} stories, {week} of them in the last week"),
    };
    match rule.matches - rule.stories {
        0 => stories,
        1 => format!("{stories}; 1 more is decided by another rule"),
        overruled => format!("{stories}; {overruled} more are decided by other rules"),
    }
}

fn of_section(section: &SectionTrial, config: &Config, limit: usize) -> String {
    let SectionTrial { section: id, enter, leave, before, after } = section;
    let now = count(*before, "story", "stories");
    let (enters, leaves) = (count(enter.len(), "enters", "enter"), count(leave.len(), "leaves", "leave"));
    let mut text = format!("{id}: {now} now, {after} then: {enters}, {leaves}\n");
    for (sign, moves) in [('+', enter), ('-', leave)] {
        for story in moves.iter().take(limit) {
            text.push_str(&line(sign, story, config));
        }
        if moves.len() > limit {
            text.push_str(&format!("  {sign} and {} more\n", moves.len() - limit));
        }
    }
    text
}

fn line(sign: char, story: &Move, config: &Config) -> String {
    let date = story_date(story.sort_at, config);
    let title = cut(&safe(&story.title), columns() - 15);
    let why = cut(&safe(&story.why), columns() - 15);
    format!("  {sign} {date} {title}\n               {why}\n")
}
