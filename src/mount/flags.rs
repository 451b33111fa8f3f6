//! Mount options by name, as flags of `mount(2)`.

use rustix::mount::MountFlags;

/// Names that are flags, and whether the name sets or clears it.
const FLAGS: [(&str, MountFlags, bool); 24] = [
    ("async", MountFlags::SYNCHRONOUS, false),
    ("atime", MountFlags::NOATIME, false),
    ("dev", MountFlags::NODEV, false),
    ("diratime", MountFlags::NODIRATIME, false),
    ("dirsync", MountFlags::DIRSYNC, true),
    ("exec", MountFlags::NOEXEC, false),
    ("lazytime", MountFlags::LAZYTIME, true),
    ("noatime", MountFlags::NOATIME, true),
    ("nodev", MountFlags::NODEV, true),
    ("nodiratime", MountFlags::NODIRATIME, true),
    ("noexec", MountFlags::NOEXEC, true),
    ("nolazytime", MountFlags::LAZYTIME, false),
    ("norelatime", MountFlags::RELATIME, false),
    ("nostrictatime", MountFlags::STRICTATIME, false),
    ("nosuid", MountFlags::NOSUID, true),
    ("nosymfollow", MountFlags::NOSYMFOLLOW, true),
    ("relatime", MountFlags::RELATIME, true),
    ("ro", MountFlags::RDONLY, true),
    ("rw", MountFlags::RDONLY, false),
    ("strictatime", MountFlags::STRICTATIME, true),
    ("suid", MountFlags::NOSUID, false),
    ("symfollow", MountFlags::NOSYMFOLLOW, false),
    ("sync", MountFlags::SYNCHRONOUS, true),
    ("silent", MountFlags::SILENT, true),
];

/// Applies `words` to `flags`, the last word winning. Returns the words that are no flags, which
/// the file system itself reads.
pub(super) fn split<'a>(flags: &mut MountFlags, words: &'a [String]) -> Vec<&'a str> {
    let mut others = Vec::new();
    for word in words {
        match FLAGS.iter().find(|(name, ..)| word == name) {
            Some((_, flag, is_set)) => flags.set(*flag, *is_set),
            None => others.push(word.as_str()),
        }
    }
    others
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_told_from_what_the_file_system_reads() {
        let words = ["noatime", "max_read=4096", "suid", "ro", "rw"].map(str::to_owned);
        let mut flags = MountFlags::NOSUID | MountFlags::NODEV;
        assert_eq!(split(&mut flags, &words), ["max_read=4096"]);
        assert_eq!(flags, MountFlags::NODEV | MountFlags::NOATIME);
    }
}
