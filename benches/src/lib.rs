//! What the programs that measure have in common.

pub mod count;
pub mod fixtures;

/// Sorts the times, and gives the one in the middle to a tenth.
pub fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    (times[times.len() / 2] * 10.0).round() / 10.0
}
