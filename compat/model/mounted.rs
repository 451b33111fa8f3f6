//! The operations through the kernel, on a mounted vault.

use super::op::{Answer, Driver, Kind, Op, Outcome, Path, Rename, SLOTS, XattrMode, text};
use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::vault::Vault;
use gocryptfs_rs::vfs::Fallocate;
use rustix::fs::{self, AtFlags, CWD, FallocateFlags, FileType, Mode, OFlags, RenameFlags, Stat};
use rustix::fs::{SeekFrom, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

/// The files below a directory, by the kernel.
pub(crate) struct Files {
    root: PathBuf,
    slots: [Option<File>; SLOTS],
}

impl Files {
    pub(crate) fn new(root: PathBuf) -> Self {
        let slots = Default::default();
        Self { root, slots }
    }

    fn at(&self, path: &Path) -> PathBuf {
        self.root.join(text(path))
    }

    fn slot(&self, slot: usize) -> Result<&File, Errno> {
        self.slots[slot].as_ref().ok_or(Errno::BADF)
    }

    fn open(&mut self, path: &Path, flags: OFlags, slot: usize) -> Outcome {
        let path = self.at(path);
        let flags = flags | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        self.slots[slot] = Some(fs::open(path, flags, mode(0o600))?.into());
        Ok(Answer::Done)
    }

    pub(crate) fn apply(&mut self, op: &Op) -> Outcome {
        match op {
            Op::Create { path, slot } => self.open(path, OFlags::CREATE | OFlags::EXCL, *slot),
            Op::Open { path, slot } => {
                let found = fs::lstat(self.at(path))?;
                match FileType::from_raw_mode(found.st_mode) {
                    // would wait for the other side
                    FileType::Fifo => Err(Errno::NXIO),
                    _ => self.open(path, OFlags::empty(), *slot),
                }
            }
            Op::Close { slot } => {
                self.slots[*slot].take().ok_or(Errno::BADF)?;
                Ok(Answer::Done)
            }
            Op::Read { slot, .. }
            | Op::ReadSegments { slot }
            | Op::Write { slot, .. }
            | Op::Resize { slot, .. }
            | Op::Allocate { slot, .. }
            | Op::Sync { slot, .. }
            | Op::StatOpen { slot } => on_handle(self.slot(*slot)?, op),
            Op::Copy { from, to, .. } => on_two_handles(self.slot(*from)?, self.slot(*to)?, op),
            Op::SetXattr { path, .. }
            | Op::GetXattr { path, .. }
            | Op::ListXattrs { path }
            | Op::RemoveXattr { path, .. } => on_xattr(&self.at(path), op),
            Op::Link { from, to } => done(fs::linkat(
                CWD,
                self.at(from),
                CWD,
                self.at(to),
                AtFlags::empty(),
            )),
            Op::Rename { from, to, how } => {
                let flags = match how {
                    Rename::Replace => RenameFlags::empty(),
                    Rename::NoReplace => RenameFlags::NOREPLACE,
                    Rename::Exchange => RenameFlags::EXCHANGE,
                };
                done(fs::renameat_with(
                    CWD,
                    self.at(from),
                    CWD,
                    self.at(to),
                    flags,
                ))
            }
            Op::Stat { path }
            | Op::Truncate { path, .. }
            | Op::Chmod { path, .. }
            | Op::SetMtime { path, .. }
            | Op::Mkdir { path }
            | Op::MakeFifo { path }
            | Op::Symlink { path, .. }
            | Op::Unlink { path }
            | Op::Rmdir { path }
            | Op::Readlink { path }
            | Op::List { path } => on_path(self.at(path), op),
        }
    }
}

/// A mount of `program`, and the handles open in it.
pub(crate) struct Mounted<'a> {
    program: &'a Program,
    vault: &'a Vault,
    // before the mount, so that all files are closed when it goes
    files: Files,
    mount: Option<Mount>,
}

