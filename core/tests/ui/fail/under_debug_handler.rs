#[axum::debug_handler]
#[onward::propagate]
async fn handler() -> &'static str {
    "under"
}

fn main() {}
