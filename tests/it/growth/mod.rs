//! What work costs on hostile input: twice the input takes at most three times the time, at every stage from bytes to stories.
//!
//! Compares times of one thread's processor, so that other work on the machine counts little, and measures again before it fails.

mod documents;
mod stages;

use std::time::Duration;

use newswire::newsroom::Cleaned;
use newswire::normalize;
use newswire::parse::{Hints, ParseError, parse};
use url::Url;

/// What a thread of the worker pool has.
const STACK_BYTES: usize = 2 << 20;

/// Twice the input may take so many times as long.
const MOST_GROWTH: f64 = 3.0;

/// Shorter times say nothing of how they grow.
const LEAST_TIME: Duration = Duration::from_millis(2);

/// So often is a case measured that seems to grow too fast.
const ATTEMPTS: usize = 6;

/// The processor's time that this thread has had.
fn time_of_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("nanoseconds of a second"))
}

/// How long `run` takes with an input, the input not counted.
fn time<T>(input: &T, run: impl Fn(&T)) -> Duration {
    let start = time_of_thread();
    run(input);
    time_of_thread() - start
}

/// Asserts that twice the input takes at most three times the time, at this size or at the next. `size` is in whatever unit `make` understands.
#[track_caller]
fn check_growth<T>(name: &str, size: usize, make: impl Fn(usize) -> T, run: impl Fn(&T)) {
    let (once, twice) = (make(size), make(2 * size));
    let (mut small, mut large) = (time(&once, &run), time(&twice, &run));
    for attempt in 0..ATTEMPTS {
        // The least of all measurements is the nearest to what it takes.
        if large.as_secs_f64() <= MOST_GROWTH * small.max(LEAST_TIME).as_secs_f64() {
            return;
        }
        if attempt % 2 == 1 {
            small = small.min(time(&once, &run));
        }
        large = large.min(time(&twice, &run));
    }
    // A step at one size, such as where a bound is met or memory comes in larger pieces, is no growth: that goes on.
    let quadruple = make(4 * size);
    let largest = (0..ATTEMPTS).map(|_| time(&quadruple, &run)).min().expect("there are attempts");
    let goes_on = largest.as_secs_f64() > MOST_GROWTH * large.as_secs_f64();
    assert!(!goes_on, "{name}: {small:?} at {size}, {large:?} at twice as much, {largest:?} at four times as much");
}

/// All that happens to a document before it reaches the store.
fn read_and_clean(document: &[u8]) -> Result<usize, ParseError> {
    let base = Url::parse("https://example.org/feed").unwrap();
    let feed = parse(document, &Hints { content_type: None, base: Some(&base) })?;
    normalize::info(&feed);
    let cleaned =
        feed.entries.iter().map(|entry| Cleaned::new(normalize::entry(entry, &feed), newswire::store::encode_entry));
    Ok(cleaned.filter(|cleaned| !cleaned.entry.guid.value.is_empty()).count())
}

/// Runs on the stack of a worker thread: nothing may recurse as deeply as its input nests.
fn on_worker(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
