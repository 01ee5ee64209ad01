//! How a capture lies in memory: one block of bytes, so that capturing costs one allocation and cloning none.
//!
//! ```text
//! shape: u64 | lines: u16 | drops: u16 | unrecorded drops: u32
//! each line, then each drop: rank: u16 | name length: u16 | flags and value length: u32 | name (prefix rules only) | value
//! ```
//!
//! Of a drop, the value's length is the reason. The shape has a bit for each rank, or is 0 where the lines have none.

use bytes::Bytes;

use crate::shape::Shape;

/// Room for a value's length beside the flags.
pub(crate) const MAX_VALUE: usize = (OTHER_TRACE - 1) as usize;
const SENSITIVE: u32 = 1 << 31;
const PARENT: u32 = 1 << 30;
const OTHER_TRACE: u32 = 1 << 29;
const HEAD: usize = 16;
const SHAPE: usize = 8;
const ENTRY: usize = 8;

/// The reason of a line that was captured, and then taken off because of a tracer's span.
pub(crate) const TAKEN_OFF: u8 = u8::MAX;

/// Names of dropped headers that are kept for `explain`; what is beyond is counted.
const MAX_DROPS: usize = 64;

/// One captured line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) rank: u16,
    /// Lower case; empty unless the rule is a prefix.
    pub(crate) name: &'a [u8],
    pub(crate) value: &'a [u8],
    pub(crate) sensitive: bool,
    pub(crate) beside: Beside,
}

/// What a tracer's span has done to a line (rule R13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Nothing.
    Nothing,
    /// It was written anew, with the span as the parent.
    Parent,
    /// It stays, as the span is of another trace.
    OtherTrace,
    /// It stays, as only its own tracer can write it.
    Opaque,
}

impl Stored<'_> {
    /// Whether both are lines of one header.
    pub(crate) fn same_header(&self, other: &Self) -> bool {
        self.rank == other.rank && self.name == other.name
    }
}

/// One dropped line: which rule selected it, its name (where the rule is a prefix), and the number of the reason.
#[derive(Clone, Debug)]
pub(crate) struct StoredDrop<N> {
    pub(crate) rank: u16,
    pub(crate) name: N,
    pub(crate) reason: u8,
}

/// Writes a block; `size` is the length of all names and values that stand in it, and may be too large. Names longer
/// than a length field holds do not occur: HTTP has none.
#[inline]
pub(crate) fn write<'a>(
    shape: Shape,
    size: usize,
    lines: impl ExactSizeIterator<Item = Stored<'a>>,
    drops: &[StoredDrop<Vec<u8>>],
) -> Bytes {
    let recorded = &drops[..drops.len().min(MAX_DROPS)];
    write_all(shape, size, lines, recorded, drops.len() - recorded.len())
}

#[inline]
fn write_all<'a>(
    shape: Shape,
    size: usize,
    lines: impl ExactSizeIterator<Item = Stored<'a>>,
    drops: &[StoredDrop<impl AsRef<[u8]>>],
    unrecorded: usize,
) -> Bytes {
    if lines.len() == 0 && drops.is_empty() {
        return Bytes::new();
    }
    let drop_names = drops.iter().map(|drop| drop.name.as_ref().len()).sum::<usize>();
    let mut block = Vec::with_capacity(HEAD + ENTRY * (lines.len() + drops.len()) + size + drop_names);
    let mut head = [0; HEAD];
    head[..SHAPE].copy_from_slice(&shape.to_le_bytes());
    head[8..10].copy_from_slice(&short(lines.len()));
    head[10..12].copy_from_slice(&short(drops.len()));
    head[12..].copy_from_slice(&long(unrecorded).to_le_bytes());
    block.extend_from_slice(&head);
    for line in lines {
        let sensitive = if line.sensitive { SENSITIVE } else { 0 };
        let beside = match line.beside {
            Beside::Nothing => 0,
            Beside::Parent => PARENT,
            Beside::OtherTrace => OTHER_TRACE,
            Beside::Opaque => PARENT | OTHER_TRACE,
        };
        entry(&mut block, line.rank, line.name.len(), long(line.value.len()) | sensitive | beside);
        if !line.name.is_empty() {
            let start = block.len();
            block.extend_from_slice(line.name);
            block[start..].make_ascii_lowercase();
        }
        block.extend_from_slice(line.value);
    }
    for drop in drops {
        let name = drop.name.as_ref();
        entry(&mut block, drop.rank, name.len(), u32::from(drop.reason));
        block.extend_from_slice(name);
    }
    Bytes::from(block)
}

