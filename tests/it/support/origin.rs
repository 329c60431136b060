//! A scripted origin server on loopback: it records every request byte for byte with its time, and answers by script.
//!
//! It uses plain threads and sockets instead of an HTTP library, so that it can send what no library would.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use newswire::config::Allow;
use url::Url;

/// A request as received.
#[derive(Clone, Debug)]
pub struct Request {
    /// The request line and the headers, with the empty line that ends them.
    pub bytes: Vec<u8>,
    pub at: Instant,
    /// The number of the request at this origin, counted from 0.
    pub number: usize,
}

impl Request {
    pub fn line(&self) -> String {
        let end = self.bytes.windows(2).position(|pair| pair == b"\r\n").unwrap_or(self.bytes.len());
        String::from_utf8_lossy(&self.bytes[..end]).into_owned()
    }

    /// Returns path and query.
    pub fn target(&self) -> String {
        self.line().split(' ').nth(1).unwrap_or_default().to_owned()
    }

    /// Returns the bytes of a header's value. `name` may be in upper or lower case.
    pub fn header(&self, name: &str) -> Option<Vec<u8>> {
        self.headers().into_iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn headers(&self) -> Vec<(String, Vec<u8>)> {
        let lines = self.bytes.split(|byte| *byte == b'\n').skip(1);
        let header = |line: &[u8]| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = String::from_utf8_lossy(&line[..colon]).into_owned();
            Some((name, line[colon + 1..].trim_ascii().to_vec()))
        };
        lines.filter_map(header).collect()
    }

    pub fn is_conditional(&self) -> bool {
        self.header("if-none-match").is_some() || self.header("if-modified-since").is_some()
    }
}

/// What to send for one request, in steps.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    steps: Vec<Step>,
    /// Whether to close the connection afterwards.
    close: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Send(Vec<u8>),
    Pause(Duration),
    /// Sends these bytes as often as the number says, without holding them all in memory.
    Repeat(Vec<u8>, usize),
    /// Sends these bytes again and again, with a pause after each time, until the client closes the connection.
    Drip(Vec<u8>, Duration),
}

impl Reply {
    /// Returns a complete answer, with the length of its body.
    pub fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
        let pairs = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect::<Vec<_>>();
        Reply::with_bytes(status, &pairs, body)
    }

    /// Like [`Reply::new`], but header values need not be text.
    pub fn with_bytes(status: u16, headers: &[(&str, &[u8])], body: impl AsRef<[u8]>) -> Reply {
        let body = body.as_ref();
        let mut bytes = format!("HTTP/1.1 {status} Word\r\n").into_bytes();
        for (name, value) in headers {
            bytes.extend_from_slice(format!("{name}: ").as_bytes());
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        }
        if !matches!(status, 204 | 304) {
            bytes.extend_from_slice(format!("Content-Length: {}\r\n", body.len()).as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(body);
        Reply::raw(bytes)
    }

    /// Returns an answer of exactly these bytes.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Reply {
        Reply { steps: vec![Step::Send(bytes.into())], close: false }
    }

    /// Returns an answer that sends nothing, for as long as the client waits.
    pub fn silence() -> Reply {
        Reply { steps: vec![Step::Pause(Duration::from_secs(3600))], close: true }
    }

    pub fn redirect(status: u16, location: &str) -> Reply {
        Reply::new(status, &[("Location", location)], "")
    }

    pub fn then(mut self, bytes: impl Into<Vec<u8>>) -> Reply {
        self.steps.push(Step::Send(bytes.into()));
        self
    }

    pub fn repeat(mut self, bytes: impl Into<Vec<u8>>, times: usize) -> Reply {
        self.steps.push(Step::Repeat(bytes.into(), times));
        self
    }

    /// Waits before the next step.
    pub fn pause(mut self, duration: Duration) -> Reply {
        self.steps.push(Step::Pause(duration));
        self
    }

    /// Waits before the first step.
    pub fn after(mut self, duration: Duration) -> Reply {
        self.steps.insert(0, Step::Pause(duration));
        self
    }

    /// Sends `bytes` again and again after the other steps, with a pause of `every`.
    pub fn drip(mut self, bytes: impl Into<Vec<u8>>, every: Duration) -> Reply {
        self.steps.push(Step::Drip(bytes.into(), every));
        self
    }

    /// Closes the connection after the last step.
    pub fn close(mut self) -> Reply {
        self.close = true;
        self
    }
}

/// A server that listens until the test program ends.
pub struct Origin {
    pub address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    requests: Vec<Request>,
    connections: usize,
    in_flight: usize,
    most_in_flight: usize,
}

