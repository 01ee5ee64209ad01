//! Lists of pairs and maps.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash};

use super::{Extract, Inject, Line, Name, Value};

/// A type that a forwarded value can be stored as.
///
/// Values are bytes. Stored as a `String` they stay the same text where they are UTF-8; otherwise each byte becomes
/// the character of that number (Latin-1).
pub trait FromValue {
    /// Makes one from the bytes as they came in.
    fn from_value(bytes: &[u8]) -> Self;
}

impl FromValue for Vec<u8> {
    fn from_value(bytes: &[u8]) -> Self {
        bytes.into()
    }
}

impl FromValue for bytes::Bytes {
    fn from_value(bytes: &[u8]) -> Self {
        Self::copy_from_slice(bytes)
    }
}

impl FromValue for String {
    fn from_value(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => bytes.iter().copied().map(char::from).collect(),
        }
    }
}

fn each<'a, N, V>(pairs: impl IntoIterator<Item = (&'a N, &'a V)>, mut line: impl FnMut(Line<'a>))
where
    N: AsRef<[u8]> + ?Sized + 'a,
    V: AsRef<[u8]> + ?Sized + 'a,
{
    for (name, value) in pairs {
        line(Line::new(name.as_ref(), value.as_ref()));
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Extract for [(N, V)] {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        each(self.iter().map(|(name, value)| (name, value)), line);
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, const LEN: usize> Extract for [(N, V); LEN] {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.as_slice().lines(line);
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Extract for Vec<(N, V)> {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.as_slice().lines(line);
    }
}

impl<N, V> Inject for Vec<(N, V)>
where
    N: AsRef<[u8]> + for<'a> From<&'a str>,
    V: AsRef<[u8]> + FromValue,
{
    const REPEATS: bool = true;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        self.retain(|(present, _)| !present.as_ref().eq_ignore_ascii_case(name.as_str().as_bytes()));
        Inject::append(self, name, value);
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        self.push((name.as_str().into(), V::from_value(value.as_bytes())));
    }

    fn reserve(&mut self, lines: usize) {
        self.reserve(lines);
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, S> Extract for HashMap<N, V, S> {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        each(self, line);
    }
}

impl<N, V, S> Inject for HashMap<N, V, S>
where
    N: AsRef<[u8]> + Eq + Hash + for<'a> From<&'a str>,
    V: AsRef<[u8]> + FromValue,
    S: BuildHasher,
{
    const REPEATS: bool = false;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        self.insert(name.as_str().into(), V::from_value(value.as_bytes()));
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        Inject::insert(self, name, value);
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Extract for BTreeMap<N, V> {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        each(self, line);
    }
}

impl<N, V> Inject for BTreeMap<N, V>
where
    N: AsRef<[u8]> + Ord + for<'a> From<&'a str>,
    V: AsRef<[u8]> + FromValue,
{
    const REPEATS: bool = false;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        self.insert(name.as_str().into(), V::from_value(value.as_bytes()));
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        Inject::insert(self, name, value);
    }
}
