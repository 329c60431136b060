//! `newswire explain`: shows a story, its copies, and why it is or is not in each section.

use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;
use serde::Serialize;

use super::output::{columns, print, safe, wrap};
use super::{CommandError, Done, load_with_reader, no_section};
use crate::clock;
use crate::config::{Config, Section};
use crate::daemon::control::Unclear;
use crate::reason::{JoinReason, RulePlace, Why};
use crate::rows::StoredStory;
use crate::section::{self, SeenCopy, ShownStory};
use crate::shown::{self, Explained, Infos};
use crate::store::{Reader, StoreError};
use crate::story::LeadRule;
use crate::time::Timestamp;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The story's published id, slug, number or page, a link in any spelling, or words of its title; if several stories
    /// match, lists them and exits with 2
    story: String,
    /// Only this section
    #[arg(long)]
    section: Option<String>,
    /// Print one object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Explanation {
    story: StoryPart,
    sections: Vec<SectionPart>,
}

#[derive(Serialize)]
struct StoryPart {
    id: String,
    title: String,
    sort_at: Timestamp,
    /// The date that pages and editions show.
    published: Timestamp,
    copies: Vec<CopyPart>,
}

#[derive(Serialize)]
struct CopyPart {
    feed: String,
    guid: String,
    link: Option<String>,
    lead: bool,
    /// Why the copy belongs to this story: first, link, original …
    reason: JoinReason,
    score: Option<f64>,
    /// Why this copy is the lead; `None` for the others.
    why: Option<&'static str>,
    why_code: Option<&'static str>,
    /// The date that the feed claims; may be in the future.
    claimed: Option<Timestamp>,
}

#[derive(Serialize)]
struct SectionPart {
    section: String,
    r#in: bool,
    why: String,
    why_code: &'static str,
    rule: Option<RulePlace>,
    entered: Option<Timestamp>,
    left: Option<Timestamp>,
    /// Whether the story is in the section now, according to the store. Absent if this equals `in`, which follows from
    /// the current config.
    #[serde(skip_serializing_if = "Option::is_none")]
    now_in: Option<bool>,
}

/// Runs `newswire explain`.
pub(super) fn run(config: Option<&Path>, args: &Args) -> Done {
    let (config, reader) = load_with_reader(config)?;
    let reader = reader.ok_or_else(|| StoreError::Missing(config.store.path.clone()))?;
    let story = find(&reader, &config, &args.story)?;
    let wanted: Vec<_> =
        config.sections.iter().filter(|s| args.section.as_ref().is_none_or(|id| id == s.id.as_str())).collect();
    if let Some(id) = args.section.as_deref().filter(|_| wanted.is_empty()) {
        return Err(no_section(&config, id).into());
    }
    let as_shown = shown::first_shown(&reader, &config, story.number, &Infos::of(&reader))?;
    let explained = shown::explain(&reader, &config, story)?;
    let sections = wanted.iter().map(|section| of_section(section, &explained)).collect();
    let explanation = Explanation { story: of_story(&explained, as_shown.as_ref()), sections };
    let text =
        if args.json { serde_json::to_string_pretty(&explanation)? + "\n" } else { as_text(&explanation, &config) };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the story whose id, slug, number, page or link is `wanted`. If there is none, returns the only story that
/// matches the words of `wanted`. If several match, returns the one whose title is exactly these words, if there is
/// just one.
fn find(reader: &Reader, config: &Config, wanted: &str) -> Result<StoredStory, CommandError> {
    let mut named = shown::named(reader, Some(&config.site.url), wanted)?;
    if named.len() == 1 {
        return Ok(named.remove(0));
    }
    let candidates = match named.is_empty() {
        true => shown::meant(reader, config, wanted)?,
        false => named.into_iter().map(|story| shown::candidate(reader, config, story)).collect::<Result<_, _>>()?,
    };
    let title = wanted.trim().to_lowercase();
    let mut exact = candidates.iter().filter(|candidate| candidate.title.trim().to_lowercase() == title);
    let only = match (&*candidates, exact.next(), exact.next()) {
        ([only], ..) => only,
        (_, Some(only), None) => only,
        ([], ..) => {
            return Err(anyhow!("no story has {wanted:?} as its id, slug, number or link, or in its title").into());
        }
        _ => return Err(Unclear { wanted: wanted.to_owned(), candidates }.into()),
    };
    let story = reader.story_by_id(&only.id)?;
    Ok(story.ok_or_else(|| anyhow!("the story {} has just been removed", only.id))?)
}

/// Returns the lead and why it leads. The lead is the copy that pages and editions show. If no section shows the story,
/// the lead is chosen from all its copies.
fn lead_of<'e>(
    explained: &'e Explained,
    shown: Option<&(&Section, ShownStory)>,
) -> Option<(&'e SeenCopy<'e>, LeadRule)> {
    let all: Vec<&SeenCopy> = explained.copies.iter().collect();
    let seen = shown.map_or(all, |(section, _)| section::visible(section, &explained.copies));
    if seen.is_empty() {
        return None;
    }
    let (at, rule) = section::lead(&seen);
    let shown = shown.and_then(|(_, shown)| shown.copies.iter().find(|copy| copy.lead));
    match shown.and_then(|shown| seen.iter().find(|copy| copy.feed.id == shown.feed)) {
        Some(kept) if kept.number != seen[at].number => Some((kept, LeadRule::Kept)),
        _ => Some((seen[at], rule)),
    }
}

