type Inbound = http::HeaderMap;

#[onward::propagate]
fn handler(headers: Inbound) -> usize {
    headers.len()
}

fn main() {
    handler(Inbound::new());
}
