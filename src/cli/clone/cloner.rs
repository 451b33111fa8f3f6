//! Cloning an object with all that belongs to it: content, attributes, and what a directory holds.

use super::{NO_MOUNT, Watch, refused};
use crate::cli::attributes;
use crate::cli::exit::Failure;
use crate::reader::Attribute;
use crate::sys::{self, Dir, Errno, File, FileKey, Kind, OpenFlags, Stat};
use indicatif::{BinaryBytes, HumanCount};
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display, Formatter};
use std::ops::AddAssign;
use std::path::{Path, PathBuf};

/// What has been cloned.
#[derive(Clone, Copy, Default)]
pub(super) struct Totals {
    files: u64,
    shared: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, more: Totals) {
        self.files += more.files;
        self.shared += more.shared;
    }
}

impl Display for Totals {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (files, shared) = (HumanCount(self.files), BinaryBytes(self.shared));
        let plural = if self.files == 1 { "" } else { "s" };
        write!(f, "{files} file{plural} cloned, {shared} shared")
    }
}

/// Clones one tree.
pub(super) struct Cloner<'a> {
    /// Where the clone is made.
    top: &'a Dir,
    /// The object that is being cloned, as the user calls it, and what it is to become.
    source: PathBuf,
    target: &'a Path,
    /// Where it is made: names from `top` on.
    path: Vec<OsString>,
    /// Where files with several names have been cloned to.
    links: HashMap<FileKey, Vec<OsString>>,
    totals: Totals,
    watch: &'a mut Watch,
}

