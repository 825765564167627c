//! quell.
