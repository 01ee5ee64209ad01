//! Asks each framework in each way, round by round.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use onward_benches::{fixtures, median};
use onward_matrix::{
    echo::{Echo, Visit},
    running::query,
    servers,
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    Failure, framework,
    serve::COUNT,
    server::Server,
    ways::{WATCHED, WAYS, Way},
};

const CONNECTIONS: usize = 8;
/// Of one way in one round: some 50 milliseconds.
const REQUESTS: usize = 60 * CONNECTIONS;
/// How many rounds pass before they count.
const WARM_UP: usize = 2;
const BOUND: Duration = Duration::from_secs(30);

/// Measures all frameworks, or one, and prints one JSON object.
pub(crate) async fn run(rounds: usize, only: Option<&str>) -> Result<(), Failure> {
    let echo = Echo::start().await?;
    let mut results = Vec::new();
    let chosen = only.map(framework).transpose()?;
    for server in servers::ALL.iter().filter(|server| chosen.is_none_or(|chosen| chosen.name == server.name))
    {
        for (fixture, headers) in fixtures::FIXTURES {
            // A process of its own for each fixture: what the first one has cached helps nobody.
            let mut process = Server::start(server.name)?;
            let rows = measure(server.name, &mut process, headers, &echo, rounds).await;
            results.extend(rows.map_err(|error| format!("{}, {fixture}: {error}", server.name))?.map(
                |(way, cpu_ns, allocations)| {
                    json!({
                        "server": server.name, "fixture": fixture, "way": way,
                        "cpu_ns": cpu_ns, "allocations": allocations,
                    })
                },
            ));
        }
    }
    println!("{}", json!({ "rounds": rounds, "results": Value::from(results) }));
    Ok(())
}

/// Of each way the time of the server's processor, and the allocations, for each request.
async fn measure(
    framework: &str,
    process: &mut Server,
    headers: &[(&str, &str)],
    echo: &Echo,
    rounds: usize,
) -> Result<impl Iterator<Item = (&'static str, f64, f64)> + use<>, Failure> {
    let grpc = framework == "tonic";
    let mut asked = Vec::new();
    for way in &WAYS {
        let ask = Ask::new(grpc, process.ports[way.name], way, headers, echo.visit())?;
        ask.check(way, echo).await?;
        asked.push(ask);
    }
    let mut cpu = vec![Vec::with_capacity(rounds); WAYS.len()];
    for round in 0..WARM_UP + rounds {
        for turn in 0..WAYS.len() {
            // Nobody always comes after the same one.
            let way = (round + turn * (1 + round % 2 * 2)) % WAYS.len();
            let before = process.used("")?;
            asked[way].slot().await?;
            let used = process.used("")?.cpu_ns - before.cpu_ns;
            if round >= WARM_UP {
                cpu[way].push(each(used)?);
            }
        }
    }
    let mut rows = Vec::new();
    for ((way, asked), mut cpu) in WAYS.iter().zip(asked).zip(cpu) {
        let before = process.used(COUNT)?;
        asked.slot().await?;
        let allocations = process.used("")?.allocations - before.allocations;
        rows.push((way.name, median(&mut cpu), each(i64::try_from(allocations)?)?));
    }
    Ok(rows.into_iter())
}

/// Of one request.
#[expect(clippy::cast_precision_loss, reason = "the numbers are far from where that begins")]
fn each(total: i64) -> Result<f64, Failure> {
    Ok(total as f64 / f64::from(u32::try_from(REQUESTS)?))
}

/// One request to one server, again and again.
struct Ask {
    client: Client<HttpConnector, Full<Bytes>>,
    request: Request<Full<Bytes>>,
    visit: Visit,
}

impl Ask {
    fn new(
        grpc: bool,
        port: u16,
        way: &Way,
        headers: &[(&str, &str)],
        visit: Visit,
    ) -> Result<Self, Failure> {
        let query = query(&visit.url("127.0.0.1"));
        let server = format!("http://127.0.0.1:{port}");
        let mut request = if grpc {
            let request = Request::post(format!("{server}/matrix.Relay/{}", way.route));
            request.header("content-type", "application/grpc").header("te", "trailers")
        } else {
            Request::get(format!("{server}/{}?{query}", way.route))
        };
        for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
            request = request.header(*name, *value);
        }
        let body = if grpc { message(&query)? } else { Bytes::new() };
        let client = Client::builder(TokioExecutor::new()).http2_only(grpc).build_http();
        Ok(Self { client, request: request.body(Full::new(body))?, visit })
    }

    async fn once(&self) -> Result<(), Failure> {
        send(&self.client, &self.request, &self.visit.answer()).await.map_err(Into::into)
    }

    /// The way forwards what it says, and nothing else of what is watched.
    async fn check(&self, way: &Way, echo: &Echo) -> Result<(), Failure> {
        self.once().await?;
        let arrived = echo.arrived(&self.visit).ok_or("no call arrived")?;
        let came = |name: &&str| arrived.iter().any(|(arrived, _)| arrived == name);
        let came: Vec<_> = WATCHED.into_iter().filter(came).collect();
        if came == way.forwards { Ok(()) } else { Err(format!("{} forwards {came:?}", way.name).into()) }
    }

    /// A round's requests.
    async fn slot(&self) -> Result<(), Failure> {
        let connections = (0..CONNECTIONS).map(|_| {
            let (client, request, answer) = (self.client.clone(), self.request.clone(), self.visit.answer());
            tokio::spawn(async move {
                for _ in 0..REQUESTS / CONNECTIONS {
                    send(&client, &request, &answer).await?;
                }
                Ok::<_, String>(())
            })
        });
        for connection in connections.collect::<Vec<_>>() {
            connection.await??;
        }
        Ok(())
    }
}

async fn send(
    client: &Client<HttpConnector, Full<Bytes>>,
    request: &Request<Full<Bytes>>,
    expected: &str,
) -> Result<(), String> {
    let answered = async {
        let response = client.request(request.clone()).await.map_err(|error| error.to_string())?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        // Behind the head of a gRPC message.
        if status == StatusCode::OK && body.ends_with(expected.as_bytes()) {
            return Ok(());
        }
        Err(format!("the server answers {status} {:?}", String::from_utf8_lossy(&body)))
    };
    timeout(BOUND, answered).await.map_err(|_| "the server does not answer")?
}

/// A gRPC message with one field, a text.
fn message(text: &str) -> Result<Bytes, Failure> {
    let length = u8::try_from(text.len()).ok().filter(|length| *length < 0x80).ok_or("too long a text")?;
    let mut message = BytesMut::new();
    message.put_u8(0);
    message.put_u32(u32::from(length) + 2);
    message.put_slice(&[0x0a, length]);
    message.put_slice(text.as_bytes());
    Ok(message.freeze())
}
