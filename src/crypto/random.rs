//! Random bytes from the operating system, with a pool per thread for the many short nonces.
//!
//! No byte is handed out twice: what leaves the pool is wiped there. A fork would copy the pool,
//! so a process that lives on after a fork starts a new program image first.

use std::cell::RefCell;
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
}

impl Pool {
    const EMPTY: Pool = Pool {
        bytes: [0; POOL_LEN],
        left: 0,
    };

    /// Moves `buf.len()` bytes, at most `POOLED_MAX`, out of the pool.
    fn take(&mut self, buf: &mut [u8]) {
        if self.left < buf.len() {
            fill_from_os(&mut self.bytes);
            self.left = POOL_LEN;
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

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::thread;

    use super::*;

    fn nonces(count: usize) -> Vec<[u8; 16]> {
        let mut nonces = vec![[0; 16]; count];
        for nonce in &mut nonces {
            fill(nonce);
        }
        nonces
    }

    #[test]
    fn no_nonce_repeats_across_refills_and_threads() {
        let per_thread = 3 * POOL_LEN / 16 + 1;
        let threads: Vec<_> = (0..4)
            .map(|_| thread::spawn(move || nonces(per_thread)))
            .collect();
        let mut seen = HashSet::from([[0; 16]]);
        for thread in threads {
            assert!(
                thread
                    .join()
                    .unwrap()
                    .into_iter()
                    .all(|nonce| seen.insert(nonce))
            );
        }
    }

    #[test]
    fn bytes_handed_out_are_wiped_in_the_pool() {
        let mut pool = Pool::EMPTY;
        let mut nonce = [0; 24];
        pool.take(&mut nonce);
        assert_eq!(pool.left, POOL_LEN - 24);
        assert_ne!(nonce, [0; 24]);
        assert_eq!(pool.bytes[pool.left..], [0; 24]);
    }

    #[test]
    fn a_request_that_the_rest_of_the_pool_cannot_meet_gets_fresh_bytes() {
        let mut pool = Pool::EMPTY;
        pool.take(&mut [0; 16]);
        pool.left = 7;
        let mut nonce = [0; 16];
        pool.take(&mut nonce);
        assert_eq!(pool.left, POOL_LEN - 16);
        assert_ne!(nonce[7..], [0; 9]);
    }

    #[test]
    fn any_length_is_filled() {
        for len in [0, 1, POOLED_MAX, POOLED_MAX + 1, 3 * POOL_LEN] {
            let mut buf = vec![0; len];
            fill(&mut buf);
            assert_eq!(
                len > 16,
                buf.iter().filter(|&&byte| byte != 0).count() > 16,
                "{len}"
            );
        }
    }
}
