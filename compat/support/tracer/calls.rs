//! Which system calls there are on files, on what they work, and what they do.

use libc::{c_long, user_regs_struct};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// A system call on the directory that is watched, or on anything below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    /// Whether it may change what is stored.
    pub(crate) changes: bool,
    /// Whether it may run out of space.
    pub(crate) takes_space: bool,
}

/// Where a call says what it works on: the number of the argument that is a descriptor, a path, or
/// a descriptor with a path behind it.
#[derive(Clone, Copy)]
enum On {
    Fd(usize),
    Path(usize),
    At(usize),
}

/// What a call does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    Look,
    Change,
    Take,
}

use Does::{Change, Look, Take};
use On::{At, Fd, Path as ByPath};

const CALLS: &[(c_long, &str, On, Does)] = &[
    (libc::SYS_openat, "openat", At(0), Look),
    (libc::SYS_open, "open", ByPath(0), Look),
    (libc::SYS_read, "read", Fd(0), Look),
    (libc::SYS_pread64, "pread64", Fd(0), Look),
    (libc::SYS_preadv, "preadv", Fd(0), Look),
    (libc::SYS_write, "write", Fd(0), Take),
    (libc::SYS_pwrite64, "pwrite64", Fd(0), Take),
    (libc::SYS_pwritev, "pwritev", Fd(0), Take),
    (libc::SYS_ftruncate, "ftruncate", Fd(0), Change),
    (libc::SYS_truncate, "truncate", ByPath(0), Change),
    (libc::SYS_fallocate, "fallocate", Fd(0), Take),
    (libc::SYS_fsync, "fsync", Fd(0), Look),
    (libc::SYS_fdatasync, "fdatasync", Fd(0), Look),
    (libc::SYS_syncfs, "syncfs", Fd(0), Look),
    (libc::SYS_mkdirat, "mkdirat", At(0), Take),
    (libc::SYS_mkdir, "mkdir", ByPath(0), Take),
    (libc::SYS_mknodat, "mknodat", At(0), Take),
    (libc::SYS_symlinkat, "symlinkat", At(1), Take),
    (libc::SYS_linkat, "linkat", At(2), Take),
    (libc::SYS_unlinkat, "unlinkat", At(0), Change),
    (libc::SYS_unlink, "unlink", ByPath(0), Change),
    (libc::SYS_rmdir, "rmdir", ByPath(0), Change),
    (libc::SYS_rename, "rename", ByPath(0), Change),
    (libc::SYS_renameat, "renameat", At(0), Change),
    (libc::SYS_renameat2, "renameat2", At(0), Change),
    (libc::SYS_link, "link", ByPath(1), Take),
    (libc::SYS_chmod, "chmod", ByPath(0), Change),
    (libc::SYS_fchmod, "fchmod", Fd(0), Change),
    (libc::SYS_fchmodat, "fchmodat", At(0), Change),
    (libc::SYS_fchmodat2, "fchmodat2", At(0), Change),
    (libc::SYS_fchown, "fchown", Fd(0), Change),
    (libc::SYS_fchownat, "fchownat", At(0), Change),
    (libc::SYS_lchown, "lchown", ByPath(0), Change),
    (libc::SYS_utimensat, "utimensat", At(0), Change),
    (libc::SYS_newfstatat, "newfstatat", At(0), Look),
    (libc::SYS_lstat, "lstat", ByPath(0), Look),
    (libc::SYS_stat, "stat", ByPath(0), Look),
    (libc::SYS_fstat, "fstat", Fd(0), Look),
    (libc::SYS_statx, "statx", At(0), Look),
    (libc::SYS_statfs, "statfs", ByPath(0), Look),
    (libc::SYS_fstatfs, "fstatfs", Fd(0), Look),
    (libc::SYS_readlinkat, "readlinkat", At(0), Look),
    (libc::SYS_getdents64, "getdents64", Fd(0), Look),
    (libc::SYS_setxattr, "setxattr", ByPath(0), Take),
    (libc::SYS_lsetxattr, "lsetxattr", ByPath(0), Take),
    (libc::SYS_fsetxattr, "fsetxattr", Fd(0), Take),
    (libc::SYS_getxattr, "getxattr", ByPath(0), Look),
    (libc::SYS_lgetxattr, "lgetxattr", ByPath(0), Look),
    (libc::SYS_fgetxattr, "fgetxattr", Fd(0), Look),
    (libc::SYS_listxattr, "listxattr", ByPath(0), Look),
    (libc::SYS_llistxattr, "llistxattr", ByPath(0), Look),
    (libc::SYS_flistxattr, "flistxattr", Fd(0), Look),
    (libc::SYS_removexattr, "removexattr", ByPath(0), Change),
    (libc::SYS_lremovexattr, "lremovexattr", ByPath(0), Change),
    (libc::SYS_fremovexattr, "fremovexattr", Fd(0), Change),
    (libc::SYS_copy_file_range, "copy_file_range", Fd(2), Take),
    (libc::SYS_faccessat, "faccessat", At(0), Look),
    (libc::SYS_faccessat2, "faccessat2", At(0), Look),
];

