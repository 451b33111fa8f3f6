//! Getting a damaged header back. Which file ID is right is told by the blocks, which open under
//! no other: nothing is guessed.

use crate::format::{BlockNo, CipherOffset, FileId, HEADER_LEN};
use crate::sys::{self, Backing, Errno, File, Stat};
use crate::vault::Vault;

/// Blocks to try an ID on: one of them may be damaged itself.
const PROBES: usize = 4;

impl Vault {
    /// The ID of a file whose header is damaged: the one that is there, or one that differs from
    /// it in a single bit. `None` if no block opens under any of them.
    ///
    /// # Errors
    /// What `pread(2)` says.
    pub fn recover_id(&self, file: &File, stat: &Stat) -> sys::Result<Option<FileId>> {
        let mut header = [0; HEADER_LEN];
        if file.read_at(&mut header, 0)? < header.len() {
            return Ok(None);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&header[HEADER_LEN - 16..]);
        for (no, block) in self.probes(file, stat)? {
            let opens = |id: &FileId| self.content.verify_run(*id, no, &mut block.clone()).is_ok();
            if let Some(id) = candidates(id).find(opens) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The first blocks that are no holes.
    fn probes(&self, file: &File, stat: &Stat) -> sys::Result<Vec<(BlockNo, Vec<u8>)>> {
        let layout = self.content.layout();
        let mut probes = Vec::new();
        let mut at = layout.cipher_start(BlockNo(0)).0;
        while probes.len() < PROBES && at < stat.size {
            let data = match file.seek_data(at) {
                Ok(data) => data,
                Err(Errno::NXIO) => break,
                // Where holes are not known, everything is data.
                Err(_) => at,
            };
            let no = layout.block_at(CipherOffset(data));
            let mut block = vec![0; layout.cipher_block()];
            let got = file.read_at(&mut block, layout.cipher_start(no).0)?;
            block.truncate(got);
            if block.iter().any(|byte| *byte != 0) {
                probes.push((no, block));
            }
            at = layout.cipher_start(no.next()).0;
        }
        Ok(probes)
    }
}

/// The ID itself and those that differ from it in one bit; never the one that is none.
fn candidates(id: [u8; 16]) -> impl Iterator<Item = FileId> {
    let flipped = (0..id.len() * 8).map(move |bit| {
        let mut other = id;
        other[bit / 8] ^= 1 << (bit % 8);
        other
    });
    let all = std::iter::once(id).chain(flipped);
    all.filter(|id| *id != [0; 16]).map(FileId)
}
