//! Inputs made from other inputs by chance.

use crate::support::random::Random;

/// Mutations of one input, at most.
const STEPS: usize = 6;
/// Inputs do not grow beyond it, bytes.
const LONGEST: usize = 16 << 10;
/// What readers treat specially.
const TOKENS: [&[u8]; 24] = [
    b"\0",
    b"\xff",
    b"\n",
    b"\r",
    b"/",
    b"..",
    b",",
    b"=",
    b"-o",
    b"--",
    b"{",
    b"[",
    b"]",
    b"}",
    b"\"",
    b"\\u0000",
    b"null",
    b"-1",
    b"1e999",
    b"9223372036854775808",
    b"A",
    b"==",
    b"**",
    b"\xc3\xa9",
];

/// A mutation of one of `seeds`, maybe with a piece of another one.
pub(crate) fn mutated(chance: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut input = chance.pick(seeds).clone();
    for _ in 0..=chance.below(STEPS) {
        step(chance, &mut input, seeds);
    }
    input.truncate(LONGEST);
    input
}

fn step(chance: &mut Random, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
    let at = chance.below(input.len() + 1);
    let piece = at..(at + chance.below(40)).min(input.len());
    match chance.below(9) {
        0 => input.truncate(at),
        1 => drop(input.drain(piece)),
        2 => {
            let len = chance.below(20);
            drop(input.splice(piece, chance.bytes(len)));
        }
        3 => drop(input.splice(piece, chance.pick(&TOKENS).iter().copied())),
        4 => drop(input.splice(at..at, chance.pick(&TOKENS).iter().copied())),
        5 => {
            let copied = input[piece].to_vec();
            let times = 1 << chance.below(10);
            drop(input.splice(at..at, copied.repeat(times)));
        }
        6 => {
            let other = chance.pick(seeds);
            let from = chance.below(other.len() + 1);
            drop(input.splice(at.., other[from..].iter().copied()));
        }
        _ if at < input.len() => input[at] ^= 1 << chance.below(8),
        _ => input.push(0),
    }
}
