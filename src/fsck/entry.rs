//! One entry of a directory: what its name is, and what it is.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::finding::Damage;
use super::ledger::{Ticket, Totals};
use super::place::{Place, Spot};
use super::walk::{Walk, Worker};
use crate::format::{
    Corrupt, DirIv, DiskName, NAME_FILE_MAX, NameDefect, PlainName, name_file, object_of_name_file,
    open_target,
};
use crate::sys::{Errno, Kind};
use crate::vault::conf::{Conf, ReadError};
use crate::vault::{Error, Subject};

/// Room for every reasonable configuration file, bytes.
const CONF_MAX: usize = 1 << 20;
/// The name of a configuration file that is being written.
const CONF_TMP: &str = "gocryptfs.conf.tmp";
/// The name of a configuration file that was kept when the password was changed.
const CONF_BAK: &str = "gocryptfs.conf.bak";

/// The plain name of an entry if there is one, and what is wrong with how it is stored.
type Decoded = (Option<PlainName>, Option<Damage>);

impl Walk<'_> {
    /// Checks an entry and everything in it.
    pub(super) fn entry(&self, mut spot: Spot, kind: Kind, ticket: Ticket, worker: &mut Worker) {
        let place = &spot.place;
        let (plain, damage) = match self.vault.classify(&spot.disk, place.is_top()) {
            DiskName::Config => return self.conf(&spot, &ticket),
            DiskName::DirIv => return,
            DiskName::NameFile => return self.name_file(&spot, &ticket),
            DiskName::Long(_) => self.long_name(place, &spot.disk),
            DiskName::Short(_) => match self.short_name(place, &spot.disk) {
                Some(decoded) => decoded,
                None => return,
            },
        };
        spot.plain = plain.map(|name| name.as_os_str().to_owned());
        let ends =
            damage == Some(Damage::Leftover) && self.vault.is_vacant(&spot.place.dir, &spot.disk);
        if let Some(damage) = damage {
            self.report(&spot, spot.ino(), damage, &ticket);
        }
        if !ends {
            self.object(spot, kind, ticket, worker);
        }
    }

    fn conf(&self, spot: &Spot, ticket: &Ticket) {
        let read = match spot.place.dir.read_small(&spot.disk, CONF_MAX) {
            Ok(content) if content.len() > CONF_MAX => Err(ReadError::TooLarge),
            Ok(content) => Conf::parse(&content).map(drop),
            // Where a symlink leads was found out when the volume was opened.
            Err(Errno::INVAL) => match spot.place.dir.stat_at(&spot.disk) {
                Ok(stat) if stat.is_symlink() => Ok(()),
                _ => Err(ReadError::NotRegular),
            },
            Err(errno) => return self.trouble(spot, ticket, errno),
        };
        if let Err(error) = read {
            self.report(spot, spot.ino(), Damage::Conf(error), ticket);
        }
    }

    fn name_file(&self, spot: &Spot, ticket: &Ticket) {
        let object = object_of_name_file(&spot.disk);
        let missing = |object| spot.place.dir.stat_at(object).err() == Some(Errno::NOENT);
        if object.is_some_and(missing) {
            self.report(spot, spot.ino(), Damage::NameFileStale, ticket);
        }
    }

    /// Decrypts a name on disk. `None` if it is no entry of the user's, and fine.
    fn short_name(&self, place: &Place, disk: &OsStr) -> Option<Decoded> {
        let is_conf = |name| place.is_top() && disk == name;
        Some(match self.decode(place, disk) {
            Ok(Some(plain)) => {
                let damage = self.misplaced(place, disk, disk, &plain);
                (Some(plain), damage)
            }
            Ok(None) => (None, None),
            Err(NameDefect::Base64 { .. }) if is_conf(CONF_BAK) => return None,
            Err(NameDefect::Base64 { .. }) if is_conf(CONF_TMP) || self.vault.is_leftover(disk) => {
                (None, Some(Damage::Leftover))
            }
            Err(NameDefect::Base64 { at }) => {
                self.bad_name(place, disk, Damage::NameEncoding { at })
            }
            Err(_) => self.bad_name(place, disk, Damage::NameUndecryptable),
        })
    }

    /// What an undecryptable name is shown as, which then is no damage.
    fn bad_name(&self, place: &Place, text: &OsStr, damage: Damage) -> Decoded {
        let iv = place.iv.as_ref();
        match iv.and_then(|iv| self.vault.shown_as(iv, text)) {
            Some(shown) => (Some(shown), None),
            None => (None, Some(damage)),
        }
    }

    /// Decrypts the name in the `.name` file of an entry.
    fn long_name(&self, place: &Place, disk: &OsStr) -> Decoded {
        let text = match place.dir.read_small(&name_file(disk), NAME_FILE_MAX) {
            Ok(text) => text,
            Err(Errno::NOENT) => return (None, Some(Damage::NameFileMissing)),
            Err(errno) => {
                let damage = match Damage::of(errno) {
                    Damage::Unreadable(errno) => Damage::NameFileUnreadable(errno),
                    skipped => skipped,
                };
                return (None, Some(damage));
            }
        };
        if !(1..=NAME_FILE_MAX).contains(&text.len()) {
            let defect = NameDefect::NameFileLength(text.len());
            return (None, Some(Damage::NameFileContent(defect)));
        }
        let text = OsStr::from_bytes(&text);
        let hashed = self.vault.names().hashed(text);
        let is_of_this = hashed.is_some_and(|hash| hash.as_os_str() == disk);
        match self.decode(place, text) {
            Ok(_) if !is_of_this => (None, Some(Damage::NameFileMismatch)),
            Ok(None) => (None, None),
            Ok(Some(plain)) => {
                let damage = self.misplaced(place, disk, text, &plain);
                (Some(plain), damage)
            }
            Err(defect) => self.bad_name(place, text, Damage::NameFileContent(defect)),
        }
    }

    /// Decrypts an encrypted name. `None` if the directory's IV is damaged, and with it only
    /// what does not depend on it can be told.
    fn decode(&self, place: &Place, text: &OsStr) -> Result<Option<PlainName>, NameDefect> {
        let iv = place.iv.unwrap_or(DirIv::ZERO);
        match (self.vault.names().decode(&iv, text), place.iv) {
            (Ok(_) | Err(NameDefect::Invalid), None) => Ok(None),
            (decoded, _) => decoded.map(Some),
        }
    }

    /// What is wrong with an entry `disk` for the name `plain`, whose encrypted form is `text`.
    fn misplaced(
        &self,
        place: &Place,
        disk: &OsStr,
        text: &OsStr,
        plain: &PlainName,
    ) -> Option<Damage> {
        if is_noise(plain.as_os_str().as_bytes()) {
            return Some(Damage::NameNoise);
        }
        let is_long = disk != text;
        if self.vault.names().is_long(text) == is_long {
            return None;
        }
        let stored = self.vault.names().encode(place.iv.as_ref()?, plain).ok()?;
        Some(match place.dir.stat_at(stored.disk()) {
            Ok(_) => Damage::NameTwice,
            Err(_) => Damage::NameMisplaced,
        })
    }

    /// Checks an object and everything in it.
    fn object(&self, spot: Spot, kind: Kind, ticket: Ticket, worker: &mut Worker) {
        match kind {
            Kind::Unknown => match spot.place.dir.stat_at(&spot.disk) {
                Ok(stat) => self.object(spot, stat.kind(), ticket, worker),
                Err(errno) => self.trouble(&spot, &ticket, errno),
            },
            Kind::File => self.file(spot, ticket, worker),
            Kind::Dir => self.subdirectory(spot, ticket, worker),
            kind => {
                let subject = Subject::Named(&spot.place.dir, &spot.disk);
                self.attributes(subject, |damage| {
                    self.report(&spot, spot.ino(), damage, &ticket);
                });
                if kind == Kind::Symlink {
                    self.target(&spot, &ticket);
                }
                self.count_file(&ticket, 0);
            }
        }
    }

    fn target(&self, spot: &Spot, ticket: &Ticket) {
        let stored = match spot.place.dir.readlink(&spot.disk) {
            Ok(stored) => stored,
            Err(errno) => return self.trouble(spot, ticket, errno),
        };
        let (content, names) = (self.vault.content(), self.vault.names());
        if let Err(Corrupt::Value(defect)) = open_target(content, names, stored.as_bytes()) {
            self.report(spot, spot.ino(), Damage::Target(defect), ticket);
        }
    }

    /// Checks the extended attributes of an object.
    pub(super) fn attributes(&self, subject: Subject<'_>, mut report: impl FnMut(Damage)) {
        let names = match self.vault.list_xattr(subject) {
            Ok(names) => names,
            // The file system has none, or the object has been removed.
            Err(Error::Os(Errno::OPNOTSUPP | Errno::NOENT) | Error::Corrupt { .. }) => return,
            Err(Error::Os(errno)) => return report(Damage::of(errno)),
        };
        for (disk, defect) in names.bad {
            report(Damage::XattrName { disk, defect });
        }
        for name in names.good {
            let disk = self.vault.disk_attr(&name).unwrap_or_default();
            if !has_namespace(&name) {
                let defect = NameDefect::Invalid;
                report(Damage::XattrName { disk, defect });
                continue;
            }
            match self.vault.get_xattr(subject, &name) {
                Err(Error::Corrupt {
                    what: Corrupt::Value(defect),
                    ..
                }) => report(Damage::XattrValue { disk, name, defect }),
                Err(Error::Os(errno)) if errno != Errno::NODATA => report(Damage::of(errno)),
                _ => {}
            }
        }
    }

    /// Counts an object that is no directory as done.
    pub(super) fn count_file(&self, ticket: &Ticket, bytes: u64) {
        // What was cut short has not been done.
        if !self.is_stopped() {
            self.progress.add_file();
            ticket.count(Totals {
                files: 1,
                bytes,
                ..Totals::default()
            });
        }
    }
}

/// Whether a name is more likely made of random bytes than by anybody: the wrong key or IV, or a
/// changed text, decrypts to something with the right padding once in 256 times.
fn is_noise(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_err() && name.iter().any(u8::is_ascii_control)
}

/// Whether the name of an attribute is one that the kernel takes, see `xattr(7)`.
fn has_namespace(name: &OsStr) -> bool {
    let spaces = ["user.", "trusted.", "security.", "system."];
    spaces
        .iter()
        .any(|space| name.as_bytes().starts_with(space.as_bytes()))
}
