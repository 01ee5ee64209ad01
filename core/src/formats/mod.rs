//! The wire formats of trace headers, one file each: reading is strict, and anything is either well-formed or `None`.
//!
//! No header name stands here. Which header has which format is said where the formats are used: in `reparent` and `ids`.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

pub(crate) mod b3;
#[cfg(test)]
mod baggage;
pub(crate) mod cloud_trace;
pub(crate) mod datadog;
pub(crate) mod grpc_trace;
pub(crate) mod jaeger;
pub(crate) mod lightstep;
pub(crate) mod ot_tracer;
pub(crate) mod skywalking;
pub(crate) mod traceparent;
pub(crate) mod tracestate;
pub(crate) mod xray;

/// An id in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Id<'a> {
    /// The digits as they came in.
    pub(crate) text: &'a str,
    pub(crate) number: u128,
}

/// An id in as many digits as one of `lengths` says, in either case. One of zeros is none.
pub(crate) fn id<'a>(digits: &'a [u8], lengths: &[usize]) -> Option<Id<'a>> {
    let text = std::str::from_utf8(digits).ok()?;
    let number = hexadecimal(digits)?;
    (number != 0 && lengths.contains(&digits.len())).then_some(Id { text, number })
}

/// An id in at most `most` digits: the leading zeros may be absent.
pub(crate) fn id_up_to(most: usize, digits: &[u8]) -> Option<Id<'_>> {
    id(digits, &[digits.len()]).filter(|_| digits.len() <= most)
}

/// A number of up to 32 hexadecimal digits.
pub(crate) fn hexadecimal(digits: &[u8]) -> Option<u128> {
    // The standard library takes a sign as well.
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u128::from_str_radix(text, 16).ok()
}

/// Base64 with padding or without it.
pub(crate) fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&STANDARD, CONFIG).decode(text).ok()
}

/// Whether there are no capitals.
pub(crate) fn is_lower(text: &[u8]) -> bool {
    !text.iter().any(u8::is_ascii_uppercase)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::SpanContext;
    use proptest::prelude::*;

    /// Any span that can be a parent.
    pub(crate) fn span() -> impl Strategy<Value = SpanContext> {
        (prop_oneof![1..=u128::MAX, 1..=u128::from(u64::MAX)], 1..=u64::MAX).prop_map(|(trace, span)| {
            SpanContext::new(trace.to_be_bytes(), span.to_be_bytes(), SpanContext::SAMPLED)
        })
    }

    #[test]
    fn an_id_has_only_digits_and_one_of_the_lengths() {
        assert_eq!(id(b"00ff", &[4]), Some(Id { text: "00ff", number: 255 }));
        assert_eq!(id(b"00FF", &[4]), Some(Id { text: "00FF", number: 255 }));
        for (digits, why) in [
            (&b"0000"[..], "zero"),
            (b"0ff", "three digits"),
            (b"+0ff", "a sign"),
            (b" 0ff", "a blank"),
            (b"0xff", "no digit"),
            (b"\xff\xff\xff\xff", "no text"),
            (b"", "nothing"),
        ] {
            assert_eq!(id(digits, &[4]), None, "{why}");
        }
        assert_eq!(hexadecimal(&[b'f'; 33]), None, "more than 128 bits");
    }
}