/// `_IOW(0x94, 9, int)` and `_IOW(0x94, 13, struct file_clone_range)`.
const CLONES: [u64; 2] = [0x4004_9409, 0x4020_940d];

/// The call that is about to be made, if it is on something below `top`.
pub(super) fn on(top: &Path, pid: Pid, registers: &user_regs_struct) -> Option<Call> {
    let nr = registers.orig_rax.cast_signed();
    let args = [
        registers.rdi,
        registers.rsi,
        registers.rdx,
        registers.r10,
        registers.r8,
    ];
    let (name, on, mut does) = if nr == libc::SYS_ioctl && CLONES.contains(&args[1]) {
        ("ioctl(FICLONERANGE)", Fd(0), Take)
    } else {
        let known = CALLS.iter().find(|known| known.0 == nr)?;
        (known.1, known.2, known.3)
    };
    let flags = match nr {
        libc::SYS_openat => args[2],
        libc::SYS_open => args[1],
        _ => 0,
    };
    let making = libc::O_CREAT | libc::O_TRUNC | (libc::O_TMPFILE & !libc::O_DIRECTORY);
    if flags & u64::from(making.cast_unsigned()) != 0 {
        does = Take;
    }
    let object = match on {
        Fd(arg) => opened(pid, args[arg])?,
        ByPath(arg) => resolved(pid, &text(pid, args[arg])?)?,
        At(arg) => match text(pid, args[arg + 1]) {
            Some(path) if path.is_absolute() => resolved(pid, &path)?,
            _ => opened(pid, args[arg])?,
        },
    };
    object.starts_with(top).then_some(Call {
        name,
        changes: does != Look,
        takes_space: does == Take,
    })
}

fn opened(pid: Pid, fd: u64) -> Option<PathBuf> {
    let fd = fd & u64::from(u32::MAX);
    fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()
}

/// What an absolute path means to the program: descriptors may be named by paths.
fn resolved(pid: Pid, path: &Path) -> Option<PathBuf> {
    let own = format!("/proc/{pid}/fd");
    let inside = path
        .strip_prefix("/proc/self/fd")
        .or_else(|_| path.strip_prefix("/proc/thread-self/fd"))
        .or_else(|_| path.strip_prefix(own));
    let Ok(inside) = inside else {
        return Some(path.to_owned());
    };
    let fd = inside.components().next()?.as_os_str().to_str()?;
    opened(pid, fd.parse().ok()?)
}

/// The path that a program has in its memory; `None` for none.
fn text(pid: Pid, at: u64) -> Option<PathBuf> {
    if at == 0 {
        return None;
    }
    let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
    let mut path = Vec::new();
    let mut byte = [0];
    while path.len() < 4096 {
        memory
            .read_exact_at(&mut byte, at + path.len() as u64)
            .ok()?;
        if byte[0] == 0 {
            break;
        }
        path.push(byte[0]);
    }
    Some(PathBuf::from(std::ffi::OsStr::from_bytes(&path)))
}
