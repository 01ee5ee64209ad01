//! Waits until the sidecars have reported what they saw.

use std::time::{Duration, Instant};

use crate::{collector::store::Store, envoy::config::FLUSH_INTERVAL_MS};

const POLL: Duration = Duration::from_millis(50);
/// All expected spans are there: one more flush shows whether there are more than expected.
const CALM: Duration = Duration::from_millis(2 * FLUSH_INTERVAL_MS);
/// Spans are missing: so many flushes without a single new one, and they are not coming.
const SILENCE: Duration = Duration::from_millis(16 * FLUSH_INTERVAL_MS);

/// Waits until `expected` spans have arrived and no more come, or none has come for a while, or `bound` has passed.
/// Returns how many there are.
pub async fn wait_for_spans(store: &Store, expected: usize, bound: Duration) -> usize {
    let started = Instant::now();
    let (mut count, mut changed) = (store.len(), Instant::now());
    loop {
        tokio::time::sleep(POLL).await;
        let now = store.len();
        if now != count {
            (count, changed) = (now, Instant::now());
        }
        let quiet_enough = if count >= expected { CALM } else { SILENCE };
        if changed.elapsed() >= quiet_enough || started.elapsed() >= bound {
            return count;
        }
    }
}
