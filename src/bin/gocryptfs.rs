//! The file system program.
fn main() {}
