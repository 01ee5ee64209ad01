//! A service under test as the real program, a client, and an upstream that keeps what it was sent byte for byte.
//!
//! Plain sockets on purpose: an HTTP library could change the headers that the tests are about.

#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic fails the test, as it should"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
};

pub(crate) type Header = (String, Vec<u8>);

/// One request or one answer as it came over the wire: names in lower case, values untouched.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// Request line or status line.
    pub(crate) start: String,
    pub(crate) headers: Vec<Header>,
    pub(crate) body: String,
}

impl Message {
    /// The lines whose name is among `names`, in the order of `names`.
    pub(crate) fn only(&self, names: &[&str]) -> Vec<Header> {
        let mut lines: Vec<_> =
            self.headers.iter().filter(|(name, _)| names.contains(&name.as_str())).cloned().collect();
        lines.sort_by_key(|(name, _)| names.iter().position(|each| each == name));
        lines
    }

    pub(crate) fn status(&self) -> &str {
        self.start.split(' ').nth(1).unwrap()
    }

    pub(crate) fn path(&self) -> &str {
        self.start.split(' ').nth(1).unwrap()
    }

    fn read(stream: &TcpStream) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let start = String::from_utf8(read_line(&mut reader)?).unwrap();
        let mut headers = Vec::new();
        let mut length = 0;
        loop {
            let line = read_line(&mut reader)?;
            if line.is_empty() {
                break;
            }
            let colon = line.iter().position(|&byte| byte == b':').unwrap();
            let name = String::from_utf8(line[..colon].to_ascii_lowercase()).unwrap();
            let value = line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..]).to_vec();
            if name == "content-length" {
                length = String::from_utf8_lossy(&value).parse().unwrap();
            }
            headers.push((name, value));
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Self { start, headers, body: String::from_utf8(body).unwrap() })
    }
}

fn read_line(reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let mut line = Vec::new();
    reader.read_until(b'\n', &mut line).ok()?;
    line.strip_suffix(b"\r\n").map(<[u8]>::to_vec)
}

/// The running program; it is killed when a test ends before it was stopped.
pub(crate) struct Service {
    child: Child,
    /// The line by which it said that it is ready.
    pub(crate) ready: String,
    port: u16,
}

impl Service {
    /// Starts `program` on a free port of loopback, with `vars` as its whole environment, and waits until it is ready.
    pub(crate) fn start(program: &str, arguments: &[&str], vars: &[(&str, &str)]) -> Self {
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs([("HOST", "127.0.0.1"), ("PORT", "0")])
            .envs(vars.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let ready = ready.trim_end().to_owned();
        let Some(port) = ready.rsplit(':').next().and_then(|port| port.parse().ok()) else {
            child.kill().unwrap();
            panic!("no port in the first line: {ready:?}");
        };
        Self { child, ready, port }
    }

    /// One GET request with these headers besides `host` and `connection`.
    pub(crate) fn get(&self, path: &str, headers: &[(&str, &[u8])]) -> Message {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        let mut request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n").into_bytes();
        for (name, value) in headers {
            request.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
        }
        request.extend(b"\r\n");
        stream.write_all(&request).unwrap();
        Message::read(&stream).expect("an answer")
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        assert!(
            Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status().unwrap().success()
        );
        self.child.wait().unwrap()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What an upstream does with a request.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// Answers with this status and body.
    Body(u16, &'static str),
    /// Never answers.
    Silence,
}

/// An upstream on a free port of loopback. Its threads end with the test program.
pub(crate) struct Upstream {
    pub(crate) port: String,
    calls: Arc<Mutex<Vec<Message>>>,
}

impl Upstream {
    pub(crate) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || serve(&stream, answer, &seen));
            }
        });
        Self { port, calls }
    }

    /// Every request so far.
    pub(crate) fn calls(&self) -> Vec<Message> {
        self.calls.lock().unwrap().clone()
    }
}

fn serve(mut stream: &TcpStream, answer: Answer, seen: &Mutex<Vec<Message>>) {
    while let Some(message) = Message::read(stream) {
        seen.lock().unwrap().push(message);
        match answer {
            Answer::Body(status, body) => {
                let text = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                if stream.write_all(text.as_bytes()).is_err() {
                    return;
                }
            }
            Answer::Silence => {
                // The other side gives up, and closes.
                let _ = stream.read(&mut [0]);
                return;
            }
        }
    }
}

/// A port of loopback where nobody listens.
pub(crate) fn closed_port() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port().to_string()
}

/// Bookinfo's 20 headers in its order, each with a value that a parser, a trimmer or a re-encoder would change.
pub(crate) const BOOKINFO: [(&str, &[u8]); 20] = [
    ("x-request-id", b"7e5c7fd2-6f4f-9f2d-8a65-0a4c3e6f1d21"),
    ("x-ot-span-context", b"EhQJwrlBaJq8fCURtVpOCHyN7BIiAAAA+/=="),
    ("x-datadog-trace-id", b"11803532876627986230"),
    ("x-datadog-parent-id", b"67667974448284343"),
    ("x-datadog-sampling-priority", b"-1"),
    ("traceparent", b"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"),
    ("tracestate", b"rojo=00f067aa0ba902b7,  congo=t61rcWkgMzE"),
    ("x-cloud-trace-context", b"105445aa7843bc8bf206b12000100000/1;o=1"),
    ("grpc-trace-bin", b"AABL+S81d7NNpqPOkp0ADkc2ATTwZ6oLqQK3AgE"),
    ("x-b3-traceid", b"463ac35c9f6413ad"),
    ("x-b3-spanid", b"A2FB4A1D1A96D312"),
    ("x-b3-parentspanid", b"0020000000000001"),
    ("x-b3-sampled", b"true"),
    ("x-b3-flags", b"1"),
    ("sw8", b"1-TRACE-SEGMENT-3-U0VSVklDRQ==-SU5TVEFOQ0U=-L2VuZA==-cGVlcjo4MA=="),
    ("end-user", b"jos\xe9"),
    ("user-agent", b"Mozilla/5.0 (X11;\tLinux)"),
    ("cookie", b"session=eyJ1c2VyIjoiamFzb24ifQ.Z; a=\"b, c\""),
    ("authorization", b"Bearer aa.bb.cc=="),
    ("jwt", b"\xff\xfe not UTF-8"),
];

/// The names of [`BOOKINFO`].
pub(crate) fn bookinfo_names() -> Vec<&'static str> {
    BOOKINFO.iter().map(|(name, _)| *name).collect()
}

/// [`BOOKINFO`] as an upstream receives it.
pub(crate) fn bookinfo_received() -> Vec<Header> {
    BOOKINFO.iter().map(|(name, value)| ((*name).to_owned(), value.to_vec())).collect()
}
