//! The embedded S3 on its own, for trying S3 clients against it:
//! `cargo run -p artifact --example bucket_server -- DIR ADDRESS ACCESS_KEY_ID SECRET`.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::time::SystemTime;

use artifact::{Buckets, service};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dir, address, id, secret] = arguments.as_slice() else {
        return Err("arguments: DIR ADDRESS ACCESS_KEY_ID SECRET".into());
    };
    let buckets = Buckets::open(Path::new(dir), wall_clock)?;
    let (id, secret) = (id.clone(), secret.clone());
    let s3 =
        service(buckets, move |asked: &str| (asked == id).then(|| secret.clone()), "us-east-1");
    let listener = TcpListener::bind(address.parse::<SocketAddr>()?).await?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let s3 = s3.clone();
        connections.spawn(async move {
            let answer = service_fn(move |request| {
                let s3 = s3.clone();
                async move { Ok::<_, Infallible>(s3.call(request).await) }
            });
            // A client that hangs up is not worth a word.
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
        while connections.try_join_next().is_some() {}
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an example is its own main program, where the clock is read"
)]
fn wall_clock() -> SystemTime {
    SystemTime::now()
}
