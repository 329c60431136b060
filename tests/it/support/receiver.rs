//! A receiver of hooks on loopback: it records every message and answers by script.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::daemon::PATIENCE;

/// A message as received.
#[derive(Clone, Debug)]
pub struct Posted {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Posted {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Returns the title of the story that the message is about.
    pub fn title(&self) -> String {
        self.json()["data"]["story"]["title"].as_str().unwrap_or_default().to_owned()
    }
}

/// How to answer a message.
#[derive(Clone, Debug)]
pub enum Answer {
    Status(u16),
    Redirect(String),
    /// 200 with this body.
    Json(String),
    /// Sends nothing, and keeps the connection.
    Hang,
}

/// A server that listens until the test program ends.
pub struct Receiver {
    pub address: SocketAddr,
    posted: Arc<Mutex<Vec<Posted>>>,
}

impl Receiver {
    /// Answers every message by `script`, which gets the number of the message, from 0, and the message.
    pub fn start(script: impl Fn(usize, &Posted) -> Answer + Send + Sync + 'static) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let posted: Arc<Mutex<Vec<Posted>>> = Arc::default();
        let (shared, script) = (posted.clone(), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (shared, script) = (shared.clone(), script.clone());
                std::thread::spawn(move || serve(stream, &shared, &*script));
            }
        });
        Receiver { address, posted }
    }

    /// Answers with these statuses in order, and then always with the last one.
    pub fn statuses(statuses: &'static [u16]) -> Receiver {
        Receiver::start(move |number, _| Answer::Status(statuses[number.min(statuses.len() - 1)]))
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Returns all messages so far.
    pub fn posted(&self) -> Vec<Posted> {
        self.posted.lock().unwrap().clone()
    }

    pub fn titles(&self) -> Vec<String> {
        self.posted().iter().map(Posted::title).collect()
    }

    /// Waits until the messages are as `is_so` says.
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&[Posted]) -> bool) -> Vec<Posted> {
        let until = Instant::now() + PATIENCE;
        loop {
            let posted = self.posted();
            if is_so(&posted) {
                return posted;
            }
            assert!(Instant::now() < until, "{what}: {:?}", self.titles());
            std::thread::yield_now();
        }
    }
}

fn serve(stream: TcpStream, shared: &Mutex<Vec<Posted>>, script: &dyn Fn(usize, &Posted) -> Answer) {
    let mut reader = BufReader::new(stream);
    let Some(posted) = read(&mut reader) else { return };
    let number = {
        let mut all = shared.lock().unwrap();
        all.push(posted.clone());
        all.len() - 1
    };
    let mut body = String::new();
    let head = match script(number, &posted) {
        Answer::Status(status) => format!("HTTP/1.1 {status} Word\r\n"),
        Answer::Json(json) => {
            body = json;
            "HTTP/1.1 200 Word\r\nContent-Type: application/json\r\n".to_owned()
        }
        Answer::Redirect(to) => format!("HTTP/1.1 302 Word\r\nLocation: {to}\r\n"),
        Answer::Hang => {
            std::thread::sleep(Duration::from_secs(3600));
            return;
        }
    };
    let length = body.len();
    let _ = write!(reader.get_mut(), "{head}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Posted> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let line = lines.remove(0);
    let headers = lines.iter().filter_map(|line| line.split_once(": "));
    let headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut posted = Posted { line, headers, body: Vec::new() };
    let mut body = vec![0; posted.header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    posted.body = body;
    Some(posted)
}
