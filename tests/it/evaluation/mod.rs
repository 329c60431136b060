//! Measures how well stories are recognised: polls labelled pairs of entries into a real store, class by class.
//!
//! `stories.toml` has stories in many languages, written for this set; `long_stories.toml` has longer ones. [`copies`]
//! makes the copies that other sites publish of a story, and [`templates`] changes stories as site templates do.
//! [`neighbours`] makes pairs that must stay apart although they have much in common, some of them by filling the forms
//! of `forms.toml` and `notices.toml`. The pairs of a class are in one store if their texts differ. Each pair has two
//! feeds of its own, so that a merge across pairs is found too. The recognition rules were tuned on these pairs, so the
//! results do not predict those for other feeds.
//!
//! `cargo test --test it evaluation -- --nocapture` prints a table of the results. The targets: at most one merge in
//! two hundred is false. In each class, at least 97 % of the copies that share a link are found, or at least 90 % of
//! those that share their text.

use crate::support::bed;
mod copies;
mod neighbours;
mod templates;

use std::collections::BTreeSet;

use bed::{Bed, config, start};
use newswire::entry::Entry;
use serde::Deserialize;

/// A story of `stories.toml` or `long_stories.toml`.
#[derive(Clone, Debug, Deserialize)]
struct Story {
    id: String,
    language: String,
    title: String,
    text: String,
    /// The id of the story of which this one is a translation.
    translates: Option<String>,
    /// Pairs of words: a copy editor replaced the first by the second.
    #[serde(default)]
    reword: Vec<(String, String)>,
}

/// Two entries, each from a feed of its own.
struct Pair {
    name: String,
    language: String,
    one: Entry,
    other: Entry,
}

/// Pairs of one kind. Either every pair is one story, or every pair is two stories.
struct Class {
    name: &'static str,
    sign: Sign,
    /// Whether several pairs share a text.
    shares_texts: bool,
    pairs: Vec<Pair>,
}

/// The evidence that the entries of a pair are one story.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    Link,
    Text,
    /// No evidence: the entries are two stories.
    Nothing,
}

/// The result for the pairs of a class.
#[derive(Default)]
struct Outcome {
    pairs: usize,
    joined: usize,
    /// The names of pairs that were joined wrongly.
    false_merges: Vec<String>,
    missed: Vec<String>,
}

fn stories() -> Vec<Story> {
    #[derive(Deserialize)]
    struct File {
        story: Vec<Story>,
    }
    let files = [include_str!("stories.toml"), include_str!("long_stories.toml")];
    files.into_iter().flat_map(|file| toml::from_str::<File>(file).unwrap().story).collect()
}

/// Polls the pairs of a class into one store, and counts the pairs that become one story. If several pairs share a
/// text, each pair gets its own store.
async fn judge(class: &Class) -> Outcome {
    if !class.shares_texts {
        return judge_together(&class.pairs, class.sign).await;
    }
    let mut all = Outcome::default();
    for pair in &class.pairs {
        let outcome = judge_together(std::slice::from_ref(pair), class.sign).await;
        all.pairs += outcome.pairs;
        all.joined += outcome.joined;
        all.false_merges.extend(outcome.false_merges);
        all.missed.extend(outcome.missed);
    }
    all
}

async fn judge_together(pairs: &[Pair], sign: Sign) -> Outcome {
    let feeds: String = (0..pairs.len())
        .flat_map(|at| {
            ["one", "other"]
                .map(|side| format!("[[feed]]\nid = \"{side}-{at}\"\nurl = \"https://{side}-{at}.example/feed\"\n"))
        })
        .collect();
    let all = "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\nlimit = 500";
    let mut bed = Bed::new(config(&format!("[site]\ntitle = \"Test\"\n{feeds}{all}"))).await;
    // All polls are at the same time, so that all pairs are inside the window in which texts are compared.
    for (at, pair) in pairs.iter().enumerate() {
        bed.now = start();
        bed.poll(&format!("one-{at}"), std::slice::from_ref(&pair.one)).await;
    }
    for (at, pair) in pairs.iter().enumerate() {
        bed.now = start();
        bed.poll(&format!("other-{at}"), std::slice::from_ref(&pair.other)).await;
    }
    let mut joined = BTreeSet::new();
    let mut crossed = Vec::new();
    for story in bed.shown("all").await {
        let result: BTreeSet<usize> =
            story.copies.iter().map(|copy| copy.feed.as_str().rsplit('-').next().unwrap().parse().unwrap()).collect();
        if result.len() > 1 {
            crossed.push(result.iter().map(|at| pairs[*at].name.as_str()).collect::<Vec<_>>().join(" with "));
        } else if story.copies.len() > 1 {
            joined.extend(result);
        }
    }
    let name = |at: usize| pairs[at].name.clone();
    let (mut false_merges, mut missed) = (crossed, Vec::new());
    match sign {
        Sign::Nothing => false_merges.extend(joined.iter().copied().map(name)),
        Sign::Link | Sign::Text => missed.extend((0..pairs.len()).filter(|at| !joined.contains(at)).map(name)),
    }
    Outcome { pairs: pairs.len(), joined: joined.len(), false_merges, missed }
}

#[tokio::test]
async fn recognition_meets_its_targets() {
    let stories = stories();
    let classes: Vec<Class> = [copies::classes(&stories), templates::classes(&stories), neighbours::classes(&stories)]
        .into_iter()
        .flatten()
        .collect();
    let (mut pairs, mut right, mut wrong) = (0, 0, 0);
    let mut failures = Vec::new();
    println!("{:<28} {:>6} {:>6} {:>7} {:>7}", "class", "pairs", "joined", "wrong", "recall");
    for class in &classes {
        let outcome = judge(class).await;
        pairs += outcome.pairs;
        let is_one = class.sign != Sign::Nothing;
        right += if is_one { outcome.joined } else { 0 };
        wrong += outcome.false_merges.len();
        let recall = outcome.joined as f64 / outcome.pairs as f64;
        let shown = if is_one { format!("{:.1} %", recall * 100.0) } else { "–".to_owned() };
        println!(
            "{:<28} {:>6} {:>6} {:>7} {shown:>7}",
            class.name,
            outcome.pairs,
            outcome.joined,
            outcome.false_merges.len()
        );
        outcome.false_merges.iter().for_each(|pair| println!("    wrongly joined: {pair}"));
        outcome.missed.iter().for_each(|pair| println!("    missed: {pair}"));
        let aim = match class.sign {
            Sign::Link => 0.97,
            Sign::Text => 0.90,
            Sign::Nothing => 0.0,
        };
        if recall < aim {
            failures.push(format!("{}: {shown}", class.name));
        }
    }
    let languages: BTreeSet<_> =
        classes.iter().flat_map(|class| &class.pairs).map(|pair| pair.language.as_str()).collect();
    let precision = right as f64 / (right + wrong) as f64;
    println!(
        "{pairs} pairs of {} stories in {} languages; precision {:.2} %, {wrong} false merges",
        stories.len(),
        languages.len(),
        precision * 100.0
    );
    assert!(pairs >= 400 && stories.len() >= 60 && languages.len() >= 6);
    assert!(precision >= 0.995, "{wrong} false merges");
    assert!(failures.is_empty(), "{failures:#?}");
}
