//! The `quell` binary; everything else is in the library.

/// A journal and a baseline are many small pieces: the system's allocator takes a third of the time that they cost.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    quell::cli::main()
}
