//! The course of a recording: sound in, events out, until both are over.

use std::collections::HashSet;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::anyhow;

use super::room::{Room, Told};
use super::screen::{Screen, Status, clock};
use super::source::{Read, Source};
use super::stop::Stop;
use super::{Format, ListenArguments};
use crate::capture::{Level, Losses, Meter};
use crate::cli::output::{explain, print};
use crate::client::Event;
use crate::note::Note;
use crate::note::compose::{sections, to_text};
use crate::speech::Transcript;
use crate::speech::transcript::to_json;

/// How often the microphone is asked; words are shown as soon as they are told.
const TICK: Duration = Duration::from_millis(20);

/// How often the level is measured.
const METER: Duration = Duration::from_millis(100);

/// A device gives its sound in pieces, some of a second and longer: so long after Ctrl-C the one that was being filled is waited for.
const LAST_PIECE: Duration = Duration::from_secs(3);

/// How long to wait before the end of a recording is kept again, when the disk did not take it.
const AGAIN: Duration = Duration::from_secs(1);

/// What a recording came to.
pub struct Heard {
    samples: u64,
    losses: Losses,
    /// The loudest moment.
    peak: Option<f64>,
    /// Why the sound stopped, when nobody asked for it.
    failure: Option<anyhow::Error>,
}

/// Listens until the user stops it, the time is over, or the source ends; then until the room is done.
///
/// # Errors
/// A room that cannot go on. What was said is kept, and it is told where.
pub fn run(
    arguments: &ListenArguments,
    source: &mut Source,
    room: &mut dyn Room,
    stop: &Stop,
    screen: &mut Screen,
) -> anyhow::Result<Heard> {
    let mut course = Course::new(arguments, source);
    loop {
        if course.open {
            course.listen(source, room, stop, screen)?;
        } else if !course.finished && course.asked.elapsed() >= AGAIN {
            course.finish(room, screen);
        }
        // One wait a turn; then all that is there.
        let mut patience = TICK;
        while let Some(told) = room.told(patience) {
            patience = Duration::ZERO;
            match told {
                Told::Event(event) => course.show(event, screen)?,
                Told::Over(Ok(())) => {
                    screen.clear();
                    return Ok(course.heard);
                }
                Told::Over(Err(error)) => {
                    // What waits in memory belongs where the rest is kept.
                    course.finish(room, screen);
                    screen.clear();
                    if let Some(place) = room.kept_in() {
                        screen.notice(&format!("{} of sound are kept in {place}", course.length()));
                    }
                    return Err(error);
                }
            }
        }
        screen.status(&course.status(room));
    }
}

struct Course {
    format: Format,
    language: crate::note::compose::Language,
    rate: u64,
    channels: usize,
    /// Samples a channel after which it stops by itself.
    most: Option<u64>,
    heard: Heard,
    /// Sound still comes.
    open: bool,
    /// The room knows that no more comes.
    finished: bool,
    asked: Instant,
    /// Since Ctrl-C.
    stopping: Option<Instant>,
    meter: Meter,
    measured: Instant,
    level: Option<Level>,
    /// Samples a channel that the room has safe.
    safe: u64,
    shown: HashSet<u64>,
    connected: bool,
}

impl Course {
    fn new(arguments: &ListenArguments, source: &Source) -> Self {
        let rate = u64::from(source.rate());
        Self {
            format: arguments.format,
            language: arguments.lang.language(),
            rate,
            channels: usize::from(source.channels()).max(1),
            most: arguments.seconds.map(|seconds| u64::from(seconds) * rate),
            heard: Heard { samples: 0, losses: Losses::default(), peak: None, failure: None },
            open: true,
            finished: false,
            asked: Instant::now(),
            stopping: None,
            meter: Meter::default(),
            measured: Instant::now(),
            level: None,
            safe: 0,
            shown: HashSet::new(),
            connected: true,
        }
    }

    /// Takes what the source has to the room.
    fn listen(&mut self, source: &mut Source, room: &mut dyn Room, stop: &Stop, screen: &mut Screen) -> anyhow::Result<()> {
        let stopping = stop.asked().then(|| *self.stopping.get_or_insert_with(Instant::now));
        let mut samples = Vec::new();
        let read = source.read(&mut samples).unwrap_or_else(|error| {
            screen.notice(&explain(&error));
            self.heard.failure = Some(error);
            Read::End
        });
        let left = self.most.map_or(u64::MAX, |most| most - self.heard.samples);
        let taken = ((samples.len() / self.channels) as u64).min(left);
        samples.truncate(usize::try_from(taken).unwrap_or(usize::MAX).saturating_mul(self.channels));
        self.heard.samples += taken;
        self.measure(&samples);
        self.tell_losses(source.losses(), screen);
        if let Err(error) = room.push(&samples) {
            // Not kept any more: to go on would be to lose what is said.
            self.heard.failure = Some(error);
            self.open = false;
        }
        // What was said before Ctrl-C is in the piece that comes next.
        let stopped = stopping.is_some_and(|since| !source.is_live() || taken > 0 || since.elapsed() > LAST_PIECE);
        if read == Read::End || stopped || taken == left {
            self.open = false;
        }
        if !self.open {
            source.stop();
            self.finish(room, screen);
        }
        Ok(())
    }

