//! Derived IVs: what the original program shows of a plain tree.

use std::ffi::OsStr;

use super::*;
use crate::format::{
    BlockNo, FileIvs, PlainName, ViewPath, seal_target, seal_target_with, sealed_target_size,
};

fn encrypted() -> Codecs {
    with_suite(ContentSuite::AesSiv)
}

fn named(names: NameParams) -> Codecs {
    codecs(Params {
        content: ContentSuite::AesSiv,
        names,
        ..DEFAULT
    })
}

fn path(names: &[&str]) -> ViewPath {
    let top = ViewPath::default();
    names
        .iter()
        .fold(top, |path, name| path.join(OsStr::new(name)))
}

fn shown(codecs: &Codecs, dir: &ViewPath, name: &str) -> String {
    let name = PlainName::new(OsStr::new(name)).unwrap();
    let stored = codecs.names.encode(&dir.dir_iv(), &name).unwrap();
    stored.disk().to_str().unwrap().to_owned()
}

fn file(codecs: &Codecs, path: &ViewPath, content: &[u8]) -> Vec<u8> {
    let ivs = path.file_ivs();
    let mut file = ivs.id.to_header().to_vec();
    let nonces = |no, nonce: &mut [u8]| nonce.copy_from_slice(&ivs.nonce(no));
    codecs
        .content
        .seal_run_with(ivs.id, BlockNo(0), content, nonces, &mut file);
    file
}

#[test]
fn directories_have_the_ivs_of_the_vectors() {
    let top = ViewPath::default();
    let sub = path(&["qMvy2dcd1pCe281x7jQDqg"]);
    assert_eq!(
        top.dir_iv().0.to_vec(),
        hex("a8f7bac432ddc1cb3dc74e684d6ae48b")
    );
    assert_eq!(
        sub.dir_iv().0.to_vec(),
        hex("0ff5bd9e60f12c88554062769767f57a")
    );
}

#[test]
fn names_follow_the_iv_of_their_directory() {
    let (codecs, top) = (encrypted(), ViewPath::default());
    assert_eq!(shown(&codecs, &top, "a"), "ScvoHSKLPP7c20eeF2YFUA");
    assert_eq!(shown(&codecs, &top, "sub"), "qMvy2dcd1pCe281x7jQDqg");
    assert_eq!(
        shown(&codecs, &path(&["qMvy2dcd1pCe281x7jQDqg"]), "file"),
        "gxalsn-IS6Ar4QUMEk8EGQ"
    );
    assert_eq!(
        shown(&codecs, &top, &"L".repeat(200)),
        "gocryptfs.longname.yqxwZuDHawsq-tEPIs1mtvUNHo7WfE07-0HOixuy0_g"
    );
}

#[test]
fn files_have_the_bytes_of_the_vectors() {
    let deterministic = NameParams::Encrypted {
        long_limit: Some(255),
        dir_iv: false,
    };
    let vectors = [
        (
            DEFAULT.names,
            &["ScvoHSKLPP7c20eeF2YFUA"][..],
            "hello",
            "000217993e8d3d4be69a9ca75cb10495cdf0400a90c02d8a19e3c9ce12be3fc647976c325e7623a86be706af90df4fe9d94bd3bab39386",
        ),
        (
            DEFAULT.names,
            &["qMvy2dcd1pCe281x7jQDqg", "gxalsn-IS6Ar4QUMEk8EGQ"],
            "sub",
            "0002ad2b92693fd21b12ca9935ad403608211b0999900b0a3279aba0206878bb61c8a230a965281bba80a7b71344377316f451e5c7",
        ),
        (
            NameParams::Plain,
            &["a"],
            "hello",
            "000299954cb800a93004c03c12d047eb184323a8a1caae5deb7efe995767f3babba5ba4612870b554efe7ba061d355b006bd0614c4dfb5",
        ),
        (
            NameParams::Plain,
            &["sub", "file"],
            "sub",
            "0002eb7ccd447c30a9b4517f7efb6835161b7a3c6cc28e393cb71cad587d240f6c16edbfe6c64bfd636c6a287d0cb00d76021371ef",
        ),
        (
            deterministic,
            &["1sKOJa08QdEbbzmV8V5Lug"],
            "hello",
            "000230900cc8c687d1940120864ba8dce9618265e37559c3e04f34bb84cdb9a9aa77642fe89d6a06d617829538f303e7ee35fbf91725fb",
        ),
    ];
    for (names, components, content, bytes) in vectors {
        let sealed = file(&named(names), &path(components), content.as_bytes());
        assert_eq!(sealed, hex(bytes), "{components:?}");
    }
}

#[test]
fn a_symlink_has_the_text_of_the_vector_and_the_length_that_was_told() {
    let Codecs { content, names, .. } = encrypted();
    let nonce = path(&["fnG21uT11C61tR60bEwXag"]).symlink_nonce();
    let text = seal_target_with(&content, &names, b"/tmp/target", &nonce);
    let wanted = "qaRucFVQdfIRoMkWufWkBZWDJpTCBuusMd8q9U8qQolIdb5b4TcBdsrJXg";
    assert_eq!(text, wanted.as_bytes());
    for padded in [false, true] {
        let Codecs { content, names, .. } = codecs(Params { padded, ..DEFAULT });
        for len in 1..50 {
            let stored = seal_target(&content, &names, &vec![b'x'; len]).len();
            assert_eq!(sealed_target_size(&content, &names, len), stored);
        }
    }
}

#[test]
fn attribute_values_have_the_bytes_of_the_vectors() {
    let vectors = [
        (
            DEFAULT.names,
            "ScvoHSKLPP7c20eeF2YFUA",
            "d0d382b066375d340838647fd7c36232e13715bb1ca17aa298df700124fd11bfb92beb",
        ),
        (
            NameParams::Plain,
            "a",
            "397bb7811f726c8a35e8dca2267d09bd4e13ffde11c28c1ec2562fff16a18e0ed4929e",
        ),
    ];
    for (names, name, bytes) in vectors {
        let Codecs {
            content, xattrs, ..
        } = named(names);
        let stored = xattrs.encode_name(OsStr::new("user.foo")).unwrap();
        let nonce = path(&[name]).xattr_nonce(&stored);
        assert_eq!(
            content.seal_value_with(b"bar", &nonce),
            hex(bytes),
            "{name}"
        );
    }
}

#[test]
fn the_block_counter_wraps_within_its_half() {
    let ivs = FileIvs {
        block0: [0xff; 16],
        ..ViewPath::default().file_ivs()
    };
    let half = [0xff; 8];
    assert_eq!(ivs.nonce(BlockNo(1)), *[half, [0; 8]].concat());
    assert_eq!(ivs.nonce(BlockNo(0)), [0xff; 16]);
}
