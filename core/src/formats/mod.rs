//! The wire formats of trace headers, one file each: reading is strict, and anything is either well-formed or `None`.
//!
//! No header name stands here. Which header has which format is said where the formats are used: in `reparent` and `ids`.

pub(crate) mod b3;
pub(crate) mod traceparent;
pub(crate) mod tracestate;

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

/// A number of up to 32 hexadecimal digits.
pub(crate) fn hexadecimal(digits: &[u8]) -> Option<u128> {
    // The standard library takes a sign as well.
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u128::from_str_radix(text, 16).ok()
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