    fn measure(&mut self, samples: &[i16]) {
        self.meter.push(samples);
        if self.measured.elapsed() >= METER || !self.open {
            self.measured = Instant::now();
            self.level = self.meter.take().or(self.level);
            if let Some(level) = self.level {
                self.heard.peak = Some(self.heard.peak.map_or(level.peak, |peak| peak.max(level.peak)));
            }
        }
    }

    fn tell_losses(&mut self, losses: Losses, screen: &mut Screen) {
        let at = self.length();
        let before = std::mem::replace(&mut self.heard.losses, losses);
        let milliseconds = |samples: u64| samples * 1000 / self.rate.max(1);
        if losses.overrun > before.overrun {
            let lost = losses.overrun - before.overrun;
            screen.notice(&format!("at {at}: this machine was too slow, {lost} samples ({} ms) are lost", milliseconds(lost)));
        }
        if losses.breaks > before.breaks || losses.broken > before.broken {
            let lost = losses.broken - before.broken;
            screen.notice(&format!(
                "at {at}: the sound system lost sound, {lost} samples ({} ms) by its clock",
                milliseconds(lost)
            ));
        }
    }

    fn finish(&mut self, room: &mut dyn Room, screen: &mut Screen) {
        self.asked = Instant::now();
        if self.finished {
            return;
        }
        match room.finish() {
            Ok(()) => {
                self.finished = true;
                self.open = false;
            }
            Err(error) => screen.notice(&format!("the end cannot be kept yet: {}; Ctrl-C leaves", explain(&error))),
        }
    }

    fn show(&mut self, event: Event, screen: &mut Screen) -> anyhow::Result<()> {
        match event {
            Event::Ready { samples, .. } => {
                self.safe = self.safe.max(samples);
                if !std::mem::replace(&mut self.connected, true) {
                    screen.notice("connected again");
                }
            }
            Event::Safe { samples } => self.safe = self.safe.max(samples),
            Event::Partial { stable, tentative, .. } => screen.partial(stable, tentative),
            Event::Final(segment) => {
                if self.shown.insert(segment.id) {
                    screen.segment(&segment)?;
                }
            }
            // It is shown when it is whole.
            Event::Note(_) => {}
            Event::End { transcript, note } => self.end(&transcript, *note, screen)?,
            Event::EndUnseen => screen.notice("the server has finished the recording; its words and note are there"),
            Event::Broken { reason, .. } => {
                if std::mem::replace(&mut self.connected, false) {
                    screen.notice(&format!("no connection: {reason}; what is said is kept here and sent later"));
                }
            }
            Event::Notice(line) => screen.notice(&line),
        }
        Ok(())
    }

    fn end(&mut self, transcript: &Transcript, mut note: Note, screen: &mut Screen) -> anyhow::Result<()> {
        for segment in &transcript.segments {
            if self.shown.insert(segment.id) {
                screen.segment(segment)?;
            }
        }
        screen.clear();
        note.sections = sections(&note, self.language);
        print(&match self.format {
            Format::Text => format!("\n{}", to_text(&note, transcript, self.language)),
            Format::Json => format!("{}\n{}\n", to_json(transcript)?, serde_json::to_string(&note)?),
        })
    }

    fn status(&self, room: &dyn Room) -> Status {
        let milliseconds = |samples: u64| samples * 1000 / self.rate.max(1);
        let trouble = if !self.connected {
            Some("no connection".to_owned())
        } else if self.open {
            None
        } else {
            Some("finishing".to_owned())
        };
        Status {
            heard_ms: milliseconds(self.heard.samples),
            level: self.level,
            closed: !self.open,
            behind_ms: milliseconds(self.heard.samples.saturating_sub(self.safe)),
            losses: self.heard.losses,
            trouble: room.trouble().or(trouble),
        }
    }

    fn length(&self) -> String {
        clock(self.heard.samples * 1000 / self.rate.max(1))
    }
}

/// Says on standard error what was heard, and gives the exit code.
///
/// # Errors
/// The failure that ended the sound, if one did.
pub fn report(heard: Heard, source: &Source) -> anyhow::Result<ExitCode> {
    let Heard { samples, losses, peak, failure } = heard;
    let seconds = samples as f64 / f64::from(source.rate().max(1));
    let peak = peak.map_or_else(|| "no sound".to_owned(), |peak| format!("loudest {peak:.1} dB"));
    eprintln!(
        "cantoscribe: heard {seconds:.2} s ({samples} samples a channel, {} Hz, {} channels), {peak}, {} samples lost",
        source.rate(),
        source.channels(),
        losses.samples()
    );
    match failure {
        Some(error) => Err(anyhow!("the sound ended early: {}", explain(&error))),
        None => Ok(ExitCode::SUCCESS),
    }
}
