//! The `quell` binary; everything is in the library.

fn main() -> std::process::ExitCode {
    quell::cli::main()
}
