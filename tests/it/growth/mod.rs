//! The cost of work on hostile input: twice the input takes at most three times the time, at every stage from bytes to
//! stories.
//!
//! Compares processor time of one thread, so that other work on the machine matters little, and measures again before
//! it fails.

mod documents;
mod stages;

use std::time::Duration;

use newswire::newsroom::Cleaned;
use newswire::normalize;
use newswire::parse::{Hints, ParseError, parse};
use url::Url;

/// The stack of a thread of the worker pool.
const STACK_BYTES: usize = 2 << 20;

/// Twice the input may take this many times as long.
const MOST_GROWTH: f64 = 3.0;

/// Shorter times are too imprecise to compare.
const LEAST_TIME: Duration = Duration::from_millis(2);

/// How often a case is measured that seems to grow too fast.
const ATTEMPTS: usize = 6;

/// Returns the processor time of this thread.
fn time_of_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("nanoseconds of a second"))
}

/// Returns how long `run` takes with an input, without making the input.
fn time<T>(input: &T, run: impl Fn(&T)) -> Duration {
    let start = time_of_thread();
    run(input);
    time_of_thread() - start
}

/// Asserts that twice the input takes at most three times the time, at this size or at the next. `size` is in the unit
/// of `make`.
#[track_caller]
fn check_growth<T>(name: &str, size: usize, make: impl Fn(usize) -> T, run: impl Fn(&T)) {
    let (once, twice) = (make(size), make(2 * size));
    let (mut small, mut large) = (time(&once, &run), time(&twice, &run));
    for attempt in 0..ATTEMPTS {
        // The least of all measurements is the most accurate.
        if large.as_secs_f64() <= MOST_GROWTH * small.max(LEAST_TIME).as_secs_f64() {
            return;
        }
        if attempt % 2 == 1 {
            small = small.min(time(&once, &run));
        }
        large = large.min(time(&twice, &run));
    }
    // A jump at one size, for example at a bound or because memory comes in larger pieces, is not growth; growth
    // continues.
    let quadruple = make(4 * size);
    let largest = (0..ATTEMPTS).map(|_| time(&quadruple, &run)).min().expect("there are attempts");
    let goes_on = largest.as_secs_f64() > MOST_GROWTH * large.as_secs_f64();
    assert!(!goes_on, "{name}: {small:?} at {size}, {large:?} at twice as much, {largest:?} at four times as much");
}

/// Does everything that happens to a document before it reaches the store.
fn read_and_clean(document: &[u8]) -> Result<usize, ParseError> {
    let base = Url::parse("https://example.org/feed").unwrap();
    let feed = parse(document, &Hints { content_type: None, base: Some(&base) })?;
    normalize::info(&feed);
    let cleaned =
        feed.entries.iter().map(|entry| Cleaned::new(normalize::entry(entry, &feed), newswire::store::encode_entry));
    Ok(cleaned.filter(|cleaned| !cleaned.entry.guid.value.is_empty()).count())
}

/// Runs on the stack of a worker thread: no recursion may be as deep as the nesting of its input.
fn on_worker(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
