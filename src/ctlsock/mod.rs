//! The control socket: translates paths for programs outside of the mount.
//!
//! A client sends one JSON object at a time, `{"EncryptPath": "..."}` or `{"DecryptPath": "..."}`,
//! and gets one line of JSON for each. What arrives with one `read(2)` is one request.
//! `{"Stats": true}` asks for the figures of the mount.
//!
//! Invariant: no client can hold up another one or the file system, end the daemon or make it
//! grow. A connection has a thread and a small buffer; their number is limited, and a newcomer
//! takes the place of the one that has been silent longest.

mod client;
mod connections;
mod protocol;
mod serve;
mod socket;
#[cfg(test)]
mod tests;

pub use client::{Client, ClientError};
pub use protocol::{Request, Response};
pub use socket::{BindError, ControlSocket};

/// The message of the operating system the way Go programs write it: in small letters and without
/// the number.
fn message(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error ").next().unwrap_or_default();
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(chars).collect()
}
