//! What the user sees: words as they come, the level, and what is not as it should be.
//!
//! Words go to standard output line by line when they are final. On a terminal the line being spoken and the level are drawn below
//! them, on standard error: stable words as they are, tentative ones dim. Without a terminal a plain line now and then says the level.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::super::output::print;
use crate::capture::{Level, Losses};
use crate::speech::Segment;
use crate::text::PatientText;

/// How often a plain line says the level, where there is no terminal.
const PLAIN: Duration = Duration::from_secs(10);

/// Cells of the level meter, and what the first of them stands for.
const CELLS: u32 = 20;
const QUIETEST: f64 = -60.0;

/// The terminal, or what stands in its place.
pub struct Screen {
    live: ProgressBar,
    terminal: bool,
    /// Final words are part of the result.
    words: bool,
    plain: bool,
    stable: PatientText,
    tentative: PatientText,
    said: Instant,
}

/// What the status line says.
pub struct Status {
    /// Milliseconds heard.
    pub heard_ms: u64,
    /// Of the last moment.
    pub level: Option<Level>,
    /// Milliseconds that are kept here and not safe with the room yet.
    pub behind_ms: u64,
    /// What was lost.
    pub losses: Losses,
    /// What is not as it should be.
    pub trouble: Option<String>,
    /// Nothing is heard any more: there is no level.
    pub closed: bool,
}

impl Screen {
    /// `words`: final words go to standard output as they come.
    pub fn new(words: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let live = ProgressBar::new_spinner();
        let live = match ProgressStyle::with_template("{msg}") {
            Ok(style) => live.with_style(style),
            Err(_) => live,
        };
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let [stable, tentative] = [PatientText::default(), PatientText::default()];
        Self { live, terminal, words, plain, stable, tentative, said: Instant::now() }
    }

    /// A line on standard error.
    pub fn notice(&self, line: &str) {
        self.live.suspend(|| eprintln!("cantoscribe: {line}"));
    }

    /// The utterance being spoken.
    pub fn partial(&mut self, stable: PatientText, tentative: PatientText) {
        (self.stable, self.tentative) = (stable, tentative);
    }

    /// An utterance that is final.
    pub fn segment(&mut self, segment: &Segment) -> anyhow::Result<()> {
        self.partial(PatientText::default(), PatientText::default());
        let line = spoken(segment);
        if self.words {
            return self.live.suspend(|| print(&(line + "\n")));
        }
        if self.terminal {
            self.live.suspend(|| eprintln!("{line}"));
        }
        Ok(())
    }

    /// The status line.
    pub fn status(&mut self, status: &Status) {
        if self.terminal {
            let words = self.growing();
            self.live.set_message(format!("{words}{}", line(status)));
        } else if !status.closed && self.said.elapsed() >= PLAIN {
            self.said = Instant::now();
            eprintln!("cantoscribe: {}", line(status));
        }
    }

    /// Takes the drawn lines away.
    pub fn clear(&mut self) {
        self.live.finish_and_clear();
    }

    fn growing(&self) -> String {
        let (stable, tentative) = (shown(self.stable.reveal()), shown(self.tentative.reveal()));
        match (stable.is_empty() && tentative.is_empty(), self.plain) {
            (true, _) => String::new(),
            (_, true) => format!("{stable}[{tentative}]\n"),
            (_, false) => format!("{stable}\x1b[2m{tentative}\x1b[0m\n"),
        }
    }
}

/// A final utterance as a line: when, who, what.
fn spoken(segment: &Segment) -> String {
    let speaker = segment.speaker.as_deref().map(|name| format!("{}: ", shown(name))).unwrap_or_default();
    format!("[{}] {speaker}{}", clock(segment.start_ms.unwrap_or_default()), shown(segment.text.reveal()))
}

/// No control character of a text gets to the terminal.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Minutes and seconds.
pub fn clock(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn line(status: &Status) -> String {
    let mut parts = vec![clock(status.heard_ms)];
    if !status.closed {
        parts.push(meter(status.level));
    }
    if status.behind_ms >= 2000 {
        parts.push(format!("{} s wait to be sent", status.behind_ms / 1000));
    }
    if !status.losses.is_none() {
        parts.push(format!("{} samples lost", status.losses.samples()));
    }
    parts.extend(status.trouble.clone());
    parts.join("  ")
}

/// `[#########-----------] -33 dB`: the mean as a bar, the peak as a number.
fn meter(level: Option<Level>) -> String {
    let Some(level) = level else { return format!("[{}] no sound yet", " ".repeat(CELLS as usize)) };
    let share = ((level.rms - QUIETEST) / -QUIETEST).clamp(0.0, 1.0);
    let full = (share * f64::from(CELLS)).round() as usize;
    let bar = format!("{}{}", "#".repeat(full), "-".repeat((CELLS as usize).saturating_sub(full)));
    match level.peak {
        peak if peak == f64::NEG_INFINITY => format!("[{bar}] silent"),
        peak if peak > -0.1 => format!("[{bar}] {peak:.0} dB, too loud"),
        peak => format!("[{bar}] {peak:.0} dB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_meter_goes_from_silence_to_too_loud() {
        let at = |peak, rms| meter(Some(Level { peak, rms }));
        assert_eq!(at(f64::NEG_INFINITY, f64::NEG_INFINITY), "[--------------------] silent");
        assert_eq!(at(-20.4, -30.0), "[##########----------] -20 dB");
        assert_eq!(at(0.0, -3.0), "[###################-] 0 dB, too loud");
        assert_eq!(meter(None), "[                    ] no sound yet");
    }

    #[test]
    fn a_final_line_says_when_and_who_and_no_escape_gets_through() {
        let mut segment = Segment {
            id: 0,
            start_ms: Some(62_900),
            end_ms: Some(64_000),
            speaker: None,
            text: PatientText::from("血壓高\u{1b}[2J\n今日"),
            confidence: None,
            words: None,
            tokens: None,
        };
        assert_eq!(spoken(&segment), "[1:02] 血壓高 [2J 今日");
        segment.speaker = Some("doctor".to_owned());
        assert_eq!(spoken(&segment), "[1:02] doctor: 血壓高 [2J 今日");
    }

    #[test]
    fn losses_and_what_waits_are_in_the_status_line() {
        let losses = Losses { overrun: 480, breaks: 1, broken: 20 };
        let status =
            Status { heard_ms: 61_000, level: None, behind_ms: 7_900, losses, trouble: Some("no server".into()), closed: false };
        let line = line(&status);
        assert!(line.starts_with("1:01  ["), "{line}");
        assert!(line.ends_with("7 s wait to be sent  500 samples lost  no server"), "{line}");
    }
}
