//! Lightstep's `x-ot-span-context`, which only its tracers write: the trace id is read, for log lines.
//!
//! In base64 a protobuf message, of which field 2 is another one, of which field 1 is the trace id.

use super::from_base64;

/// The trace id, in 16 hexadecimal digits.
pub(crate) fn trace(value: &[u8]) -> Option<String> {
    let message = from_base64(value)?;
    let Field::Bytes(context) = field(&message, 2)? else { return None };
    let Field::Fixed64(id) = field(context, 1)? else { return None };
    (id != 0).then(|| format!("{id:016x}"))
}

enum Field<'a> {
    Fixed64(u64),
    Bytes(&'a [u8]),
    Other,
}

/// The first field with that number.
fn field(mut message: &[u8], number: u64) -> Option<Field<'_>> {
    loop {
        let tag = varint(&mut message)?;
        let field = match tag & 7 {
            0 => varint(&mut message).map(|_| Field::Other)?,
            1 => Field::Fixed64(u64::from_le_bytes(*message.split_off(..8)?.first_chunk()?)),
            2 => {
                let length = usize::try_from(varint(&mut message)?).ok()?;
                Field::Bytes(message.split_off(..length)?)
            }
            5 => message.split_off(..4).map(|_| Field::Other)?,
            _ => return None,
        };
        if tag >> 3 == number {
            return Some(field);
        }
    }
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *message.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;

    use super::*;

    const ID: [u8; 8] = [0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01];

    fn read(message: &[&[u8]]) -> Option<String> {
        trace(BASE64_STANDARD.encode(message.concat()).as_bytes())
    }

    #[test]
    fn the_trace_is_read() {
        let expected = Some("0123456789abcdef".to_owned());
        // The span's id and the decision behind it.
        let rest = [&[0x11][..], &[7; 8], &[0x18, 1]].concat();
        assert_eq!(read(&[&[0x12, 20, 0x09], &ID, &rest]), expected);
        assert_eq!(read(&[&[0x0a, 2, 7, 7, 0x12, 9, 0x09], &ID]), expected, "behind the old field");
        assert_eq!(
            read(&[&[0x08, 0x96, 1, 0x1d, 7, 7, 7, 7, 0x12, 11, 0x18, 1, 0x09], &ID]),
            expected,
            "behind others"
        );
        assert_eq!(trace(b"EgkJ782riWdFIwE=").as_deref(), Some("0123456789abcdef"));
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        assert_eq!(trace(b"not base64!"), None);
        assert_eq!(trace(b""), None);
        assert_eq!(read(&[&[0x12, 9, 0x09], &[0; 8]]), None, "zero");
        assert_eq!(read(&[&[0x12, 9, 0x09], &ID[1..]]), None, "cut off");
        assert_eq!(read(&[&[0x12, 8, 0x09], &ID]), None, "cut off inside");
        assert_eq!(read(&[&[0x12, 2, 0x08, 7]]), None, "a trace of another type");
        assert_eq!(read(&[&[0x11], &ID]), None, "a context of another type");
        assert_eq!(read(&[&[0x13, 0x12, 9, 0x09], &ID]), None, "a type that is none");
        assert_eq!(read(&[&[0x80; 11]]), None, "a number that does not end");
        assert_eq!(
            read(&[&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]]),
            None,
            "longer than memory"
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>, inner: [u8; 12]) {
            let _ = trace(&bytes);
            let _ = read(&[&bytes]);
            let _ = read(&[&[0x12, 12], &inner]);
        }
    }
}
