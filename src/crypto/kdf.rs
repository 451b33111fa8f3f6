//! Key derivation: from a password (scrypt, RFC 7914) and from a key (HKDF, RFC 5869).
//!
//! Parameters come from a file that anybody may have written, so every value is checked before
//! any memory is asked for.

use hkdf::Hkdf;
use sha2::Sha256;

use super::secret::{Password, Secret};

/// Most memory that one derivation may use, in bytes.
pub const SCRYPT_MEMORY_MAX: u64 = 4 << 30;

/// Cost of scrypt as RFC 7914 names it: N = 2^`log_n`, block size `r`, parallelism `p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScryptCost {
    /// log2 of the CPU and memory cost N.
    pub log_n: u8,
    /// Block size, in units of 128 bytes.
    pub r: u32,
    /// Number of independent mixes, done one after the other.
    pub p: u32,
}

/// Why no key was derived from a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KdfError {
    /// A parameter, or the product of R and P, is outside of what RFC 7914 defines.
    #[error("scrypt parameters N=2^{}, R={}, P={} are not valid", .0.log_n, .0.r, .0.p)]
    Invalid(ScryptCost),
    /// The parameters ask for more memory than `SCRYPT_MEMORY_MAX`.
    #[error(
        "scrypt parameters N=2^{}, R={}, P={} need more than {} GiB of memory",
        .0.log_n, .0.r, .0.p, SCRYPT_MEMORY_MAX >> 30
    )]
    TooCostly(ScryptCost),
    /// The system does not have that much memory now.
    #[error("not enough memory for scrypt: {0} bytes")]
    OutOfMemory(u64),
}

impl ScryptCost {
    /// Memory needed in bytes: N blocks for the mix, P blocks for its input, one to work in.
    fn memory(self) -> Option<u64> {
        let n = 1u64.checked_shl(self.log_n.into())?;
        let blocks = n.checked_add(u64::from(self.p) + 1)?;
        blocks.checked_mul(128 * u64::from(self.r))
    }
}

/// The 32-byte key of `password` and `salt`.
///
/// # Errors
/// [`KdfError`] if the cost is not valid, above [`SCRYPT_MEMORY_MAX`], or above what the system
/// can give.
pub fn scrypt(password: &Password, salt: &[u8], cost: ScryptCost) -> Result<Secret<32>, KdfError> {
    let memory = cost.memory().filter(|&bytes| bytes <= SCRYPT_MEMORY_MAX);
    let memory = memory.ok_or(KdfError::TooCostly(cost))?;
    let params =
        scrypt::Params::new(cost.log_n, cost.r, cost.p).map_err(|_| KdfError::Invalid(cost))?;
    probe(memory)?;
    let mut derived = Ok(());
    let key = Secret::filled(|key| {
        derived = scrypt::scrypt(password.expose(), salt, &params, key);
    });
    derived.map(|()| key).map_err(|_| KdfError::Invalid(cost))
}

/// Asks for `bytes` of memory and gives them back: the derivation itself would abort the
/// process if it did not get them.
fn probe(bytes: u64) -> Result<(), KdfError> {
    usize::try_from(bytes)
        .ok()
        .and_then(|len| Vec::<u8>::new().try_reserve_exact(len).ok())
        .ok_or(KdfError::OutOfMemory(bytes))
}

/// HKDF-SHA256 of `ikm` without a salt. `N` is at most 8160.
#[expect(
    clippy::missing_panics_doc,
    reason = "the length is checked when compiling"
)]
pub fn hkdf<const N: usize>(ikm: &[u8], info: &str) -> Secret<N> {
    const { assert!(N <= 255 * 32, "RFC 5869, section 2.3") };
    Secret::filled(|key| {
        Hkdf::<Sha256>::new(None, ikm)
            .expand(info.as_bytes(), key)
            .expect("the length is checked when compiling");
    })
}
