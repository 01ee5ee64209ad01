//! The carriers that vectors run on, beside those of the core.

use http::{HeaderMap, HeaderName, HeaderValue};
use onward::{Extract, Inject, Line, Name, Value};

use crate::vectors::ByteLines;

/// A carrier with one value a name that keeps the order in which names were written.
pub(crate) struct OneValue(pub(crate) ByteLines);

impl Extract for OneValue {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.0.lines(line);
    }
}

impl Inject for OneValue {
    const REPEATS: bool = false;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        insert(&mut self.0, name, value);
    }

    fn append(&mut self, name: Name<'_>, _value: Value<'_>) {
        panic!("a second line of {} into a carrier with one value a name", name.as_str());
    }
}

/// A carrier that is known to be a message's headers.
pub(crate) struct Message(pub(crate) ByteLines);

impl Extract for Message {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.0.lines(line);
    }
}

impl Inject for Message {
    const REPEATS: bool = true;
    const MESSAGE: bool = true;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        insert(&mut self.0, name, value);
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        self.0.push((name.as_str().into(), value.as_bytes().into()));
    }
}

/// A carrier with any number of lines a name.
pub(crate) struct ManyLines(pub(crate) ByteLines);

impl Extract for ManyLines {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.0.lines(line);
    }
}

impl Inject for ManyLines {
    const REPEATS: bool = true;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        insert(&mut self.0, name, value);
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        self.0.push((name.as_str().into(), value.as_bytes().into()));
    }
}

fn insert(lines: &mut ByteLines, name: Name<'_>, value: Value<'_>) {
    lines.retain(|(present, _)| !present.eq_ignore_ascii_case(name.as_str().as_bytes()));
    lines.push((name.as_str().into(), value.as_bytes().into()));
}

/// A carrier whose `user-agent` is the client library's own.
pub(crate) struct DefaultUserAgent<C>(pub(crate) C);

pub(crate) fn is_user_agent(name: &str) -> bool {
    name.eq_ignore_ascii_case("user-agent")
}

impl<C: Extract> Extract for DefaultUserAgent<C> {
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.0.lines(line);
    }
}

impl<C: Inject> Inject for DefaultUserAgent<C> {
    const REPEATS: bool = C::REPEATS;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        self.0.insert(name, value);
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        self.0.append(name, value);
    }

    fn is_default(&self, name: &str) -> bool {
        is_user_agent(name)
    }
}

/// A carrier that can be looked into.
pub(crate) trait Held: Inject {
    fn held(self) -> ByteLines;
}

impl Held for OneValue {
    fn held(self) -> ByteLines {
        self.0
    }
}

impl Held for ManyLines {
    fn held(self) -> ByteLines {
        self.0
    }
}

impl Held for HeaderMap {
    fn held(self) -> ByteLines {
        self.iter().map(|(name, value)| (name.as_str().into(), value.as_bytes().into())).collect()
    }
}

impl<C: Held> Held for DefaultUserAgent<C> {
    fn held(self) -> ByteLines {
        self.0.held()
    }
}

/// The lines as `http` has them; none if that type cannot hold one of them.
pub(crate) fn header_map(lines: &ByteLines) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in lines {
        map.append(HeaderName::from_bytes(name).ok()?, HeaderValue::from_bytes(value).ok()?);
    }
    Some(map)
}
