//! Operations on the content of a few files: what copies meet.

use super::{BLOCK, MAX_BLOCKS, Name, Op, SLOTS, allocation, position};
use crate::support::random::Random;

/// Draws an operation on the content of a few files, mostly a copy between them; they are large
/// enough to be cloned.
pub(crate) fn draw_copies(chance: &mut Random) -> Op {
    let path = vec![Name(chance.below(4))];
    let slot = chance.below(SLOTS);
    let offset = far(chance);
    match chance.below(22) {
        0 => Op::Create { path, slot },
        1..4 => Op::Open { path, slot },
        4 => Op::Truncate { path, size: 0 },
        5 => Op::Truncate { path, size: offset },
        6 | 7 => Op::Resize { slot, size: offset },
        8..11 => {
            let len = *chance.pick(&[1, 4096, 5000, 50_000, 200_000]);
            Op::Write {
                slot,
                offset,
                data: chance.bytes(len),
            }
        }
        11 => Op::ReadSegments { slot },
        12 => Op::Read {
            slot,
            offset,
            len: chance.below(200_000),
        },
        13 => Op::Sync {
            slot,
            data_only: false,
        },
        14..16 => Op::Allocate {
            slot,
            what: allocation(chance),
            offset,
            len: 1 + far(chance),
        },
        _ => copy(chance),
    }
}

pub(super) fn copy(chance: &mut Random) -> Op {
    const LONGEST_COPY: u64 = 5 * MAX_BLOCKS as u64 * BLOCK;
    let [near, there, part] = [(), (), ()].map(|()| far(chance));
    let from_offset = *chance.pick(&[0, near]);
    Op::Copy {
        from: chance.below(SLOTS),
        to: chance.below(SLOTS),
        from_offset,
        to_offset: *chance.pick(&[from_offset, from_offset, from_offset, there]),
        // mostly all that there is, but no file may grow for ever
        len: *chance.pick(&[LONGEST_COPY, LONGEST_COPY, part]),
    }
}

/// As [`position`], in larger files.
fn far(chance: &mut Random) -> u64 {
    chance.below(3) as u64 * MAX_BLOCKS as u64 * BLOCK + position(chance)
}
