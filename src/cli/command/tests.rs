//! The rules between options, in their order.

use super::*;
use crate::cli::{parse, verb, words};
use clap::CommandFactory;

/// Builds a command from a line in which C is a directory.
fn built(line: &str) -> Result<Command, (u8, String)> {
    let dir = tempfile::tempdir().unwrap();
    let words = line.split_whitespace().map(|word| match word {
        "C" => dir.path().as_os_str().to_owned(),
        word => word.into(),
    });
    let words: Vec<OsString> = words.collect();
    let command = command(&words);
    command.map_err(|failure| (failure.code.number(), failure.message))
}

fn command(words: &[OsString]) -> Result<Command, Failure> {
    let line = [&["gocryptfs".into()], words].concat();
    let (verb, line) = verb::take(&line);
    let words = words::normalise(&line[1..])?;
    let parser = verb.map_or_else(Words::command, |verb| (verb.parser)());
    match parse::parse(parser, &words, &line)? {
        Some(matches) => verb.map_or(Command::parsed as _, |verb| verb.build)(&matches),
        None => Ok(Command::Help { all: false }),
    }
}

fn refused(line: &str) -> (u8, String) {
    match built(line) {
        Ok(command) => panic!("{line}: {command:?}"),
        Err(refused) => refused,
    }
}

