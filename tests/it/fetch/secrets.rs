//! The secrets of a feed do not appear in results, errors or logs.

use std::io::Write;
use std::sync::{Arc, Mutex};

use newswire::config::{BasicAuth, Feed};
use tracing_subscriber::filter::LevelFilter;

use crate::fetch::first_poll;
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply};
use crate::support::tls;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn with_secrets(mut feed: Feed) -> Feed {
    feed.url.secret.set_username("canary").unwrap();
    feed.url.secret.set_password(Some("canary")).unwrap();
    feed.url.secret.set_query(Some("token=canary"));
    feed.headers = vec![("X-Api-Key".to_owned(), "canary".into()), ("Cookie".to_owned(), "id=canary".into())];
    feed.ca_file = Some(tls::ca_file());
    feed
}

/// Polls a feed with secrets from a server without TLS and one with TLS, each with several settings. Returns the
/// results and the feeds as text.
async fn polls(script: fn(usize) -> Reply) -> String {
    let plain = Origin::start(move |request| script(request.number));
    let secure = Origin::start_tls(tls::server(&[]), move |request| script(request.number));
    let mut text = String::new();
    for origin in [plain, secure] {
        let mut feed = with_secrets(feed(&origin.url("/feed"), &[origin.allow()]));
        text += &format!("{:?} {feed:?}", first_poll(&feed).await);
        feed.basic_auth = Some(BasicAuth { user: "editor".to_owned(), password: "canary".into() });
        text += &format!("{:?} {feed:?}", first_poll(&feed).await);
        feed.proxy = Some(format!("http://canary:canary@{}", origin.address).into());
        text += &format!("{:?} {feed:?}", first_poll(&feed).await);
        feed.allow.clear();
        text += &format!("{:?}", first_poll(&feed).await);
    }
    text
}

/// The test below runs this one in a separate process, because the log belongs to the whole process.
#[tokio::test]
#[ignore = "run by another test"]
async fn polls_with_a_canary_are_logged_at_trace_level() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(move || writer.clone()).init();
    let answers: [fn(usize) -> Reply; 5] = [
        |_| Reply::new(200, &[("ETag", "\"1\"")], "<rss/>"),
        |_| Reply::redirect(301, "/next?token=canary&sig=canary"),
        |_| Reply::redirect(302, "http://canary:canary@10.0.0.1/?api_key=canary"),
        |_| Reply::new(403, &[], "canary"),
        |_| Reply::raw("canary").close(),
    ];
    for answer in answers {
        let text = polls(answer).await;
        assert!(!text.contains("canary"), "{text}");
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("127.0.0.1"), "nothing was logged");
    let found = log.lines().filter(|line| line.contains("canary") || line.contains("Y2FuYXJ5")).collect::<Vec<_>>();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_secret_is_in_any_error_value_or_log_line() {
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "fetch::secrets::polls_with_a_canary_are_logged_at_trace_level", "--ignored"]);
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