fn of_story(explained: &Explained, shown: Option<&(&Section, ShownStory)>) -> StoryPart {
    let seen: Vec<&SeenCopy> = explained.copies.iter().collect();
    let lead = lead_of(explained, shown);
    let copies = explained.all.iter().map(|copy| {
        let is_lead = lead.is_some_and(|(lead, _)| lead.feed.id == copy.feed && lead.entry.guid.value == copy.guid);
        let seen = seen.iter().find(|seen| seen.feed.id == copy.feed && seen.entry.guid.value == copy.guid);
        CopyPart {
            feed: copy.feed.to_string(),
            guid: copy.guid.clone(),
            link: copy.link.as_ref().map(url::Url::to_string),
            lead: is_lead,
            reason: copy.reason,
            score: copy.score,
            why: lead.filter(|_| is_lead).map(|(_, rule)| rule.why()),
            why_code: lead.filter(|_| is_lead).map(|(_, rule)| rule.code()),
            claimed: seen.and_then(|seen| seen.entry.published),
        }
    });
    let title = shown.map(|(_, shown)| shown.entry.title.clone());
    let title = title.or_else(|| lead.map(|(lead, _)| lead.entry.title.clone()));
    let title = title.or_else(|| explained.all.first().map(|copy| copy.title.clone()));
    let published = shown.map(|(_, shown)| shown.published);
    let published = published.or_else(|| lead.map(|(lead, _)| section::published_of(&lead.entry, lead.first_seen)));
    StoryPart {
        id: explained.story.id.clone(),
        title: title.unwrap_or_default(),
        sort_at: explained.story.sort_at,
        published: published.unwrap_or(explained.story.sort_at),
        copies: copies.collect(),
    }
}

fn of_section(section: &Section, explained: &Explained) -> SectionPart {
    let visible = section::visible(section, &explained.copies);
    let verdict = section::judge(section, &visible, explained.story.sort_at, clock::now());
    let placement = explained.placements.get(&section.id);
    let (is_in, why) = match (verdict, placement) {
        (Some(verdict), _) => (verdict.is_in, verdict.why),
        (None, Some(placement)) => (placement.left.is_none(), placement.why.clone()),
        (None, None) => (false, Why::TakesNone),
    };
    SectionPart {
        section: section.id.to_string(),
        r#in: is_in,
        why: match why {
            // Leave out the section, because the sentence around this names it already.
            Why::TakesNone => "none of the story's feeds belongs to it".to_owned(),
            _ => why.to_string(),
        },
        why_code: why.code(),
        rule: why.rule(),
        entered: placement.and_then(|placement| placement.entered),
        left: placement.and_then(|placement| placement.left),
        now_in: Some(placement.is_some_and(|placement| placement.left.is_none())).filter(|now_in| *now_in != is_in),
    }
}

fn as_text(explanation: &Explanation, config: &Config) -> String {
    let story = &explanation.story;
    let day =
        |time: Timestamp| time.datetime().with_timezone(&config.site.timezone).format("%-d %B %Y, %H:%M").to_string();
    let mut text = format!("{}\n{}\nPublished {}.\n\n", safe(&story.title), safe(&story.id), day(story.published));
    for part in &explanation.sections {
        text.push_str(&wrap(&sentence(part, &day), columns(), "  "));
    }
    let heading = if story.copies.len() == 1 { "One copy:" } else { "Copies:" };
    text.push_str(&format!("\n{heading}\n"));
    for copy in &story.copies {
        text.push_str(&wrap(&format!("  {}: {}", copy.feed, of_copy(copy)), columns(), "    "));
        text.push_str(&format!("    {}\n", safe(copy.link.as_deref().unwrap_or(&copy.guid))));
        if let Some(claimed) = copy.claimed.filter(|claimed| *claimed > clock::now()) {
            text.push_str(&format!("    the feed dates it in the future: {}\n", day(claimed)));
        }
    }
    text
}

/// Returns a sentence such as `In international since 20 December 2017, 09:30: keep[0] matched category
/// region:international.`.
fn sentence(part: &SectionPart, day: &dyn Fn(Timestamp) -> String) -> String {
    let SectionPart { section, why, .. } = part;
    let since = |time: Option<Timestamp>| time.map(|time| format!(" since {}", day(time))).unwrap_or_default();
    let state = match (part.r#in, part.now_in) {
        (true, Some(_)) => format!("Not in {section} yet, but this config puts the story there"),
        (false, Some(_)) => format!("In {section}{}, but this config takes the story out", since(part.entered)),
        (true, None) => format!("In {section}{}", since(part.entered)),
        (false, None) if part.entered.is_some() => format!("No longer in {section}{}", since(part.left)),
        (false, None) => format!("Not in {section}"),
    };
    format!("{state}: {}.", safe(why))
}

/// Says why a copy belongs to the story, and for the lead why it leads.
fn of_copy(copy: &CopyPart) -> String {
    let why = match copy.reason {
        JoinReason::First => "first seen",
        JoinReason::Link => "has the story's link",
        JoinReason::Original => "names the same original",
        JoinReason::Id => "has the story's id or the guid of another copy",
        JoinReason::Text => "has a similar text",
        JoinReason::Editor => "joined by an editor",
    };
    let score = copy.score.map(|score| format!(", {:.0} % similar", score * 100.0)).unwrap_or_default();
    let lead = copy.why.map(|why| format!("; leads because {why}")).unwrap_or_default();
    format!("{why}{score}{lead}")
}
