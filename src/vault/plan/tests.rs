//! Every row of the table of valid clones, as a plan.

use super::*;

const S: FileId = FileId([1; 16]);
const T: FileId = FileId([2; 16]);
const WHOLE: u64 = u64::MAX;

fn shape(size: u64, id: FileId) -> Shape {
    Shape {
        size: PlainOffset(size),
        id: Some(id),
    }
}

const EMPTY: Shape = Shape {
    size: PlainOffset(0),
    id: None,
};

fn planned(source: Shape, target: Shape, at: u64, len: u64) -> Plan {
    let request = Request {
        source_at: PlainOffset(at),
        target_at: PlainOffset(at),
        len,
    };
    plan(source, target, Targets::Any, request)
}

fn clone(adopt: Adopt, plain: Range<u64>, blocks: Range<u64>, to_end: bool) -> Plan {
    let body_end = (blocks.end * BLOCK).min(plain.end);
    Plan::Clone(ClonePlan {
        adopt,
        head: PlainOffset(plain.start)..PlainOffset(blocks.start * BLOCK),
        blocks: BlockNo(blocks.start)..BlockNo(blocks.end),
        to_end,
        tail: PlainOffset(body_end)..PlainOffset(plain.end),
    })
}

#[test]
fn a_whole_file_into_an_empty_one_is_cloned_with_its_last_partial_block() {
    assert_eq!(
        planned(shape(10_000, S), EMPTY, 0, WHOLE),
        clone(Adopt::IntoEmpty, 0..10_000, 0..3, true)
    );
}

#[test]
fn the_first_blocks_into_an_empty_file_are_cloned() {
    assert_eq!(
        planned(shape(10_000, S), EMPTY, 0, 8192),
        clone(Adopt::IntoEmpty, 0..8192, 0..2, false)
    );
}

#[test]
fn an_unaligned_length_into_an_empty_file_leaves_a_tail_to_seal() {
    assert_eq!(
        planned(shape(10_000, S), EMPTY, 0, 5000),
        clone(Adopt::IntoEmpty, 0..5000, 0..1, false)
    );
}

#[test]
fn an_empty_file_takes_a_later_range_behind_a_hole() {
    assert_eq!(
        planned(shape(20_000, S), EMPTY, 8192, WHOLE),
        clone(Adopt::IntoEmpty, 8192..20_000, 2..5, true)
    );
}

#[test]
fn an_empty_file_takes_whole_blocks_behind_a_part_of_one() {
    assert_eq!(
        planned(shape(20_000, S), EMPTY, 5000, 10_000),
        clone(Adopt::IntoEmpty, 5000..15_000, 2..3, false)
    );
}

#[test]
fn different_offsets_are_never_cloned() {
    let request = Request {
        source_at: PlainOffset(0),
        target_at: PlainOffset(4096),
        len: 8192,
    };
    for target in [EMPTY, shape(50_000, S), shape(50_000, T)] {
        let plan = plan(shape(20_000, S), target, Targets::Any, request);
        assert_eq!(plan, Plan::Seal);
    }
}

#[test]
fn aligned_ranges_of_files_that_share_the_id_are_cloned() {
    assert_eq!(
        planned(shape(50_000, S), shape(50_000, S), 4096, 8192),
        clone(Adopt::Shared, 4096..12_288, 1..3, false)
    );
}

#[test]
fn unaligned_ranges_of_files_that_share_the_id_are_cloned_inside() {
    assert_eq!(
        planned(shape(50_000, S), shape(50_000, S), 5000, 10_000),
        clone(Adopt::Shared, 5000..15_000, 2..3, false)
    );
}

#[test]
fn the_last_partial_block_is_cloned_only_if_the_target_ends_there_too() {
    assert_eq!(
        planned(shape(10_000, S), shape(10_000, S), 4096, WHOLE),
        clone(Adopt::Shared, 4096..10_000, 1..3, true)
    );
    assert_eq!(
        planned(shape(10_000, S), shape(10_001, S), 4096, WHOLE),
        clone(Adopt::Shared, 4096..10_000, 1..2, false)
    );
}

#[test]
fn a_target_that_is_replaced_as_a_whole_gives_up_its_id() {
    assert_eq!(
        planned(shape(10_000, S), shape(10_000, T), 0, WHOLE),
        clone(Adopt::Replacing, 0..10_000, 0..3, true)
    );
    assert_eq!(
        planned(shape(10_000, S), shape(1, T), 0, 8192),
        clone(Adopt::Replacing, 0..8192, 0..2, false)
    );
}

#[test]
fn a_target_is_not_replaced_by_parts_of_blocks() {
    assert_eq!(
        planned(shape(10_000, S), shape(4096, T), 0, 7000),
        clone(Adopt::Replacing, 0..7000, 0..1, false)
    );
    assert_eq!(
        planned(shape(10_000, S), shape(4097, T), 0, 7000),
        clone(Adopt::IntoHollow, 0..7000, 0..1, false)
    );
}

#[test]
fn a_target_with_bytes_to_keep_must_be_one_hole() {
    assert_eq!(
        planned(shape(10_000, S), shape(20_000, T), 0, WHOLE),
        clone(Adopt::IntoHollow, 0..10_000, 0..2, false)
    );
    assert_eq!(
        planned(shape(10_000, S), shape(9000, T), 4096, WHOLE),
        clone(Adopt::IntoHollow, 4096..10_000, 1..3, true)
    );
}

#[test]
fn with_other_writers_no_target_changes_its_id() {
    let request = Request {
        source_at: PlainOffset(0),
        target_at: PlainOffset(0),
        len: WHOLE,
    };
    let source = shape(10_000, S);
    for (target, adopt) in [(EMPTY, Adopt::IntoEmpty), (shape(9, S), Adopt::Shared)] {
        let plan = plan(source, target, Targets::SameId, request);
        assert_eq!(plan, clone(adopt, 0..10_000, 0..3, true));
    }
    for target in [shape(1, T), shape(20_000, T)] {
        let plan = plan(source, target, Targets::SameId, request);
        assert_eq!(plan, Plan::Seal);
    }
}

#[test]
fn less_than_a_block_is_sealed() {
    assert_eq!(planned(shape(10_000, S), EMPTY, 0, 4095), Plan::Seal);
    assert_eq!(
        planned(shape(50_000, S), shape(50_000, S), 1, 8190),
        Plan::Seal
    );
}

#[test]
fn behind_the_end_of_the_source_there_is_nothing() {
    assert_eq!(planned(shape(100, S), EMPTY, 100, 5), Plan::Nothing);
    assert_eq!(planned(EMPTY, EMPTY, 0, WHOLE), Plan::Nothing);
    assert_eq!(planned(shape(100, S), EMPTY, 0, 0), Plan::Nothing);
}

#[test]
fn a_huge_copy_is_cut_into_slices_of_whole_blocks() {
    let huge = shape(5 << 30, S);
    let Plan::Clone(first) = planned(huge, EMPTY, 100, WHOLE) else {
        panic!("not cloned");
    };
    assert_eq!(first.tail.end.0 % BLOCK, 0);
    assert!(first.tail.end.0 - first.head.start.0 <= SLICE);
    assert!(!first.to_end);
}
