//! IVs of directories that are lost or wrong: the one is right under which the names decrypt.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use super::Repair;
use super::step::Source;
use crate::format::{DIRIV_NAME, DirIv, DiskName, NAME_FILE_MAX, NameDefect, name_file};
use crate::sys::{Dir, DirStream};

/// Names that an IV is tried on.
const PROBES: usize = 64;
/// Length of an IV in bytes.
const LENGTH: usize = size_of::<DirIv>();
/// Missing bytes that are found by trying all there are.
const MISSING_MAX: usize = 2;

impl Repair<'_> {
    /// The IV of the directory at `path`, if it is known by any means.
    pub(super) fn find_iv(&self, path: &Path, dir: &Dir) -> Option<(DirIv, Source)> {
        let probes = self.probes(dir);
        let is_right = |iv: &DirIv| self.fits(iv, &probes);
        let copies = self
            .backup_iv(path)
            .into_iter()
            .map(|iv| (iv, Source::Backup));
        let leftovers = self.leftover_ivs(path).into_iter();
        let mut known = copies.chain(leftovers.map(|iv| (iv, Source::Leftover)));
        // Where there are no names, any IV is right, and the one that was there is best.
        if let Some(found) = known.find(|(iv, _)| probes.is_empty() || is_right(iv)) {
            return Some(found);
        }
        if probes.is_empty() {
            return None;
        }
        let remains = dir.read_small(OsStr::new(DIRIV_NAME), LENGTH * 2).ok()?;
        similar(&remains)
            .find(is_right)
            .map(|iv| (iv, Source::Remains))
    }

    /// Whether no name in a directory decrypts, so that it is the IV that must be wrong.
    pub(super) fn is_iv_wrong(&self, dir: &Dir, iv: &DirIv) -> bool {
        let probes = self.probes(dir);
        !probes.is_empty() && !probes.iter().any(|text| self.is_name(iv, text))
    }

    /// Whether most of the names decrypt to text. It takes no more than one: random bytes that
    /// happen to be padded right are no text.
    fn fits(&self, iv: &DirIv, probes: &[OsString]) -> bool {
        let names = probes.iter().filter(|text| self.is_name(iv, text)).count();
        names * 2 > probes.len()
    }

    fn is_name(&self, iv: &DirIv, text: &OsStr) -> bool {
        let name = self.vault.names().decode(iv, text);
        let name = name
            .ok()
            .and_then(|name| name.as_os_str().to_str().map(str::to_owned));
        name.is_some_and(|name| !name.chars().any(char::is_control))
    }

    /// Some encrypted names of a directory.
    fn probes(&self, dir: &Dir) -> Vec<OsString> {
        let mut probes = Vec::new();
        let Ok(mut stream) = DirStream::open(dir) else {
            return probes;
        };
        while let Some(Ok(entry)) = stream.next_entry() {
            let text = match self.vault.classify(entry.name, false) {
                DiskName::Short(text) => Some(text.to_owned()),
                DiskName::Long(hash) => {
                    let text = dir.read_small(&name_file(hash), NAME_FILE_MAX);
                    text.ok().map(OsString::from_vec)
                }
                DiskName::Config | DiskName::DirIv | DiskName::NameFile => None,
            };
            probes.extend(text.filter(|text| self.is_encrypted(text)));
            if probes.len() == PROBES {
                break;
            }
        }
        probes
    }

    /// Whether a text has the form of an encrypted name.
    fn is_encrypted(&self, text: &OsStr) -> bool {
        let decoded = self.vault.names().decode(&DirIv::ZERO, text);
        !matches!(
            decoded,
            Err(NameDefect::Base64 { .. } | NameDefect::NameFileLength(_))
        ) && text.len() >= LENGTH
    }

    fn backup_iv(&self, path: &Path) -> Option<DirIv> {
        read_iv(&self.in_backup(path)?, OsStr::new(DIRIV_NAME))
    }

    /// The IVs of directories beside this one that were about to be removed.
    fn leftover_ivs(&self, path: &Path) -> Vec<DirIv> {
        let mut ivs = Vec::new();
        let parent = path.parent().and_then(|parent| self.open(parent).ok());
        let Some((parent, mut stream)) =
            parent.and_then(|dir| DirStream::open(&dir).ok().map(|stream| (dir, stream)))
        else {
            return ivs;
        };
        while let Some(Ok(entry)) = stream.next_entry() {
            if self.vault.is_leftover(entry.name) {
                ivs.extend(read_iv(&parent, entry.name));
            }
        }
        ivs
    }
}

fn read_iv(dir: &Dir, name: &OsStr) -> Option<DirIv> {
    DirIv::parse(&dir.read_small(name, LENGTH).ok()?).ok()
}

/// The IVs that a damaged one may have been: too long, a few bytes too short, or with a wrong bit.
fn similar(remains: &[u8]) -> Box<dyn Iterator<Item = DirIv>> {
    let mut iv = [0; LENGTH];
    let kept = remains.len().min(LENGTH);
    iv[..kept].copy_from_slice(&remains[..kept]);
    let missing = LENGTH - kept;
    if missing > MISSING_MAX {
        return Box::new(std::iter::empty());
    }
    if missing > 0 {
        let tails = 0..1_u32 << (8 * missing);
        return Box::new(tails.map(move |tail| {
            let mut other = iv;
            other[kept..].copy_from_slice(&tail.to_be_bytes()[4 - missing..]);
            DirIv(other)
        }));
    }
    let flipped = (0..LENGTH * 8).map(move |bit| {
        let mut other = iv;
        other[bit / 8] ^= 1 << (bit % 8);
        other
    });
    Box::new(std::iter::once(iv).chain(flipped).map(DirIv))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_an_iv_leads_to_those_that_it_may_have_been() {
        let iv: [u8; 16] = core::array::from_fn(|at| u8::try_from(at).unwrap_or(0));
        let leads_back = |remains: &[u8]| similar(remains).any(|other| other == DirIv(iv));
        assert!(leads_back(&iv));
        assert!(leads_back(&[&iv[..], b"more"].concat()));
        assert!(leads_back(&iv[..15]) && leads_back(&iv[..14]));
        assert!(!leads_back(&iv[..13]) && !leads_back(&[]));
        let mut flipped = iv;
        flipped[9] ^= 0x40;
        assert!(leads_back(&flipped));
    }
}
