//! The header of a ciphertext file: format version and file id.
//!
//! 18 bytes: the version as a big-endian 16-bit number, then 16 random bytes that every block of
//! the file is bound to. Invariant: a [`FileId`] is never all zero.

use super::corrupt::HeaderDefect;
use super::layout::HEADER_LEN;
use super::nonzero::{fill_random, is_zero};

/// The only version of the content format there is.
const VERSION: u16 = 2;

/// The random identity of a file's content. Goes into the associated data of each block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId(pub [u8; 16]);

impl FileId {
    /// A fresh identity.
    pub fn random() -> FileId {
        let mut id = [0; 16];
        fill_random(&mut id);
        FileId(id)
    }

    /// The header that carries this identity.
    pub fn to_header(self) -> [u8; HEADER_LEN] {
        let mut header = [0; HEADER_LEN];
        let (version, id) = header.split_at_mut(2);
        version.copy_from_slice(&VERSION.to_be_bytes());
        id.copy_from_slice(&self.0);
        header
    }

    /// Reads the identity from a header, which must be exactly 18 bytes long.
    ///
    /// # Errors
    /// The first defect found; see [`HeaderDefect`].
    pub fn parse(header: &[u8]) -> Result<FileId, HeaderDefect> {
        let wrong_length = HeaderDefect::Length(header.len());
        let (version, id) = header.split_first_chunk::<2>().ok_or(wrong_length)?;
        let id: [u8; 16] = id.try_into().map_err(|_| wrong_length)?;
        if is_zero(header) {
            return Err(HeaderDefect::AllZero);
        }
        match u16::from_be_bytes(*version) {
            VERSION if is_zero(&id) => Err(HeaderDefect::ZeroId),
            VERSION => Ok(FileId(id)),
            other => Err(HeaderDefect::Version(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_back_as_the_id_that_wrote_it() {
        let id = FileId::random();
        assert_eq!(id.to_header()[..2], [0, 2]);
        assert_eq!(FileId::parse(&id.to_header()), Ok(id));
    }

    #[test]
    fn every_defect_is_told_apart() {
        let good = FileId([7; 16]).to_header();
        assert_eq!(FileId::parse(&[]), Err(HeaderDefect::Length(0)));
        assert_eq!(FileId::parse(&good[..17]), Err(HeaderDefect::Length(17)));
        assert_eq!(FileId::parse(&[1; 19]), Err(HeaderDefect::Length(19)));
        assert_eq!(FileId::parse(&[0; 18]), Err(HeaderDefect::AllZero));
        let mut old = good;
        old[1] = 1;
        assert_eq!(FileId::parse(&old), Err(HeaderDefect::Version(1)));
        let unnamed = FileId([0; 16]).to_header();
        assert_eq!(FileId::parse(&unnamed), Err(HeaderDefect::ZeroId));
    }
}
