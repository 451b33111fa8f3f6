//! Files that threads share, against a model: each file is a row of cells that lie across the
//! blocks, so that threads which use different cells still meet in a block.
//!
//! A cell is used by one thread at a time; what it reads must be exactly what was written last.
//! Who changes the size of a file has it alone.

use super::random::Random;
use super::watch::Progress;
use parking_lot::{Mutex, RwLock};
use std::thread;

const FILES: usize = 4;
const CELLS: usize = 40;
/// Bytes of a cell; four of them are about a block.
const CELL: usize = 1021;
const THREADS: usize = 8;

/// Where the files are.
pub(crate) trait Place: Sync {
    /// Reads from a file, less at its end.
    fn read(&self, file: usize, at: u64, len: usize) -> Vec<u8>;
    fn write(&self, file: usize, at: u64, bytes: &[u8]);
    fn set_len(&self, file: usize, len: u64);
    /// Makes a range zeros.
    fn zero(&self, file: usize, at: u64, len: u64);
}

/// What a file must hold.
type Model = RwLock<Vec<Mutex<Vec<u8>>>>;

/// Does `steps` operations in each of eight threads.
pub(crate) fn exercise(place: &impl Place, test: &str, steps: usize, progress: &Progress) {
    let mut chance = Random::new(test);
    let models: Vec<Model> = (0..FILES)
        .map(|_| RwLock::new((0..CELLS).map(|_| Mutex::new(vec![0; CELL])).collect()))
        .collect();
    (0..FILES).for_each(|file| place.set_len(file, offset(CELLS)));
    let seeds: Vec<_> = (0..THREADS).map(|_| chance.next()).collect();
    thread::scope(|scope| {
        for seed in seeds {
            let models = &models;
            scope.spawn(move || {
                let mut chance = Random::from_seed(seed);
                for _ in 0..steps {
                    let file = chance.below(FILES);
                    step(place, file, &models[file], &mut chance);
                    progress.step();
                }
            });
        }
    });
    for (file, model) in models.into_iter().enumerate() {
        let wanted: Vec<_> = model
            .into_inner()
            .into_iter()
            .map(Mutex::into_inner)
            .collect();
        let found = place.read(file, 0, CELLS * CELL + 1);
        assert!(found == wanted.concat(), "file {file} at the end");
    }
}

fn offset(cell: usize) -> u64 {
    (cell * CELL) as u64
}

fn step(place: &impl Place, file: usize, model: &Model, chance: &mut Random) {
    let number = chance.below(CELLS);
    let at = offset(number);
    if chance.below(50) == 0 {
        // cut, and grow again: what was cut off is zeros
        let cells = model.write();
        let cut = number * CELL + chance.below(CELL);
        place.set_len(file, cut as u64);
        place.set_len(file, offset(CELLS));
        let from = |cell: usize| cut.saturating_sub(cell * CELL).min(CELL);
        let cells = cells.iter().enumerate();
        cells.for_each(|(number, cell)| cell.lock()[from(number)..].fill(0));
        return;
    }
    let cells = model.read();
    let mut cell = cells[number].lock();
    match chance.below(5) {
        0 | 1 => {
            let found = place.read(file, at, CELL);
            assert!(found == *cell, "file {file}, cell {number}");
        }
        2 => {
            place.zero(file, at, CELL as u64);
            cell.fill(0);
        }
        _ => {
            let bytes = chance.bytes(CELL);
            place.write(file, at, &bytes);
            *cell = bytes;
        }
    }
}
