//! What a gRPC channel calls the place that it leads to.

use percent_encoding::percent_decode_str;

/// The authorities that a gRPC target stands for, each for [`Destination::parse`](crate::Destination::parse). Of several,
/// any may get a call: what may not go to all of them, goes to none.
///
/// # Examples
///
/// ```
/// assert_eq!(onward::grpc_authorities("dns:///ratings:50051"), ["ratings:50051"]);
/// assert_eq!(onward::grpc_authorities("ipv4:10.0.0.1:50051,10.0.0.2:50051"), ["10.0.0.1:50051", "10.0.0.2:50051"]);
/// ```
#[must_use]
pub fn grpc_authorities(target: &str) -> Vec<String> {
    let Some((scheme, rest)) = target.split_once(':') else { return vec![target.to_owned()] };
    // The authority of such a URI is the server that is asked for the name.
    let path = match rest.strip_prefix("//") {
        Some(rest) => rest.split_once('/').map_or("", |(_, path)| path),
        None => rest,
    };
    let decoded = || percent_decode_str(path).decode_utf8_lossy();
    match scheme {
        // A socket of this machine, whose calls gRPC gives this authority.
        "unix" | "unix-abstract" => vec!["localhost".to_owned()],
        "ipv4" | "ipv6" => decoded().split(',').map(str::to_owned).collect(),
        "dns" | "xds" => vec![decoded().into_owned()],
        _ => vec![target.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_stands_for_the_authorities_in_it() {
        for (target, authorities) in [
            ("ratings:50051", &["ratings:50051"][..]),
            ("ratings", &["ratings"]),
            // A host of this name.
            ("dns", &["dns"]),
            ("dns:ratings:50051", &["ratings:50051"]),
            ("dns:///ratings:50051", &["ratings:50051"]),
            ("dns://8.8.8.8/api.example.com", &["api.example.com"]),
            ("dns:///api%2Eexample%2Ecom", &["api.example.com"]),
            ("dns://ratings", &[""]),
            ("xds:///ratings.bookinfo", &["ratings.bookinfo"]),
            ("ipv4:127.0.0.1:50051", &["127.0.0.1:50051"]),
            ("ipv4:///127.0.0.1:50051,192.0.2.1:50051", &["127.0.0.1:50051", "192.0.2.1:50051"]),
            ("ipv6:%5B::1%5D:50051", &["[::1]:50051"]),
            ("unix:/run/ratings.sock", &["localhost"]),
            ("unix-abstract:ratings", &["localhost"]),
            ("vsock:3:50051", &["vsock:3:50051"]),
            ("https://ratings:50051", &["https://ratings:50051"]),
        ] {
            assert_eq!(grpc_authorities(target), authorities, "{target}");
        }
    }
}
