//! A load client for the whole-server rows: asks a server on loopback for each way to forward in turn, round by round.
//!
//! A round of one way is a fixed number of requests over a few connections. The server tells at `/cpu` how many
//! nanoseconds of a processor it has had, so a round has two results: requests a second, and time of the server's
//! processor for each. The second one hardly minds what else the machine does.

use std::{
    error::Error,
    fmt::Write as _,
    net::Ipv4Addr,
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::LocalSet,
    time::{sleep, timeout},
};

use onward_benches::{fixtures::FIXTURES, median};

const WAYS: [&str; 4] = ["none", "hand_written", "opentelemetry", "onward"];
const CONNECTIONS: u32 = 8;
/// How long one way of one round takes, about.
const SLOT: Duration = Duration::from_millis(100);
/// Bounds of the requests of a slot.
const REQUESTS: std::ops::RangeInclusive<u32> = 80..=20_000;
const WARM_UP: u32 = 400;
/// How many slots of each way pass before it counts: interpreters compile what runs often.
const WARM_UP_SLOTS: usize = 8;
const READY_BOUND: Duration = Duration::from_secs(30);
const ANSWER_BOUND: Duration = Duration::from_secs(10);

type Failure = Box<dyn Error>;

/// Measures the server at `port` and prints one JSON object.
pub(crate) fn run(port: u16, rounds: usize) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let results = LocalSet::new().block_on(&runtime, async {
        wait_until_ready(port).await?;
        let mut results = Vec::new();
        for (fixture, headers) in FIXTURES {
            results.extend(measure(port, fixture, headers, rounds).await?);
        }
        Ok::<_, Failure>(results)
    })?;
    println!("{}", json!({ "rounds": rounds, "results": results }));
    Ok(())
}

