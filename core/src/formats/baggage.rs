//! W3C's `baggage`: `KEY=VALUE;PROPERTY`, separated by commas. Onward forwards it as it is: what is read here proves in
//! tests that joined lines are still one and the same list.

/// What every reader must take; Onward, as a forwarder, takes what comes.
const MAX_MEMBERS: usize = 64;
const MAX_LENGTH: usize = 8192;

#[derive(Clone, Debug, PartialEq, Eq)]
struct Member {
    key: String,
    /// Decoded.
    value: String,
    properties: Vec<(String, Option<String>)>,
}

/// From the header's lines, which make one list together.
fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<Member>> {
    let mut members = Vec::new();
    let mut length = 0;
    for line in lines {
        // The comma that joins it to the line before counts.
        length += line.len() + usize::from(length > 0);
        for member in std::str::from_utf8(line).ok()?.split(',') {
            members.push(parse_member(member)?);
        }
    }
    (members.len() <= MAX_MEMBERS && length <= MAX_LENGTH).then_some(members)
}

fn parse_member(member: &str) -> Option<Member> {
    let mut parts = member.split(';');
    let (key, value) = pair(parts.next()?)?;
    let properties = parts.map(|part| match pair(part) {
        Some((key, value)) => Some((key, Some(value))),
        None => token(part).map(|key| (key, None)),
    });
    Some(Member { key, value, properties: properties.collect::<Option<_>>()? })
}

fn pair(text: &str) -> Option<(String, String)> {
    let (key, value) = text.split_once('=')?;
    let value = value.trim_matches([' ', '\t']);
    let octet = |b| matches!(b, b'!' | b'#'..=b'+' | b'-'..=b':' | b'<'..=b'[' | b']'..=b'~');
    let sound = value.bytes().all(octet);
    sound.then(|| {
        Some((token(key)?, percent_encoding::percent_decode_str(value).decode_utf8_lossy().into()))
    })?
}

fn token(text: &str) -> Option<String> {
    let text = text.trim_matches([' ', '\t']);
    crate::catalogue::refused::is_token(text.as_bytes()).then(|| text.to_owned())
}

fn write(members: &[Member]) -> String {
    let encode = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    let member = |member: &Member| {
        let mut text = format!("{}={}", member.key, encode(&member.value));
        for (key, value) in &member.properties {
            text += &value.as_ref().map_or(format!(";{key}"), |value| format!(";{key}={}", encode(value)));
        }
        text
    };
    members.iter().map(member).collect::<Vec<_>>().join(",")
}

mod tests {
    use super::*;
    use crate::catalogue::BAGGAGE;
    use proptest::prelude::*;

    fn read(lines: &[&str]) -> Option<Vec<(String, String, usize)>> {
        let members = parse(lines.iter().map(|line| line.as_bytes()))?;
        Some(members.into_iter().map(|it| (it.key, it.value, it.properties.len())).collect())
    }

    #[test]
    fn lists_are_read() {
        for (lines, expected, why) in [
            (vec!["userId=alice"], vec![("userId", "alice", 0)], "one"),
            (vec!["a=1,b=2", "c=3"], vec![("a", "1", 0), ("b", "2", 0), ("c", "3", 0)], "two lines"),
            (vec!["a \t=\t 1 , b = 2"], vec![("a", "1", 0), ("b", "2", 0)], "blanks around"),
            (vec!["a=1;p;q=2 ; r"], vec![("a", "1", 3)], "properties"),
            (vec!["a="], vec![("a", "", 0)], "an empty value"),
            (vec!["a=b=c"], vec![("a", "b=c", 0)], "an equals sign in a value"),
            (vec!["a=Am%C3%A9lie%2C%20"], vec![("a", "Am\u{e9}lie, ", 0)], "encoded letters"),
            (vec!["a=%ff"], vec![("a", "\u{fffd}", 0)], "encoded bytes that are no text"),
            (vec!["a=1,a=2"], vec![("a", "1", 0), ("a", "2", 0)], "a key twice"),
        ] {
            let expected = expected.iter().map(|(k, v, n)| ((*k).to_owned(), (*v).to_owned(), *n)).collect();
            assert_eq!(read(&lines), Some(expected), "{why}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        let long = format!("a={}", "x".repeat(8191));
        let many = vec!["a=1"; 65].join(",");
        for (lines, why) in [
            (vec![""], "nothing"),
            (vec!["a"], "no value"),
            (vec!["=1"], "no key"),
            (vec!["a b=1"], "a blank in a key"),
            (vec!["a=1,,b=2"], "an empty member"),
            (vec!["a=1 2"], "a blank in a value"),
            (vec!["a=\"1\""], "a quote"),
            (vec!["a=1\\"], "a backslash"),
            (vec!["a=\u{e9}"], "a letter outside ASCII"),
            (vec!["a=1;"], "an empty property"),
            (vec!["a=1;=2"], "a property without a key"),
            (vec![&long], "8193 letters"),
            (vec![&many], "65 members"),
        ] {
            assert_eq!(read(&lines), None, "{why}");
        }
        assert!(read(&[&long[..8192]]).is_some(), "8192 letters");
        assert!(read(&[&long[..8000], &"b=1,".repeat(47)[..187]]).is_some(), "8188 letters in two lines");
        assert_eq!(
            read(&[&long[..8000], &format!("b={}", "x".repeat(190))]),
            None,
            "8193 letters in two lines"
        );
        assert!(read(&[&many[..64 * 4 - 1]]).is_some(), "64 members");
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(key in "[a-z]{1,8}", value: String, property in proptest::option::of("[ -~]{0,9}")) {
            let member = Member { key, value, properties: vec![("p".into(), None), ("q".into(), property)] };
            let members = vec![member; 3];
            let written = write(&members);
            prop_assume!(written.len() <= MAX_LENGTH);
            prop_assert_eq!(parse([written.as_bytes()]), Some(members));
        }

        #[test]
        fn lines_that_were_joined_are_the_same_list(lines in proptest::collection::vec("[a-c]{1,3}=[a-z0-9%=;]{0,9}( ?, ?[a-c]=1;p=q)?", 1..6)) {
            let inbound: Vec<_> = lines.iter().map(|line| (BAGGAGE.name, line.as_str())).collect();
            let mut outbound = std::collections::HashMap::<String, Vec<u8>>::new();
            crate::get_forward_headers(&inbound).inject(&mut outbound);
            let joined = outbound.get(BAGGAGE.name).unwrap();
            prop_assert_eq!(parse([joined.as_slice()]), parse(lines.iter().map(String::as_bytes)));
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = parse([bytes.as_slice()]);
        }
    }
}
