#[onward::propagate]
async fn handler(headers: http::HeaderMap) -> Result<String, std::num::ParseIntError> {
    let count: u32 = "1".parse()?;
    let _ = headers;
    Ok(count)
}

fn main() {}
