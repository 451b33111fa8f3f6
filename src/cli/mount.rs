//! The mount: opens the volume, attaches it to the mount point, serves it until somebody unmounts
//! it or a signal comes.

use super::args::Reflink;
use super::command::MountOptions;
use super::exit::{ExitCode, Failure};
use super::log::Verbosity;
use super::mountpoint::{self, Place};
use super::output::{Kind, Output};
use super::unlock::{self, Unlocked};
use super::values::quoted;
use super::{daemon, log, notify, paths, reverse};
use crate::ctlsock::ControlSocket;
use crate::format::{DIRIV_NAME, NameParams};
use crate::forward::{self, Forward};
use crate::mount::{self, Session, Unmounter};
use crate::sys::signal::{self, Signal};
use crate::sys::{Dir, process};
use crate::vault::{self, Vault};
use crate::vfs::{Counted, Paths, Vfs};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread;

/// Mounts a volume. `line` is the whole command line, for the process in the background.
///
/// # Errors
/// The mount point or the volume cannot be used, or mounting fails. Also if a signal has ended
/// the mount, without a message.
pub(crate) fn run(
    options: &MountOptions,
    line: &[OsString],
    out: &Output,
) -> Result<ExitCode, Failure> {
    if options.runs_again() {
        return daemon::start(line);
    }
    let verbosity = log::install(&options.messages, out);
    options.volume.announce(out);
    let volume = &options.volume;
    let may_have_entries = options.mount.nonempty;
    let place = mountpoint::check(&options.mountpoint, volume, may_have_entries)?;
    let control = control_socket(options)?;
    let unlocked = unlock::unlock(volume, &options.key, &options.format, out)?;
    let ready = Ready {
        options,
        place,
        mount_options: mount_options(options, out)?,
        control,
        verbosity,
        out,
    };
    if options.volume.is_reverse {
        let fs = reverse::view(options, &unlocked)?;
        drop(unlocked);
        return start(fs, ready);
    }
    check_names(options, &unlocked)?;
    let fs = file_system(options, &unlocked)?;
    drop(unlocked);
    start(fs, ready)
}

/// What is settled before there is a file system.
struct Ready<'a> {
    options: &'a MountOptions,
    place: Place,
    mount_options: mount::Options,
    control: Option<ControlSocket>,
    verbosity: Verbosity,
    out: &'a Output,
}

/// Mounts `fs` and answers its requests.
fn start<V: Vfs + Paths>(fs: V, ready: Ready<'_>) -> Result<ExitCode, Failure> {
    let Ready { options, out, .. } = ready;
    let fs = Arc::new(Counted::new(fs));
    // With the keys that it has made meanwhile.
    process::lock_memory();
    if let Err(errno) = process::raise_nofile_limit() {
        out.warn(&format!("Cannot raise the limit on open files: {errno}"));
    }
    // Blocked here, so that all threads have them blocked, and taken by one of them. SIGUSR1 is
    // of no use to us and would end the process.
    let mut signals = vec![Signal::INT, Signal::TERM, TOGGLE];
    if !signal::is_ignored(Signal::HUP) {
        signals.push(Signal::HUP);
    }
    let blocked = signal::block(&[&signals[..], &[Signal::USR1]].concat());
    blocked.map_err(|errno| Failure::new(ExitCode::Other, errno.to_string()))?;
    if let Some(control) = &ready.control {
        let started = control.serve(Arc::clone(&fs) as _);
        started.map_err(|error| Failure::new(ExitCode::CtlSock, format!("ctlsock: {error}")))?;
    }
    let session = ready.place.attach(fs, ready.mount_options)?;
    process::umask(0);
    out.write(Kind::Success, "Filesystem mounted and ready.");
    let parent = u32::try_from(options.mount.notifypid).unwrap_or_default();
    if parent > 0 {
        daemon::detach(parent, options.messages.nosyslog, out);
    } else {
        notify::ready(out);
    }
    if let Some(timeout) = options.mount.idle.positive()
        && !options.volume.is_reverse
    {
        let monitor = session.idle_monitor();
        thread::spawn(move || monitor.run(timeout));
    }
    serve(session, signals, ready.verbosity, out)
}

