//! The inspector: hands its command line over and ends with the code that comes back.

fn main() -> std::process::ExitCode {
    gocryptfs_rs::cli::xray::main(std::env::args_os())
}
