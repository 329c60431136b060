//! Decides when the digests of a section are made: `digest` in the config.
//!
//! The policy: a digest has the stories that entered the section in a period, a day or a week in the site's time zone,
//! and that are in the section at its end. It is made once, at that end. The first digest is that of the first whole
//! period after digests were switched on. If the clock was ahead, the digests that were made too early are made again.
//! This module does no I/O.

use std::time::Duration;

use crate::config::{Section, Site};
use crate::rows::{DigestKind, DigestProgress};
use crate::schedule::Period;
use crate::time::Timestamp;

/// The most stories of a digest: a reader looks through no more.
pub const DIGEST_STORIES: usize = 50;

/// How many digests of each kind are kept and published.
pub const DIGESTS: usize = 10;

/// How long after the end of its period a digest is made. A poll may still write stories that it read before the end.
const GRACE: Duration = Duration::from_secs(60);

/// What must be done for the digests of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestStep {
    /// Nothing now.
    Nothing,
    /// Note that digests were switched on.
    Begin(DigestProgress),
    /// The clock was ahead: remove the digests from this day on, and go on from there.
    Repeat(DigestProgress),
    /// Make the digest of this period.
    Make(Period),
    /// Note that digests were switched off. Those that were made stay.
    End,
}

/// Returns what must be done now for the digests of one kind in a section.
pub fn digest_step(
    site: &Site,
    section: &Section,
    kind: DigestKind,
    progress: Option<&DigestProgress>,
    now: Timestamp,
) -> DigestStep {
    let zone = site.timezone;
    let current = Period::of(kind, now, zone);
    match (section.digest.contains(&kind), progress) {
        (false, None) => DigestStep::Nothing,
        (false, Some(_)) => DigestStep::End,
        (true, None) => {
            let first = if current.start(zone) == now { current } else { current.next() };
            DigestStep::Begin(DigestProgress { first: first.day, day: first.day, since: first.start(zone) })
        }
        (true, Some(progress)) if progress.day > current.day.max(progress.first) => {
            let day = current.day.max(progress.first);
            DigestStep::Repeat(DigestProgress { day, since: Period { kind, day }.start(zone), ..*progress })
        }
        (true, Some(progress)) => {
            let period = Period { kind, day: progress.day };
            if now >= period.end(zone) + GRACE { DigestStep::Make(period) } else { DigestStep::Nothing }
        }
    }
}

/// Returns when the next digest of a section is made; `None` if the section has no digests.
pub fn next_digest(site: &Site, section: &Section, progress: &[(DigestKind, DigestProgress)]) -> Option<Timestamp> {
    let wanted = progress.iter().filter(|(kind, _)| section.digest.contains(kind));
    wanted.map(|(kind, progress)| Period { kind: *kind, day: progress.day }.end(site.timezone) + GRACE).min()
}

/// Returns the progress after the digest of `made`. `entered` is when the first story entered the section since its end.
/// Periods in which no story entered have no digest.
pub fn after_digest(
    site: &Site,
    progress: &DigestProgress,
    made: Period,
    entered: Option<Timestamp>,
    now: Timestamp,
) -> DigestProgress {
    let (zone, next) = (site.timezone, made.next());
    let of_story = Period::of(made.kind, entered.unwrap_or(now).min(now), zone);
    if of_story.day > next.day {
        return DigestProgress { day: of_story.day, since: of_story.start(zone), ..*progress };
    }
    DigestProgress { day: next.day, since: made.end(zone).max(progress.since), ..*progress }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::super::sample;
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_datetime(format!("{text}Z").parse().unwrap())
    }

    fn progress(first: &str, day: &str) -> DigestProgress {
        let (first, day): (NaiveDate, NaiveDate) = (first.parse().unwrap(), day.parse().unwrap());
        // The time zone of the sample is UTC.
        DigestProgress { first, day, since: at(&format!("{day}T00:00:00")) }
    }

    #[test]
    fn digest_is_made_once_after_the_end_of_each_whole_period() {
        let config = sample::config("digest = [\"daily\"]");
        let check = |progress: Option<DigestProgress>, now: &str, expected: DigestStep| {
            let (site, section) = (&config.site, &config.sections[0]);
            let step = digest_step(site, section, DigestKind::Daily, progress.as_ref(), at(now));
            assert_eq!(step, expected, "{now} {progress:?}");
        };
        let of = |day: &str| DigestStep::Make(Period { kind: DigestKind::Daily, day: day.parse().unwrap() });
        check(None, "2026-11-29T13:00:00", DigestStep::Begin(progress("2026-11-30", "2026-11-30")));
        check(None, "2026-11-29T00:00:00", DigestStep::Begin(progress("2026-11-29", "2026-11-29")));
        let begun = Some(progress("2026-11-30", "2026-11-30"));
        check(begun, "2026-11-29T14:00:00", DigestStep::Nothing);
        check(begun, "2026-12-01T00:00:30", DigestStep::Nothing);
        check(begun, "2026-12-01T00:01:00", of("2026-11-30"));
        check(begun, "2027-03-01T00:00:00", of("2026-11-30"));
        // The clock was ahead by some time.
        let ahead = Some(progress("2026-11-20", "2026-12-01"));
        check(ahead, "2026-11-30T23:00:00", DigestStep::Repeat(progress("2026-11-20", "2026-11-30")));
        check(ahead, "2026-12-01T00:00:00", DigestStep::Nothing);
        let ahead = Some(progress("2026-11-30", "2029-01-01"));
        check(ahead, "2026-11-29T13:00:00", DigestStep::Repeat(progress("2026-11-30", "2026-11-30")));
        let without = sample::config("");
        let step = |progress| {
            digest_step(&without.site, &without.sections[0], DigestKind::Daily, progress, at("2026-11-30T00:00:00"))
        };
        assert_eq!((step(None), step(ahead.as_ref())), (DigestStep::Nothing, DigestStep::End));
    }

    #[test]
    fn periods_without_stories_are_skipped() {
        let config = sample::config("digest = [\"daily\"]");
        let made = Period { kind: DigestKind::Daily, day: "2026-11-20".parse().unwrap() };
        let check = |entered: Option<&str>, expected: &str| {
            let before = progress("2026-11-10", "2026-11-20");
            let after = after_digest(&config.site, &before, made, entered.map(at), at("2026-11-29T13:00:00"));
            assert_eq!(after, progress("2026-11-10", expected));
        };
        check(Some("2026-11-21T00:00:00"), "2026-11-21");
        check(Some("2026-11-25T10:00:00"), "2026-11-25");
        check(None, "2026-11-29");
        check(Some("2031-01-01T00:00:00"), "2026-11-29");
    }
}
