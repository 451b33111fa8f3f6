//! Operations that give and take names.

use super::{Body, Id, Memory};
use crate::model::op::{Answer, Outcome, Path, Rename};
use rustix::io::Errno;

impl Memory {
    pub(super) fn link(&mut self, from: &Path, to: &Path) -> Outcome {
        let id = self.find(from)?;
        let (parent, name) = self.vacancy(to)?;
        if matches!(self.nodes[id].body, Body::Dir(_)) {
            return Err(Errno::PERM);
        }
        self.nodes[id].links += 1;
        self.dir_mut(parent)?.insert(name, id);
        Ok(Answer::Done)
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path, how: Rename) -> Outcome {
        let (old_parent, old_name) = self.parent(from)?;
        let (new_parent, new_name) = self.parent(to)?;
        let id = self.child(old_parent, old_name)?;
        let target = self.child(new_parent, new_name).ok();
        match (how, target) {
            (Rename::NoReplace, Some(_)) => return Err(Errno::EXIST),
            (Rename::Exchange, None) => return Err(Errno::NOENT),
            _ => {}
        }
        if to.len() > from.len() && to.starts_with(from) {
            return Err(Errno::INVAL);
        }
        if from.len() > to.len() && from.starts_with(to) {
            let is_exchange = how == Rename::Exchange;
            return Err(if is_exchange {
                Errno::INVAL
            } else {
                Errno::NOTEMPTY
            });
        }
        if target == Some(id) {
            return Ok(Answer::Done);
        }
        match (how, target) {
            (Rename::Exchange, Some(other)) => {
                self.dir_mut(old_parent)?.insert(old_name, other);
            }
            (_, Some(other)) => {
                self.check_replace(id, other)?;
                self.nodes[other].links -= 1;
                self.dir_mut(old_parent)?.remove(&old_name);
            }
            (_, None) => drop(self.dir_mut(old_parent)?.remove(&old_name)),
        }
        self.dir_mut(new_parent)?.insert(new_name, id);
        Ok(Answer::Done)
    }

    fn check_replace(&self, source: Id, target: Id) -> Result<(), Errno> {
        let is_dir = matches!(self.nodes[source].body, Body::Dir(_));
        match (&self.nodes[target].body, is_dir) {
            (Body::Dir(_), false) => Err(Errno::ISDIR),
            (Body::Dir(entries), true) if !entries.is_empty() => Err(Errno::NOTEMPTY),
            (Body::File(_) | Body::Symlink(_) | Body::Fifo, true) => Err(Errno::NOTDIR),
            _ => Ok(()),
        }
    }

    pub(super) fn unlink(&mut self, path: &Path) -> Outcome {
        let id = self.find(path)?;
        if matches!(self.nodes[id].body, Body::Dir(_)) {
            return Err(Errno::ISDIR);
        }
        self.detach(path, id)
    }

    pub(super) fn rmdir(&mut self, path: &Path) -> Outcome {
        let id = self.find(path)?;
        if !self.dir(id)?.is_empty() {
            return Err(Errno::NOTEMPTY);
        }
        self.detach(path, id)
    }

    fn detach(&mut self, path: &Path, id: Id) -> Outcome {
        let (parent, name) = self.parent(path)?;
        self.dir_mut(parent)?.remove(&name);
        self.nodes[id].links -= 1;
        Ok(Answer::Done)
    }
}
