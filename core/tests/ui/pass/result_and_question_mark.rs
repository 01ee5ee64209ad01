//! `?` and early returns give the function's own error.

#[onward::propagate]
async fn handler(headers: http::HeaderMap) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    let Some(value) = headers.get("x-count") else { return Ok(0) };
    Ok(value.to_str()?.parse()?)
}

fn main() {
    drop(handler(http::HeaderMap::new()));
}
