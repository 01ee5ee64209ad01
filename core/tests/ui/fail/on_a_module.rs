#[onward::propagate]
mod handlers {
    pub fn handler(_: http::HeaderMap) {}
}

fn main() {}