impl<'a> Mounted<'a> {
    pub(crate) fn new(program: &'a Program, vault: &'a Vault) -> Self {
        let mount = Mount::new(program, vault, &[]);
        let files = Files::new(mount.path());
        Self {
            program,
            vault,
            files,
            mount: Some(mount),
        }
    }
}

impl Driver for Mounted<'_> {
    fn apply(&mut self, op: &Op) -> Outcome {
        self.files.apply(op)
    }

    fn restart(&mut self) {
        self.files.slots = Default::default();
        if let Some(mount) = self.mount.take() {
            mount.unmount();
        }
        let mount = Mount::new(self.program, self.vault, &[]);
        self.files.root = mount.path();
        self.mount = Some(mount);
    }
}

fn on_path(path: PathBuf, op: &Op) -> Outcome {
    match op {
        Op::Stat { .. } => Ok(facts(&fs::lstat(path)?)),
        Op::Truncate { size, .. } => {
            // not waiting for the other side of a fifo
            let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let truncate = if *size == 0 {
                OFlags::TRUNC
            } else {
                OFlags::empty()
            };
            let file = fs::open(path, flags | truncate, Mode::empty())?;
            done(fs::ftruncate(file, *size))
        }
        Op::Chmod { mode: bits, .. } => done(fs::chmod(path, mode(*bits))),
        Op::SetMtime { secs, nanos, .. } => {
            let time = Timespec {
                tv_sec: *secs,
                tv_nsec: *nanos,
            };
            let times = Timestamps {
                last_access: time,
                last_modification: time,
            };
            fs::utimensat(CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW)?;
            let found = fs::lstat(path)?;
            Ok(Answer::Time(
                found.st_mtime,
                found.st_mtime_nsec.try_into().unwrap(),
            ))
        }
        Op::Mkdir { .. } => done(fs::mkdir(path, mode(0o700))),
        Op::MakeFifo { .. } => done(fs::mknodat(CWD, path, FileType::Fifo, mode(0o600), 0)),
        Op::Symlink { target, .. } => done(fs::symlink(target, path)),
        Op::Unlink { .. } => done(fs::unlink(path)),
        Op::Rmdir { .. } => done(fs::rmdir(path)),
        Op::Readlink { .. } => Ok(Answer::Data(fs::readlink(path, Vec::new())?.into_bytes())),
        Op::List { .. } => list(path),
        _ => Err(Errno::NOSYS),
    }
}

