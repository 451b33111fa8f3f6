//! Mounts by mount(8): the way of fstab(5) and systemd, through mount.fuse3(8).

use super::desk::Desk;
use super::point::Point;
use crate::support::program::Program;
use crate::support::skip::{is_root, skip};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Whether mount(8) can be asked; reports a skip of `what` if not.
fn has_helper(what: &str) -> bool {
    let helpers = ["/sbin/mount.fuse3", "/sbin/mount.fuse"];
    let has_helper = helpers.iter().all(|path| Path::new(path).exists());
    if !has_helper {
        skip(what, "mount.fuse3 is not installed");
    }
    has_helper && is_root(what)
}

/// A folder with our program as `gocryptfs`. mount(8) looks for dots in the type, so the path has
/// none.
fn programs() -> TempDir {
    let dir = tempfile::Builder::new().prefix("bin").tempdir().unwrap();
    symlink(Program::ours().path(), dir.path().join("gocryptfs")).unwrap();
    dir
}

fn run(mut command: Command, desk: &Desk, options: &str) -> Output {
    let passfile = desk.path("right");
    let options = format!("passfile={},{options}", passfile.display());
    command.arg(desk.path("M")).arg("-o").arg(options);
    command.current_dir("/").output().unwrap()
}

#[test]
fn a_type_with_a_path_mounts_with_all_that_fstab_adds() {
    if !has_helper("mount(8)") {
        return;
    }
    let (desk, programs) = (Desk::new(), programs());
    let point = Point::new(&desk);
    let mut kind = OsString::from("fuse.");
    kind.push(programs.path().join("gocryptfs"));
    let mut command = Command::new("mount");
    command.arg("-t").arg(kind).arg(desk.path("C"));
    let options = "rw,noatime,_netdev,nofail,user,exec,x-systemd.automount,comment=x";
    let output = run(command, &desk, options);
    assert!(output.status.success(), "{output:?}");
    let [source, kind, options] = point.line().unwrap();
    assert_eq!(Path::new(&source), desk.path("C"));
    assert_eq!(kind, "fuse.gocryptfs");
    let wanted = "rw,nosuid,nodev,noatime,user_id=0,group_id=0,max_read=1048576";
    assert_eq!(options, wanted);
    fs::write(point.path().join("file"), "content").unwrap();
    point.unmount();
}

#[test]
fn a_line_of_fstab_is_enough() {
    if !has_helper("fstab") {
        return;
    }
    let (desk, programs) = (Desk::new(), programs());
    let point = Point::new(&desk);
    let program = programs.path().join("gocryptfs");
    let line = format!(
        "{} {} fuse.{} nofail,noauto,allow_other,user,noatime,x-systemd.device-timeout=1,passfile={} 0 0\n",
        desk.path("C").display(),
        point.path().display(),
        program.display(),
        desk.path("right").display(),
    );
    fs::write(desk.path("fstab"), line).unwrap();
    let mut command = Command::new("mount");
    command.arg("-T").arg(desk.path("fstab")).arg(point.path());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let wanted = "fuse.gocryptfs rw,nosuid,nodev,noexec,noatime,user_id=0,group_id=0,\
                  default_permissions,allow_other";
    assert_eq!(point.shown().as_deref(), Some(wanted));
    point.unmount();
}

#[test]
fn the_name_alone_finds_the_program_on_the_path() {
    if !has_helper("mount.fuse3") {
        return;
    }
    let (desk, programs) = (Desk::new(), programs());
    let point = Point::new(&desk);
    let mut command = Command::new("/sbin/mount.fuse3");
    let mut source = OsString::from("gocryptfs#");
    source.push(desk.path("C"));
    command.arg(source);
    let path = format!("{}:/usr/bin:/bin", programs.path().display());
    command.env_clear().env("PATH", path);
    let output = run(command, &desk, "defaults,dev,suid,ro");
    assert!(output.status.success(), "{output:?}");
    let wanted = "fuse.gocryptfs ro,relatime,user_id=0,group_id=0";
    assert_eq!(point.shown().as_deref(), Some(wanted));
    point.unmount();
}

#[test]
fn the_helper_of_mount_takes_what_mount_gives_it() {
    if !is_root("mount.gocryptfs") {
        return;
    }
    let (desk, programs) = (Desk::new(), programs());
    let point = Point::new(&desk);
    let helper = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/package/mount.gocryptfs");
    let asked = |extra: &[&str]| {
        let mut command = Command::new(&helper);
        command.arg(desk.path("C")).arg(desk.path("M")).args(extra);
        command.env("PATH", programs.path()).current_dir("/");
        command.output().unwrap()
    };
    let options = format!("ro,noexec,passfile={}", desk.path("right").display());
    let output = asked(&["-f", "-o", &options]);
    assert!(output.status.success() && point.line().is_none());
    let output = asked(&["-s", "-n", "-v", "-o", &options, "-t", "gocryptfs"]);
    assert!(output.status.success(), "{output:?}");
    let wanted = "fuse.gocryptfs ro,nosuid,nodev,noexec,relatime,user_id=0,group_id=0";
    assert_eq!(point.shown().as_deref(), Some(wanted));
    point.unmount();
    let wrong = format!("passfile={}", desk.path("wrong").display());
    assert_eq!(asked(&["-o", &wrong]).status.code(), Some(12));
}

#[test]
fn programs_are_found_although_the_path_is_empty() {
    let desk = Desk::new();
    let line = "-extpass=printenv -extpass=FROM_ENV -passwd C";
    for path in ["", "/nonexistent"] {
        let environment = [("PATH", path.as_ref())];
        let answer = desk.run_with(&Program::ours(), line, b"test\n", &environment);
        let wanted = if path.is_empty() { 0 } else { 9 };
        assert_eq!(answer.code, Some(wanted), "{path:?}: {answer:?}");
    }
}

#[test]
fn a_mount_that_somebody_else_has_made_is_served() {
    if !has_helper("drop_privileges") {
        return;
    }
    let (desk, programs) = (Desk::new(), programs());
    let point = Point::new(&desk);
    let mut source = programs.path().join("gocryptfs").into_os_string();
    source.push("#");
    source.push(desk.path("C"));
    let mut command = Command::new("/sbin/mount.fuse3");
    command.arg(source);
    let output = run(command, &desk, "drop_privileges,noexec");
    assert!(output.status.success(), "{output:?}");
    let [.., options] = point.line().unwrap();
    assert!(options.starts_with("rw,noexec,"), "{options}");
    fs::write(point.path().join("file"), "content").unwrap();
    assert_eq!(fs::read(point.path().join("file")).unwrap(), b"content");
    point.unmount();
}
