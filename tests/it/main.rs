//! Integration tests.

mod console;