impl<'a> Cloner<'a> {
    pub(super) fn new(
        top: &'a Dir,
        source: &Path,
        target: &'a Path,
        watch: &'a mut Watch,
    ) -> Cloner<'a> {
        Cloner {
            top,
            source: source.to_owned(),
            target,
            path: Vec::new(),
            links: HashMap::new(),
            totals: Totals::default(),
            watch,
        }
    }

    /// Clones an object as `new` in the top directory.
    ///
    /// # Errors
    /// Something of it cannot be cloned; what has been made so far is left.
    pub(super) fn clone_tree(
        mut self,
        from: &Dir,
        name: &OsStr,
        new: &OsStr,
    ) -> Result<Totals, Failure> {
        let top = self.top;
        // A tree may have no files, by which other file systems would be recognized.
        drop(self.make_file(top, new)?);
        top.unlink(new).map_err(|errno| self.no_target(errno))?;
        self.path.push(new.to_owned());
        self.object(from, name, top, new)?;
        Ok(self.totals)
    }

    fn object(&mut self, from: &Dir, name: &OsStr, to: &Dir, new: &OsStr) -> Result<(), Failure> {
        self.watch.look()?;
        let stat = from.stat_at(name).map_err(|errno| self.cannot(errno))?;
        if self.link_to_first(&stat, to, new)? {
            return Ok(());
        }
        match stat.kind() {
            Kind::File => self.file(from, name, to, new)?,
            Kind::Dir => self.dir(from, name, to, new)?,
            Kind::Symlink => from
                .readlink(name)
                .and_then(|target| to.symlink(&target, new))
                .map_err(|errno| self.cannot(errno))?,
            _ => to
                .mknod(new, stat.mode, stat.rdev)
                .map_err(|errno| self.cannot(errno))?,
        }
        copy_attributes(&stat, from, name, to, new).map_err(|errno| self.cannot(errno))
    }

    /// Makes another name for a file that was met before; notes the first name otherwise.
    fn link_to_first(&mut self, stat: &Stat, to: &Dir, new: &OsStr) -> Result<bool, Failure> {
        if stat.nlink < 2 || stat.is_dir() {
            return Ok(false);
        }
        let Some(first) = self.links.get(&stat.key) else {
            self.links.insert(stat.key, self.path.clone());
            return Ok(false);
        };
        let linked = self.link(first, to, new);
        linked.map_err(|errno| self.cannot(errno)).map(|()| true)
    }

    fn link(&self, first: &[OsString], to: &Dir, new: &OsStr) -> sys::Result<()> {
        let (name, above) = first.split_last().ok_or(Errno::NOENT)?;
        let mut dir = self.top.open_dir(OsStr::new("."))?;
        for step in above {
            dir = dir.open_dir(step)?;
        }
        dir.link(name, to, new)
    }

    fn dir(&mut self, from: &Dir, name: &OsStr, to: &Dir, new: &OsStr) -> Result<(), Failure> {
        let from = from.open_dir(name).map_err(|errno| self.cannot(errno))?;
        let entries = from.names().map_err(|errno| self.cannot(errno))?;
        if from.stat().is_ok_and(|stat| self.is_inside(stat.key)) {
            return Err(refused(&self.source, "holds its own clone"));
        }
        let made = to.mkdir(new, 0o700).and_then(|()| to.open_dir(new));
        let to = made.map_err(|errno| self.cannot(errno))?;
        for entry in entries {
            self.path.push(entry.clone());
            self.source.push(&entry);
            self.object(&from, &entry, &to, &entry)?;
            self.source.pop();
            self.path.pop();
        }
        Ok(())
    }

    fn is_inside(&self, dir: FileKey) -> bool {
        self.top.stat().is_ok_and(|top| top.key == dir)
    }

    fn file(&mut self, from: &Dir, name: &OsStr, to: &Dir, new: &OsStr) -> Result<(), Failure> {
        let source = from
            .open_file(name, OpenFlags::RDONLY)
            .map_err(|errno| self.cannot(errno))?;
        let found = source.stat().map_err(|errno| self.cannot(errno))?;
        let target = self.make_file(to, new)?;
        let made = target.stat().map_err(|errno| self.no_target(errno))?;
        if found.key.dev != made.key.dev {
            let there = self.target.display();
            return Err(refused(
                &self.source,
                format!("is not in the same mount as {there}"),
            ));
        }
        let mut at = 0;
        while at < found.size {
            self.watch.look()?;
            match share(&target, &source, at, found.size - at) {
                Ok((0, _)) => break,
                Ok((copied, now)) if now > 0 => {
                    at += copied;
                    self.totals.shared += now;
                    self.watch.done.bytes += now;
                }
                Ok(_) | Err(Errno::INVAL) => {
                    return Err(refused(&self.source, "its storage cannot be shared"));
                }
                Err(errno) => return Err(self.cannot(errno)),
            }
        }
        self.totals.files += 1;
        self.watch.done.files += 1;
        target.flush().map_err(|errno| self.no_target(errno))
    }

    /// Makes a file into which everything is cloned or nothing.
    fn make_file(&self, dir: &Dir, name: &OsStr) -> Result<File, Failure> {
        let made = dir.create_file(name, OpenFlags::WRONLY, 0o600);
        let file = made.map_err(|errno| self.no_target(errno))?;
        match file.set_strict(true) {
            Ok(_) => Ok(file),
            Err(Errno::OPNOTSUPP) => Err(refused(
                self.target,
                "is in a mount that shares no storage: -reflink=never is set, or CIPHERDIR is on \
                 a file system that cannot",
            )),
            Err(_) => Err(refused(self.target, NO_MOUNT)),
        }
    }

    fn cannot(&self, errno: Errno) -> Failure {
        refused(&self.source, errno)
    }

    fn no_target(&self, errno: Errno) -> Failure {
        refused(self.target, errno)
    }
}

/// Clones from `at` on; returns how far that came, and how many bytes are shared.
fn share(target: &File, source: &File, at: u64, len: u64) -> sys::Result<(u64, u64)> {
    let before = target.shared_bytes()?;
    let copied = target.copy_range(source, at, len)?;
    Ok((copied, target.shared_bytes()? - before))
}

/// Makes the entry `new` have the attributes of the original.
fn copy_attributes(
    stat: &Stat,
    from: &Dir,
    name: &OsStr,
    to: &Dir,
    new: &OsStr,
) -> sys::Result<()> {
    let attributes = if stat.is_symlink() {
        Vec::new()
    } else {
        attributes_of(from, name)?
    };
    attributes::set(stat, &attributes, to, new)
}

fn attributes_of(from: &Dir, name: &OsStr) -> sys::Result<Vec<Attribute>> {
    let names = match from.list_xattr(name) {
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        listed => listed?,
    };
    let mut attributes = Vec::new();
    for attr in names {
        match from.get_xattr(name, &attr) {
            Ok(value) => attributes.push((attr, value)),
            // Others belong to the system, which may keep them to itself.
            Err(Errno::PERM | Errno::ACCESS | Errno::OPNOTSUPP)
                if !attributes::is_of_user(&attr) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(attributes)
}
