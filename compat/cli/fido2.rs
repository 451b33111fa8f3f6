//! FIDO2 tokens. No token is here: programs that speak the protocol of `fido2-cred` and
//! `fido2-assert` stand in for those that talk to one, and write down what they are asked.

use super::desk::{Answer, Desk};
use super::point::Point;
use crate::support::program::Program;
use crate::support::skip::is_root;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

/// What the token answers: a credential, and a secret of 32 bytes, in base64.
const CREDENTIAL: &str = "Y3JlZGVudGlhbA==";
const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=";

/// A desk with a token.
struct Token(Desk);

impl Token {
    fn new() -> Self {
        let token = Self(Desk::new());
        fs::create_dir(token.0.path("bin")).unwrap();
        for (name, answer) in [("fido2-cred", CREDENTIAL), ("fido2-assert", SECRET)] {
            let path = token.0.path("bin").join(name);
            let script = format!(
                "#!/bin/sh\n\
                 {{ echo \"{name} $*\"; cat; }} >>\"$(dirname \"$0\")/asked\"\n\
                 printf 'client data\\ngocryptfs\\n3\\n4\\n%s\\n6\\n' {answer}\n"
            );
            fs::write(&path, script).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        token
    }

    /// Puts another script in the place of `fido2-assert`.
    fn answers_with(&self, script: &str) {
        let path = self.0.path("bin/fido2-assert");
        fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    }

    fn run(&self, program: &Program, line: &str) -> Answer {
        let mut path = self.0.path("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        self.0
            .run_with(program, line, b"test\n", &[("PATH", &path)])
    }

    fn make(&self, program: &Program, options: &str) {
        let line = format!("-init -scryptn 10 -fido2 /dev/token {options} E");
        let answer = self.run(program, &line);
        assert_eq!(answer.code, Some(0), "{program}: {answer:?}");
        assert!(!answer.says("Choose a password"), "{answer:?}");
        assert!(answer.says("FIDO2 Register: interact with your device ..."));
        assert!(answer.says("FIDO2 Secret: interact with your device ..."));
    }

    fn mount(&self, program: &Program) {
        let point = Point::new(&self.0);
        let answer = self.run(program, "-fido2 /dev/token E M");
        assert_eq!(answer.code, Some(0), "{program}: {answer:?}");
        point.unmount();
    }

    /// What the token was asked, without what is random: lines of 32 bytes in base64.
    fn asked(&self) -> Vec<String> {
        let asked = fs::read_to_string(self.0.path("bin/asked")).unwrap();
        let lines = asked.lines().filter(|line| line.len() != 44);
        lines.map(str::to_owned).collect()
    }
}

#[test]
fn both_programs_ask_a_token_alike() {
    let ours = Token::new();
    ours.make(&Program::ours(), "");
    let wanted = [
        "fido2-cred -M -h /dev/token",
        "gocryptfs",
        "E",
        "fido2-assert -G -h /dev/token",
        "gocryptfs",
        CREDENTIAL,
    ];
    assert_eq!(ours.asked(), wanted);
    if let Some(go) = Program::go("the questions to a token") {
        let theirs = Token::new();
        theirs.make(&go, "");
        assert_eq!(theirs.asked(), wanted);
    }
}

#[test]
fn a_volume_with_a_token_mounts_with_both_programs() {
    if !is_root("mounts with a token") {
        return;
    }
    let programs = Program::both("mounts with a token");
    for maker in &programs {
        let token = Token::new();
        token.make(maker, "");
        for program in &programs {
            token.mount(program);
        }
    }
}

#[test]
fn options_for_the_token_are_kept_in_the_volume() {
    let token = Token::new();
    let options = "-fido2-assert-option pin=true -fido2-assert-option=up=true";
    token.make(&Program::ours(), options);
    token.answers_with("echo \"$*\" >\"$(dirname \"$0\")/asked\"; exit 1");
    assert_eq!(
        token.run(&Program::ours(), "-fido2 /dev/token E M").code,
        Some(31)
    );
    assert_eq!(token.asked(), ["-G -h -t pin=true -t up=true /dev/token"]);
}

#[test]
fn what_a_token_does_wrong_has_an_exit_code_and_a_text() {
    let wrong = [
        ("exit 3", 31, "fido2-assert failed with exit status 3"),
        ("seq 5", 31, ""),
        (
            "printf 'x\\nx\\nx\\nx\\nAAAA\\n'",
            31,
            "FIDO2 HMACSecret too short (3)!",
        ),
        (
            "printf 'x\\nx\\nx\\nx\\n%s\\n' AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            31,
            "FIDO2 HMACSecret is all zero!",
        ),
        (
            "printf 'x\\nx\\nx\\nx\\n%s\\n' BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            12,
            "Password incorrect.",
        ),
    ];
    let ours = Program::ours();
    let token = Token::new();
    token.make(&ours, "");
    for program in &Program::both("tokens that fail") {
        for (script, code, text) in &wrong {
            token.answers_with(script);
            let answer = token.run(program, "-fido2 /dev/token E M");
            assert_eq!(answer.code, Some(*code), "{program} {script}: {answer:?}");
            assert!(answer.says(text), "{program} {script}: {answer:?}");
        }
        let answer = token.run(program, "E M");
        assert_eq!(answer.code, Some(1), "{program}: {answer:?}");
        assert!(answer.says("need to use the --fido2 option."));
    }
    token.answers_with("echo");
    let answer = token.run(&ours, "-fido2 /dev/token E M");
    assert_eq!(answer.code, Some(31));
    assert!(answer.says("the answer is too short"), "{answer:?}");
}

#[test]
fn a_machine_without_the_programs_for_tokens_is_told_what_to_install() {
    let desk = Desk::new();
    let line = "-init -scryptn 10 -fido2 /dev/token E";
    let nothing = desk.path("full").into_os_string();
    let answer = desk.run_with(&Program::ours(), line, b"", &[("PATH", &nothing)]);
    assert_eq!(answer.code, Some(31));
    assert!(answer.says("fido2-cred failed with "), "{answer:?}");
    assert!(answer.says("fido2-tools"), "{answer:?}");
    assert_eq!(fs::read_dir(desk.path("E")).unwrap().count(), 0);
}