async fn wait_until_ready(port: u16) -> Result<(), Failure> {
    let start = Instant::now();
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
        if start.elapsed() > READY_BOUND {
            return Err(format!("nobody listens on port {port}").into());
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn measure(
    port: u16,
    fixture: &str,
    headers: &[(&str, &str)],
    rounds: usize,
) -> Result<Vec<Value>, Failure> {
    let asked: Vec<Rc<[u8]>> = WAYS.iter().map(|way| request(way, headers)).collect();
    let mut clients: Vec<Client> = (0..CONNECTIONS).map(|_| Client { port, stream: None }).collect();
    let mut requests = *REQUESTS.end();
    for request in &asked {
        let warm = slot(&mut clients, request, WARM_UP).await?;
        // The slowest way decides, so that all of them do the same work.
        let fitting = SLOT.as_nanos() * u128::from(warm.requests) / warm.took.as_nanos().max(1);
        requests = requests.min(u32::try_from(fitting)?.max(*REQUESTS.start()));
    }
    let mut measured = vec![(Vec::new(), Vec::new()); WAYS.len()];
    for round in 0..WARM_UP_SLOTS + rounds {
        for turn in 0..WAYS.len() {
            // Nobody always comes after the same one, whose garbage it might have to collect.
            let way = (round + turn * (1 + round % 2 * 2)) % WAYS.len();
            let slot = slot(&mut clients, &asked[way], requests).await?;
            if round < WARM_UP_SLOTS {
                continue;
            }
            let (rates, cpu) = &mut measured[way];
            rates.push(f64::from(slot.requests) / slot.took.as_secs_f64());
            cpu.push(slot.cpu_ns / f64::from(slot.requests));
        }
    }
    let rows = WAYS.iter().zip(measured).map(|(way, (mut rates, mut cpu))| {
        json!({
            "fixture": fixture, "way": way, "requests": requests,
            "per_second": median(&mut rates), "cpu_ns": median(&mut cpu),
        })
    });
    Ok(rows.collect())
}

struct Slot {
    requests: u32,
    took: Duration,
    /// Of the server, for all requests.
    cpu_ns: f64,
}

/// Sends `requests` requests over all clients at once.
async fn slot(clients: &mut Vec<Client>, request: &Rc<[u8]>, requests: u32) -> Result<Slot, Failure> {
    let each = requests.div_ceil(CONNECTIONS);
    let cpu = cpu(clients).await?;
    let start = Instant::now();
    let running: Vec<_> = clients
        .drain(..)
        .map(|mut client| {
            let request = Rc::clone(request);
            tokio::task::spawn_local(async move {
                for _ in 0..each {
                    client.ask(&request).await.map_err(|error| error.to_string())?;
                }
                Ok::<_, String>(client)
            })
        })
        .collect();
    for task in running {
        clients.push(task.await??);
    }
    let took = start.elapsed();
    let cpu_ns = self::cpu(clients).await? - cpu;
    Ok(Slot { requests: each * CONNECTIONS, took, cpu_ns })
}

async fn cpu(clients: &mut [Client]) -> Result<f64, Failure> {
    let client = clients.first_mut().ok_or("no client")?;
    Ok(client.ask(&request("cpu", &[])).await?.parse()?)
}

fn request(way: &str, headers: &[(&str, &str)]) -> Rc<[u8]> {
    let mut text = format!("GET /{way} HTTP/1.1\r\n");
    let host = [("host", "localhost")];
    let given = if headers.is_empty() { &host } else { headers };
    for (name, value) in given {
        let _ = write!(text, "{name}: {value}\r\n");
    }
    text.push_str("\r\n");
    text.into_bytes().into()
}

/// A connection that is opened when it is needed.
struct Client {
    port: u16,
    stream: Option<TcpStream>,
}

impl Client {
    /// Sends a request, and returns the answer's body.
    async fn ask(&mut self, request: &[u8]) -> Result<String, Failure> {
        timeout(ANSWER_BOUND, self.exchange(request)).await.map_err(|_| "the server does not answer")?
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<String, Failure> {
        let mut stream = if let Some(stream) = self.stream.take() {
            stream
        } else {
            let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await?;
            stream.set_nodelay(true)?;
            stream
        };
        stream.write_all(request).await?;
        let mut answer = Vec::with_capacity(512);
        loop {
            if stream.read_buf(&mut answer).await? == 0 {
                return Err(format!("the answer is cut off: {:?}", String::from_utf8_lossy(&answer)).into());
            }
            if let Some(answer) = Answer::read(&answer)? {
                if answer.stays_open {
                    self.stream = Some(stream);
                }
                return Ok(answer.body);
            }
        }
    }
}

/// As much of HTTP/1.1 as the servers here speak: a length, and whether the connection stays open.
struct Answer {
    body: String,
    stays_open: bool,
}

impl Answer {
    /// None while it is not complete.
    fn read(bytes: &[u8]) -> Result<Option<Self>, Failure> {
        let text = std::str::from_utf8(bytes)?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else { return Ok(None) };
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("the server answers {head:?}").into());
        }
        let field = |name: &str| {
            let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
            lines.find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        };
        let length: usize = field("content-length").ok_or("the answer has no length")?.parse()?;
        let stays_open = !field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        Ok((body.len() >= length).then(|| Self { body: body.to_owned(), stays_open }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_complete_when_its_body_is() {
        let whole = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        for end in 0..whole.len() {
            assert!(Answer::read(&whole.as_bytes()[..end]).unwrap().is_none(), "{end}");
        }
        let answer = Answer::read(whole.as_bytes()).unwrap().unwrap();
        assert_eq!((answer.body.as_str(), answer.stays_open), ("ok", true));
    }

    #[test]
    fn a_connection_that_the_server_closes_is_not_used_again() {
        let answer = b"HTTP/1.1 200 OK\r\nconnection: Close\r\ncontent-length: 0\r\n\r\n";
        assert!(!Answer::read(answer).unwrap().unwrap().stays_open);
    }

    #[test]
    fn any_other_status_is_an_error() {
        assert!(Answer::read(b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n").is_err());
    }
}
