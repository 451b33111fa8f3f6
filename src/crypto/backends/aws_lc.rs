//! The content ciphers of AWS-LC, which uses the widest vector instructions that the processor
//! has. Bindings for the two AEADs that the format needs, through its `EVP_AEAD` interface; and its
//! scrypt, which took 120 ms where the portable one took 197.
//!
//! `seal` and `open` return `None` for a nonce of the wrong length, for input longer than the
//! cipher takes, and, in `open`, for a wrong tag.

#![allow(
    unsafe_code,
    reason = "calls a C library; the only file of this layer that does"
)]

use core::ffi::c_int;
use core::ptr::{self, NonNull};

use aws_lc_sys as lc;

use crate::crypto::aead::TAG_LEN;
use crate::crypto::secret::Secret;

/// An AEAD with its key schedule.
pub(in crate::crypto) struct Aead {
    context: NonNull<lc::EVP_AEAD_CTX>,
    nonce_len: usize,
}

// SAFETY: sealing and opening take the context as const and leave it unchanged, which the library
// documents as safe from several threads at once.
unsafe impl Send for Aead {}
// SAFETY: as above.
unsafe impl Sync for Aead {}

impl Aead {
    /// AES-256-GCM with 16-byte nonces; `None` if the library cannot set it up.
    pub(in crate::crypto) fn aes_gcm(key: &Secret<32>) -> Option<Aead> {
        // SAFETY: returns a pointer to a constant of the library.
        Aead::new(unsafe { lc::EVP_aead_aes_256_gcm() }, key, 16)
    }

    /// XChaCha20-Poly1305; `None` if the library cannot set it up.
    pub(in crate::crypto) fn xchacha(key: &Secret<32>) -> Option<Aead> {
        // SAFETY: returns a pointer to a constant of the library.
        Aead::new(unsafe { lc::EVP_aead_xchacha20_poly1305() }, key, 24)
    }

    fn new(aead: *const lc::EVP_AEAD, key: &Secret<32>, nonce_len: usize) -> Option<Aead> {
        let bytes = key.expose();
        // SAFETY: `aead` is a constant of the library, and the key is copied from 32 valid bytes.
        let context = unsafe { lc::EVP_AEAD_CTX_new(aead, bytes.as_ptr(), bytes.len(), TAG_LEN) };
        NonNull::new(context).map(|context| Aead { context, nonce_len })
    }

    pub(in crate::crypto) fn seal(
        &self,
        nonce: &[u8],
        ad: &[u8],
        buf: &mut [u8],
    ) -> Option<[u8; TAG_LEN]> {
        if nonce.len() != self.nonce_len {
            return None;
        }
        let mut tag = [0; TAG_LEN];
        let mut tag_len = 0;
        // SAFETY: every pointer comes from a slice with the length that goes with it; input and
        // output are the same buffer, which the library allows; there is no extra input.
        let done = unsafe {
            lc::EVP_AEAD_CTX_seal_scatter(
                self.context.as_ptr(),
                buf.as_mut_ptr(),
                tag.as_mut_ptr(),
                &raw mut tag_len,
                tag.len(),
                nonce.as_ptr(),
                nonce.len(),
                buf.as_ptr(),
                buf.len(),
                ptr::null(),
                0,
                ad.as_ptr(),
                ad.len(),
            )
        };
        (succeeded(done) && tag_len == TAG_LEN).then_some(tag)
    }

    pub(in crate::crypto) fn open(
        &self,
        nonce: &[u8],
        ad: &[u8],
        buf: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Option<()> {
        if nonce.len() != self.nonce_len {
            return None;
        }
        // SAFETY: every pointer comes from a slice with the length that goes with it; input and
        // output are the same buffer, which the library allows.
        let done = unsafe {
            lc::EVP_AEAD_CTX_open_gather(
                self.context.as_ptr(),
                buf.as_mut_ptr(),
                nonce.as_ptr(),
                nonce.len(),
                buf.as_ptr(),
                buf.len(),
                tag.as_ptr(),
                tag.len(),
                ad.as_ptr(),
                ad.len(),
            )
        };
        succeeded(done).then_some(())
    }
}

impl Drop for Aead {
    fn drop(&mut self) {
        // SAFETY: made by `EVP_AEAD_CTX_new` and freed once; the library wipes what it frees.
        unsafe { lc::EVP_AEAD_CTX_free(self.context.as_ptr()) }
    }
}

/// Fills `key` by scrypt (RFC 7914); `None` if the library refuses the cost or gets no memory.
pub(in crate::crypto) fn scrypt(
    password: &[u8],
    salt: &[u8],
    (log_n, r, p): (u8, u32, u32),
    key: &mut [u8],
) -> Option<()> {
    let n = 1_u64.checked_shl(log_n.into())?;
    // SAFETY: every pointer comes from a slice with the length that goes with it.
    let done = unsafe {
        lc::EVP_PBE_scrypt(
            password.as_ptr().cast(),
            password.len(),
            salt.as_ptr(),
            salt.len(),
            n,
            r.into(),
            p.into(),
            usize::MAX,
            key.as_mut_ptr(),
            key.len(),
        )
    };
    succeeded(done).then_some(())
}

/// Empties the thread's error queue, which a failure leaves an entry in.
fn succeeded(done: c_int) -> bool {
    if done != 1 {
        // SAFETY: touches nothing but the library's own state of this thread.
        unsafe { lc::ERR_clear_error() };
    }
    done == 1
}
