//! The cost of a poll that finds nothing new. `cargo test --release --test it poll::cost -- --ignored --nocapture`
//! prints it.

use std::process::Command;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use crate::poll::{Bed, DAY, FEED, start};
use crate::support::origin::{Origin, Reply};

const POLLS: u32 = 2000;

/// Returns the processor time of this process.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap())
}

/// Returns the bytes that this process has written to files.
fn written_bytes() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    io.lines().find_map(|line| line.strip_prefix("wchar: ")).unwrap().parse().unwrap()
}

/// The test below runs this one in a separate process, so that the work of the origin is not counted.
#[tokio::test]
#[ignore = "run by the test below"]
async fn polls_an_unchanged_feed() {
    let address = std::env::var("ORIGIN").unwrap();
    let feed = format!("[[feed]]\nid = \"a\"\nurl = \"http://{address}/feed\"\nallow = [\"{address}\"]");
    let bed = Bed::new(&feed, None).await;
    bed.poll_due(start()).await;
    let (time, bytes) = (processor_time(), written_bytes());
    for day in 1..=POLLS {
        assert_eq!(bed.poll_due(start() + DAY * day).await[0].status, Some(304));
    }
    let (time, bytes) = (processor_time() - time, written_bytes() - bytes);
    println!(
        "{POLLS} polls without news: {:?} of processor time and {} bytes written each",
        time / POLLS,
        bytes / u64::from(POLLS)
    );
}

#[test]
#[ignore = "a measurement, which is best made alone"]
fn cost_of_a_poll_without_news() {
    let origin = Origin::start(|request| {
        Reply::new(if request.is_conditional() { 304 } else { 200 }, &[("ETag", "\"1\"")], FEED)
    });
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "poll::cost::polls_an_unchanged_feed", "--ignored", "--nocapture"]);
    let output = child.env("ORIGIN", origin.address.to_string()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    println!("{}", text.lines().filter(|line| line.contains("without news")).collect::<String>());
    assert!(output.status.success(), "{text}");
}
