//! The IV of a directory and the names of the helper files that the format owns.
//!
//! Invariant: an IV that was drawn or read is never all zero; [`DirIv::ZERO`] stands for
//! directories without one (deterministic names).

use super::corrupt::{Corrupt, DirIvDefect};
use super::nonzero::{fill_random, is_zero};

/// Name of the file that holds a directory's IV.
pub const DIRIV_NAME: &str = "gocryptfs.diriv";
/// Name of the configuration file, at the top of the ciphertext directory.
pub const CONF_NAME: &str = "gocryptfs.conf";
/// Name of the configuration file of reverse mode, at the top of the plaintext directory.
pub const REVERSE_CONF_NAME: &str = ".gocryptfs.reverse.conf";

/// The tweak of all names in one directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirIv(pub [u8; 16]);

impl DirIv {
    /// The IV of every directory when names are deterministic.
    pub const ZERO: DirIv = DirIv([0; 16]);

    /// A fresh IV for a new directory.
    pub fn random() -> DirIv {
        let mut iv = [0; 16];
        fill_random(&mut iv);
        DirIv(iv)
    }

    /// Reads the content of a `gocryptfs.diriv` file: exactly 16 bytes, not all zero.
    ///
    /// # Errors
    /// [`Corrupt::DirIv`] for anything else.
    pub fn parse(content: &[u8]) -> Result<DirIv, Corrupt> {
        let iv: [u8; 16] = content
            .try_into()
            .map_err(|_| DirIvDefect::Length(content.len()))?;
        if is_zero(&iv) {
            return Err(DirIvDefect::AllZero.into());
        }
        Ok(DirIv(iv))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sixteen_bytes_that_are_not_all_zero_are_an_iv() {
        assert_eq!(DirIv::parse(&[5; 16]), Ok(DirIv([5; 16])));
        assert_eq!(
            DirIv::parse(&[0; 16]),
            Err(Corrupt::DirIv(DirIvDefect::AllZero))
        );
        for length in [0, 1, 15, 17, 4096] {
            let defect = DirIv::parse(&vec![5; length]);
            assert_eq!(defect, Err(Corrupt::DirIv(DirIvDefect::Length(length))));
        }
    }

    #[test]
    fn the_defect_reads_like_a_log_line() {
        let defect = DirIvDefect::Length(17).to_string();
        assert_eq!(defect, "wanted 16 bytes, got 17");
    }
}
