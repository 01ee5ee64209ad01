//! W3C's `tracestate`: `KEY=VALUE` a vendor, separated by commas, the latest on the left.

use std::fmt;

/// At most so many members; a longer list is none.
const MAX_MEMBERS: usize = 32;
/// What a key and a value may be long.
const MAX_LENGTH: usize = 256;
/// So much of a list every participant passes on. Only a longer one is ever trimmed.
const ROOM: usize = 512;
/// Longer members make room first.
const LONG_MEMBER: usize = 128;

/// The members, in order, each key once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TraceState<'a> {
    members: Vec<(&'a str, &'a str)>,
}

impl<'a> TraceState<'a> {
    /// From the header's lines, which make one list together. Empty members are passed over.
    pub(crate) fn parse(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Self> {
        let mut members: Vec<(&str, &str)> = Vec::new();
        for member in lines.into_iter().flat_map(|line| line.split(|byte| *byte == b',')) {
            let member = blanks_off(std::str::from_utf8(member).ok()?);
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            let new = members.len() < MAX_MEMBERS && members.iter().all(|(other, _)| *other != key);
            if !(new && is_key(key) && is_value(value)) {
                return None;
            }
            members.push((key, value));
        }
        Some(Self { members })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a str> {
        self.members.iter().find(|(other, _)| *other == key).map(|(_, value)| *value)
    }

    /// Changes a member, or adds it: on the left. The rightmost goes where there are too many then.
    ///
    /// A list may stay as long as it was, and have 512 letters in any case. Of one that has grown beyond, other members
    /// go until it fits: those of more than 128 letters first, then the rest, each from the right.
    pub(crate) fn put(&mut self, key: &'a str, value: &'a str) {
        let room = self.length().max(ROOM);
        self.members.retain(|(other, _)| *other != key);
        self.members.insert(0, (key, value));
        self.members.truncate(MAX_MEMBERS);
        for least in [LONG_MEMBER + 1, 0] {
            for at in (1..self.members.len()).rev() {
                if self.length() <= room {
                    return;
                }
                if length(self.members[at]) >= least {
                    self.members.remove(at);
                }
            }
        }
    }

    /// How many letters are written.
    fn length(&self) -> usize {
        let commas = self.members.len().saturating_sub(1);
        self.members.iter().map(|member| length(*member)).sum::<usize>() + commas
    }
}

fn length((key, value): (&str, &str)) -> usize {
    key.len() + "=".len() + value.len()
}

impl fmt::Display for TraceState<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (key, value)) in self.members.iter().enumerate() {
            write!(f, "{}{key}={value}", if i == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

fn blanks_off(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// Level 2's grammar, which has level 1's in it.
fn is_key(key: &str) -> bool {
    let first = key.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let rest =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-' | b'*' | b'/' | b'@');
    first && key.len() <= MAX_LENGTH && key.bytes().all(rest)
}

/// Printable ASCII without `,` and `=`. Blanks at its end were the list's.
fn is_value(value: &str) -> bool {
    let sound = |byte| matches!(byte, b' '..=b'~') && byte != b',' && byte != b'=';
    (1..=MAX_LENGTH).contains(&value.len()) && value.bytes().all(sound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn read(lines: &[&str]) -> Option<String> {
        TraceState::parse(lines.iter().map(|line| line.as_bytes())).map(|state| state.to_string())
    }

    #[test]
    fn lists_are_read() {
        let (key, value) = ("k".repeat(256), "v".repeat(256));
        let longest = format!("{key}={value}");
        for (lines, list, why) in [
            (
                vec!["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
                "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
                "two",
            ),
            (vec!["a=1,b=2", "c=3"], "a=1,b=2,c=3", "two lines"),
            (vec!["a=1 \t,\t b=2"], "a=1,b=2", "blanks around members"),
            (vec!["a= 1"], "a= 1", "a blank in front of a value is part of it"),
            (vec!["a=1,,b=2,", "", ","], "a=1,b=2", "empty members"),
            (vec![""], "", "no member"),
            (vec!["fw529a3039@dt=1"], "fw529a3039@dt=1", "a tenant of a system"),
            (vec!["0a=1,a_-*/@=2"], "0a=1,a_-*/@=2", "level 2's letters"),
            (
                vec!["a=!\"#$%&'()*+-./0:;<>?@AZ[\\]^_`az{|}~"],
                "a=!\"#$%&'()*+-./0:;<>?@AZ[\\]^_`az{|}~",
                "a value's letters",
            ),
            (vec![&longest], &longest, "256 letters each"),
        ] {
            assert_eq!(read(&lines).as_deref(), Some(list), "{why}");
        }
    }

    #[test]
    fn what_is_not_well_formed_is_none() {
        let long = "x".repeat(257);
        for (line, why) in [
            ("a", "no value"),
            ("a=", "an empty value"),
            ("=1", "an empty key"),
            ("A=1", "a capital"),
            ("_a=1", "a key begins with a letter or a digit"),
            ("a b=1", "a blank in a key"),
            ("a =1", "a blank behind a key"),
            ("a=1=2", "two equals signs"),
            ("a=\u{e9}", "a letter outside ASCII"),
            ("a=1\t2", "a tab in a value"),
            ("a=1,b=2,a=3", "a key twice"),
            ("a=1;b=2=3", "other separators"),
            (&format!("{long}=1"), "a key of 257 letters"),
            (&format!("a={long}"), "a value of 257 letters"),
        ] {
            assert_eq!(read(&[line]), None, "{why}");
        }
        assert_eq!(TraceState::parse([&b"a=\xff"[..]]), None, "no text");
    }

    #[test]
    fn a_list_has_at_most_32_members() {
        let members: Vec<_> = (0..33).map(|i| format!("k{i}=v")).collect();
        assert_eq!(read(&[&members[..32].join(",")]), Some(members[..32].join(",")));
        assert_eq!(read(&[&members.join(",")]), None);
        assert_eq!(read(&[&members[..20].join(","), &members[20..].join(",")]), None, "in two lines");
    }

    #[test]
    fn what_changes_goes_to_the_left_and_the_rightmost_makes_room() {
        let members: Vec<_> = (0..32).map(|i| format!("k{i}=v")).collect();
        let list = members.join(",");
        let mut state = TraceState::parse([list.as_bytes()]).unwrap();
        state.put("k5", "w");
        let changed = state.to_string();
        assert!(changed.starts_with("k5=w,k0=v,") && changed.ends_with(",k31=v"), "{changed}");
        state.put("new", "1");
        let longer = state.to_string();
        assert!(longer.starts_with("new=1,k5=w,k0=v,") && longer.ends_with(",k30=v"), "{longer}");
    }

    /// A member of so many letters.
    fn member(key: &str, letters: usize) -> String {
        format!("{key}={}", "x".repeat(letters - key.len() - 1))
    }

    #[test]
    fn a_list_that_grows_beyond_512_letters_is_trimmed() {
        for (list, put, trimmed, why) in [
            (
                [member("a", 250), member("b", 251)].join(","),
                ("k", "12345678"),
                vec!["k=12345678".into(), member("a", 250)],
                "513 in all",
            ),
            (
                [member("a", 250), member("b", 250)].join(","),
                ("k", "12345678"),
                vec!["k=12345678".into(), member("a", 250), member("b", 250)],
                "512 in all",
            ),
            (
                [member("a", 128), member("b", 129), member("c", 128), member("d", 121)].join(","),
                ("k", "v"),
                vec!["k=v".into(), member("a", 128), member("c", 128), member("d", 121)],
                "more than 128 letters go first",
            ),
            (
                [member("a", 129), member("b", 108), member("c", 129), member("d", 140)].join(","),
                ("k", "v"),
                vec!["k=v".into(), member("a", 129), member("b", 108), member("c", 129)],
                "the rightmost of the long ones, and no more than must",
            ),
            (
                (0..5).map(|i| member(&format!("k{i}"), 101)).collect::<Vec<_>>().join(","),
                ("k4", &"x".repeat(120)),
                vec![member("k4", 123), member("k0", 101), member("k1", 101), member("k2", 101)],
                "then the rightmost, and never what was put",
            ),
        ] {
            let mut state = TraceState::parse([list.as_bytes()]).unwrap();
            state.put(put.0, put.1);
            assert_eq!(state.to_string(), trimmed.join(","), "{why}");
        }
    }

    #[test]
    fn a_list_may_stay_as_long_as_it_came_in() {
        let list = [member("a", 250), member("dd", 200), member("b", 250)].join(",");
        let (same, longer) = ("y".repeat(197), "y".repeat(198));
        let mut state = TraceState::parse([list.as_bytes()]).unwrap();
        state.put("dd", &same);
        assert_eq!(state.to_string(), [format!("dd={same}"), member("a", 250), member("b", 250)].join(","));
        state.put("dd", &longer);
        assert_eq!(state.to_string(), [format!("dd={longer}"), member("a", 250)].join(","));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(text in "([a-c0-9@_]{1,3}=[ -~]{1,4}[ \t]?,?){0,40}", bytes: Vec<u8>) {
            for bytes in [text.as_bytes(), &bytes] {
                if let Some(state) = TraceState::parse([bytes]) {
                    let written = state.to_string();
                    prop_assert_eq!(TraceState::parse([written.as_bytes()]), Some(state));
                }
            }
        }
    }
}
