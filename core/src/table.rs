//! Looks names up, whatever their case: one probe and two comparisons of eight bytes for nearly every name.

/// A name as the table compares it: its length, and its first and last eight bytes in lower case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Key {
    head: u64,
    tail: u64,
    len: usize,
}

/// Names to what they stand for. Built once, at run time, because a policy is known no earlier.
#[derive(Debug)]
pub(crate) struct Table<V>(
    /// By hash. As many as there are hashes, so that no place needs a check; ample for any real policy.
    Box<[Slot<V>; 256]>,
);

#[derive(Debug, Default)]
struct Slot<V> {
    /// The default marks a free slot: no name has it.
    key: Key,
    /// What head and tail leave out, in lower case.
    middle: Box<[u8]>,
    value: V,
    /// Another name of the same hash.
    next: Option<Box<Self>>,
}

impl<V: Copy + Default> Table<V> {
    /// The last of several equal names wins.
    pub(crate) fn new<'a>(names: impl IntoIterator<Item = (&'a str, V)>) -> Self {
        let mut slots = Box::new(std::array::from_fn(|_| Slot::default()));
        for (name, value) in names {
            let name = name.to_ascii_lowercase().into_bytes();
            let key = Key::new(&name);
            let mut slot: &mut Slot<V> = &mut slots[key.hash()];
            while slot.key != Key::default() && !slot.has(key, &name) {
                slot = slot.next.get_or_insert_default();
            }
            *slot = Slot { key, middle: middle(&name).into(), value, next: slot.next.take() };
        }
        Self(slots)
    }

    #[inline]
    pub(crate) fn find(&self, key: Key, name: &[u8]) -> Option<V> {
        let mut slot = &self.0[key.hash()];
        while !slot.has(key, name) {
            slot = slot.next.as_deref()?;
        }
        Some(slot.value)
    }
}

impl<V> Slot<V> {
    #[inline]
    fn has(&self, key: Key, name: &[u8]) -> bool {
        self.key == key && (self.middle.is_empty() || self.has_middle(name))
    }

    /// Apart, so that names that are not in the table pay nothing for it.
    #[inline(never)]
    fn has_middle(&self, name: &[u8]) -> bool {
        self.middle.eq_ignore_ascii_case(middle(name))
    }
}

fn middle(name: &[u8]) -> &[u8] {
    name.get(8..name.len().saturating_sub(8)).unwrap_or_default()
}

impl Key {
    #[inline]
    pub(crate) fn new(name: &[u8]) -> Self {
        let (head, tail) = match (name.first_chunk(), name.last_chunk()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => (short(name), NO_CAPITALS),
        };
        // Most names come in lower case already, and many carriers hold no others.
        let folded = head & tail & NO_CAPITALS == NO_CAPITALS;
        let (head, tail) = if folded { (head, tail) } else { fold(head, tail) };
        Self { head, tail, len: name.len() }
    }

    #[inline]
    fn hash(self) -> usize {
        // The multiplier is 2^64 divided by the golden ratio: its high bits depend on every bit of the key.
        let mixed = self.head ^ self.tail.rotate_left(29) ^ self.len as u64;
        let [hash, ..] = mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
        hash.into()
    }
}

#[cold]
fn fold(head: u64, tail: u64) -> (u64, u64) {
    (lower(head), lower(tail))
}

/// A name of less than eight bytes, with blanks behind it: they have the bit that capitals lack.
#[inline]
fn short(name: &[u8]) -> u64 {
    let len = name.len();
    let word = if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        // Where the two overlap, they agree.
        u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << (8 * (len - 4))
    } else {
        name.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
    };
    word | NO_CAPITALS << (8 * len)
}

/// Prefixes to what they stand for, in an order that counts.
#[derive(Debug)]
pub(crate) struct Prefixes<V> {
    /// What all of them agree in, so that nearly every other name is told by one comparison.
    common: Head,
    each: Vec<(Prefix, V)>,
}

/// Some bits of the first eight bytes of a name, in lower case.
#[derive(Clone, Copy, Debug)]
struct Head {
    bits: u64,
    mask: u64,
}

#[derive(Debug)]
struct Prefix {
    head: Head,
    text: Box<[u8]>,
}

impl<V: Copy> Prefixes<V> {
    pub(crate) fn new<'a>(prefixes: impl IntoIterator<Item = (&'a str, V)>) -> Self {
        let each: Vec<_> = prefixes.into_iter().map(|(prefix, value)| (Prefix::new(prefix), value)).collect();
        // Without any, a bit that the mask leaves out: no name has that head.
        let common = each.iter().map(|(prefix, _)| prefix.head).reduce(Head::common);
        Self { common: common.unwrap_or(Head { bits: 1, mask: 0 }), each }
    }

    /// Of the first prefix that covers `name`.
    #[inline]
    pub(crate) fn find(&self, key: Key, name: &[u8]) -> Option<V> {
        if !self.common.covers(key) {
            return None;
        }
        self.each.iter().find(|(prefix, _)| prefix.covers(key, name)).map(|(_, value)| *value)
    }
}

impl Head {
    #[inline]
    fn covers(self, key: Key) -> bool {
        key.head & self.mask == self.bits
    }

    fn common(self, other: Self) -> Self {
        let mask = self.mask & other.mask & !(self.bits ^ other.bits);
        Self { bits: self.bits & mask, mask }
    }
}

impl Prefix {
    fn new(prefix: &str) -> Self {
        let text = prefix.to_ascii_lowercase().into_bytes();
        let known = text.len().min(8);
        let mask = u64::MAX.checked_shr(64 - 8 * u32::try_from(known).unwrap_or(8)).unwrap_or(0);
        let bits = Key::new(&text[..known]).head & mask;
        Self { head: Head { bits, mask }, text: text.into() }
    }

    fn covers(&self, key: Key, name: &[u8]) -> bool {
        self.head.covers(key) && crate::catalogue::starts_with(name, &self.text)
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

    impl Table<u16> {
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
    fn the_first_prefix_that_covers_a_name_counts_whatever_they_have_in_common() {
        let find = |prefixes: &[&'static str], name: &[u8]| {
            Prefixes::new(prefixes.iter().copied().zip(0..)).find(Key::new(name), name)
        };
        assert_eq!(find(&[], b"x-canary-blue"), None);
        assert_eq!(find(&["x-canary-", "x-", "ot-"], b"X-Canary-Blue"), Some(0));
        assert_eq!(find(&["x-canary-", "x-", "ot-"], b"x-can"), Some(1));
        assert_eq!(find(&["x-canary-", "x-", "ot-"], b"OT-baggage-a"), Some(2));
        assert_eq!(find(&["x-canary-", "x-", "ot-"], b"traceparent"), None);
        assert_eq!(find(&["x-canary-blue-", "x-canary-green-"], b"x-canary-green-1"), Some(1));
        assert_eq!(find(&["x-canary-blue-", "x-canary-green-"], b"x-canary-red-1"), None);
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
