//! Random bytes from the operating system, with a pool per thread for the many short nonces.
//!
//! No byte is handed out twice: what leaves the pool is wiped there, and a process that was
//! forked off drops the pool that it inherited.

use core::cell::RefCell;
use std::process;

use zeroize::Zeroize;

/// Bytes that one system call fetches for a thread.
const POOL_LEN: usize = 4096;
/// A request longer than this goes straight to the operating system.
const POOLED_MAX: usize = POOL_LEN / 4;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::EMPTY) };
}

/// Fills `buf` from the CSPRNG of the operating system; aborts the process if there is none,
/// since no caller could go on with predictable keys or nonces.
pub fn fill(buf: &mut [u8]) {
    if buf.len() > POOLED_MAX {
        return fill_from_os(buf);
    }
    let pooled = POOL.try_with(|pool| pool.borrow_mut().take(buf));
    if pooled.is_err() {
        // The thread is ending and its pool is gone.
        fill_from_os(buf);
    }
}

fn fill_from_os(buf: &mut [u8]) {
    if getrandom::fill(buf).is_err() {
        process::abort();
    }
}

/// Bytes fetched ahead; `bytes[..left]` are unused, the rest is zero.
struct Pool {
    bytes: [u8; POOL_LEN],
    left: usize,
    owner: u32,
}

impl Pool {
    const EMPTY: Pool = Pool {
        bytes: [0; POOL_LEN],
        left: 0,
        owner: 0,
    };

    /// Moves `buf.len()` bytes, at most `POOLED_MAX`, out of the pool.
    fn take(&mut self, buf: &mut [u8]) {
        let process = process::id();
        if self.left < buf.len() || self.owner != process {
            fill_from_os(&mut self.bytes);
            self.left = POOL_LEN;
            self.owner = process;
        }
        let rest = self.left - buf.len();
        let taken = &mut self.bytes[rest..self.left];
        buf.copy_from_slice(taken);
        taken.zeroize();
        self.left = rest;
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}
