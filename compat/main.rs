//! Tests against the real world: golden vaults, the Go program, the kernel.
mod tidy;
