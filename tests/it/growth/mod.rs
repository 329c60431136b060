//! The cost of work on hostile input: twice the input takes at most three times the time, at every stage from bytes to
//! stories.
//!
//! The tests compare the processor time of one thread, so that other work on the machine matters little. They measure
//! several times before they fail.

mod documents;
mod stages;

use std::time::Duration;

use newswire::newsroom::Cleaned;
use newswire::normalize;
use newswire::parse::{Hints, ParseError, parse};
use url::Url;

/// The stack size of a thread of the worker pool.
const STACK_BYTES: usize = 2 << 20;

/// The factor by which the time may grow if the input is doubled.
const MOST_GROWTH: f64 = 3.0;

/// The shortest time that is precise enough to be compared.
const LEAST_TIME: Duration = Duration::from_millis(2);

/// How often a case is measured again if its time seems to grow too fast.
const ATTEMPTS: usize = 6;

/// Returns the processor time of this thread.
fn time_of_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).expect("nanoseconds of a second"))
}

/// Returns how long `run` takes. The time in which the input is made does not count.
fn time<T>(input: &T, run: impl Fn(&T)) -> Duration {
    let start = time_of_thread();
    run(input);
    time_of_thread() - start
}

/// Asserts that an input of twice the `size` takes at most three times as long. If it takes longer, an input of four
/// times the `size` must not take three times as long again. The unit of `size` depends on `make`.
#[track_caller]
fn check_growth<T>(name: &str, size: usize, make: impl Fn(usize) -> T, run: impl Fn(&T)) {
    let (once, twice) = (make(size), make(2 * size));
    let (mut small, mut large) = (time(&once, &run), time(&twice, &run));
    for attempt in 0..ATTEMPTS {
        // Other work can only lengthen a measurement, so the shortest one is the most accurate.
        if large.as_secs_f64() <= MOST_GROWTH * small.max(LEAST_TIME).as_secs_f64() {
            return;
        }
        if attempt % 2 == 1 {
            small = small.min(time(&once, &run));
        }
        large = large.min(time(&twice, &run));
    }
    // A jump at one size, for example at a limit or because memory comes in larger pieces, does not repeat at the next
    // size. Growth by a factor does.
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

/// Runs on a thread with the stack of a worker thread. Recursion as deep as the nesting of the input overflows this
/// stack, and the test fails.
fn on_worker(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
