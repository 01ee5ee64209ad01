//! Looks names up, whatever their case: one probe and two comparisons of eight bytes for nearly every name.

/// A name as the table compares it: its length, and its first and last eight bytes in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    head: u64,
    tail: u64,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// A length of 0 marks a free slot: no name is empty.
    key: Key,
    value: u16,
}

/// Names to small numbers. Built once, at run time, because a policy is known no earlier.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// Open addressing; the length is a power of two, and at most a quarter is taken.
    slots: Box<[Slot]>,
    /// The names in the slots, lower case; looked at only where head and tail leave a gap.
    names: Box<[Box<[u8]>]>,
    shift: u32,
}

impl Table {
    /// The last of several equal names wins.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = (&'a str, u16)>) -> Self {
        let names: Vec<_> = names.into_iter().collect();
        let size = (names.len() * 4).next_power_of_two().max(16);
        let free = Slot { key: Key { head: 0, tail: 0, len: 0 }, value: 0 };
        let mut table = Self {
            slots: vec![free; size].into(),
            names: vec![Box::default(); size].into(),
            shift: 64 - size.trailing_zeros(),
        };
        for (name, value) in names {
            let name = name.to_ascii_lowercase().into_bytes();
            let key = Key::new(&name);
            let mut at = table.start(key);
            while table.slots[at].key.len != 0 && *table.names[at] != *name {
                at = (at + 1) & (size - 1);
            }
            table.slots[at] = Slot { key, value };
            table.names[at] = name.into();
        }
        table
    }

    #[inline]
    pub(crate) fn find(&self, key: Key, name: &[u8]) -> Option<u16> {
        let mut at = self.start(key);
        loop {
            let slot = &self.slots[at & (self.slots.len() - 1)];
            if slot.key == key && (key.len <= 16 || self.names[at].eq_ignore_ascii_case(name)) {
                return (key.len != 0).then_some(slot.value);
            }
            if slot.key.len == 0 {
                return None;
            }
            at = (at + 1) & (self.slots.len() - 1);
        }
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the shift leaves fewer bits than the table's length has"
    )]
    fn start(&self, key: Key) -> usize {
        // The multiplier is 2^64 divided by the golden ratio: its high bits depend on every bit of the key.
        let mixed = key.head ^ key.tail.rotate_left(29) ^ key.len as u64;
        (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }
}

impl Key {
    #[inline]
    pub(crate) fn new(name: &[u8]) -> Self {
        let len = name.len();
        let (head, tail) = if let (Some(head), Some(tail)) = (name.first_chunk(), name.last_chunk()) {
            (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        } else {
            (name.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)), 0)
        };
        // Most names come in lower case already, and many carriers hold no others.
        if head & tail & NO_CAPITALS == NO_CAPITALS {
            return Self { head, tail, len };
        }
        Self { head: lower(head), tail: lower(tail), len }
    }
}

/// A prefix, of which eight bytes are compared at once before the rest is.
#[derive(Clone, Debug)]
pub(crate) struct Prefix {
    head: u64,
    mask: u64,
    text: Box<[u8]>,
}

impl Prefix {
    pub(crate) fn new(prefix: &str) -> Self {
        let prefix = prefix.to_ascii_lowercase().into_bytes();
        let known = prefix.len().min(8);
        Self {
            head: Key::new(&prefix[..known]).head,
            mask: u64::MAX.checked_shr(64 - 8 * u32::try_from(known).unwrap_or(8)).unwrap_or(0),
            text: prefix.into(),
        }
    }

    #[inline]
    pub(crate) fn covers(&self, key: Key, name: &[u8]) -> bool {
        key.head & self.mask == self.head && crate::catalogue::starts_with(name, &self.text)
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// The bit that every capital lacks and small letters, digits and hyphens have, in eight bytes.
const NO_CAPITALS: u64 = 0x20 * ONES;

/// Eight ASCII letters to lower case at once; every other byte stays as it is.
#[inline]
const fn lower(word: u64) -> u64 {
    let ascii = word & (0x7F * ONES);
    let from_a = ascii + (0x80 - b'A' as u64) * ONES;
    let past_z = ascii + (0x7F - b'Z' as u64) * ONES;
    let upper = from_a & !past_z & !word & (0x80 * ONES);
    word | (upper >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Table {
        fn get(&self, name: &[u8]) -> Option<u16> {
            self.find(Key::new(name), name)
        }
    }

    #[test]
    fn names_are_found_whatever_their_case() {
        let table = Table::new([("b3", 1), ("traceparent", 2), ("x-datadog-sampling-priority", 3)]);
        assert_eq!(table.get(b"B3"), Some(1));
        assert_eq!(table.get(b"TraceParent"), Some(2));
        assert_eq!(table.get(b"X-DATADOG-sampling-PRIORITY"), Some(3));
    }

    #[test]
    fn names_that_agree_in_both_ends_are_told_apart() {
        let table = Table::new([("x-canary-aaa-internal", 1), ("x-canary-bbb-internal", 2)]);
        assert_eq!(table.get(b"x-canary-aaa-internal"), Some(1));
        assert_eq!(table.get(b"x-canary-bbb-internal"), Some(2));
        assert_eq!(table.get(b"x-canary-ccc-internal"), None);
    }

    #[test]
    fn folding_case_changes_letters_only() {
        let table = Table::new([("x-a", 1), ("^_@[", 2)]);
        assert_eq!(table.get(b"x\x0Da"), None);
        assert_eq!(table.get(b"~\x7F`{"), None);
        assert_eq!(table.get(b"x-\xC1"), None);
        assert_eq!(table.get(b""), None);
    }

    #[test]
    fn a_prefix_covers_what_starts_with_it_whatever_the_case() {
        for (prefix, name, covered) in [
            ("x-", "X-a", true),
            ("x-", "x", false),
            ("x-canary-", "X-Canary-Blue", true),
            ("x-canary-", "x-canarY", false),
            ("x-canary-blue-", "x-canary-bluE-1", true),
            ("x-canary-blue-", "x-canary-red-1", false),
        ] {
            let name = name.as_bytes();
            assert_eq!(Prefix::new(prefix).covers(Key::new(name), name), covered, "{prefix} {name:?}");
        }
    }

    #[test]
    fn every_byte_folds_as_ascii_does() {
        for byte in 0..=u8::MAX {
            let word = u64::from_le_bytes([byte; 8]);
            assert_eq!(lower(word), u64::from_le_bytes([byte.to_ascii_lowercase(); 8]), "byte {byte:#04x}");
        }
    }

    #[test]
    fn a_thousand_names_are_all_found() {
        let names: Vec<String> = (0..1000).map(|i| format!("x-custom-header-{i}")).collect();
        let table = Table::new(names.iter().zip(0..).map(|(name, i)| (name.as_str(), i)));
        for (name, i) in names.iter().zip(0..) {
            assert_eq!(table.get(name.as_bytes()), Some(i));
        }
    }
}
