//! The scripts of `docs/hooks.md` do what they say, against servers on loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::daemon::text;
use crate::support::receiver::{Answer, Receiver};

const GUIDE: &str = include_str!("../../../docs/hooks.md");

const MESSAGE: &str = r#"{"type":"published","timestamp":"2026-03-27T12:00:00Z","data":{
    "section":{"id":"all","title":"All","url":"https://news.example.org/all/"},
    "story":{"id":"urn:x","url":"https://a.example/ferry","title":"Ferry & <bridge>","summary":"It is late."}}}"#;

const FEED: &str = r#"{"type":"feed.failed","timestamp":"2026-03-27T12:00:00Z","data":{
    "feed":{"id":"a","url":"https://a.example/","title":"Harbour"},"reason":"failed 3 times","since":"2026-03-27T12:00:00Z"}}"#;

/// Returns the script of the guide with this name.
fn script(name: &str) -> String {
    let mut blocks = GUIDE.split("```python\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.find(|block| block.contains(&format!("# {name}: "))).unwrap().to_owned()
}

/// Runs a script with these arguments and this input; `None` if there is no Python.
fn run(folder: &Path, script: &str, arguments: &[&str], input: &str) -> Option<Output> {
    let path = folder.join("script.py");
    std::fs::write(&path, script).unwrap();
    let mut command = Command::new("python3");
    command.arg(path).args(arguments).env("WEBHOOK_ID", "msg_1").env_remove("http_proxy");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut process) = command.spawn() else {
        eprintln!("skipped: there is no python3");
        return None;
    };
    process.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    Some(process.wait_with_output().unwrap())
}

fn check(output: &Output) {
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn signature_is_verified_and_a_changed_message_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    // The example of Standard Webhooks is from 2021.
    let script = script("verify.py").replace("< 300", "< 3e9");
    let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    for (body, expected) in [("{\"test\": 2432232314}", Some(0)), ("{\"test\": 2432232315}", Some(1))] {
        let arguments = [secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", signature];
        let Some(output) = run(folder.path(), &script, &arguments, body) else { return };
        assert_eq!(output.status.code(), expected, "{}", text(&output.stderr));
    }
}

#[test]
fn mail_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port().to_string();
    let mails = std::thread::spawn(move || {
        let mut stream = BufReader::new(server.accept().unwrap().0);
        let say =
            |stream: &mut BufReader<std::net::TcpStream>, text: &str| write!(stream.get_mut(), "{text}\r\n").unwrap();
        say(&mut stream, "220 test");
        let (mut lines, mut is_data) = (Vec::new(), false);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).unwrap_or(0) == 0 {
                return lines;
            }
            let line = line.trim_end().to_owned();
            let answer = match (is_data, line.split(' ').next().unwrap()) {
                (true, ".") => Some("250 ok"),
                (true, _) => None,
                (_, "data" | "DATA") => Some("354 go on"),
                (_, "quit" | "QUIT") => Some("221 bye"),
                _ => Some("250 ok"),
            };
            is_data = answer == Some("354 go on") || is_data && answer.is_none();
            lines.push(line);
            if let Some(answer) = answer {
                say(&mut stream, answer);
            }
        }
    });
    let script = script("mail.py").replace("\"localhost\", 25", &format!("\"127.0.0.1\", {port}"));
    let Some(output) = run(folder.path(), &script, &["editors@example.org"], MESSAGE) else { return };
    check(&output);
    let mail = mails.join().unwrap().join("\n");
    for line in ["To: editors@example.org", "Subject: Ferry & <bridge>", "It is late.", "https://a.example/ferry"] {
        assert!(mail.contains(line), "{mail}");
    }
}

#[test]
fn chat_is_notified_of_stories_and_feeds() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::statuses(&[200]);
    let address = folder.path().join("chat-url");
    std::fs::write(&address, receiver.url()).unwrap();
    let script = script("chat.py").replace("/etc/newswire/chat-url", address.to_str().unwrap());
    for input in [MESSAGE, FEED] {
        let Some(output) = run(folder.path(), &script, &[], input) else { return };
        check(&output);
    }
    let texts: Vec<Value> = receiver.posted().iter().map(|posted| posted.json()["text"].clone()).collect();
    assert_eq!(texts, ["All: Ferry & <bridge>\nhttps://a.example/ferry", "Harbour: failed 3 times"]);
}

#[test]
fn status_is_posted_to_mastodon() {
    let folder = tempfile::tempdir().unwrap();
    let receiver = Receiver::statuses(&[200]);
    let token = folder.path().join("token");
    std::fs::write(&token, "t0k3n\n").unwrap();
    let script = script("mastodon.py").replace("/etc/newswire/mastodon-token", token.to_str().unwrap());
    let script = script.replace("https://mastodon.example", &format!("http://{}", receiver.address));
    let Some(output) = run(folder.path(), &script, &[], MESSAGE) else { return };
    check(&output);
    check(&run(folder.path(), &script, &[], FEED).unwrap());
    let posted = receiver.posted();
    assert_eq!(posted.len(), 1, "a feed is not posted");
    assert_eq!(posted[0].line, "POST /api/v1/statuses HTTP/1.1");
    assert_eq!(posted[0].header("authorization"), "Bearer t0k3n");
    assert_eq!(posted[0].header("idempotency-key"), "msg_1");
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&posted[0].body).into_owned().collect();
    assert_eq!(fields, [("status".to_owned(), "Ferry & <bridge>\n\nhttps://a.example/ferry".to_owned())]);
}

#[test]
fn post_with_a_card_is_made_on_bluesky() {
    let folder = tempfile::tempdir().unwrap();
    let session = r#"{"did":"did:plc:x","accessJwt":"jwt"}"#;
    let receiver = Receiver::start(move |_, _| Answer::Json(session.to_owned()));
    let password = folder.path().join("password");
    std::fs::write(&password, "app-password\n").unwrap();
    let script = script("bluesky.py").replace("/etc/newswire/bluesky-password", password.to_str().unwrap());
    let script = script.replace("https://bsky.social", &format!("http://{}", receiver.address));
    let Some(output) = run(folder.path(), &script, &[], MESSAGE) else { return };
    check(&output);
    let posted = receiver.posted();
    assert_eq!(posted[0].line, "POST /xrpc/com.atproto.server.createSession HTTP/1.1");
    assert_eq!(posted[0].json(), serde_json::json!({ "identifier": "news.example.org", "password": "app-password" }));
    assert_eq!(posted[1].line, "POST /xrpc/com.atproto.repo.createRecord HTTP/1.1");
    assert_eq!(posted[1].header("authorization"), "Bearer jwt");
    let record = &posted[1].json()["record"];
    assert_eq!((&record["text"], &record["createdAt"]), (&"Ferry & <bridge>".into(), &"2026-03-27T12:00:00Z".into()));
    assert_eq!(record["embed"]["external"]["uri"], "https://a.example/ferry");
}
