//! Words of a mount list that are not for this program.
//!
//! mount(8), systemd and fstab(5) keep their own words among the options of a file system, and
//! what says how access times are kept is for the kernel.

/// Whom a word is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Addressee {
    /// This program.
    Us,
    /// The kernel.
    Kernel,
    /// Whoever decides when and by whom something is mounted.
    Others,
}

/// What the kernel knows, see mount(8) and mount.fuse3(8).
const KERNEL: [&str; 20] = [
    "atime",
    "default_permissions",
    "defcontext",
    "diratime",
    "dirsync",
    "fscontext",
    "lazytime",
    "max_read",
    "noatime",
    "nodiratime",
    "nolazytime",
    "norelatime",
    "nostrictatime",
    "nosymfollow",
    "relatime",
    "rootcontext",
    "strictatime",
    "symfollow",
    "sync",
    "async",
];

/// What is done with when this program starts, see mount(8) and systemd.mount(5).
const OTHERS: [&str; 10] = [
    "_netdev", "auto", "comment", "defaults", "group", "noauto", "nouser", "owner", "user", "users",
];

/// Whom a word of a mount list, with or without a value, is for.
pub(crate) fn addressee(word: &str) -> Addressee {
    let name = word.split('=').next().unwrap_or(word);
    if OTHERS.contains(&name) || name.starts_with("x-") || name.starts_with("X-") {
        Addressee::Others
    } else if KERNEL.contains(&name) {
        Addressee::Kernel
    } else {
        Addressee::Us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_to_whom_they_are_for() {
        for word in ["ro", "passfile=p", "nofail", "fsname=noatime", "x", "uid=0"] {
            assert_eq!(addressee(word), Addressee::Us, "{word}");
        }
        for word in ["noatime", "max_read=65536", "sync"] {
            assert_eq!(addressee(word), Addressee::Kernel, "{word}");
        }
        let others = "_netdev user user=joe comment=a=b x-systemd.automount X-mount.mkdir=0700";
        for word in others.split(' ') {
            assert_eq!(addressee(word), Addressee::Others, "{word}");
        }
    }
}
