//! Reading `conformance/`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use onward::{Destination, SpanContext};
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    files: Vec<IndexFile>,
    cases: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IndexFile {
    file: String,
    cases: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VectorFile {
    pub(crate) group: String,
    pub(crate) cases: Vec<Case>,
}

pub(crate) type Pairs = Vec<(String, String)>;
pub(crate) type ByteLines = Vec<(Vec<u8>, Vec<u8>)>;

/// One case, as `conformance/README.md` describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) rule: String,
    #[serde(rename = "reason")]
    _reason: String,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) limits: Limits,
    pub(crate) inbound: Option<Pairs>,
    pub(crate) span: Option<Parent>,
    pub(crate) destination: Option<String>,
    pub(crate) message: Option<Message>,
    #[serde(default)]
    pub(crate) outbound: Pairs,
    #[serde(default)]
    pub(crate) default_user_agent: bool,
    pub(crate) lines: Option<Pairs>,
    pub(crate) single: Option<Pairs>,
    pub(crate) dropped: Option<BTreeSet<(String, String)>>,
    pub(crate) explain: Option<Vec<(String, String, String)>>,
    pub(crate) policy: Option<Vec<String>>,
    pub(crate) in_mesh: Option<bool>,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) request_id: Option<ExpectedId>,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) trace_id: Option<ExpectedId>,
    pub(crate) error: Option<ExpectedError>,
}

/// What is expected of an id; null says that there is none.
pub(crate) struct ExpectedId(pub(crate) Option<String>);

fn even_null<'de, D: Deserializer<'de>>(value: D) -> Result<Option<ExpectedId>, D::Error> {
    Option::deserialize(value).map(|id| Some(ExpectedId(id)))
}

/// The tracer's current span.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parent {
    trace_id: String,
    span_id: String,
    sampled: bool,
    #[serde(default)]
    trace_state: String,
}

impl Parent {
    pub(crate) fn context(&self) -> SpanContext {
        let trace_id = u128::from_str_radix(&self.trace_id, 16).unwrap();
        let span_id = u64::from_str_radix(&self.span_id, 16).unwrap();
        SpanContext::new(trace_id.to_be_bytes(), span_id.to_be_bytes(), self.sampled.into())
            .with_trace_state(&*self.trace_state)
    }
}

/// A message's headers are written to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    #[serde(default)]
    pub(crate) credentials: bool,
}

impl Case {
    /// Where the headers go.
    pub(crate) fn destination(&self) -> Option<Destination<'_>> {
        match &self.message {
            Some(Message { credentials: true }) => Some(Destination::message_with_credentials()),
            Some(Message { credentials: false }) => Some(Destination::message()),
            None => self.destination.as_deref().map(Destination::parse),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) max_bytes: Option<usize>,
    pub(crate) max_prefix_headers: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExpectedError {
    pub(crate) kind: String,
    pub(crate) token: Option<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance")
}

fn read<T: for<'a> Deserialize<'a>>(path: &Path) -> T {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file of vectors; exactly those of the index, with as many cases as it says.
pub(crate) fn load() -> Vec<VectorFile> {
    let index: Index = read(&folder().join("index.json"));
    let listed: BTreeSet<_> = index.files.iter().map(|entry| entry.file.clone()).collect();
    let present: BTreeSet<_> = fs::read_dir(folder().join("vectors"))
        .unwrap()
        .map(|entry| format!("vectors/{}", entry.unwrap().file_name().display()))
        .collect();
    assert_eq!(present, listed, "the files of vectors/ (left) and of the index (right)");

    let mut total = 0;
    let mut files = Vec::new();
    for entry in &index.files {
        let file: VectorFile = read(&folder().join(&entry.file));
        assert_eq!(file.cases.len(), entry.cases, "cases in {}", entry.file);
        assert_eq!(format!("vectors/{}.json", file.group), entry.file);
        total += file.cases.len();
        files.push(file);
    }
    assert_eq!(total, index.cases, "cases in all");
    files
}

/// Latin-1 text to the bytes that it stands for.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let byte = |letter| u8::try_from(u32::from(letter)).expect("a letter of Latin-1");
    text.chars().map(byte).collect()
}

pub(crate) fn byte_lines(pairs: &[(String, String)]) -> ByteLines {
    pairs.iter().map(|(name, value)| (bytes(name), bytes(value))).collect()
}
