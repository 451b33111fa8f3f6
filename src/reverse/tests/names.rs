//! Which names there are and what they lead to.

use super::*;

const LONG: &str = "gocryptfs.longname.yqxwZuDHawsq-tEPIs1mtvUNHo7WfE07-0HOixuy0_g";

fn long_name() -> String {
    "L".repeat(200)
}

#[test]
fn a_directory_lists_encrypted_names_then_virtual_ones() {
    let plain = Plain::new();
    plain.write(long_name(), "");
    let view = plain.view();
    let listed = names(&view, NodeId::ROOT);
    let name_file = format!("{LONG}.name");
    assert_eq!(listed[3..], ["gocryptfs.diriv", name_file.as_str()]);
    assert!(listed[..3].contains(&LONG.into()));
    for name in &listed[3..] {
        let attr = top(&view, name).attr;
        assert_eq!((attr.stat.mode, attr.stat.nlink), (0o100_444, 1));
        assert_eq!(
            attr.stat.size,
            content(&view, &top(&view, name)).len() as u64
        );
    }
    assert_eq!(top(&view, &name_file).attr.stat.size, 278);
}

#[test]
fn a_reader_with_little_room_goes_on_where_it_stopped() {
    let plain = Plain::new();
    for at in 0..20 {
        plain.write(format!("{at}{}", long_name()), "");
    }
    let view = plain.view();
    let handle = view.opendir(NodeId::ROOT).unwrap();
    let (mut seen, mut next) = (Vec::new(), 0);
    loop {
        let before = seen.len();
        view.readdirplus(handle, next, &mut |(entry, found)| {
            if seen.len() == before + 3 {
                return false;
            }
            let is_dot = entry.name == "." || entry.name == "..";
            assert_eq!(is_dot, found.attr.stat.is_dir());
            seen.push(entry.name.clone());
            next = entry.next;
            true
        })
        .unwrap();
        if seen.len() == before {
            break;
        }
    }
    assert_eq!(seen.len(), 2 + 20 + 1 + 20);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 2 + 20 + 1 + 20);
}

#[test]
fn only_the_name_that_is_listed_leads_to_an_object() {
    let plain = Plain::new();
    plain.write("a", "");
    plain.write(long_name(), "");
    let view = plain.view();
    let missing = [
        "a",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "gocryptfs.conf",
        "gocryptfs.longname.",
        "gocryptfs.longname.x",
        "gocryptfs.longname.x.name",
        &format!("{LONG}.name.name"),
        &format!("{A}.name"),
        &format!("{A}=="),
    ];
    for name in missing {
        assert_eq!(refusal(&view, name), Errno::NOENT, "{name}");
    }
    // With a lower limit, the complete text of a long name fits an entry, but is none.
    let names = NameParams::Encrypted {
        long_limit: Some(62),
        dir_iv: true,
    };
    let plain = Plain::new();
    plain.write("n".repeat(32), "");
    let view = plain.view_with(Params { names, ..PARAMS }, Options::default(), &[]);
    let shown = only_name(&view);
    let mut name_file = shown.clone();
    name_file.push(".name");
    let text = content(&view, &top(&view, &name_file));
    assert_eq!(text.len(), 64);
    assert_eq!(refusal(&view, OsStr::from_bytes(&text)), Errno::NOENT);
}

#[test]
fn a_long_name_is_found_as_soon_as_it_is_there() {
    let plain = Plain::new();
    let view = plain.view();
    assert_eq!(refusal(&view, LONG), Errno::NOENT);
    plain.write(long_name(), "");
    assert_eq!(top(&view, LONG).attr.stat.size, 0);
    fs::remove_file(plain.path(long_name())).unwrap();
    assert_eq!(refusal(&view, LONG), Errno::NOENT);
    assert_eq!(refusal(&view, format!("{LONG}.name")), Errno::NOENT);
}

#[test]
fn each_long_name_of_one_file_has_its_own_text() {
    let plain = Plain::new();
    plain.write(long_name(), "");
    fs::hard_link(plain.path(long_name()), plain.path("M".repeat(200))).unwrap();
    let view = plain.view();
    let listed = names(&view, NodeId::ROOT);
    let files = listed
        .iter()
        .filter(|name| name.as_bytes().ends_with(b".name"));
    let entries: Vec<Entry> = files.map(|name| top(&view, name)).collect();
    let texts: Vec<Vec<u8>> = entries.iter().map(|entry| content(&view, entry)).collect();
    assert_eq!(texts.len(), 2);
    assert_ne!(texts[0], texts[1]);
    assert_ne!(entries[0].node, entries[1].node);
}

