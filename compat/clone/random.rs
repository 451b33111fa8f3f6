//! Copies of ranges and of whole files among all other operations on content, against the model.
//! A quarter of the copies are clones. `OPS` sets how many operations a test does, `SEED` replays one.

use super::{Ground, Kind, features};
use crate::model::run_copies;

fn run(kind: Kind, format: &str) {
    let what = format!("random copies with {format} on {kind:?}");
    let Some(ground) = Ground::new(kind, &what, features(format), &[]) else {
        return;
    };
    let Ground { mount, vault, disk } = ground;
    mount.unmount();
    run_copies(&vault, &what);
    drop((vault, disk));
}

#[test]
fn random_copies_on_btrfs_behave_as_the_model() {
    run(Kind::Btrfs, "aes-gcm");
}

#[test]
fn random_copies_on_xfs_behave_as_the_model() {
    run(Kind::Xfs, "xchacha");
}
