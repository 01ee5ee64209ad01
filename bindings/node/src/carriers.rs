//! Carriers as they cross the border: flat lists `[name, value, name, value, ...]` of Latin-1 text.

use onward::{Extract, Inject, Line, Name, Value};

/// A name or value in JavaScript is text of which each character is one byte. `None` where one is beyond U+00FF.
pub(crate) fn bytes(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

/// The text of which each character is one byte.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// What came in.
pub(crate) struct Inbound {
    lines: Vec<(Vec<u8>, Vec<u8>)>,
    /// Lower-case names of lines whose value is no Latin-1 text. The core sees a NUL in its place, which it drops.
    pub(crate) not_latin1: Vec<String>,
}

impl Inbound {
    pub(crate) fn new(flat: &[String]) -> Self {
        let mut inbound = Self { lines: Vec::with_capacity(flat.len() / 2), not_latin1: Vec::new() };
        for [name, value] in flat.as_chunks().0 {
            // No policy can select a name that is not ASCII; its bytes only have to stay no name.
            let name_bytes = bytes(name).unwrap_or_else(|| name.clone().into_bytes());
            let value = bytes(value).unwrap_or_else(|| {
                inbound.not_latin1.push(name.to_ascii_lowercase());
                vec![0]
            });
            inbound.lines.push((name_bytes, value));
        }
        inbound
    }
}

impl Extract for Inbound {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.lines.as_slice().lines(line);
    }
}

/// What goes out: the lines that are there, and those that are added.
pub(crate) struct Outbound<const REPEATS: bool> {
    present: Vec<(Vec<u8>, Vec<u8>)>,
    /// Names of which the client library has set the value by itself.
    defaults: Vec<String>,
    /// Flat, as it goes back.
    pub(crate) added: Vec<String>,
}

impl<const REPEATS: bool> Outbound<REPEATS> {
    pub(crate) fn new(flat: &[String], defaults: Vec<String>) -> Self {
        let present = flat
            .as_chunks()
            .0
            .iter()
            .map(|[name, value]| {
                (name.clone().into_bytes(), bytes(value).unwrap_or_else(|| value.clone().into_bytes()))
            })
            .collect();
        Self { present, defaults, added: Vec::new() }
    }
}

impl<const REPEATS: bool> Extract for Outbound<REPEATS> {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.present.as_slice().lines(line);
    }
}

impl<const REPEATS: bool> Inject for Outbound<REPEATS> {
    const REPEATS: bool = REPEATS;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        self.append(name, value);
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        self.added.push(name.as_str().to_owned());
        self.added.push(text(value.as_bytes()));
    }

    fn is_default(&self, name: &str) -> bool {
        self.defaults.iter().any(|default| default.eq_ignore_ascii_case(name))
    }
}