/// Other lines with the drops of `block`, and of lines that a tracer's span has taken off.
pub(crate) fn rewrite(block: &[u8], shape: Shape, lines: &[Stored<'_>], taken_off: &[u16]) -> Bytes {
    let size = lines.iter().map(|line| line.name.len() + line.value.len()).sum();
    let mut recorded: Vec<_> = drops(block).collect();
    let unrecorded = Reader::new(block).2 - recorded.len();
    recorded.extend(taken_off.iter().map(|rank| StoredDrop {
        rank: *rank,
        name: &[][..],
        reason: TAKEN_OFF,
    }));
    write_all(shape, size, lines.iter().copied(), &recorded, unrecorded)
}

#[inline]
fn entry(block: &mut Vec<u8>, rank: u16, name: usize, value: u32) {
    let mut entry = [0; ENTRY];
    entry[..2].copy_from_slice(&rank.to_le_bytes());
    entry[2..4].copy_from_slice(&short(name));
    entry[4..].copy_from_slice(&value.to_le_bytes());
    block.extend_from_slice(&entry);
}

fn short(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes()
}

fn long(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Reads a block: the lines, then the drops.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// With the number of lines, and of drops.
    #[inline]
    fn new(block: &'a [u8]) -> (Self, usize, usize) {
        let Some((head, rest)) = block.split_first_chunk::<HEAD>() else { return (Self(&[]), 0, 0) };
        let [.., l0, l1, d0, d1, u0, u1, u2, u3] = *head;
        let lines = usize::from(u16::from_le_bytes([l0, l1]));
        let drops = usize::from(u16::from_le_bytes([d0, d1]));
        (Self(rest), lines, drops + u32::from_le_bytes([u0, u1, u2, u3]) as usize)
    }

    #[inline]
    fn next(&mut self) -> Option<(u16, &'a [u8], u32)> {
        let (entry, rest) = self.0.split_first_chunk::<ENTRY>()?;
        let rank = u16::from_le_bytes([entry[0], entry[1]]);
        let name = usize::from(u16::from_le_bytes([entry[2], entry[3]]));
        let value = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]);
        let (name, rest) = rest.split_at_checked(name)?;
        self.0 = rest;
        Some((rank, name, value))
    }
}

/// The captured lines, in policy order.
#[derive(Clone, Debug)]
pub(crate) struct Lines<'a> {
    reader: Reader<'a>,
    left: usize,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(block: &'a [u8]) -> Self {
        let (reader, left, _) = Reader::new(block);
        Self { reader, left }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = Stored<'a>;

    #[inline]
    fn next(&mut self) -> Option<Stored<'a>> {
        self.left = self.left.checked_sub(1)?;
        let (rank, name, value) = self.reader.next()?;
        let (bytes, rest) = self.reader.0.split_at_checked(value as usize & MAX_VALUE)?;
        self.reader.0 = rest;
        let beside = match value & (PARENT | OTHER_TRACE) {
            PARENT => Beside::Parent,
            OTHER_TRACE => Beside::OtherTrace,
            0 => Beside::Nothing,
            _ => Beside::Opaque,
        };
        Some(Stored { rank, name, value: bytes, sensitive: value & SENSITIVE != 0, beside })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Lines<'_> {}

/// The dropped lines that were recorded.
pub(crate) fn drops(block: &[u8]) -> impl Iterator<Item = StoredDrop<&[u8]>> {
    let mut lines = Lines::new(block);
    lines.by_ref().for_each(drop);
    let mut reader = lines.reader;
    std::iter::from_fn(move || {
        let (rank, name, reason) = reader.next()?;
        Some(StoredDrop { rank, name, reason: u8::try_from(reason).unwrap_or(u8::MAX) })
    })
}

/// The shape of the lines; 0 where they have none.
#[inline]
pub(crate) fn shape(block: &[u8]) -> Shape {
    block.first_chunk::<SHAPE>().map_or(0, |shape| Shape::from_le_bytes(*shape))
}

/// How many lines the capture dropped, recorded or not.
pub(crate) fn dropped(block: &[u8]) -> usize {
    Reader::new(block).2 - drops(block).filter(|drop| drop.reason == TAKEN_OFF).count()
}
