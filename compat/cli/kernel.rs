//! What the kernel shows of a mount, for every option that reaches it.

use super::desk::Desk;
use super::point::Point;
use crate::support::program::Program;
use crate::support::skip::is_root;
use std::fs;

/// Options, and how they are shown, apart from `max_read`.
#[rustfmt::skip]
const SHOWN: &[(&str, &str)] = &[
    ("", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0"),
    ("-ro", "fuse.gocryptfs ro,nosuid,nodev,relatime,user_id=0,group_id=0"),
    ("-rw -ro", "fuse.gocryptfs ro,nosuid,nodev,relatime,user_id=0,group_id=0"),
    ("-suid -dev", "fuse.gocryptfs rw,relatime,user_id=0,group_id=0"),
    ("-suid -dev -nosuid -nodev", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0"),
    ("-noexec", "fuse.gocryptfs rw,nosuid,nodev,noexec,relatime,user_id=0,group_id=0"),
    ("-noexec -exec", "fuse.gocryptfs rw,nosuid,nodev,noexec,relatime,user_id=0,group_id=0"),
    ("-allow_other", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0,default_permissions,allow_other"),
    ("-force_owner 1:2", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0,default_permissions,allow_other"),
    ("-acl -allow_other -ro", "fuse.gocryptfs ro,nosuid,nodev,relatime,user_id=0,group_id=0,default_permissions,allow_other"),
    ("-acl", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0,default_permissions"),
    ("-ko noatime", "fuse.gocryptfs rw,nosuid,nodev,noatime,user_id=0,group_id=0"),
    ("-ko=noatime,sync -dev", "fuse.gocryptfs rw,sync,nosuid,noatime,user_id=0,group_id=0"),
    ("-o ro,noexec,nofail,dev,suid", "fuse.gocryptfs ro,noexec,relatime,user_id=0,group_id=0"),
    ("-q -nosyslog=0 -kernel_cache -noprealloc -sharedstorage", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0"),
];

#[test]
fn the_kernel_shows_what_the_options_say() {
    if !is_root("the list of mounts") {
        return;
    }
    for program in &Program::both("the list of mounts") {
        check(program, SHOWN);
    }
}

fn check(program: &Program, shown: &[(&str, &str)]) {
    for (options, wanted) in shown {
        let desk = Desk::new();
        let point = Point::new(&desk);
        let answer = desk.mount(program, options);
        assert_eq!(answer.code, Some(0), "{program} {options}: {answer:?}");
        let shown = point.shown();
        assert_eq!(shown.as_deref(), Some(*wanted), "{program} {options}");
        point.unmount();
    }
}

#[test]
fn the_name_of_the_file_system_is_the_volume_or_the_option() {
    if !is_root("names of file systems") {
        return;
    }
    let desk = Desk::new();
    let volume = desk.path("C");
    let wanted = [("", volume.to_str().unwrap()), ("-fsname=a,b", "a_b")];
    for (options, wanted) in wanted {
        let point = Point::new(&desk);
        let answer = desk.mount(&Program::ours(), options);
        assert_eq!(answer.code, Some(0), "{answer:?}");
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        let line = format!("{wanted} {} ", point.path().display());
        assert!(mounts.contains(&line), "{mounts}");
        point.unmount();
    }
}

/// What our program alone takes: of several lists every one counts, and words for the kernel may
/// stand among the options of mount(8).
#[rustfmt::skip]
const SHOWN_OF_OURS: &[(&str, &str)] = &[
    ("-ko noatime -ko dirsync", "fuse.gocryptfs rw,dirsync,nosuid,nodev,noatime,user_id=0,group_id=0"),
    ("-o noatime,_netdev,x-systemd.automount -o user=x,noexec", "fuse.gocryptfs rw,nosuid,nodev,noexec,noatime,user_id=0,group_id=0"),
    ("-o defaults,auto,noauto,nouser,comment=a", "fuse.gocryptfs rw,nosuid,nodev,relatime,user_id=0,group_id=0"),
    ("-ko nosymfollow,nodiratime,strictatime", "fuse.gocryptfs rw,nosuid,nodev,nodiratime,nosymfollow,user_id=0,group_id=0"),
];

#[test]
fn every_list_of_options_counts() {
    if !is_root("lists of options") {
        return;
    }
    check(&Program::ours(), SHOWN_OF_OURS);
}

#[test]
fn requests_are_as_large_as_the_options_say() {
    if !is_root("the size of requests") {
        return;
    }
    for (options, wanted) in [("", "1048576"), ("-ko noatime,max_read=65536", "65536")] {
        let desk = Desk::new();
        let point = Point::new(&desk);
        let answer = desk.mount(&Program::ours(), options);
        assert_eq!(answer.code, Some(0), "{options}: {answer:?}");
        assert_eq!(point.max_read().as_deref(), Some(wanted), "{options}");
        point.unmount();
    }
}

#[test]
fn without_extended_attributes_there_are_none() {
    if !is_root("mounts without extended attributes") {
        return;
    }
    for (options, has_some) in [("", true), ("-noxattr", false)] {
        let desk = Desk::new();
        let point = Point::new(&desk);
        assert_eq!(desk.mount(&Program::ours(), options).code, Some(0));
        let file = point.path().join("file");
        fs::write(&file, "content").unwrap();
        let set = rustix::fs::setxattr(&file, "user.a", b"b", rustix::fs::XattrFlags::empty());
        if has_some {
            set.unwrap();
        } else {
            assert_eq!(set, Err(rustix::io::Errno::OPNOTSUPP));
            let none = rustix::fs::listxattr(&file, &mut [0; 10]);
            assert_eq!(none, Err(rustix::io::Errno::OPNOTSUPP));
        }
        point.unmount();
    }
}

#[test]
fn a_security_context_is_for_the_kernel_to_judge() {
    if !is_root("security contexts") {
        return;
    }
    let desk = Desk::new();
    let point = Point::new(&desk);
    let answer = desk.mount(&Program::ours(), "-context system_u:object_r:tmp_t:s0");
    if answer.code == Some(0) {
        let shown = point.shown().unwrap();
        assert!(
            shown.contains(",context=system_u:object_r:tmp_t:s0"),
            "{shown}"
        );
        point.unmount();
    } else {
        // without SELinux
        assert_eq!(answer.code, Some(19), "{answer:?}");
        assert!(answer.says("context="), "{answer:?}");
    }
}
