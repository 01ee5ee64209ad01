//! `grpc-example ratings ADDRESS`, or `grpc-example reviews ADDRESS URL-OF-RATINGS`.

use grpc_example::proto::ratings_server::RatingsServer;
use grpc_example::{ratings, reviews};
use tonic::transport::{Endpoint, Server};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    onward::init_from_env()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["ratings", address] => {
            Server::builder()
                .add_service(RatingsServer::new(ratings::Service))
                .serve(address.parse()?)
                .await?;
        }
        ["reviews", address, ratings] => {
            let router = reviews::router(&Endpoint::from_shared(ratings.to_owned())?);
            axum::serve(tokio::net::TcpListener::bind(address).await?, router).await?;
        }
        _ => return Err("say `ratings ADDRESS` or `reviews ADDRESS URL-OF-RATINGS`".into()),
    }
    Ok(())
}
