//! A vault put together by hand from bytes that the Go program wrote, seen through a mount: the
//! whole way from the disk to the user.

use crate::support::mount::Mount;
use crate::support::program::Program;
use crate::support::vault::Vault;
use rustix::fs::{XattrFlags, lgetxattr, lsetxattr};
use std::fs;
use std::os::unix::fs::symlink;

/// What "hello" looks like in a file, and `/tmp/target` in a symlink, for one kind of vault.
struct Sample {
    options: &'static [&'static str],
    file: &'static str,
    target: Option<&'static str>,
    xattr: Option<&'static str>,
}

const SAMPLES: [Sample; 5] = [
    Sample {
        options: &["-zerokey"],
        file: "0002f2e38e6fca6aa5a63882dcedb3c8bf78b990113a6aaf714bb3273d9e4ea8b3e1a74e4791f1a5\
               54b524cd9fa7313ad0c654ab528d8d",
        target: Some("hUI06yeOSQgmyqrlJnIT7ugbVdd_o602Z9eDHFYmG-ExTBTH70Rff-Z-zQ"),
        xattr: Some("27dc14e3f8269641ae3b0be2e0f4297ba071f7164af7a7d8cc6d6a7ab4bb06563028e9"),
    },
    Sample {
        options: &["-zerokey", "-aessiv"],
        file: "00021d299578f38aa1f7b0a689d3fc178d9befe9d07195057ed0349283d0794f8550ab02bd7b15cf\
               717cada9cb9472153e0950d409f52c",
        target: Some("ICEiIyQlJicoKSorLC0uL6mBnlmbjDHvsRRRHQTwRVr6Sv6rpOLD4Ks6aw"),
        xattr: Some("85c8b808053330abf1eb117514d030783216bb319a8fb4b5a8b9eff25459c9d9e933d0"),
    },
    Sample {
        options: &["-zerokey", "-xchacha"],
        file: "0002e204ab260f882ef9394e275e79357b8a927cd44475592f3c3058b1ca7ee9efa111babceb995f\
               5397e1899d1e70a08b381c0eeeda4d7383e52c63434fee",
        target: Some("ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3YN7AYzDLdL9XgSUdwKhgOr1i0SaQVQ16_p8M"),
        xattr: Some(
            "6eb46b8955e4b943709f495eee01b90e8390c67f8ce1362876c42136697e8cb39f212da3154fb0e01f\
             797f",
        ),
    },
    Sample {
        options: &["-zerokey", "-hkdf=false"],
        file: "0002604681bd6dfc6c040d23402f0c346fc619a6dfc014205b12030454498ee180c981360b675817\
               25b04ff8ec247f5521c6932ecfd416",
        target: None,
        xattr: None,
    },
    Sample {
        options: &["-zerokey", "-hkdf=false", "-aessiv"],
        file: "0002bc935430d0ef99712703a01cd034be4cb717b03ba880207f07654565d10433819b6d695e51db\
               bae81982c633ee8058ad9217fa2cca",
        target: None,
        xattr: None,
    },
];

/// Names in the directory with the IV 00 01 .. 0f, with HKDF.
const FOO: &str = "kdpzVzBeShB3GNrDO-7_wQ";
const LINK: &str = "4CjY-GfJ4GaNpd6AT8JIXg";
/// The padded name `a` in the same directory, without HKDF.
const OLD_A: &str = "VwSkRhICTx8P_AyUfnhiIw==";
const XATTR: &str = "user.gocryptfs.WnDhkvrx-Ccp_3TyHvWE2w";

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16);
    digits.map(|pair| byte(pair).unwrap()).collect()
}

#[test]
fn a_vault_made_of_vectors_opens() {
    for sample in SAMPLES {
        let vault = Vault::empty(sample.options);
        fs::write(
            vault.dir.join("gocryptfs.diriv"),
            (0..16).collect::<Vec<u8>>(),
        )
        .unwrap();
        let has_hkdf = !sample.options.contains(&"-hkdf=false");
        let (stored, name) = if has_hkdf { (FOO, "foo") } else { (OLD_A, "a") };
        let path = vault.dir.join(stored);
        fs::write(&path, bytes(sample.file)).unwrap();
        if let Some(target) = sample.target {
            symlink(target, vault.dir.join(LINK)).unwrap();
        }
        if let Some(value) = sample.xattr {
            lsetxattr(&path, XATTR, &bytes(value), XattrFlags::CREATE).unwrap();
        }
        let raw64: &[_] = if has_hkdf { &[] } else { &["-raw64=false"] };
        let mount = Mount::new(&Program::ours(), &vault, raw64);
        let found = mount.path().join(name);
        assert_eq!(fs::read(&found).unwrap(), b"hello", "{:?}", sample.options);
        if sample.target.is_some() {
            let target = fs::read_link(mount.path().join("lnk")).unwrap();
            assert_eq!(target.to_str(), Some("/tmp/target"));
        }
        if sample.xattr.is_some() {
            let mut value = [0; 3];
            lgetxattr(&found, "user.foo", &mut value).unwrap();
            assert_eq!(&value, b"bar");
        }
    }
}
