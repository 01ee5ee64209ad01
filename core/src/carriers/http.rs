//! The types of the crate http.

use http::{HeaderMap, Request, request};

use super::{Extract, Inject, Line, Name, Value};
use crate::shape::Batch;

impl Extract for HeaderMap {
    #[inline]
    fn lines<'a>(&'a self, mut line: impl FnMut(Line<'a>)) {
        for (name, value) in self {
            line(Line {
                name: name.as_str().as_bytes(),
                value: value.as_bytes(),
                sensitive: value.is_sensitive(),
                clean: true,
            });
        }
    }
}

impl Inject for HeaderMap {
    const REPEATS: bool = true;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        if let Some(value) = value.to_http() {
            self.insert(name.as_http().clone(), value);
        }
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        if let Some(value) = value.to_http() {
            self.append(name.as_http().clone(), value);
        }
    }

    fn fill(&mut self, lines: Batch<'_>) -> bool {
        self.is_empty() && lines.fill(self)
    }

    fn reserve(&mut self, lines: usize) {
        self.reserve(lines);
    }
}

impl<B> Extract for Request<B> {
    #[inline]
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.headers().lines(line);
    }
}

impl Extract for request::Parts {
    #[inline]
    fn lines<'a>(&'a self, line: impl FnMut(Line<'a>)) {
        self.headers.lines(line);
    }
}
