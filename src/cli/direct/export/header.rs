//! The headers of an archive: the format of POSIX.1-2001 (pax), in which names are bytes of any
//! length, times have fractions and files are of any size; see pax(1) and, for extended attributes
//! and holes, the manual of GNU tar (appendix D).

use super::Item;
use crate::sys::Time;
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use tar::{EntryType, Header};

/// The unit of an archive, bytes.
pub(super) const BLOCK: usize = 512;
/// The longest name in a plain header, bytes.
const NAME: usize = 100;
/// Seconds that fit into a plain header: eleven octal digits.
const SECONDS: i64 = 0o77_777_777_777;

/// What comes before the content of an object.
pub(super) struct Headers<'a> {
    item: &'a Item,
    kind: EntryType,
    header: Header,
    records: Vec<u8>,
}

impl<'a> Headers<'a> {
    /// Headers for `item`; its path is `path`.
    pub(super) fn new(item: &'a Item, kind: EntryType, path: &[u8]) -> Headers<'a> {
        let stat = &item.object.stat;
        let mut headers = Headers {
            item,
            kind,
            header: Header::new_ustar(),
            records: Vec::new(),
        };
        let header = &mut headers.header;
        header.set_entry_type(kind);
        header.set_mode(stat.mode & 0o7777);
        header.set_uid(stat.uid.into());
        header.set_gid(stat.gid.into());
        header.set_size(0);
        let seconds = stat.mtime.secs.clamp(0, SECONDS);
        header.set_mtime(seconds.unsigned_abs());
        if stat.mtime.nanos != 0 || seconds != stat.mtime.secs {
            headers.record(b"mtime", decimal(stat.mtime).as_bytes());
        }
        headers.set_path(path);
        headers
    }

    fn set_path(&mut self, path: &[u8]) {
        if path.len() > NAME {
            self.record(b"path", path);
        }
        put(&mut self.header.as_old_mut().name, path);
    }

    /// Sets what a link leads to.
    pub(super) fn set_target(&mut self, target: &[u8]) {
        if target.len() > NAME {
            self.record(b"linkpath", target);
        }
        put(&mut self.header.as_old_mut().linkname, target);
    }

    /// Sets the numbers of a device.
    pub(super) fn set_device(&mut self, rdev: u64) -> io::Result<()> {
        self.header.set_device_major(rustix::fs::major(rdev))?;
        self.header.set_device_minor(rustix::fs::minor(rdev))
    }

    /// Sets how many bytes follow.
    pub(super) fn set_size(&mut self, size: u64) {
        self.header.set_size(size);
        if size > SECONDS.unsigned_abs() {
            self.record(b"size", size.to_string().as_bytes());
        }
    }

    /// Tells that what follows is a map, see [`map`], and the data of a file of `size` bytes at
    /// the path `path`.
    pub(super) fn set_sparse(&mut self, path: &[u8], size: u64) {
        self.record(b"GNU.sparse.major", b"1");
        self.record(b"GNU.sparse.minor", b"0");
        self.record(b"GNU.sparse.name", path);
        self.record(b"GNU.sparse.realsize", size.to_string().as_bytes());
    }

    /// Writes all of it.
    pub(super) fn write(mut self, to: &mut dyn Write) -> io::Result<()> {
        if self.kind != EntryType::Link {
            for (name, value) in &self.item.attributes {
                let mut key = b"SCHILY.xattr.".to_vec();
                for &byte in name.as_bytes() {
                    match byte {
                        b'%' => key.extend(b"%25"),
                        b'=' => key.extend(b"%3D"),
                        byte => key.push(byte),
                    }
                }
                record(&mut self.records, &key, value);
            }
        }
        if !self.records.is_empty() {
            let mut extended = Header::new_ustar();
            extended.set_entry_type(EntryType::XHeader);
            extended.set_size(self.records.len() as u64);
            extended.set_mode(0o600);
            put(&mut extended.as_old_mut().name, b"PaxHeaders/x");
            extended.set_cksum();
            to.write_all(extended.as_bytes())?;
            to.write_all(&self.records)?;
            pad(self.records.len() as u64, to)?;
        }
        self.header.set_cksum();
        to.write_all(self.header.as_bytes())
    }

    fn record(&mut self, key: &[u8], value: &[u8]) {
        record(&mut self.records, key, value);
    }
}

/// Writes zeros up to the end of a unit, behind so many bytes.
pub(super) fn pad(len: u64, to: &mut dyn Write) -> io::Result<()> {
    let used = usize::try_from(len % BLOCK as u64).unwrap_or_default();
    let rest = (BLOCK - used) % BLOCK;
    to.write_all(&[0; BLOCK][..rest])
}

/// Where the data of a file of `size` bytes belong, as whole units of text.
pub(super) fn map(data: &[Range<u64>], size: u64) -> Vec<u8> {
    let ends_in_hole = data.last().is_none_or(|last| last.end < size);
    let end = ends_in_hole.then_some(size..size);
    let ranges: Vec<_> = data.iter().cloned().chain(end).collect();
    let mut numbers = vec![ranges.len() as u64];
    numbers.extend(
        ranges
            .iter()
            .flat_map(|range| [range.start, range.end - range.start]),
    );
    let lines: Vec<String> = numbers.iter().map(|number| format!("{number}\n")).collect();
    let mut map = lines.concat().into_bytes();
    map.resize(map.len().next_multiple_of(BLOCK), 0);
    map
}

/// As much of `text` as has room.
fn put(field: &mut [u8], text: &[u8]) {
    let len = text.len().min(field.len());
    field[..len].copy_from_slice(&text[..len]);
}

/// Appends `LENGTH KEY=VALUE\n`, where the length counts itself.
fn record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut len = rest;
    while len != rest + len.to_string().len() {
        len = rest + len.to_string().len();
    }
    for part in [len.to_string().as_bytes(), b" ", key, b"=", value, b"\n"] {
        records.extend_from_slice(part);
    }
}

/// Seconds since 1970 as a decimal number.
fn decimal(time: Time) -> String {
    let nanos = i128::from(time.secs) * 1_000_000_000 + i128::from(time.nanos);
    let (sign, nanos) = if nanos < 0 {
        ("-", -nanos)
    } else {
        ("", nanos)
    };
    let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    format!("{sign}{seconds}.{rest:09}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_record_counts_itself() {
        for value in [1, 89, 90, 91, 92, 93, 988, 989, 990, 991, 992] {
            let mut records = Vec::new();
            record(&mut records, b"path", &vec![b'x'; value]);
            let text = String::from_utf8(records.clone()).unwrap();
            let (len, _) = text.split_once(' ').unwrap();
            assert_eq!(len.parse::<usize>().unwrap(), records.len());
        }
    }

    #[test]
    fn times_before_1970_are_negative() {
        let shown = |secs, nanos| decimal(Time { secs, nanos });
        assert_eq!(shown(1, 5), "1.000000005");
        assert_eq!(shown(-5, 7), "-4.999999993");
        assert_eq!(shown(-1, 0), "-1.000000000");
    }

    #[test]
    fn a_map_tells_data_and_the_end_of_a_hole() {
        let text = |map: Vec<u8>| {
            assert!(map.len().is_multiple_of(512));
            String::from_utf8(map)
                .unwrap()
                .trim_end_matches('\0')
                .to_owned()
        };
        assert_eq!(text(map(&[0..5, 8..10], 10)), "2\n0\n5\n8\n2\n");
        let start = 0..5;
        assert_eq!(text(map(&[start], 9)), "2\n0\n5\n9\n0\n");
        assert_eq!(text(map(&[], 9)), "1\n9\n0\n");
    }
}
