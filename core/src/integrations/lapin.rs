//! lapin: AMQP message headers, `BasicProperties::headers`. They are a message's, so no credentials go into them.

use amq_protocol_types::{AMQPValue, FieldTable, ShortString};

use crate::{Extract, Inject, Line, Name, Value};

impl Extract for FieldTable {
    fn lines<'a>(&'a self, mut line: impl FnMut(Line<'a>)) {
        for (name, value) in self.inner() {
            let value = match value {
                AMQPValue::LongString(text) => text.as_bytes(),
                AMQPValue::ShortString(text) => text.as_str().as_bytes(),
                AMQPValue::ByteArray(bytes) => bytes.as_slice(),
                // Numbers, tables and the like: no header that Onward forwards is one.
                _ => continue,
            };
            line(Line::new(name.as_str().as_bytes(), value));
        }
    }
}

impl Inject for FieldTable {
    const REPEATS: bool = false;
    const MESSAGE: bool = true;

    fn insert(&mut self, name: Name<'_>, value: Value<'_>) {
        // AMQP takes names of up to 255 bytes; only one under a prefix rule can be longer, and that one stays out.
        if let Ok(name) = ShortString::try_new(name.as_str()) {
            let bytes = value.as_bytes().to_vec();
            // Consumers in other languages read a long string as UTF-8, and lose what is none.
            let value = match str::from_utf8(&bytes) {
                Ok(_) => AMQPValue::LongString(bytes.into()),
                Err(_) => AMQPValue::ByteArray(bytes.into()),
            };
            self.insert(name, value);
        }
    }

    fn append(&mut self, name: Name<'_>, value: Value<'_>) {
        Inject::insert(self, name, value);
    }
}

/// The guide's page, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/messages.md")]
struct Page;
