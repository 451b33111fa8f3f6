//! An export to a directory.

use super::watch::Watch;
use super::{Item, Refusal, Target, unusable};
use crate::cli::attributes;
use crate::cli::exit::{ExitCode, Failure};
use crate::cli::paths;
use crate::cli::values::quoted;
use crate::reader::Content;
use crate::sys::{Backing, Dir, Errno, File, OpenFlags};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The tree that is being made.
pub(super) struct Tree {
    /// How the user calls it.
    shown: PathBuf,
    top: Dir,
    /// The directories that have been entered; the last one is where things are made.
    open: Vec<Dir>,
}

/// A file that goes when the value goes, unless it is kept.
struct Unfinished<'a> {
    dir: &'a Dir,
    name: &'a OsStr,
    file: Option<File>,
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            let _ = self.dir.unlink(self.name);
        }
    }
}

impl Tree {
    /// Makes the directory `path`, or takes it if it is empty.
    ///
    /// # Errors
    /// It is neither missing nor empty.
    pub(super) fn at(path: &Path) -> Result<Tree, Failure> {
        let shown = paths::absolute(path)?;
        if let Ok((above, name)) = Dir::open_above(&shown) {
            match above.mkdir(&name, 0o700) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(errno) => return Err(unusable(&shown, errno)),
            }
        }
        let top = Dir::open(&shown).map_err(|errno| unusable(&shown, errno))?;
        if !paths::is_empty_dir(&shown)
            .map_err(|error| Failure::new(ExitCode::Other, error.to_string()))?
        {
            let failure = unusable(&shown, "is not empty");
            return Err(failure.advise("Nothing is overwritten: export to a new directory."));
        }
        Ok(Tree {
            shown,
            top,
            open: Vec::new(),
        })
    }

    /// Where things are made now. A file that is exported alone lands in the top.
    fn here(&self) -> &Dir {
        self.open.last().unwrap_or(&self.top)
    }

    /// What the destination says to an object.
    fn refused(&self, item: &Item, errno: Errno) -> Refusal {
        match errno {
            // No other object would fare better.
            Errno::NOSPC | Errno::DQUOT | Errno::IO | Errno::ROFS | Errno::MFILE => {
                Refusal::End(unusable(&self.shown.join(&item.path), errno))
            }
            errno => Refusal::Unkept("export", format!("{errno}, in {}", quoted(&self.shown))),
        }
    }

    fn attributes(&self, item: &Item, dir: &Dir, name: &OsStr) -> Result<(), Refusal> {
        let set = attributes::set(&item.object.stat, &item.attributes, dir, name);
        set.map_err(|errno| match self.refused(item, errno) {
            Refusal::Unkept(_, reason) => Refusal::Unkept("keep all attributes of", reason),
            refusal => refusal,
        })
    }

    fn fill(
        &self,
        item: &Item,
        file: &File,
        content: &Content,
        watch: &mut Watch<'_>,
    ) -> Result<(), Refusal> {
        let full = |errno| unusable(&self.shown.join(&item.path), errno);
        let mut end = 0;
        for data in content.data() {
            end = data.end;
            content.read(data, |at, piece| {
                let written = file.write_at(piece, at);
                written.map_err(|short| full(short.errno))?;
                watch.add(piece.len())
            })?;
        }
        if end < content.size() {
            file.set_len(content.size()).map_err(full)?;
        }
        Ok(())
    }
}

/// The last name of the path of an item.
fn name(item: &Item) -> &OsStr {
    item.path.file_name().unwrap_or(OsStr::new("."))
}

impl Target for Tree {
    fn enter(&mut self, item: &Item) -> Result<(), Refusal> {
        let (here, name) = (self.here(), name(item));
        let made = if name == "." {
            Ok(())
        } else {
            here.mkdir(name, 0o700)
        };
        let dir = made.and_then(|()| here.open_dir(name));
        let dir = dir.map_err(|errno| self.refused(item, errno))?;
        self.open.push(dir);
        Ok(())
    }

    fn leave(&mut self, item: &Item) -> Result<(), Refusal> {
        match self.open.pop() {
            Some(dir) => self.attributes(item, &dir, OsStr::new(".")),
            None => Ok(()),
        }
    }

    fn link(&mut self, item: &Item, first: &Path) -> Result<(), Refusal> {
        let mut names: Vec<&OsStr> = first.iter().collect();
        let old = names.pop().unwrap_or_default();
        let linked = self.top.open_dir(OsStr::new(".")).and_then(|mut dir| {
            for name in names {
                dir = dir.open_dir(name)?;
            }
            dir.link(old, self.here(), name(item))
        });
        linked.map_err(|errno| self.refused(item, errno))
    }

    fn symlink(&mut self, item: &Item, target: &[u8]) -> Result<(), Refusal> {
        let (here, name) = (self.here(), name(item));
        here.symlink(OsStr::from_bytes(target), name)
            .map_err(|errno| self.refused(item, errno))?;
        self.attributes(item, here, name)
    }

    fn special(&mut self, item: &Item) -> Result<(), Refusal> {
        let (here, name) = (self.here(), name(item));
        let stat = &item.object.stat;
        let made = here.mknod(name, stat.kind().bits() | 0o600, stat.rdev);
        made.map_err(|errno| self.refused(item, errno))?;
        self.attributes(item, here, name)
    }

    fn file(
        &mut self,
        item: &Item,
        content: &Content,
        watch: &mut Watch<'_>,
    ) -> Result<(), Refusal> {
        let (dir, name) = (self.here(), name(item));
        let made = dir.create_file(name, OpenFlags::WRONLY, 0o600);
        let file = made.map_err(|errno| self.refused(item, errno))?;
        let mut unfinished = Unfinished {
            dir,
            name,
            file: Some(file),
        };
        if let Some(file) = &unfinished.file {
            self.fill(item, file, content, watch)?;
        }
        drop(unfinished.file.take());
        self.attributes(item, dir, name)
    }

    fn finish(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}