/// The control socket, if one is wanted.
fn control_socket(options: &MountOptions) -> Result<Option<ControlSocket>, Failure> {
    let path = options.mount.ctlsock.as_deref();
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(None);
    };
    let bound = ControlSocket::bind(&paths::absolute(path)?);
    bound
        .map(Some)
        .map_err(|error| Failure::new(ExitCode::CtlSock, error.to_string()))
}

fn mount_options(options: &MountOptions, out: &Output) -> Result<mount::Options, Failure> {
    let kernel = &options.kernel;
    let allow_other = options.allow_other();
    if allow_other {
        out.write(
            Kind::Note,
            "The option \"-allow_other\" is set. Make sure the file permissions protect your data \
             from unwanted access.",
        );
    }
    let is_reverse = options.volume.is_reverse;
    let mut kernel_options = Vec::new();
    if let Some(context) = &kernel.context {
        kernel_options.push(format!("context={context}"));
    }
    let words = kernel.ko.iter().flat_map(|list| list.split(','));
    kernel_options.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
    Ok(mount::Options {
        mountpoint: options.mountpoint.clone(),
        fsname: fsname(options, out),
        subtype: if is_reverse {
            "gocryptfs-reverse"
        } else {
            "gocryptfs"
        },
        allow_other,
        default_permissions: allow_other,
        acl: options.mount.acl,
        xattr: !options.mount.noxattr,
        writeback: options.mount.writeback,
        read_only: is_reverse || kernel.ro || is_read_only(options, out)?,
        dev: kernel.dev && !kernel.nodev,
        suid: options.suid(),
        exec: !kernel.noexec,
        kernel_options,
    })
}

impl MountOptions {
    fn allow_other(&self) -> bool {
        self.mount.allow_other || self.force_owner.is_some()
    }

    fn suid(&self) -> bool {
        self.kernel.suid && !self.kernel.nosuid
    }
}

/// What stands for the device in the list of mounts. A comma would end the option.
fn fsname(options: &MountOptions, out: &Output) -> OsString {
    let given = options
        .kernel
        .fsname
        .as_deref()
        .filter(|name| !name.is_empty());
    let name = given.unwrap_or(options.volume.cipherdir.as_os_str());
    let mut bytes = name.as_bytes().to_vec();
    if bytes.contains(&b',') {
        out.warn("Warning: \",\" in the file system name is shown as \"_\"");
        bytes
            .iter_mut()
            .filter(|byte| **byte == b',')
            .for_each(|byte| *byte = b'_');
    }
    OsString::from_vec(bytes)
}

/// Whether the file system that CIPHERDIR is on can only be read.
fn is_read_only(options: &MountOptions, out: &Output) -> Result<bool, Failure> {
    let cipherdir = &options.volume.cipherdir;
    let statfs = open_dir(cipherdir)?.statfs();
    if !statfs.is_ok_and(|statfs| statfs.read_only) {
        return Ok(false);
    }
    let path = cipherdir.display();
    if options.kernel.rw {
        return Err(Failure::usage(format!(
            "Writeable mount explicitly requested but cipherdir {path} is on a read-only \
             filesystem, refusing."
        ))
        .advise("Without -rw it is mounted read-only."));
    }
    out.info(&format!(
        "Cipherdir {path} is on a read-only filesystem, mounting as read-only."
    ));
    Ok(true)
}

fn open_dir(path: &Path) -> Result<Dir, Failure> {
    Dir::open(path).map_err(|errno| cannot_open(path, &errno))
}

/// The failure to open CIPHERDIR.
pub(super) fn cannot_open(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    let path = path.display();
    Failure::new(
        ExitCode::CipherDir,
        format!("Invalid cipherdir: {path}: {error}"),
    )
}

