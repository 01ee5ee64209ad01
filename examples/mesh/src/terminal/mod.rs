//! Traces and summaries as text.

mod style;
mod summary;
mod tree;

pub use summary::summary;
pub use tree::tree;

/// The width to draw in: the terminal's, within reason; 100 columns where there is none.
pub fn width() -> usize {
    let columns = terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0));
    columns.clamp(60, 140)
}
