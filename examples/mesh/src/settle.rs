//! Waits until the sidecars have reported what they saw.

use std::time::{Duration, Instant};

use crate::collector::store::Store;

const POLL: Duration = Duration::from_millis(50);

/// Waits until `expected` spans have arrived and no more come, or none has come for a while, or `bound` has passed.
/// `flush` is how often the sidecars report. Returns how many there are.
pub async fn wait_for_spans(store: &Store, expected: usize, flush: Duration, bound: Duration) -> usize {
    // All expected spans are there: one more flush shows whether there are more than expected.
    let calm = 2 * flush;
    // Spans are missing: so long without a single new one, and they are not coming.
    let silence = Duration::from_secs(3) + 4 * flush;
    let started = Instant::now();
    let (mut count, mut changed) = (store.len(), Instant::now());
    loop {
        tokio::time::sleep(POLL).await;
        let now = store.len();
        if now != count {
            (count, changed) = (now, Instant::now());
        }
        let quiet_enough = if count >= expected { calm } else { silence };
        if changed.elapsed() >= quiet_enough || started.elapsed() >= bound {
            return count;
        }
    }
}
