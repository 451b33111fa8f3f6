//! Results as a table and as a chart.

use crate::peer::Kind;
use crate::work::{Unit, Work};
use std::collections::HashMap;
use std::fmt::Write as _;

/// What was measured of one file system in one piece of work, one value a round.
#[derive(Default)]
pub(crate) struct Samples {
    /// Seconds.
    pub(crate) time: Vec<f64>,
    /// Seconds of processor time of the daemon.
    pub(crate) cpu: Vec<f64>,
}

pub(crate) type Results = HashMap<(&'static str, Kind), Samples>;

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How far the values are apart, as a part of their median.
fn spread(values: &[f64]) -> f64 {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(0.0, f64::max);
    (high - low) / median(values)
}

impl Work {
    /// A time in the unit of this work.
    fn shown(&self, time: f64) -> String {
        #[expect(clippy::cast_precision_loss, reason = "a few digits are shown")]
        let amount = self.amount as f64;
        match self.unit {
            Unit::Rate => format!("{:.0} MB/s", amount / time / 1e6),
            Unit::Requests => format!("{:.1} k/s", amount / time / 1e3),
            Unit::Time => format!("{time:.3} s"),
        }
    }
}

/// How many times as fast as `other` something is.
fn ratio(results: &Results, work: &Work, kind: Kind, other: Kind) -> Option<f64> {
    let time = median(&results.get(&(work.name, kind))?.time);
    Some(median(&results.get(&(work.name, other))?.time) / time)
}

/// The results in Markdown.
pub(crate) fn table(results: &Results, works: &[Work], kinds: &[Kind]) -> String {
    let mut text = String::from("| work |");
    for kind in kinds {
        let _ = write!(text, " {} |", kind.name());
    }
    text.push_str(" ours to Go | to the floor | spread | CPU of the daemon, ours to Go |\n|---|");
    text.push_str(&"--:|".repeat(kinds.len() + 4));
    text.push('\n');
    for work in works {
        let _ = write!(text, "| {} |", work.name);
        for kind in kinds {
            let cell = results.get(&(work.name, *kind));
            let cell = cell.map_or(String::new(), |samples| work.shown(median(&samples.time)));
            let _ = write!(text, " {cell} |");
        }
        for other in [Kind::Go, Kind::Floor] {
            let ratio = ratio(results, work, Kind::Ours, other);
            let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
            let _ = write!(text, " {ratio} |");
        }
        let of = |kind| results.get(&(work.name, kind));
        let spread = of(Kind::Ours).map_or(f64::NAN, |samples| spread(&samples.time));
        let cpu = |kind| of(kind).map_or(f64::NAN, |samples| median(&samples.cpu));
        let _ = writeln!(
            text,
            " {:.0} % | {:.2} |",
            spread * 100.0,
            cpu(Kind::Ours) / cpu(Kind::Go)
        );
    }
    text
}

const BAR: u32 = 14;
const LEFT: u32 = 230;
const WIDTH: f64 = 420.0;

/// Ours and the Go program side by side, as an SVG picture; longer is faster.
pub(crate) fn chart(results: &Results, works: &[Work]) -> String {
    let mut bars = String::new();
    let mut top = 40;
    for work in works {
        let Some(ratio) = ratio(results, work, Kind::Ours, Kind::Go) else {
            continue;
        };
        let most = ratio.max(1.0);
        let rows = [("#b7410e", ratio, Kind::Ours), ("#7a8b99", 1.0, Kind::Go)];
        let _ = writeln!(
            bars,
            r#"<text x="{}" y="{}" text-anchor="end">{}</text>"#,
            LEFT - 8,
            top + BAR + 4,
            work.name
        );
        for (color, value, kind) in rows {
            let shown = results.get(&(work.name, kind));
            let shown = shown.map_or(String::new(), |samples| work.shown(median(&samples.time)));
            let width = value / most * WIDTH;
            let _ = writeln!(
                bars,
                concat!(
                    r#"<rect x="{}" y="{}" width="{:.0}" height="{}" fill="{}"/>"#,
                    r#"<text x="{:.0}" y="{}" class="value">{}</text>"#
                ),
                LEFT,
                top,
                width,
                BAR,
                color,
                f64::from(LEFT) + width + 6.0,
                top + BAR - 3,
                shown
            );
            top += BAR + 1;
        }
        top += 10;
    }
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="760" height="{height}" "#,
            r#"font-family="sans-serif" font-size="12">"#,
            "\n<style>text{{fill:#333}}.value{{font-size:11px}}",
            "@media(prefers-color-scheme:dark){{text{{fill:#ddd}}}}</style>\n",
            r##"<rect x="230" y="12" width="12" height="12" fill="#b7410e"/>"##,
            r#"<text x="247" y="23">gocryptfs-rs</text>"#,
            r##"<rect x="350" y="12" width="12" height="12" fill="#7a8b99"/>"##,
            r#"<text x="367" y="23">gocryptfs (Go); longer is faster</text>"#,
            "\n{bars}</svg>\n"
        ),
        height = top,
        bars = bars
    )
}