fn key_of(line: &str) -> KeySource {
    match built(line) {
        Ok(Command::Mount(options)) => options.key,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_action_has_its_command() {
    assert!(matches!(built("-init C"), Ok(Command::Init(_))));
    assert!(matches!(built("-passwd C"), Ok(Command::Passwd(_))));
    assert!(matches!(built("-info C"), Ok(Command::Info { .. })));
    assert!(matches!(built("-fsck C"), Ok(Command::Fsck(_))));
    assert!(matches!(built("C M"), Ok(Command::Mount(_))));
    assert!(matches!(
        built("-speed"),
        Ok(Command::Speed { json: false })
    ));
    assert!(matches!(built("-hh"), Ok(Command::Help { all: true })));
    assert!(matches!(built("-h"), Ok(Command::Help { all: false })));
}

#[test]
fn verbs_are_other_words_for_the_actions() {
    assert!(matches!(built("init -q C"), Ok(Command::Init(_))));
    assert!(matches!(
        built("passwd C -scryptn 11"),
        Ok(Command::Passwd(_))
    ));
    assert!(matches!(built("info -- C"), Ok(Command::Info { .. })));
    assert!(matches!(built("mount C M -o ro"), Ok(Command::Mount(_))));
    assert!(matches!(built("info -h"), Ok(Command::Help { .. })));
}

#[test]
fn only_a_first_word_that_is_no_directory_is_a_verb() {
    let wanted = "Invalid cipherdir: ";
    assert!(refused("./info C").1.starts_with(wanted));
    assert!(refused("-q info C").1.starts_with(wanted));
    let dir = tempfile::tempdir().unwrap();
    let line = |word: &std::path::Path| [OsString::from("gocryptfs"), word.into()];
    assert!(verb::take(&line(dir.path())).0.is_none());
    let (verb, rest) = verb::take(&line("mount".as_ref()));
    assert_eq!(verb.map(|verb| verb.name), Some("mount"));
    assert_eq!(rest, ["gocryptfs"]);
}

#[test]
fn a_verb_refuses_the_options_of_others() {
    let wanted = "\"gocryptfs info\" has no option --ro. Try 'gocryptfs info --help'.";
    assert_eq!(refused("info -ro C"), (1, wanted.to_owned()));
    assert_eq!(refused("mount -init C M").0, 1);
    assert_eq!(refused("init -idle 5s C").0, 1);
    assert_eq!(refused("mount").1, "CIPHERDIR argument is missing");
}

#[test]
fn the_version_wins_over_the_rest_that_can_be_parsed() {
    assert!(matches!(
        built("-version -init -info -hh"),
        Ok(Command::Version)
    ));
    assert_eq!(refused("-version -idle=-1s").0, 1);
}

#[test]
fn options_that_exclude_each_other_are_named() {
    for (line, names) in [
        ("-extpass a -passfile b C M", "-extpass and -passfile"),
        ("-passfile a -masterkey b C M", "-passfile and -masterkey"),
        ("-extpass a -masterkey b C M", "-extpass and -masterkey"),
        ("-extpass a -fido2 b C M", "-extpass and -fido2"),
    ] {
        let wanted = format!("The options {names} cannot be used at the same time");
        assert_eq!(refused(line), (1, wanted));
    }
    assert!(matches!(
        built("-init -extpass a -masterkey b C"),
        Ok(Command::Init(_))
    ));
}

#[test]
fn the_first_broken_rule_is_told() {
    let in_order = [
        ("-extpass a -passfile b", "cannot be used at the same time"),
        ("-idle=-1s", "Idle timeout cannot be less than 0"),
        (
            "-longnamemax 61",
            "-longnamemax: value 61 is outside allowed range 62 ... 255",
        ),
        ("", "CIPHERDIR argument is missing"),
        ("nosuch", "Invalid cipherdir: "),
        ("-exclude x", "-exclude only works in reverse mode"),
        ("-force_owner 1", "force_owner must be in form UID:GID"),
        (
            "-init -info",
            "At most one of -info, -init, -passwd, -fsck is allowed",
        ),
    ];
    for (at, (first, wanted)) in in_order.iter().enumerate() {
        let later: Vec<&str> = in_order[at + 1..].iter().map(|(words, _)| *words).collect();
        let later = later.join(" ").replace("nosuch", "");
        let path = if at > 4 { "C" } else { "" };
        let (_, message) = refused(&format!("{first} {later} {path}"));
        assert!(message.contains(wanted), "{first} {later}: {message}");
    }
}

#[test]
fn an_action_takes_one_path_and_a_mount_two() {
    let wanted = "The options -info, -init, -passwd, -fsck take exactly one argument, 2 given";
    assert_eq!(refused("-info C M"), (1, wanted.to_owned()));
    for line in ["C", "C M X"] {
        let (code, message) = refused(line);
        assert_eq!(code, 1);
        assert!(
            message.starts_with("Wrong number of arguments (have "),
            "{message}"
        );
    }
}

#[test]
fn exit_codes_tell_what_kind_of_refusal_it_is() {
    assert_eq!(refused("nosuch M").0, 6);
    assert_eq!(refused("-init /dev/null").0, 6);
    assert_eq!(refused("-exclude x C M").0, 29);
    assert!(built("-ew x C M").is_ok());
}

#[test]
fn a_pattern_that_does_not_end_is_refused() {
    let wanted = "-badname: invalid pattern \"[a\" supplied".to_owned();
    assert_eq!(refused("-badname * -badname [a C M"), (1, wanted));
}

#[test]
fn the_key_comes_from_where_the_options_say() {
    let password = |source| KeySource::Password(source, None);
    assert_eq!(key_of("C M"), password(PasswordSource::Console));
    let files = PasswordSource::Files(vec!["a".into(), "b".into()]);
    assert_eq!(key_of("-passfile b C M -o passfile=a"), password(files));
    let program = PasswordSource::Program(vec!["a".into()]);
    assert_eq!(key_of("-extpass a C M"), password(program));
    let token = Token {
        device: "/dev/x".into(),
        assert_options: Vec::new(),
    };
    assert_eq!(
        key_of("-fido2 /dev/x C M"),
        KeySource::Password(PasswordSource::Console, Some(token))
    );
    assert_eq!(key_of("-zerokey C M"), KeySource::Given(GivenKey::Zero));
    assert_eq!(
        key_of("-zerokey -masterkey stdin C M"),
        KeySource::Given(GivenKey::Stdin)
    );
    let hex = KeySource::Given(GivenKey::Hex("00".into()));
    assert_eq!(key_of("-masterkey 00 -zerokey C M"), hex);
}

#[test]
fn a_master_key_is_not_shown_by_debug_output() {
    let shown = format!("{:?}", key_of("-masterkey 0123 C M"));
    assert!(!shown.contains("0123"), "{shown}");
}

#[test]
fn paths_become_absolute_and_an_empty_config_is_none() {
    let volume = |line: &str| match built(line) {
        Ok(Command::Info { volume, .. }) => volume,
        other => panic!("{other:?}"),
    };
    assert_eq!(volume("-info -config= C").config, None);
    assert_eq!(volume("-info -config /a/../b C").config, Some("/b".into()));
    assert_eq!(
        volume("-info /tmp/.././tmp/").cipherdir,
        PathBuf::from("/tmp")
    );
}
