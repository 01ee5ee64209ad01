#[axum::debug_handler]
#[onward::propagate]
async fn handler() -> &'static str {
    "`#[propagate]` goes above: the argument that it adds has to be there when `debug_handler` reads them"
}

fn main() {}
