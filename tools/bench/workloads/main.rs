//! Measures file systems against each other, in turns, on one machine in one run.
//!
//! `workloads [--rounds N] [--cipher aes-gcm|aessiv|xchacha] [--only WORD] [--flat] [--svg FILE]
//! BUILT PLACE`: the programs of this package are in `BUILT`; `PLACE` is an empty directory on the
//! file system that holds the encrypted files. The table goes to standard output.

#![allow(
    clippy::disallowed_methods,
    reason = "a tool goes by paths, as a user does"
)]

mod peer;
mod report;
mod work;

use peer::{Cipher, Kind, Peer};
use report::Results;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use work::Work;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What is asked for.
struct Options {
    rounds: usize,
    cipher: Cipher,
    only: String,
    is_flat: bool,
    svg: Option<PathBuf>,
    built: PathBuf,
    place: PathBuf,
}

fn options() -> Result<Options, Failure> {
    let mut words = std::env::args().skip(1);
    let mut options = Options {
        rounds: 3,
        cipher: Cipher::AesGcm,
        only: String::new(),
        is_flat: false,
        svg: None,
        built: PathBuf::new(),
        place: PathBuf::new(),
    };
    let mut paths = Vec::new();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word}: a value is missing"));
        match word.as_str() {
            "--rounds" => options.rounds = value()?.parse()?,
            "--cipher" => options.cipher = Cipher::named(&value()?).ok_or("no such cipher")?,
            "--only" => options.only = value()?,
            "--flat" => options.is_flat = true,
            "--svg" => options.svg = Some(value()?.into()),
            _ => paths.push(PathBuf::from(word)),
        }
    }
    let [built, place] = <[PathBuf; 2]>::try_from(paths).map_err(|_| "wanted: BUILT PLACE")?;
    Ok(Options {
        built: built.canonicalize()?,
        place: place.canonicalize()?,
        ..options
    })
}

/// Fails if `done` does not come true within a while.
fn wait_until(what: &str, done: impl Fn() -> bool) -> Result<(), Failure> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let start = Instant::now();
    while !done() {
        if start.elapsed() > PATIENCE {
            return Err(format!("{what} does not come up").into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

fn measure(works: &[Work], peers: &[Peer], rounds: usize) -> Result<Results, Failure> {
    let mut results = Results::new();
    for round in 1..=rounds {
        for work in works {
            let able = |peer: &&Peer| work.is_flat || peer.kind != Kind::Floor;
            for peer in peers.iter().filter(able) {
                let before = peer.cpu();
                let time = work
                    .measure(peer.path())
                    .map_err(|error| format!("{} on {}: {error}", work.name, peer.kind.name()))?;
                let samples = results.entry((work.name, peer.kind)).or_default();
                samples.time.push(time);
                samples.cpu.push(peer.cpu() - before);
            }
        }
        let load = fs::read_to_string("/proc/loadavg")?;
        let load = load.split(' ').next().unwrap_or_default();
        writeln!(io::stderr(), "round {round} of {rounds}, load {load}")?;
    }
    Ok(results)
}

fn main() -> Result<(), Failure> {
    let options = options()?;
    work::make_archive(&options.place)?;
    let wanted =
        |kind: &&Kind| kind.name().contains(&options.only) && kind.is_installed(&options.built);
    let kinds: Vec<Kind> = Kind::ALL.iter().filter(wanted).copied().collect();
    let peers = kinds
        .iter()
        .map(|kind| Peer::mount(*kind, &options.built, options.cipher, &options.place))
        .collect::<Result<Vec<_>, _>>()?;
    let works: Vec<Work> = work::ALL
        .into_iter()
        .filter(|work| work.is_flat || !options.is_flat)
        .collect();
    let results = measure(&works, &peers, options.rounds)?;
    drop(peers);
    fs::remove_file(options.place.join("tree.tar"))?;
    let table = report::table(&results, &works, &kinds);
    io::stdout().write_all(table.as_bytes())?;
    if let Some(path) = options.svg {
        fs::write(path, report::chart(&results, &works))?;
    }
    Ok(())
}
