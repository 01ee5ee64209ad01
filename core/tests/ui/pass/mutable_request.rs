//! A carrier behind a mutable reference, and one that the body changes.

#[onward::propagate]
async fn by_reference(request: &mut http::Request<()>) {
    request.headers_mut().clear();
}

#[onward::propagate]
async fn by_value(mut request: http::Request<()>) -> http::Request<()> {
    request.headers_mut().clear();
    request
}

fn main() {
    let mut request = http::Request::new(());
    drop(by_reference(&mut request));
    drop(by_value(request));
}
