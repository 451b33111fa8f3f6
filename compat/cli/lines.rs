//! Command lines that end without a mount, each run by both programs in a fresh folder.

use super::desk::Desk;
use crate::support::program::Program;

/// Command line, stdin, exit code, and a text in what is said.
type Line = (&'static str, &'static str, i32, &'static str);

/// Lines that both programs answer alike.
#[rustfmt::skip]
const ALIKE: &[Line] = &[
    // grammar
    ("", "", 1, "usage: gocryptfs -init|-passwd|-info"),
    ("-h", "", 0, "usage: gocryptfs -init|-passwd|-info"),
    ("-help", "", 0, "usage: gocryptfs -init|-passwd|-info"),
    ("--help -nosuch", "", 0, "usage: gocryptfs -init|-passwd|-info"),
    ("-hh", "", 0, "--serialize_reads"),
    ("-version -nonempty C", "", 0, "gocryptfs 2."),
    ("--version", "", 0, "gocryptfs 2."),
    ("-v", "", 1, "unknown flag: --v. Try 'gocryptfs -help'."),
    ("-nosuch C M", "", 1, "\"-nosuch\" \"C\" \"M\": unknown flag: --nosuch. Try"),
    ("C M -nosuch", "", 1, "Invalid command line: "),
    ("-allow-other C M", "", 1, "unknown flag: --allow-other"),
    ("-qu C M", "", 1, "unknown flag: --qu"),
    ("-q=maybe C M", "", 1, "invalid argument \"maybe\" for \"--q"),
    ("-ro=2 C M", "", 1, "invalid argument \"2\" for \"--ro\" flag"),
    ("C M -config", "", 1, "flag needs an argument: --config"),
    ("-scryptn abc -init E", "", 1, "invalid argument \"abc\" for \"--scryptn\" flag"),
    ("-scryptn -1 -init E", "", 1, "invalid argument \"--1\" for \"--scryptn\" flag"),
    ("-longnamemax 256 -init E", "", 1, "invalid argument \"256\" for \"--longnamemax\" flag"),
    ("-notifypid x C M", "", 1, "invalid argument \"x\" for \"--notifypid\" flag"),
    ("-idle 5 C M", "", 1, "invalid argument \"5\" for \"--idle\" flag"),
    ("-idle -5s C M", "", 1, "invalid argument \"--5s\" for \"--idle\" flag"),
    ("-openssl=maybe C M", "", 1, "openssl"),
    ("-o ro,o C M", "", 1, "You can't pass \"-o\" to \"-o\""),
    ("C M -o", "", 1, "The \"-o\" option requires an argument"),
    ("-o=nosuch C M", "", 1, "unknown flag: --nosuch"),
    ("C M -o ,,q,nosuch=1", "", 1, "unknown flag: --nosuch"),
    ("-info -- -C", "", 6, "Invalid cipherdir: "),
    ("-q -- C M -ro", "", 1, "Usage: gocryptfs [OPTIONS] CIPHERDIR MOUNTPOINT [-o"),
    // rules between options
    ("-extpass a -passfile b C M", "", 1, "The options -extpass and -passfile cannot be used"),
    ("-passfile a -masterkey b C M", "", 1, "The options -passfile and -masterkey cannot"),
    ("-extpass a -masterkey b C M", "", 1, "The options -extpass and -masterkey cannot"),
    ("-extpass a -fido2 b C M", "", 1, "The options -extpass and -fido2 cannot be used"),
    ("-idle=-5s C M", "", 1, "Idle timeout cannot be less than 0"),
    ("-longnamemax 61 C M", "", 1, "-longnamemax: value 61 is outside allowed range 62 ... 255"),
    ("-init -info C", "", 1, "At most one of -info, -init, -passwd, -fsck is allowed"),
    ("-passwd -fsck C", "", 1, "At most one of -info, -init, -passwd, -fsck is allowed"),
    ("-exclude x C M", "", 29, "-exclude only works in reverse mode"),
    ("-e x C M", "", 29, "-exclude only works in reverse mode"),
    ("-force_owner 1 C M", "", 1, "force_owner must be in form UID:GID"),
    ("-force_owner a:1 C M", "", 1, "force_owner: Unable to parse UID a as positive integer"),
    ("-force_owner 1:-1 C M", "", 1, "force_owner: Unable to parse GID -1 as positive integer"),
    // paths
    ("-q", "", 1, "CIPHERDIR argument is missing"),
    ("-init", "", 1, "CIPHERDIR argument is missing"),
    ("C", "", 1, "Usage: gocryptfs [OPTIONS] CIPHERDIR MOUNTPOINT [-o COMMA-SEPARATED-OPTIONS]"),
    ("C M x", "", 1, "Wrong number of arguments (have 3, want 2)"),
    ("-init E M", "", 1, "-init, -passwd, -fsck take exactly one argument, 2 given"),
    ("nosuch M", "", 6, "Invalid cipherdir: "),
    ("right M", "", 6, "Invalid cipherdir: "),
    ("-info nosuch", "", 6, "Invalid cipherdir: "),
    ("-init full", "", 6, "full not empty"),
    ("-init C", "", 6, "Invalid cipherdir: directory "),
    ("-init nosuch", "", 6, "Invalid cipherdir: "),
    ("C nosuch", "", 10, "Invalid mountpoint: "),
    ("C right", "", 10, "right"),
    ("C full", "", 10, "full not empty"),
    ("C C", "", 10, "would shadow cipherdir"),
    ("C .", "", 10, "would shadow cipherdir"),
    ("C C/../C/x", "", 10, "is contained in cipherdir"),
    ("E M", "test\n", 11, "Cannot open config file: "),
    ("-config nosuch C M", "test\n", 11, "Using config file at custom location "),
    ("-config nosuch/conf C M", "test\n", 11, "Cannot open config file: "),
    ("-passwd E", "test\n", 11, "Cannot open config file: "),
    ("-info E", "", 8, "Loading config file failed: "),
    // passwords
    ("C M", "tset\n", 12, "Password incorrect."),
    ("-fg C M", "tset\n", 12, "failed to unlock master key: cipher: message authentication failed"),
    ("-passwd C", "tset\nnew\n", 12, "Password incorrect."),
    ("C M", "test\r\n", 12, "Password incorrect."),
    ("C M", "", 9, "got empty password from stdin"),
    ("C M", "\ntest\n", 9, "got empty password from stdin"),
    ("-init E", "", 9, "got empty password from stdin"),
    ("-passfile wrong C M", "", 12, "passfile: reading from file \"wrong\""),
    ("-passfile right -passfile right C M", "", 12, "Password incorrect."),
    ("-passfile nosuch C M", "", 9, "fatal: passfile: could not open \"nosuch\": "),
    ("-passfile empty C M", "", 9, "fatal: passfile: could not read from \"empty\": EOF"),
    ("-passfile newline C M", "", 9, "fatal: passfile: empty first line in \"newline\""),
    ("-passfile st C M", "", 12, "warning: passfile: ignoring trailing garbage"),
    ("-extpass false C M", "", 9, "extpass program returned an error: exit status 1"),
    ("-extpass true C M", "", 9, "extpass: password is empty"),
    ("-extpass /nosuch C M", "", 9, "extpass cmd start failed: "),
    ("-extpass=echo -extpass=tset C M", "", 12, "program \"echo\", arguments: [\"tset\"]"),
    ("-extpass=echo --extpass -X C M", "", 12, "arguments: [\"--X\"]"),
    ("-passwd -passfile te -passfile st C", "new\n", 0, "passfile: reading from file \"st\""),
    ("-passwd -extpass=printenv -extpass=FROM_ENV C", "new\n", 0, "arguments: [\"FROM_ENV\"]"),
    // master keys
    ("-masterkey 00 -fg C M", "", 14, "Master key has length 1 but we require length 32"),
    ("-masterkey xx -fg C M", "", 14, "Could not parse master key: "),
    ("-masterkey=stdin -fg C M", "0-0-\n", 14, "but we require length 32"),
    ("-passwd -masterkey 0000 C", "", 14, "Master key has length 2 but we require length 32"),
    // changes that succeed
    ("-passwd C", "test\nnew\n", 0, "Password changed."),
    ("-passwd -q C", "test\nnew\n", 0, ""),
    ("-passwd -scryptn 11 C", "test\nnew\n", 0, "Password changed."),
    ("--passwd --config=C/gocryptfs.conf E", "test\nnew\n", 0, "Using config file at custom"),
    ("-passwd -masterkey stdin C", KEY_AND_PASSWORD, 0, "gocryptfs.conf.bak\"."),
    ("-info C", "", 0, "FeatureFlags:      HKDF GCMIV128 DirIV EMENames LongNames Raw64\n"),
    ("-info C -q", "", 0, "ScryptObject:      Salt=32B N=1024 R=8 P=1 KeyLen=32\n"),
    ("-info -config C/gocryptfs.conf E", "", 0, "contentEncryption: AES-GCM-256\n"),
    ("-init E -scryptn 10", "test\n", 0, "The gocryptfs filesystem has been created successfully."),
    ("-init -scryptn 10 E", "test\n", 0, "You can now mount it using: gocryptfs E MOUNTPOINT"),
    ("-init -scryptn 10 E", "test\n", 0, "suppressing master key display"),
    ("-init -scryptn=0xa -extpass -- E", "", 9, "extpass cmd start failed: "),
    ("-init -scryptn 10 -extpass printenv=x -extpass x E", "", 9, "extpass"),
    ("--init -q -scryptn=012 -passfile right -- E", "", 0, ""),
    ("-init -scryptn 10 -xchacha -config conf E", "test\n", 0, "successfully"),
    ("-init -scryptn 9 E", "test\n", 24, "fatal: scryptn below 10 is too low to make sense"),
    ("-init -scryptn 63 E", "test\n", 24, ""),
    ("-init -scryptn 10 -aessiv -xchacha E", "test\n", 24, "both XChaCha20Poly1305 and AESSIV"),
];

const KEY_AND_PASSWORD: &str = concat!(
    "00112233-44556677-8899aabb-ccddeeff-",
    "00112233-44556677-8899aabb-ccddeeff\nnew\n"
);

/// Command line, stdin, our exit code and words, the Go program's exit code, and why they differ.
type Difference = (
    &'static str,
    &'static str,
    i32,
    &'static str,
    i32,
    &'static str,
);

const DIFFERENT: &[Difference] = &[
    (
        "-init -scryptn 62 E",
        "test\n",
        24,
        "need",
        2,
        "a cost that no machine can pay is no reason to panic",
    ),
    (
        "-init -scryptn 10 -config right E",
        "test\n",
        7,
        "already exists and is not overwritten",
        0,
        "the key of another volume may be in the file that would be overwritten",
    ),
    (
        "C M -o noatime",
        "",
        9,
        "got empty password",
        1,
        "mount(8) hands over what fstab says, and the kernel knows this word",
    ),
    (
        "-o nosuch C M -o ro",
        "tset\n",
        1,
        "unknown flag: --nosuch",
        12,
        "every -o counts: with only the last one, a volume is mounted without its safeguards",
    ),
    (
        "-o nosuch -- C M",
        "tset\n",
        1,
        "unknown flag: --nosuch",
        12,
        "-o in front of -- counts as well",
    ),
    (
        "-init -scryptn 10 -extpass a -masterkey b E",
        "",
        9,
        "extpass cmd start failed: ",
        1,
        "since 2.5.0 a given key can be wrapped by a password",
    ),
    (
        "-passwd -passfile right C",
        "new\n",
        0,
        "Password changed.",
        0,
        "since 2.5.0 the new password is never taken from where the old one was",
    ),
];

fn check(program: &Program, line: &str, input: &str, code: i32, text: &str) -> Vec<String> {
    let answer = Desk::new().run(program, line, input.as_bytes());
    if answer.code == Some(code) && answer.says(text) {
        return Vec::new();
    }
    vec![format!(
        "{program} {line}: wanted {code} and {text:?}, got {answer:#?}"
    )]
}

#[test]
fn command_lines_end_as_documented() {
    let ours = Program::ours();
    let alike = ALIKE.iter();
    let mut wrong: Vec<String> = alike
        .flat_map(|(line, input, code, text)| check(&ours, line, input, *code, text))
        .collect();
    for (line, input, code, text, _, _) in DIFFERENT {
        wrong.extend(check(&ours, line, input, *code, text));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn command_lines_end_as_with_the_go_program() {
    let Some(go) = Program::go("command lines") else {
        return;
    };
    let alike = ALIKE.iter();
    let mut wrong: Vec<String> = alike
        .flat_map(|(line, input, code, text)| check(&go, line, input, *code, text))
        .collect();
    for (line, input, _, _, code, _) in DIFFERENT {
        wrong.extend(check(&go, line, input, *code, ""));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
