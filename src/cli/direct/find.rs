//! `find`: the paths of everything, or of what has a name or type.

use super::faults::Faults;
use super::screen::screen;
use super::{FindArgs, Wanted, locate};
use crate::cli::exit::Failure;
use crate::reader::{Object, Order, Step, Walk};
use crate::sys::Kind;
use crate::vault::Vault;
use std::ffi::OsStr;
use std::path::Path;

pub(super) fn run(
    args: &FindArgs,
    path: &Path,
    vault: &Vault,
    faults: &mut Faults<'_>,
) -> Result<(), Failure> {
    let Some(start) = locate(vault, path, false, faults)? else {
        return Ok(());
    };
    let mut screen = screen();
    for step in Walk::new(vault, start, Order::Names) {
        match step {
            Step::Enter(object) | Step::Other(object) if args.want(&object) => {
                screen.line("", shown(&object), "")?;
            }
            Step::Fault(fault) => faults.tell(&fault),
            _ => {}
        }
    }
    screen.finish()
}

fn shown(object: &Object) -> &OsStr {
    match object.plain.as_os_str() {
        top if top.is_empty() => OsStr::new("."),
        path => path,
    }
}

impl FindArgs {
    fn want(&self, object: &Object) -> bool {
        let kind = self.kind.is_none_or(|kind| match kind {
            Wanted::F => object.kind() == Kind::File,
            Wanted::D => object.kind() == Kind::Dir,
            Wanted::L => object.kind() == Kind::Symlink,
        });
        let name = object.plain.file_name().unwrap_or(OsStr::new("."));
        kind && self.name.as_ref().is_none_or(|wanted| wanted.matches(name))
    }
}
