//! Points at which a test may kill the process, to prove that nothing is lost there.
//!
//! Compiled in only with the feature `crashpoints`; otherwise a point is nothing.

/// Aborts where `QUELL_CRASH_AT` is `name` or `name:N`, the N-th time the point is passed.
#[cfg(feature = "crashpoints")]
pub fn crash_point(name: &str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    let Ok(wanted) = std::env::var("QUELL_CRASH_AT") else { return };
    let (point, nth) = wanted.split_once(':').unwrap_or((&wanted, "1"));
    if point == name && (PASSED.fetch_add(1, Ordering::SeqCst) + 1).to_string() == nth {
        std::process::abort();
    }
}

/// Nothing.
#[cfg(not(feature = "crashpoints"))]
pub const fn crash_point(_name: &str) {}
