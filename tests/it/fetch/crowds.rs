//! Polls of many feeds at once: feeds with large documents, and feeds whose servers never answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use newswire::config::Allow;
use newswire::feed::Validators;
use newswire::fetch::{Attempt, Fetcher};

use crate::fetch::limits::CODINGS;
use crate::fetch::{contact, document, error, poll};
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply, Request};

const MIB: usize = 1024 * 1024;
const HOSTS: usize = 200;

/// Returns the peak memory of this process in MiB.
fn peak_resident_mib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

fn local_names() -> Fetcher {
    Fetcher::with_lookup(&contact(), Arc::new(|_| Ok(vec![[127, 0, 0, 1].into()])))
}

/// Polls one feed of each host, all at once. Keeps each document for a moment, as parsing would, and then passes it to
/// `check`.
async fn poll_hosts(fetcher: &Fetcher, port: u16, hosts: impl Iterator<Item = usize>, check: fn(Attempt)) {
    let allow = [Allow::Network("127.0.0.0/8".parse().unwrap())];
    let polls = hosts.map(|host| {
        let url = format!("http://{host}.test:{port}/feed").parse().unwrap();
        let (fetcher, mut feed) = (fetcher.clone(), feed(&url, &allow));
        feed.timeout = Duration::from_secs(10);
        tokio::spawn(async move {
            let attempt = poll(&fetcher, &feed, &Validators::default()).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            check(attempt);
        })
    });
    for poll in polls.collect::<Vec<_>>() {
        poll.await.unwrap();
    }
}

/// The test below runs this one in a separate process, so that only the memory of these polls is counted.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test below"]
async fn polls_200_feeds_of_the_largest_size() {
    let ports = std::env::var("ORIGIN_PORTS").unwrap();
    let (started, fetcher) = (Instant::now(), local_names());
    for port in ports.split(' ') {
        let check = |attempt| assert!(document(attempt).body.len() > 9 * MIB);
        poll_hosts(&fetcher, port.parse().unwrap(), 0..HOSTS, check).await;
        println!("{HOSTS} bodies of 9.9 MiB by {:?}: {} MiB at most", started.elapsed(), peak_resident_mib());
    }
    assert!(peak_resident_mib() <= 256, "{} MiB", peak_resident_mib());
}

#[test]
fn two_hundred_feeds_of_the_largest_size_stay_below_256_mib() {
    let body = 9 * MIB + 9 * MIB / 10;
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body / 4096 * 4096);
    let mut origins = vec![Origin::replies([Reply::raw(head).repeat([b'x'; 4096], body / 4096).close()])];
    for (coding, encode) in CODINGS {
        let encoded = encode(&vec![b'x'; body]);
        origins.push(Origin::replies([Reply::new(200, &[("Content-Encoding", coding)], encoded).close()]));
    }
    let ports = origins.iter().map(|origin| origin.address.port().to_string()).collect::<Vec<_>>();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "fetch::crowds::polls_200_feeds_of_the_largest_size", "--ignored", "--nocapture"]);
    let output = child.env("ORIGIN_PORTS", ports.join(" ")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    print!("{text}");
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// The healthy servers take two seconds to answer, so that this wait, and not the speed of the machine, determines the
/// time.
#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_never_answer_do_not_slow_the_others() {
    let is_healthy = |host: &usize| !host.is_multiple_of(5);
    let number = |request: &Request| {
        let host = String::from_utf8(request.header("Host").unwrap()).unwrap();
        host.split('.').next().unwrap().parse().unwrap()
    };
    let origin = Origin::start(move |request| match is_healthy(&number(request)) {
        true => Reply::new(200, &[], "<rss/>").after(Duration::from_secs(2)),
        false => Reply::silence(),
    });
    let fetcher = local_names();
    let healthy = async || {
        let started = Instant::now();
        poll_hosts(&fetcher, origin.address.port(), (0..HOSTS).filter(is_healthy), |attempt| drop(document(attempt)))
            .await;
        started.elapsed()
    };
    healthy().await;
    // Other work on the machine may slow one measurement. If the hosts that never answer slowed the others, all three
    // measurements would show it.
    for round in 1.. {
        let alone = healthy().await;
        let tar_pits = (0..HOSTS).filter(|host| !is_healthy(host));
        let crowd = poll_hosts(&fetcher, origin.address.port(), tar_pits, |attempt| {
            assert_eq!(error(attempt).kind().words(), "timeout");
        });
        let among_tar_pits = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            healthy().await
        };
        let ((), among_tar_pits) = tokio::join!(crowd, among_tar_pits);
        println!("160 healthy hosts alone: {alone:?}, with 40 that never answer: {among_tar_pits:?}");
        if among_tar_pits < alone.mul_f64(1.1) {
            break;
        }
        assert!(round < 3, "tar pits slow the others");
    }
}
