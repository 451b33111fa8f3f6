//! What the Go program stored is, sealed again with the same nonces, the same bytes.

use super::volumes;
use crate::support::skip::is_root;
use crate::support::vault::Vault;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gocryptfs_rs::crypto::{ContentSuite, MasterKey, Password, Secret};
use gocryptfs_rs::format::{
    BlockNo, Codecs, DIRIV_NAME, DirIv, DiskName, FileId, HEADER_LEN, NameParams, PLAIN_BLOCK,
    Params, PlainName, StoredName, is_passed_through, open_target, seal_target_with,
};
use gocryptfs_rs::vault::conf::ConfFile;
use rustix::fs::{lgetxattr, llistxattr};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// The codecs of a volume, whether a directory of it has an IV, and what was met in it.
struct Volume {
    codecs: Codecs,
    has_dir_iv: bool,
    names: usize,
    blocks: usize,
    attributes: usize,
    targets: usize,
}

impl Volume {
    fn open(vault: &Vault) -> Self {
        let (key, params) = if vault.dir.join("gocryptfs.conf").exists() {
            let conf = ConfFile::at(&vault.dir.join("gocryptfs.conf"))
                .unwrap()
                .read()
                .unwrap();
            let key = conf.unlock(&Password::new(b"test".to_vec())).unwrap();
            let long_names = !vault.options.contains(&"-longnames=false".to_owned());
            (key, conf.flags().params(long_names))
        } else {
            (MasterKey(Secret::new([0; 32])), OLDEST)
        };
        Self {
            codecs: Codecs::new(&key, &params),
            has_dir_iv: params.has_dir_iv(),
            names: 0,
            blocks: 0,
            attributes: 0,
            targets: 0,
        }
    }

    fn check_dir(&mut self, dir: &Path, is_root: bool) {
        let iv = if self.has_dir_iv {
            DirIv::parse(&fs::read(dir.join(DIRIV_NAME)).unwrap()).unwrap()
        } else {
            DirIv::ZERO
        };
        for entry in fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let (path, disk) = (entry.path(), entry.file_name());
            let has_dir_iv = self.has_dir_iv;
            let names = &self.codecs.names;
            let plain = match names.classify(&disk, is_root, has_dir_iv) {
                DiskName::Short(text) => names.decode(&iv, text).unwrap(),
                DiskName::Long(_) => names
                    .decode_long(&iv, &fs::read(helper(&path)).unwrap())
                    .unwrap(),
                _ => continue,
            };
            self.check_name(&iv, &plain, &path);
            self.check_attributes(&path);
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                self.check_dir(&path, false);
            } else if kind.is_symlink() {
                self.check_target(&path);
            } else if kind.is_file() {
                self.check_content(&path);
            }
        }
    }

    fn check_name(&mut self, iv: &DirIv, plain: &PlainName, path: &Path) {
        let stored = self.codecs.names.encode(iv, plain).unwrap();
        assert_eq!(Some(stored.disk()), path.file_name());
        if let StoredName::Long { full, .. } = &stored {
            let content = fs::read(helper(path)).unwrap();
            assert_eq!(full.as_os_str().as_bytes(), content);
        }
        self.names += 1;
    }

    fn check_content(&mut self, path: &Path) {
        let stored = fs::read(path).unwrap();
        let Some((header, body)) = stored.split_at_checked(HEADER_LEN) else {
            assert!(stored.is_empty());
            return;
        };
        let id = FileId::parse(header).unwrap();
        let content = &self.codecs.content;
        assert_eq!(id.to_header(), header);
        for (no, block) in body.chunks(content.layout().cipher_block()).enumerate() {
            let mut plain = block.to_vec();
            let no = BlockNo(no as u64);
            let len = content.open_run(id, no, &mut plain).unwrap();
            if block.iter().all(|byte| *byte == 0) {
                assert!(plain[..len] == [0; PLAIN_BLOCK]);
                continue;
            }
            let mut again = Vec::new();
            let nonce = |_, nonce: &mut [u8]| nonce.copy_from_slice(&block[..nonce.len()]);
            content.seal_run_with(id, no, &plain[..len], nonce, &mut again);
            assert!(again == block, "block {no:?} of {}", path.display());
            self.blocks += 1;
        }
    }

    fn check_attributes(&mut self, path: &Path) {
        let Codecs {
            content, xattrs, ..
        } = &self.codecs;
        let mut buffer = vec![0; 4096];
        let len = llistxattr(path, &mut buffer).unwrap();
        for stored in buffer[..len].split(|byte| *byte == 0) {
            let stored = OsStr::from_bytes(stored);
            let Some(name) = xattrs.decode_name(stored) else {
                continue;
            };
            let name = name.unwrap();
            if is_passed_through(&name) {
                continue;
            }
            assert_eq!(xattrs.encode_name(&name).unwrap(), stored);
            let mut value = vec![0; 4096];
            let len = lgetxattr(path, stored, &mut value).unwrap();
            let plain = xattrs.open_value(content, &value[..len]).unwrap();
            if !plain.is_empty() {
                let nonce = &value[..content.layout().nonce_len()];
                assert!(content.seal_value_with(&plain, nonce) == value[..len]);
            }
            self.attributes += 1;
        }
    }

    fn check_target(&mut self, path: &Path) {
        let Codecs { content, names, .. } = &self.codecs;
        let stored = fs::read_link(path).unwrap().into_os_string();
        let stored = stored.as_bytes();
        let target = open_target(content, names, stored).unwrap();
        let text = stored.split(|byte| *byte == b'=').next().unwrap();
        // plain targets are no base64, and need no nonce
        let sealed = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let nonce = sealed
            .get(..content.layout().nonce_len())
            .unwrap_or_default();
        assert!(seal_target_with(content, names, &target, nonce) == stored);
        self.targets += 1;
    }
}

/// What `-zerokey -hkdf=false -raw64=false` means.
const OLDEST: Params = Params {
    content: ContentSuite::AesGcm,
    names: NameParams::Encrypted {
        long_limit: Some(255),
        dir_iv: true,
    },
    padded: true,
    hkdf: false,
};

fn helper(path: &Path) -> PathBuf {
    format!("{}.name", path.display()).into()
}

#[test]
fn every_golden_volume_is_stored_the_same_way_again() {
    if !is_root("files that their owner may not read") {
        return;
    }
    for folder in volumes() {
        let vault = Vault::unpack(&folder);
        let mut volume = Volume::open(&vault);
        volume.check_dir(&vault.dir, true);
        let met = [
            volume.names,
            volume.blocks,
            volume.attributes,
            volume.targets,
        ];
        let wanted = [60, 30, 5, 5];
        let is_enough = met.iter().zip(wanted).all(|(met, wanted)| *met >= wanted);
        assert!(is_enough, "{}: met only {met:?}", folder.display());
    }
}
