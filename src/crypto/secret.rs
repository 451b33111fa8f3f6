//! Keys and passwords: wiped when dropped, never copied by accident, never printed.
//!
//! No type here implements `Clone`, and `Debug` shows no byte of the content. The bytes live on
//! the heap, so that moving a secret leaves no copy behind.

use core::fmt;

use zeroize::Zeroizing;

use super::random;

/// A key of `N` bytes, wiped on drop.
pub struct Secret<const N: usize>(Box<Zeroizing<[u8; N]>>);

impl<const N: usize> Secret<N> {
    /// Takes over `bytes`; the copy in the argument is wiped.
    pub fn new(bytes: [u8; N]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self::filled(|key| key.copy_from_slice(&*bytes))
    }

    /// The key in `bytes`; `None` unless there are exactly `N` of them.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == N).then(|| Self::filled(|key| key.copy_from_slice(bytes)))
    }

    /// A fresh random key.
    pub fn random() -> Self {
        Self::filled(|key| random::fill(key))
    }

    /// A key that `fill` writes in place: it starts as zeros.
    pub fn filled(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut key = Self(Box::new(Zeroizing::new([0; N])));
        fill(&mut key.0);
        key
    }

    /// The bytes. Whoever copies them wipes the copy.
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{N}>")
    }
}

/// The key of a volume, from which all working keys are derived.
#[derive(Debug)]
pub struct MasterKey(pub Secret<32>);

/// The bytes that the user typed, or that a program or token delivered; wiped on drop.
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// Takes over `bytes` as they are: no Unicode normalisation, no trimming.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. Whoever copies them wipes the copy.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Number of bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no byte at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use zeroize::{Zeroize, ZeroizeOnDrop};

    use super::*;

    fn wiped_on_drop<T: ZeroizeOnDrop>(_: &T) {}

    #[test]
    fn wiping_a_key_clears_every_byte() {
        let mut key = Secret::new([0x5a; 32]);
        wiped_on_drop(&*key.0);
        assert_eq!(key.expose(), &[0x5a; 32]);
        key.0.zeroize();
        assert_eq!(key.expose(), &[0; 32]);
    }

    #[test]
    fn wiping_a_password_leaves_nothing_of_it() {
        let mut password = Password::new(b"secret".to_vec());
        wiped_on_drop(&password.0);
        assert_eq!((password.expose(), password.len()), (&b"secret"[..], 6));
        password.0.zeroize();
        assert!(password.is_empty());
    }

    #[test]
    fn a_key_has_exactly_its_length() {
        assert!(Secret::<32>::from_slice(&[1; 31]).is_none());
        assert!(Secret::<32>::from_slice(&[1; 33]).is_none());
        let key = Secret::<32>::from_slice(&[1; 32]).unwrap();
        assert_eq!(key.expose(), &[1; 32]);
    }

    #[test]
    fn random_keys_differ() {
        assert_ne!(
            Secret::<32>::random().expose(),
            Secret::<32>::random().expose()
        );
    }

    #[test]
    fn debug_shows_no_byte() {
        let key = MasterKey(Secret::new([0xab; 32]));
        assert_eq!(format!("{key:?}"), "MasterKey(Secret<32>)");
        assert_eq!(format!("{:?}", Password::new(vec![0xab; 8])), "Password");
    }
}
