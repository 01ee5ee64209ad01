//! A type of the user's that implements `Extract`, named as a known carrier and named otherwise.

use onward::{Extract, Line};

struct Request(Vec<(String, String)>);

impl Extract for Request {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.0.lines(line);
    }
}

#[onward::propagate]
async fn by_name(request: Request) -> usize {
    request.0.len()
}

#[onward::propagate(from = event)]
async fn by_expression(event: &Request) -> usize {
    event.0.len()
}

fn main() {
    drop(by_name(Request(Vec::new())));
    drop(by_expression(&Request(Vec::new())));
}
