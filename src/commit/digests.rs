//! Makes the digests of sections, whose periods ended.

use std::sync::Arc;

use crate::config::{Config, Section};
use crate::rows::{Digest, DigestKind, DigestProgress};
use crate::schedule::Period;
use crate::section::{self, DIGEST_STORIES, DIGESTS, DigestStep};
use crate::shown;
use crate::store::{Store, StoreError, Turn, View};
use crate::story;
use crate::time::Timestamp;

/// Makes the digests of a section whose periods ended, and notes if digests were switched on or off. Returns when the
/// next digest is made; `None` if the section has no digests.
///
/// # Errors
///
/// Returns the errors of the store; the next call then makes the remaining digests.
pub async fn make_digests(
    store: &Store,
    config: &Arc<Config>,
    section: &Arc<Section>,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    loop {
        let (of_config, of_section) = (config.clone(), section.clone());
        let reading = store.read(move |view| {
            let steps = steps(view, &of_config, &of_section, now)?;
            let progress = view.digest_progress(view.section(&of_section.id)?.number)?;
            Ok((steps.is_empty(), section::next_digest(&of_config.site, &of_section, &progress)))
        });
        let (is_done, next) = reading.await?;
        if is_done {
            return Ok(next);
        }
        // Each step is a transaction of its own: the digest, its stories and the progress are written together or not
        // at all.
        let (of_config, of_section) = (config.clone(), section.clone());
        store.turn(move |turn| take_steps(turn, &of_config, &of_section, now)).await?;
    }
}

/// Returns the next step of each kind for which there is something to do, and its progress before.
fn steps(
    view: &View,
    config: &Config,
    section: &Section,
    now: Timestamp,
) -> Result<Vec<(DigestKind, DigestStep, Option<DigestProgress>)>, StoreError> {
    let known = view.digest_progress(view.section(&section.id)?.number)?;
    let step = |kind: DigestKind| {
        let progress = known.iter().find(|(known, _)| *known == kind).map(|(_, progress)| *progress);
        (kind, section::digest_step(&config.site, section, kind, progress.as_ref(), now), progress)
    };
    Ok(DigestKind::ALL.map(step).into_iter().filter(|(_, step, _)| *step != DigestStep::Nothing).collect())
}

fn take_steps(turn: &Turn, config: &Config, section: &Section, now: Timestamp) -> Result<(), StoreError> {
    let number = turn.section(&section.id)?.number;
    for (kind, step, before) in steps(turn, config, section, now)? {
        match (step, before) {
            (DigestStep::Begin(progress), _) => turn.note_digests(number, kind, &progress)?,
            (DigestStep::Repeat(progress), _) => {
                turn.remove_digests(number, kind, progress.day)?;
                turn.note_digests(number, kind, &progress)?;
            }
            (DigestStep::Make(period), Some(progress)) => {
                make(turn, config, section, period, &progress)?;
                let entered = turn.first_entered(number, period.end(config.site.timezone))?;
                let after = section::after_digest(&config.site, &progress, period, entered, now);
                turn.note_digests(number, kind, &after)?;
            }
            (DigestStep::End, _) => turn.end_digests(number, kind)?,
            (DigestStep::Nothing | DigestStep::Make(_), _) => {}
        }
    }
    Ok(())
}

/// Makes the digest of a period, unless no story entered in it.
fn make(
    turn: &Turn,
    config: &Config,
    section: &Section,
    period: Period,
    progress: &DigestProgress,
) -> Result<(), StoreError> {
    let number = turn.section(&section.id)?.number;
    let ends = period.end(config.site.timezone);
    let (entered, total) = turn.entered_between((number, period.kind), (progress.since, ends), DIGEST_STORIES)?;
    let stories = shown::digest_stories(turn, config, section, &entered)?;
    if stories.is_empty() {
        return Ok(());
    }
    let listed: Vec<_> = stories.iter().filter_map(|story| story::slug_number(&story.slug)).collect();
    // A digest that exists for this day was made before digests were switched off. It stays.
    if turn.digests(number, period.kind)?.iter().any(|digest| digest.day == period.day) {
        return Ok(());
    }
    let more = total.saturating_sub(entered.len());
    let digest = Digest { kind: period.kind, day: period.day, ends, more, stories };
    turn.write_digest(number, &digest, &listed, DIGESTS)
}
