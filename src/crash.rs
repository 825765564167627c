//! Points at which a test may kill the process, to prove that nothing is lost there. Debug builds only.

/// Arms the `nth` passing (from 1) of the point called `name`. Called once, at the edge.
#[cfg(debug_assertions)]
pub fn arm(name: &str, nth: u32) {
    let _ = armed::AT.set((name.to_owned(), nth));
}

/// Aborts the process where this passing of the point was armed; otherwise does nothing.
#[cfg(debug_assertions)]
pub fn crash_point(name: &str) {
    use std::sync::atomic::Ordering;
    if let Some((point, nth)) = armed::AT.get()
        && point == name
        && armed::PASSED.fetch_add(1, Ordering::SeqCst) + 1 == *nth
    {
        std::process::abort();
    }
}

/// Nothing: a released binary has no such points.
#[cfg(not(debug_assertions))]
pub const fn crash_point(_name: &str) {}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::AtomicU32;

    pub(super) static AT: OnceLock<(String, u32)> = OnceLock::new();
    pub(super) static PASSED: AtomicU32 = AtomicU32::new(0);
}
