//! The targets of `compat/fuzz` for AFL++: `fuzzer list`, `fuzzer seeds TESTDATA DIR` writes the
//! seeds into a folder for each target, and `fuzzer TARGET` takes inputs from afl-fuzz.

#[path = "../../../compat/fuzz/seeds.rs"]
mod seeds;
#[path = "../../../compat/fuzz/targets.rs"]
mod targets;

use std::env;
use std::fs;
use std::path::Path;

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["list"] => targets::TARGETS
            .iter()
            .for_each(|(name, _)| println!("{name}")),
        ["seeds", testdata, into] => write_seeds(Path::new(testdata), Path::new(into)),
        [name] => {
            let target = targets::TARGETS.iter().find(|target| target.0 == name);
            let (_, target) = target.expect("a target that `list` knows");
            afl::fuzz!(|input: &[u8]| target(input));
        }
        _ => panic!("fuzzer list | seeds TESTDATA DIR | TARGET"),
    }
}

fn write_seeds(testdata: &Path, into: &Path) {
    for (target, inputs) in seeds::collect(testdata) {
        let folder = into.join(target);
        fs::create_dir_all(&folder).expect("a folder for seeds");
        for (number, input) in inputs.iter().enumerate() {
            fs::write(folder.join(format!("{number:04}")), input).expect("a seed");
        }
    }
}
