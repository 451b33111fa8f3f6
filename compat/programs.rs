//! Programs that people use, at work in a mounted vault (`tools/programs`).

use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::vault::{ALL_FEATURES, Vault};
use std::process::{Command, Stdio};

fn run_in(name: &str) {
    let ours = Program::ours();
    let features = ALL_FEATURES.iter().find(|features| features.name == name);
    let vault = Vault::new(&ours, features.unwrap());
    let mount = Mount::new(&ours, &vault, &[]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tools/programs");
    let status = Command::new(script)
        .arg(mount.path())
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "the last message above says why");
    mount.unmount();
    if let Some(go) = Program::go("the check after the programs") {
        vault.assert_clean(&go);
    }
}

#[test]
fn real_programs_work_in_an_aes_gcm_vault() {
    run_in("aes-gcm");
}

#[test]
fn real_programs_work_in_an_aessiv_vault() {
    run_in("aessiv");
}

#[test]
fn real_programs_work_in_an_xchacha_vault_with_hashed_names() {
    run_in("longnamemax-100");
}