/// Refuses to write plain or repeating names into a volume whose top directory has an IV: nothing
/// protects the feature flags from somebody who wants to see the names of new files.
fn check_names(options: &MountOptions, unlocked: &Unlocked) -> Result<(), Failure> {
    let is_wanted = options.format.plaintextnames || options.format.deterministic_names;
    let path = &options.volume.cipherdir;
    let iv = OsStr::new(DIRIV_NAME);
    if unlocked.params.has_dir_iv() || is_wanted || open_dir(path)?.stat_at(iv).is_err() {
        return Ok(());
    }
    let option = match unlocked.params.names {
        NameParams::Plain => "-plaintextnames",
        NameParams::Encrypted { .. } => "-deterministic-names",
    };
    let message = format!(
        "The volume was made with an IV for each directory, as {} shows, but the configuration \
         file says {option}: somebody may want to learn the names of new files.",
        quoted(path.join(iv))
    );
    let failure = Failure::new(ExitCode::DeprecatedFs, message);
    Err(failure.advise(format!(
        "Restore the configuration file from a backup. If it is right, mount with {option}."
    )))
}

fn file_system(options: &MountOptions, unlocked: &Unlocked) -> Result<Forward, Failure> {
    let path = &options.volume.cipherdir;
    let shared_storage = options.mount.sharedstorage;
    let vault = Vault::open(
        path,
        &unlocked.params,
        &unlocked.key,
        vault::Options {
            preallocate: !options.mount.noprealloc,
            shared_storage,
        },
    );
    let vault = vault.map_err(|error| cannot_open(path, &error))?;
    let vault = vault
        .showing(options.bad_names.clone())
        .read_only(options.kernel.ro);
    let view = forward::Options {
        preserve_owner: process::effective_uid() == 0
            && options.allow_other()
            && options.force_owner.is_none(),
        force_owner: options.force_owner,
        shared_storage,
        kernel_cache: options.kernel.kernel_cache,
        suid: options.suid(),
        reflink: options.mount.reflink == Reflink::Auto,
    };
    Forward::new(vault, view).map_err(|error| cannot_open(path, &error))
}

/// Switches debug messages on and off.
const TOGGLE: Signal = Signal::USR2;

/// What ends a mount.
enum End {
    Unmounted(std::io::Result<()>),
    Signal,
}

/// Answers requests until the file system is unmounted, or `signals` tell to unmount it; one of
/// them only changes how much is told.
fn serve<V: Vfs>(
    session: Session<V>,
    signals: Vec<Signal>,
    verbosity: Verbosity,
    out: &Output,
) -> Result<ExitCode, Failure> {
    let unmounter = session.unmounter();
    let (ended, end) = mpsc::channel();
    let signalled = ended.clone();
    // Neither thread is waited for: when one has spoken, the process ends.
    let told = out.clone();
    thread::spawn(move || {
        while let Ok(signal) = signal::wait(&signals) {
            if signal != TOGGLE {
                let _ = signalled.send(End::Signal);
                return;
            }
            let state = if verbosity.toggle() { "on" } else { "off" };
            told.write(Kind::Answer, &format!("Debug messages are {state}."));
        }
    });
    thread::spawn(move || ended.send(End::Unmounted(session.run())));
    match end.recv() {
        Ok(End::Unmounted(Ok(()))) => Ok(ExitCode::Success),
        Ok(End::Unmounted(Err(error))) => Err(Failure::new(
            ExitCode::Other,
            format!("FUSE session failed: {error}"),
        )),
        Ok(End::Signal) => {
            unmount(&unmounter, out);
            Err(Failure::new(ExitCode::Signal, ""))
        }
        Err(mpsc::RecvError) => Err(Failure::new(ExitCode::Other, "FUSE session failed")),
    }
}

/// Unmounts, also if somebody still uses the file system.
fn unmount(unmounter: &Unmounter, out: &Output) {
    if let Err(error) = unmounter.unmount(false) {
        out.warn(&format!("unmount: {error}"));
        out.info("Trying lazy unmount");
        if let Err(error) = unmounter.unmount(true) {
            out.warn(&format!("lazy unmount: {error}"));
        }
    }
}