#[test]
fn a_directory_that_was_moved_shows_the_names_of_its_new_place() {
    let plain = Plain::new();
    plain.mkdir("sub");
    plain.write("sub/file", "");
    let view = plain.view();
    let sub = top(&view, SUB);
    let before = names(&view, sub.node);
    fs::rename(plain.path("sub"), plain.path("moved")).unwrap();
    let shown = only_name(&view);
    let moved = top(&view, shown);
    assert_ne!(names(&view, moved.node), before);
    assert_eq!(refusal(&view, SUB), Errno::NOENT);
}

#[test]
fn names_that_are_too_long_when_encrypted_are_listed_and_lead_nowhere() {
    let names_only = NameParams::Encrypted {
        long_limit: None,
        dir_iv: true,
    };
    let plain = Plain::new();
    plain.write(long_name(), "");
    let params = Params {
        names: names_only,
        ..PARAMS
    };
    let view = plain.view_with(params, Options::default(), &[]);
    assert_eq!(only_name(&view), "___GOCRYPTFS_INVALID_NAME___");
    assert_eq!(refusal(&view, only_name(&view)), Errno::NOENT);
}

#[test]
fn the_configuration_file_shows_under_the_name_that_a_vault_has_for_it() {
    let shown = Options {
        show_config: true,
        ..Options::default()
    };
    let plain = Plain::new();
    plain.write("elsewhere", "{}");
    std::os::unix::fs::symlink("elsewhere", plain.path(".gocryptfs.reverse.conf")).unwrap();
    plain.write("gocryptfs.conf", "mine");
    let view = plain.view_with(PLAIN_NAMES, shown, &["*", "!/elsewhere"]);
    let listed = names(&view, NodeId::ROOT);
    assert!(listed.contains(&"gocryptfs.conf".into()), "never excluded");
    let config = top(&view, "gocryptfs.conf");
    assert_eq!(content(&view, &config), b"{}");
    assert_eq!(config.attr.stat.size, 2);
    assert_eq!(refusal(&view, ".gocryptfs.reverse.conf"), Errno::NOENT);
    let view = plain.view_with(PLAIN_NAMES, shown, &[]);
    let listed = names(&view, NodeId::ROOT);
    let collided = |name: &&OsString| {
        name.as_bytes()
            .starts_with(b"gocryptfs.conf_NAME_COLLISION_")
    };
    assert_eq!(listed.iter().filter(collided).count(), 1);
    let view = plain.view_with(PLAIN_NAMES, Options::default(), &[]);
    assert_eq!(
        unsealed(&view, &content(&view, &top(&view, "gocryptfs.conf"))),
        b"mine"
    );
    top(&view, ".gocryptfs.reverse.conf");
}

#[test]
fn what_is_excluded_is_not_listed_and_cannot_be_entered() {
    let plain = Plain::new();
    plain.write("a", "");
    plain.mkdir("sub");
    plain.write("sub/file", "");
    plain.write(long_name(), "");
    let view = plain.view_with(PARAMS, Options::default(), &["/a", "sub/file", "L*"]);
    let listed = names(&view, NodeId::ROOT);
    assert_eq!(
        listed.len(),
        4,
        "two dots, the directory and its IV: {listed:?}"
    );
    for name in [A, LONG, &format!("{LONG}.name")] {
        assert_eq!(refusal(&view, name), Errno::PERM);
    }
    let sub = top(&view, SUB);
    assert_eq!(names(&view, sub.node).len(), 3);
    let file = look_up(&view, sub.node, "gxalsn-IS6Ar4QUMEk8EGQ");
    assert_eq!(file.unwrap_err().errno(), Errno::PERM);
}

#[test]
fn whole_paths_are_translated_both_ways() {
    use crate::vfs::Paths;
    use std::path::Path;
    let plain = Plain::new();
    plain.mkdir(&format!("sub/{}", long_name()));
    let view = plain.view();
    let path = Path::new("sub").join(long_name());
    let encrypted = view.encrypt_path(&path).unwrap();
    assert!(
        encrypted
            .to_str()
            .unwrap()
            .starts_with(&format!("{SUB}/gocryptfs.longname."))
    );
    assert_eq!(view.decrypt_path(&encrypted).unwrap(), path);
    let missing = view.encrypt_path(Path::new("a/b")).unwrap();
    assert!(missing.starts_with(A));
    assert_eq!(view.decrypt_path(&missing).unwrap(), Path::new("a/b"));
    for path in [
        Path::new("a").join(long_name()),
        Path::new(&long_name()).join("b"),
    ] {
        let missing = view.encrypt_path(&path).unwrap();
        let error = view.decrypt_path(&missing).unwrap_err();
        assert_eq!(error.errno(), Errno::NOENT);
    }
    let error = view.encrypt_path(Path::new(&"n".repeat(256)));
    assert_eq!(error.unwrap_err().errno(), Errno::NAMETOOLONG);
}
