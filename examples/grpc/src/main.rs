//! `grpc-example reviews` and `grpc-example ratings`: one program, two services. The README lists the environment variables.

use std::{env, error::Error};

use axum::serve;
use grpc_example::{ratings, reviews};
use tokio::net::TcpListener;
use tonic::transport::Endpoint;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    onward::init_from_env()?;
    let router = match env::args().nth(1).as_deref() {
        Some("ratings") => ratings::router(ratings::Service),
        Some("reviews") => {
            let [host, port] = [var("RATINGS_HOSTNAME", "ratings"), var("RATINGS_SERVICE_PORT", "9080")];
            let ratings = Endpoint::from_shared(format!("http://{host}:{port}"))?;
            reviews::router(&ratings, var("ONWARD_DEMO_FORWARDING", "on") != "off")
        }
        _ => return Err("say `reviews` or `ratings`".into()),
    };
    let address = format!("{}:{}", var("HOST", "0.0.0.0"), var("PORT", "9080"));
    serve(TcpListener::bind(address).await?, router).await?;
    Ok(())
}

fn var(name: &str, default: &str) -> String {
    env::var(name).ok().filter(|value| !value.is_empty()).unwrap_or_else(|| default.to_owned())
}