type Script = dyn Fn(&Request) -> Reply + Send + Sync;

impl Origin {
    /// Answers every request by `script`; `Request::number` counts them.
    pub fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Origin {
        Origin::start_on((Ipv4Addr::LOCALHOST, 0).into(), script)
    }

    /// Sends these answers in order. After that, answers every request with the last one.
    pub fn replies(replies: impl Into<Vec<Reply>>) -> Origin {
        let replies = replies.into();
        Origin::start(move |request| replies[request.number.min(replies.len() - 1)].clone())
    }

    /// Listens at this address; port 0 stands for any free port.
    pub fn start_on(address: SocketAddr, script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Origin {
        Origin::listen(address, "http", script, |socket, serve| serve(&mut &socket))
    }

    /// Like [`Origin::start`], but over TLS, with a certificate for `localhost` and 127.0.0.1.
    pub fn start_tls(
        config: Arc<rustls::ServerConfig>,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Origin {
        Origin::listen((Ipv4Addr::LOCALHOST, 0).into(), "https", script, move |mut socket, serve| {
            let mut connection = rustls::ServerConnection::new(config.clone()).unwrap();
            serve(&mut rustls::Stream::new(&mut connection, &mut socket));
        })
    }

    fn listen(
        address: SocketAddr,
        scheme: &'static str,
        script: impl Fn(&Request) -> Reply + Send + Sync + 'static,
        wrap: impl Fn(TcpStream, &dyn Fn(&mut dyn Stream)) + Send + Sync + 'static,
    ) -> Origin {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let (script, wrap, accepted) = (Arc::new(script), Arc::new(wrap), shared.clone());
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                accepted.connected();
                let (script, wrap, shared) = (script.clone(), wrap.clone(), accepted.clone());
                std::thread::spawn(move || {
                    wrap(socket, &|stream: &mut dyn Stream| shared.serve(stream, &*script));
                });
            }
        });
        Origin { address, scheme, shared }
    }

    pub fn url(&self, path: &str) -> Url {
        Url::parse(&format!("{}://{}{path}", self.scheme, self.address)).unwrap()
    }

    /// Returns the URL under another name of this machine.
    pub fn url_as(&self, host: &str, path: &str) -> Url {
        Url::parse(&format!("{}://{host}:{}{path}", self.scheme, self.address.port())).unwrap()
    }

    /// Returns the `allow` entry for this origin.
    pub fn allow(&self) -> Allow {
        Allow::Address(self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.shared.log.lock().unwrap().requests.clone()
    }

    pub fn connections(&self) -> usize {
        self.shared.log.lock().unwrap().connections
    }

    /// Returns the largest number of requests that were being answered at one moment.
    pub fn most_in_flight(&self) -> usize {
        self.shared.log.lock().unwrap().most_in_flight
    }
}

trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

impl Shared {
    fn connected(&self) {
        self.log.lock().unwrap().connections += 1;
    }

    fn serve(&self, stream: &mut dyn Stream, script: &Script) {
        while let Some(bytes) = read_request(stream) {
            let request = self.record(bytes);
            let reply = script(&request);
            let sent = reply.steps.iter().try_for_each(|step| step.perform(stream));
            self.log.lock().unwrap().in_flight -= 1;
            if reply.close || sent.is_err() {
                return;
            }
        }
    }

    fn record(&self, bytes: Vec<u8>) -> Request {
        let mut log = self.log.lock().unwrap();
        let number = log.requests.len();
        let request = Request { bytes, at: Instant::now(), number };
        log.requests.push(request.clone());
        log.in_flight += 1;
        log.most_in_flight = log.most_in_flight.max(log.in_flight);
        request
    }
}

impl Step {
    fn perform(&self, stream: &mut dyn Stream) -> std::io::Result<()> {
        match self {
            Step::Send(bytes) => stream.write_all(bytes)?,
            Step::Pause(duration) => std::thread::sleep(*duration),
            Step::Repeat(bytes, times) => (0..*times).try_for_each(|_| stream.write_all(bytes))?,
            Step::Drip(bytes, every) => loop {
                stream.write_all(bytes)?;
                stream.flush()?;
                std::thread::sleep(*every);
            },
        }
        stream.flush()
    }
}

/// Reads a request up to its empty line; `None` if the client closed the connection.
fn read_request(stream: &mut dyn Stream) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => bytes.push(byte[0]),
            Ok(_) | Err(_) => return None,
        }
    }
    Some(bytes)
}