fn list(path: PathBuf) -> Outcome {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let dir = fs::open(path, flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in fs::Dir::new(dir)? {
        let name = entry?.file_name().to_str().unwrap().to_owned();
        if name != "." && name != ".." {
            names.push(name);
        }
    }
    names.sort();
    Ok(Answer::Names(names))
}

fn on_handle(file: &File, op: &Op) -> Outcome {
    match op {
        Op::Read { offset, len, .. } => read(file, *offset, *len).map(Answer::Data),
        Op::ReadSegments { .. } => read_segments(file),
        Op::Write { offset, data, .. } => {
            file.write_all_at(data, *offset)
                .map_err(|error| errno(&error))?;
            Ok(Answer::Done)
        }
        Op::Resize { size, .. } => done(fs::ftruncate(file, *size)),
        Op::Allocate {
            what, offset, len, ..
        } => done(fs::fallocate(file, flags(*what), *offset, *len)),
        Op::Sync {
            data_only: true, ..
        } => done(fs::fdatasync(file)),
        Op::Sync { .. } => done(fs::fsync(file)),
        _ => Ok(facts(&fs::fstat(file)?)),
    }
}

fn flags(what: Fallocate) -> FallocateFlags {
    let keep = FallocateFlags::KEEP_SIZE;
    match what {
        Fallocate::Grow => FallocateFlags::empty(),
        Fallocate::KeepSize => keep,
        Fallocate::Punch => FallocateFlags::PUNCH_HOLE | keep,
        Fallocate::ZeroAndGrow => FallocateFlags::ZERO_RANGE,
        Fallocate::Zero => FallocateFlags::ZERO_RANGE | keep,
    }
}

fn on_two_handles(source: &File, target: &File, op: &Op) -> Outcome {
    let Op::Copy {
        from_offset,
        to_offset,
        len,
        ..
    } = op
    else {
        return Err(Errno::NOSYS);
    };
    let (mut from, mut to) = (*from_offset, *to_offset);
    // a file that is copied behind its own end would never end
    let size = fs::fstat(source)?.st_size.cast_unsigned();
    let end = size.min(from + len);
    while from < end {
        let left = usize::try_from(end - from).unwrap();
        if fs::copy_file_range(source, Some(&mut from), target, Some(&mut to), left)? == 0 {
            break;
        }
    }
    Ok(Answer::Done)
}

fn read(file: &File, offset: u64, len: usize) -> Result<Vec<u8>, Errno> {
    let mut data = vec![0; len];
    let mut filled = 0;
    while filled < len {
        let at = offset + filled as u64;
        match file
            .read_at(&mut data[filled..], at)
            .map_err(|error| errno(&error))?
        {
            0 => break,
            more => filled += more,
        }
    }
    data.truncate(filled);
    Ok(data)
}

fn read_segments(file: &File) -> Outcome {
    let size = fs::fstat(file)?.st_size.try_into().unwrap();
    let mut data = vec![0; size];
    let mut at = 0;
    loop {
        let start = match fs::seek(file, SeekFrom::Data(at)) {
            Err(Errno::NXIO) => break,
            other => other?,
        };
        at = fs::seek(file, SeekFrom::Hole(start))?;
        let len = usize::try_from(at - start).unwrap();
        let segment = read(file, start, len)?;
        let start = usize::try_from(start).unwrap();
        data[start..start + segment.len()].copy_from_slice(&segment);
    }
    Ok(Answer::Data(data))
}

fn on_xattr(path: &std::path::Path, op: &Op) -> Outcome {
    match op {
        Op::SetXattr {
            name, value, how, ..
        } => {
            let flags = match how {
                XattrMode::Any => XattrFlags::empty(),
                XattrMode::Create => XattrFlags::CREATE,
                XattrMode::Replace => XattrFlags::REPLACE,
            };
            done(fs::lsetxattr(path, name, value, flags))
        }
        Op::GetXattr { name, .. } => {
            let mut value = vec![0; 4096];
            let len = fs::lgetxattr(path, name, &mut value)?;
            Ok(Answer::Data(value[..len].to_vec()))
        }
        Op::RemoveXattr { name, .. } => done(fs::lremovexattr(path, name)),
        _ => {
            let mut buffer = vec![0; 4096];
            let len = fs::llistxattr(path, &mut buffer)?;
            let text = String::from_utf8(buffer[..len].to_vec()).unwrap();
            let mut names: Vec<_> = text.split_terminator('\0').map(str::to_owned).collect();
            names.sort();
            Ok(Answer::Names(names))
        }
    }
}

fn facts(found: &Stat) -> Answer {
    let kind = match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Dir,
        FileType::Symlink => Kind::Symlink,
        _ => Kind::Fifo,
    };
    let is_dir = kind == Kind::Dir;
    Answer::Facts {
        kind,
        mode: found.st_mode & 0o7777,
        links: if is_dir { 0 } else { found.st_nlink },
        size: if is_dir {
            0
        } else {
            found.st_size.try_into().unwrap()
        },
    }
}

fn mode(bits: u32) -> Mode {
    Mode::from_raw_mode(bits)
}

fn done(result: rustix::io::Result<()>) -> Outcome {
    result.map(|()| Answer::Done)
}

fn errno(error: &std::io::Error) -> Errno {
    Errno::from_io_error(error).unwrap()
}
