trait Handler {
    #[onward::propagate]
    fn handle(&self, headers: http::HeaderMap);
}

fn main() {}
