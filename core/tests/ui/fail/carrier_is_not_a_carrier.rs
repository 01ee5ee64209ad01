struct Request;

#[onward::propagate]
async fn handler(request: Request) {
    let _ = request;
}

fn main() {}
