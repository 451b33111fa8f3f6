//! Copies of all kinds mixed with writes and truncations, against plain bytes; with faults and
//! without.

use super::*;
use crate::sys::testing::Rng;

const FILES: u64 = 4;
const STEPS: usize = 1500;

/// A position, mostly at or beside the boundary of a block.
fn position(chance: &mut Rng) -> u64 {
    let beside = [0, 0, 0, 1, 100, 2048, 4095][index(chance.below(7))];
    chance.below(12) * BLOCK + beside
}

fn length(chance: &mut Rng) -> u64 {
    match chance.below(4) {
        0 => WHOLE,
        1 => 1 + chance.below(BLOCK),
        _ => 1 + position(chance),
    }
}

/// The files, and what they shall hold.
struct World {
    files: Vec<CipherFile<MemFile>>,
    wanted: Vec<Vec<u8>>,
}

impl World {
    fn new() -> World {
        let table = Arc::default();
        World {
            files: (0..FILES)
                .map(|ino| open(&table, ino, MemFile::default()))
                .collect(),
            wanted: vec![Vec::new(); index(FILES)],
        }
    }

    fn step(&mut self, chance: &mut Rng) {
        let which = index(chance.below(FILES));
        match chance.below(6) {
            0 | 1 => self.write(which, chance),
            2 => self.resize(which, chance),
            _ => self.copy(which, chance),
        }
        assert_eq!(content(&self.files[which]).unwrap(), self.wanted[which]);
    }

    fn write(&mut self, which: usize, chance: &mut Rng) {
        let at = position(chance);
        let data = vec![u8::try_from(chance.below(256)).unwrap(); index(1 + position(chance))];
        match self.files[which].write(PlainOffset(at), &data) {
            Ok(()) => put(&mut self.wanted[which], at, &data),
            Err(_) => self.take_over(which, at, data.len() as u64),
        }
    }

    fn resize(&mut self, which: usize, chance: &mut Rng) {
        // An empty file is where most copies begin.
        let size = if chance.below(2) == 0 {
            0
        } else {
            position(chance)
        };
        match self.files[which].truncate(PlainOffset(size)) {
            Ok(()) => self.wanted[which].resize(index(size), 0),
            Err(_) => self.take_over(which, 0, WHOLE),
        }
    }

    fn copy(&mut self, target: usize, chance: &mut Rng) {
        let source = index(chance.below(FILES));
        let from = if chance.below(3) == 0 {
            0
        } else {
            position(chance)
        };
        let to = if chance.below(4) == 0 {
            position(chance)
        } else {
            from
        };
        let len = length(chance);
        let rules = [
            CloneRule::Auto,
            CloneRule::Strict,
            CloneRule::Auto,
            CloneRule::Never,
        ];
        let rule = rules[index(chance.below(4))];
        let ranges = (PlainOffset(from), PlainOffset(to));
        let available = (self.wanted[source].len() as u64)
            .saturating_sub(from)
            .min(len);
        match self.files[target].copy_from(&self.files[source], ranges.0, ranges.1, len, rule) {
            Ok(copied) => {
                assert!(copied.bytes <= available && copied.shared <= copied.bytes);
                assert_eq!(copied.bytes == 0, available == 0);
                let data = self.wanted[source].iter().skip(index(from));
                let data: Vec<u8> = data.take(index(copied.bytes)).copied().collect();
                put(&mut self.wanted[target], to, &data);
            }
            Err(Error::Os(Errno::INVAL)) if source == target || rule == CloneRule::Strict => {}
            Err(Error::Os(Errno::NOSPC)) => self.take_over(target, to, available),
            Err(error) => panic!("{error}"),
        }
    }

    /// Accepts what a failed operation left within a range, and nothing else.
    fn take_over(&mut self, which: usize, at: u64, len: u64) {
        let left = content(&self.files[which]).unwrap();
        let wanted = &self.wanted[which];
        let end = at.saturating_add(len);
        assert!(left.len() >= wanted.len() || len == WHOLE, "cut");
        assert!(
            left.len() <= wanted.len().max(index(end.min(1 << 30))),
            "too long"
        );
        let before = wanted.iter().zip(&left).enumerate();
        let outside = before.filter(|(i, _)| (*i as u64) < at || *i as u64 >= end);
        for (i, (wanted, left)) in outside {
            assert_eq!(wanted, left, "byte {i}");
        }
        self.wanted[which] = left;
    }
}

fn put(file: &mut Vec<u8>, at: u64, data: &[u8]) {
    if !data.is_empty() {
        let (start, end) = (index(at), index(at) + data.len());
        file.resize(file.len().max(end), 0);
        file[start..end].copy_from_slice(data);
    }
}

#[test]
fn random_copies_behave_as_copies_of_plain_bytes() {
    let mut chance = Rng::new(Rng::seed());
    let mut world = World::new();
    for _ in 0..STEPS {
        world.step(&mut chance);
    }
}

fn run_full(then: Then) {
    let mut chance = Rng::new(Rng::seed());
    let mut world = World::new();
    for _ in 0..STEPS {
        let file = &world.files[index(chance.below(FILES))];
        let (nth, written) = (index(chance.below(4)), index(chance.below(30_000)));
        file.backing.set_fault(Some(Fault {
            nth,
            written,
            errno: Errno::NOSPC,
            then,
        }));
        world.step(&mut chance);
        for file in &world.files {
            file.backing.set_fault(None);
        }
    }
}

#[test]
fn random_copies_that_run_out_of_space_leave_every_file_readable() {
    run_full(Then::Well);
}

#[test]
fn random_copies_on_a_full_disk_leave_every_file_readable() {
    run_full(Then::Full);
}
