//! Key derivation: from a password (scrypt, RFC 7914) and from a key (HKDF, RFC 5869).
//!
//! The cost comes from a file that anybody may have written: no value of it panics or aborts.

use hkdf::Hkdf;
use scrypt::Params;
use sha2::Sha256;

#[cfg(feature = "aws-lc")]
use super::backends::aws_lc;
use super::secret::{Password, Secret};

/// Largest table that scrypt may fill, in bytes: that of N = 2^28 with R = 8.
pub const SCRYPT_TABLE_MAX: u64 = 256 << 30;

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
    /// R and P are outside of what RFC 7914 defines.
    #[error("scrypt parameters R={}, P={} are not valid: R*P must be 1 to 2^30-1", .0.r, .0.p)]
    Invalid(ScryptCost),
    /// The table is larger than [`SCRYPT_TABLE_MAX`].
    #[error(
        "scrypt parameters N=2^{}, R={} need more than {} GiB of memory",
        .0.log_n, .0.r, SCRYPT_TABLE_MAX >> 30
    )]
    TooCostly(ScryptCost),
    /// The system does not have that much memory now.
    #[error(
        "scrypt parameters N=2^{}, R={}, P={} need more memory than there is",
        .0.log_n, .0.r, .0.p
    )]
    OutOfMemory(ScryptCost),
}

impl ScryptCost {
    /// Bytes that the derivation allocates: the table of N blocks, the input of P blocks, and
    /// one block to work in.
    ///
    /// # Errors
    /// The cost is not valid, or above [`SCRYPT_TABLE_MAX`].
    pub fn memory(self) -> Result<u64, KdfError> {
        let (r, p) = (u64::from(self.r), u64::from(self.p));
        if !(1..1 << 30).contains(&(r * p)) {
            return Err(KdfError::Invalid(self));
        }
        let n = 1u64.checked_shl(self.log_n.into());
        let table = n.and_then(|n| n.checked_mul(128 * r));
        let table = table.filter(|&bytes| bytes <= SCRYPT_TABLE_MAX);
        Ok(table.ok_or(KdfError::TooCostly(self))? + 128 * r * (p + 1))
    }
}

/// The 32-byte key of `password` and `salt`.
///
/// # Errors
/// [`KdfError`] if the cost is not valid, above [`SCRYPT_TABLE_MAX`], or above what the system
/// can give.
pub fn scrypt(password: &Password, salt: &[u8], cost: ScryptCost) -> Result<Secret<32>, KdfError> {
    let memory = cost.memory()?;
    let params = Params::new(cost.log_n, cost.r, cost.p).map_err(|_| KdfError::Invalid(cost))?;
    probe(memory).ok_or(KdfError::OutOfMemory(cost))?;
    Ok(Secret::filled(|key| {
        #[cfg(feature = "aws-lc")]
        if aws_lc::scrypt(password.expose(), salt, (cost.log_n, cost.r, cost.p), key).is_some() {
            return;
        }
        portable_scrypt(password, salt, &params, key);
    }))
}

fn portable_scrypt(password: &Password, salt: &[u8], params: &Params, key: &mut [u8; 32]) {
    scrypt::scrypt(password.expose(), salt, params, key)
        .expect("32 bytes are an output length that RFC 7914 allows");
}

/// Asks for `bytes` of memory and gives them back: the derivation itself would abort the
/// process if it did not get them.
fn probe(bytes: u64) -> Option<()> {
    let len = usize::try_from(bytes).ok()?;
    Vec::<u8>::new().try_reserve_exact(len).ok()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::tests::hex;

    fn derive(password: &str, salt: &str, cost: (u8, u32, u32)) -> Result<Vec<u8>, KdfError> {
        let (log_n, r, p) = cost;
        let password = Password::new(password.into());
        scrypt(&password, salt.as_bytes(), ScryptCost { log_n, r, p })
            .map(|key| key.expose().to_vec())
    }

    fn refusal(cost: (u8, u32, u32)) -> String {
        derive("", "", cost).unwrap_err().to_string()
    }

    #[test]
    fn scrypt_meets_the_vectors_of_rfc_7914() {
        assert_eq!(
            derive("", "", (4, 1, 1)).unwrap(),
            hex("77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442")
        );
        assert_eq!(
            derive("password", "NaCl", (10, 8, 16)).unwrap(),
            hex("fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162")
        );
    }

    #[test]
    fn the_implementations_of_scrypt_agree() {
        for (log_n, r, p) in [(1, 1, 1), (10, 8, 1), (4, 3, 7)] {
            let password = Password::new(b"p\0\xff".to_vec());
            let mut key = [0; 32];
            let params = Params::new(log_n, r, p).unwrap();
            portable_scrypt(&password, b"salt", &params, &mut key);
            let derived = scrypt(&password, b"salt", ScryptCost { log_n, r, p }).unwrap();
            assert_eq!(*derived.expose(), key, "{log_n} {r} {p}");
        }
    }

    #[test]
    fn an_invalid_cost_is_refused_with_its_numbers() {
        for (r, p) in [(0, 1), (8, 0), (1 << 15, 1 << 15), (u32::MAX, u32::MAX)] {
            let text = format!("scrypt parameters R={r}, P={p} are not valid");
            assert!(refusal((10, r, p)).starts_with(&text), "{text}");
        }
    }

    #[test]
    fn a_cost_above_the_bound_is_refused_with_its_numbers() {
        for (log_n, r) in [
            (29, 8),
            (28, 9),
            (63, 1),
            (64, 8),
            (255, 8),
            (10, (1 << 30) - 1),
        ] {
            assert_eq!(
                refusal((log_n, r, 1)),
                format!("scrypt parameters N=2^{log_n}, R={r} need more than 256 GiB of memory")
            );
        }
    }

    #[test]
    fn the_bound_admits_the_largest_documented_cost() {
        let cost = ScryptCost {
            log_n: 28,
            r: 8,
            p: 1,
        };
        assert_eq!(cost.memory(), Ok(SCRYPT_TABLE_MAX + 2 * 1024));
    }

    #[test]
    fn memory_that_no_system_has_is_an_error() {
        assert_eq!(probe(1 << 62), None);
        assert_eq!(probe(u64::MAX), None);
        assert_eq!(probe(4096), Some(()));
    }

    #[test]
    fn hkdf_meets_the_vector_of_rfc_5869_without_salt() {
        let okm = hex(
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d
                       9d201395faa4b61a96c8",
        );
        assert_eq!(hkdf::<42>(&[0x0b; 22], "").expose().to_vec(), okm);
    }
}
