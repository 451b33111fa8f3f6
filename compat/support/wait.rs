//! Waiting for a condition, never for a time.

use std::thread;
use std::time::{Duration, Instant};

/// Far more than any condition here needs, on a busy machine too.
const DEADLINE: Duration = Duration::from_secs(60);

/// Asks until there is an answer; `None` when the deadline passed without one.
pub(crate) fn until<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let answer = ask();
        if answer.is_some() || start.elapsed() > DEADLINE {
            return answer;
        }
        thread::sleep(Duration::from_millis(2));
    }
}
