//! The thread of a room: from records of the spool to finals in the store.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::channel::{Channel, Range};
use super::mailbox::{Envelope, Letter, Mail, Mailbox};
use super::view::{End, Partial, View};
use super::words::MOST_WORDS;
use super::{RoomError, Safe};
use crate::audio::{Mixing, StreamDecoder};
use crate::engine::{Engine, Glimpse, Manner, Outcome, RoomNumber};
use crate::note::compose::{self, sections};
use crate::note::{Note, extract};
use crate::speech::bias::WordList;
use crate::speech::model::{DecodeOptions, Hypothesis, Language};
use crate::speech::segmenter::HeardUtterance;
use crate::speech::session::segment;
use crate::speech::transcript::TRANSCRIPT_SCHEMA;
use crate::speech::{AudioIdentity, Segment, Transcript, Writing};
use crate::spool::{Record, RecordKind, SpoolReader};
use crate::store::{Recording, Store};
use crate::terminology::Lexicon;
use crate::text::PatientText;

/// Samples of 16 kHz that each channel hears before the next one does: what orders the utterances of several channels is then the
/// audio and not the chunks it came in. A frame of the voice detector.
const BLOCK: usize = 512;
/// While a spool is replayed the note is made this often.
const NOTE_INTERVAL: Duration = Duration::from_secs(1);

/// Channel, first sample, one past the last: what tells an utterance from others of its recording.
type Key = (u16, u64, u64);

/// A look that was asked for and not answered.
struct Asked {
    ticket: u64,
    channel: usize,
    range: Range,
    glimpse: Glimpse,
}

/// How a room's thread ended.
pub(super) enum Ended {
    /// Both documents are in the store.
    Finished,
    /// It was told to stop; the recording can be heard again later.
    Stopped,
}

/// Everything a room knows.
pub(super) struct Listener {
    pub(super) mailbox: Arc<Mailbox>,
    number: RoomNumber,
    engine: Arc<Engine>,
    store: Store,
    runtime: Handle,
    lexicon: Arc<Lexicon>,
    recording: Recording,
    words: Vec<PatientText>,
    options: DecodeOptions,
    writing: Arc<Writing>,
    decoder: StreamDecoder,
    channels: Vec<Channel>,
    /// Samples a channel that are not yet a block.
    rest: Vec<Vec<f32>>,
    /// Finals of an earlier life of this room.
    known: HashMap<Key, Option<Segment>>,
    transcript: Transcript,
    /// What the note has read of the transcript: all of it.
    talk: extract::Talk,
    hasher: Sha256,
    /// Samples a channel read from the spool, at its own rate.
    samples: u64,
    asked: Option<Asked>,
    tickets: u64,
    note_stale: bool,
    note_made: Option<Instant>,
    view: watch::Sender<View>,
}

impl Listener {
    pub fn new(
        setup: super::Setup,
        mailbox: Arc<Mailbox>,
        known: Vec<crate::store::StoredFinal>,
        view: watch::Sender<View>,
    ) -> Result<Self, RoomError> {
        let super::Setup { engine, store, runtime, lexicon, recording, words } = setup;
        let named = !recording.speakers.is_empty();
        let decoder = StreamDecoder::new(recording.format, if named { Mixing::Separate } else { Mixing::Mono })?;
        let count = if named { usize::from(recording.format.channels()) } else { 1 };
        let mut channels = Vec::with_capacity(count);
        for index in 0..count {
            let speaker = recording.speakers.get(index).cloned();
            channels.push(Channel::new(speaker, engine.detector(), engine.models().endpoint.clone())?);
        }
        let language: Option<Language> = recording.language.parse().ok();
        let transcript = Transcript {
            schema: TRANSCRIPT_SCHEMA.to_owned(),
            language: recording.language.clone(),
            model: Some(engine.models().identity.clone()),
            audio: None,
            segments: Vec::new(),
        };
        view.send_modify(|view| view.partials = vec![None; count]);
        Ok(Self {
            mailbox,
            number: RoomNumber::next(),
            words,
            options: engine.options(language),
            writing: Arc::clone(&engine.models().writing),
            engine,
            store,
            runtime,
            lexicon,
            recording,
            decoder,
            channels,
            rest: vec![Vec::new(); count],
            known: known.into_iter().map(|stored| ((stored.channel, stored.start, stored.end), stored.segment)).collect(),
            transcript,
            talk: extract::Talk::default(),
            hasher: Sha256::new(),
            samples: 0,
            asked: None,
            tickets: 0,
            note_stale: false,
            note_made: None,
            view,
        })
    }

    /// Raises the words that are expected in this recording, where the model takes any.
    pub fn expect(&mut self) -> Result<(), RoomError> {
        let models = self.engine.models();
        let words = std::mem::take(&mut self.words);
        let names = words.iter().map(PatientText::reveal);
        let list = WordList::of_names(names, MOST_WORDS, models.writing.script());
        let Some(list) = list.filter(|_| models.recognizer.capabilities().word_list) else { return Ok(()) };
        let options = self.options.clone();
        let manner = Manner { options, writing: Arc::clone(&self.writing), endpoint: models.endpoint.clone() };
        let Manner { options, writing, .. } = models.raising(&list, manner)?;
        (self.options, self.writing) = (options, writing);
        Ok(())
    }

    /// Reads the spool to its end, and on as it grows.
    pub fn run(&mut self, mut spool: SpoolReader, safe: &watch::Receiver<Safe>) -> Result<Ended, RoomError> {
        loop {
            if self.mailbox.stopped() {
                return Ok(Ended::Stopped);
            }
            // What is not synced yet could still be taken back.
            let synced = safe.borrow().bytes;
            match spool.next_before(synced)? {
                Some(record) => {
                    if self.take(&record)? {
                        return Ok(Ended::Finished);
                    }
                    if let Some(letter) = self.mailbox.letter() {
                        self.open(letter)?;
                    }
                    if self.note_made.is_none_or(|made| made.elapsed() >= NOTE_INTERVAL) {
                        self.make_note();
                    }
                }
                None => {
                    self.make_note();
                    self.look()?;
                    match self.mailbox.wait() {
                        Mail::Stop => return Ok(Ended::Stopped),
                        Mail::Letter(letter) => self.open(letter)?,
                        Mail::Grown => {}
                    }
                }
            }
        }
    }

    /// Hears one record; true when it was the last.
    fn take(&mut self, record: &Record) -> Result<bool, RoomError> {
        match record.kind {
            RecordKind::Audio => {
                self.samples = record.start + record.samples;
                for frame in record.frames() {
                    self.hasher.update(frame);
                    let heard = self.decoder.push(frame)?;
                    self.hear(heard, false)?;
                }
            }
            RecordKind::Break | RecordKind::Finish => {
                let heard = self.decoder.finish()?;
                self.hear(heard, true)?;
                for index in 0..self.channels.len() {
                    let ended = self.channels.get_mut(index).map(Channel::finish).transpose()?.unwrap_or_default();
                    self.conclude_all(index, ended)?;
                }
            }
        }
        // A room that was told to stop has left utterances out: it must not call its documents whole.
        let whole = record.kind == RecordKind::Finish && !self.mailbox.stopped();
        if whole {
            self.finish()?;
        }
        Ok(whole)
    }

    /// Gives the samples to the channels block by block; `all` of them where the take ends here.
    fn hear(&mut self, heard: Vec<Vec<f32>>, all: bool) -> Result<(), RoomError> {
        for (rest, samples) in self.rest.iter_mut().zip(heard) {
            rest.extend(samples);
        }
        loop {
            let waiting = self.rest.iter().map(Vec::len).max().unwrap_or_default();
            if waiting == 0 || waiting < BLOCK && !all {
                return Ok(());
            }
            for index in 0..self.channels.len() {
                let Some(rest) = self.rest.get_mut(index) else { continue };
                let block: Vec<f32> = rest.drain(..BLOCK.min(rest.len())).collect();
                let Some(channel) = self.channels.get_mut(index) else { continue };
                let ended = channel.push(&block)?;
                if channel.settle() {
                    self.show(index);
                }
                self.conclude_all(index, ended)?;
            }
        }
    }

    fn conclude_all(&mut self, channel: usize, ended: Vec<HeardUtterance>) -> Result<(), RoomError> {
        ended.into_iter().try_for_each(|utterance| self.conclude(channel, utterance))
    }

    /// An utterance has ended: its final goes into the store, then into the view.
    fn conclude(&mut self, index: usize, ended: HeardUtterance) -> Result<(), RoomError> {
        let HeardUtterance { utterance, samples } = ended;
        let number = u16::try_from(index).unwrap_or(u16::MAX);
        let key = (number, utterance.start.0, utterance.end.0);
        let range = Range { start: utterance.start, end: utterance.end };
        let foreseen = self.foreseen(index, range)?;
        if self.mailbox.stopped() {
            return Ok(());
        }
        let segment = match self.known.remove(&key) {
            Some(known) => known,
            None => {
                let heard = match foreseen {
                    Some(heard) => heard,
                    None => {
                        self.engine.forget(self.number);
                        self.engine.hear(self.number, samples, self.options.clone())?
                    }
                };
                let id = self.transcript.segments.len() as u64;
                let speaker = self.channels.get(index).and_then(|channel| channel.speaker.as_deref());
                let heard = self.writing.finished(heard);
                let segment = (!heard.text.is_blank()).then(|| segment(id, speaker, utterance, heard));
                let (id, start, end) = (&self.recording.id, utterance.start.0, utterance.end.0);
                self.runtime.block_on(self.store.add_final(id, number, start, end, segment.as_ref()))?;
                segment
            }
        };
        let end_ms = utterance.end.milliseconds();
        self.view.send_modify(|view| {
            if let Some(place) = view.partials.get_mut(index) {
                // Words that were shown and have no final: nothing is being said after them, and whoever shows them is told so.
                *place = place.take().filter(|shown| segment.is_none() && !shown.is_blank()).map(|shown| shown.emptied(end_ms));
            }
            view.finals.extend(segment.clone().map(Arc::new));
            view.utterances += 1;
        });
        self.note_stale |= segment.is_some();
        segment.iter().for_each(|segment| self.talk.push(segment, &self.lexicon));
        self.transcript.segments.extend(segment);
        Ok(())
    }

    /// The hypothesis of exactly this audio, where a look has given it or is about to.
    fn foreseen(&mut self, index: usize, range: Range) -> Result<Option<Hypothesis>, RoomError> {
        let same = |asked: &Asked| asked.channel == index && asked.range == range && asked.glimpse == Glimpse::Complete;
        let pending = self.asked.take_if(|asked| same(asked));
        // A look at other audio of this channel is of no use any more.
        self.asked.take_if(|asked| asked.channel == index);
        let seen = self.channels.get_mut(index).and_then(|channel| channel.conclude(range));
        let Some(asked) = pending else { return Ok(seen) };
        self.engine.promote(self.number);
        match self.mailbox.wait_for(asked.ticket) {
            Some(Outcome::Heard(heard)) => Ok(Some(heard)),
            Some(Outcome::Failed(error)) => Err(error.into()),
            Some(Outcome::Nothing) | None => Ok(seen),
        }
    }

    /// Asks for the look that is most worth it, if none is out, or if it is at a complete utterance.
    fn look(&mut self) -> Result<(), RoomError> {
        let looks = self.channels.iter().enumerate().filter_map(|(index, channel)| Some((index, channel.look()?)));
        let Some((channel, look)) = looks.max_by_key(|(_, look)| look.glimpse == Glimpse::Complete) else { return Ok(()) };
        match &self.asked {
            Some(asked) if look.glimpse == Glimpse::Growing || asked.glimpse == Glimpse::Complete => return Ok(()),
            // The complete utterance tells more than one that was still growing.
            Some(_) => self.engine.forget(self.number),
            None => {}
        }
        self.tickets += 1;
        let envelope = Envelope::new(Arc::clone(&self.mailbox), self.tickets);
        self.asked = Some(Asked { ticket: self.tickets, channel, range: look.range, glimpse: look.glimpse });
        if let Some(channel) = self.channels.get_mut(channel) {
            channel.asked(look.range, look.glimpse);
        }
        let reply = move |outcome| envelope.send(outcome);
        let options = DecodeOptions { begun: look.begun, ..self.options.clone() };
        Ok(self.engine.glimpse(self.number, look.samples, options, look.glimpse, reply)?)
    }

    fn open(&mut self, letter: Letter) -> Result<(), RoomError> {
        match self.asked.take_if(|asked| asked.ticket == letter.ticket) {
            Some(asked) => self.answer(&asked, letter.outcome),
            None => Ok(()),
        }
    }

    /// Takes what a look gave and shows it.
    fn answer(&mut self, asked: &Asked, outcome: Outcome) -> Result<(), RoomError> {
        // That alone wakes nobody.
        self.view.send_if_modified(|view| {
            view.looks += 1;
            false
        });
        let heard = match outcome {
            Outcome::Heard(heard) => heard,
            Outcome::Nothing => return Ok(()),
            Outcome::Failed(error) => return Err(error.into()),
        };
        let shown = self.writing.growing(heard.clone());
        let Some(channel) = self.channels.get_mut(asked.channel) else { return Ok(()) };
        if channel.saw(asked.range, asked.glimpse, &shown, heard) {
            self.show(asked.channel);
        }
        Ok(())
    }

    /// Shows what the utterance of a channel has come to.
    fn show(&mut self, index: usize) {
        let Some(channel) = self.channels.get(index) else { return };
        let partial = channel.shown().map(|(start, agreement)| Partial {
            start_ms: start.milliseconds(),
            speaker: channel.speaker.clone(),
            stable: agreement.stable().clone(),
            tentative: agreement.tentative().clone(),
        });
        self.view.send_if_modified(|view| match view.partials.get_mut(index) {
            Some(place) if *place != partial => {
                *place = partial;
                true
            }
            _ => false,
        });
    }

    /// The note of everything heard so far, where that has changed.
    fn make_note(&mut self) {
        if !std::mem::take(&mut self.note_stale) {
            return;
        }
        let note = (self.transcript.segments.len(), Arc::new(self.note()));
        self.note_made = Some(Instant::now());
        self.view.send_modify(|view| view.note = Some(note));
    }

    fn note(&self) -> Note {
        let mut note = self.talk.note(Some(self.engine.models().identity.name.clone()), &self.lexicon);
        note.made_by.precision = Some(self.engine.models().precision.to_owned());
        note.sections = sections(&note, compose::Language::English);
        note
    }

    /// The recording is over: both documents go into the store, then into the view.
    fn finish(&mut self) -> Result<(), RoomError> {
        let rate = u64::from(self.recording.format.rate());
        let digest = std::mem::take(&mut self.hasher).finalize();
        self.transcript.audio = Some(AudioIdentity {
            duration_ms: self.samples.saturating_mul(1000) / rate.max(1),
            sha256: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        });
        let note = self.note();
        self.runtime.block_on(self.store.finish(&self.recording.id, &self.transcript, &note))?;
        let end = Arc::new(End { transcript: self.transcript.clone(), note });
        self.view.send_modify(|view| {
            view.note = Some((view.finals.len(), Arc::new(end.note.clone())));
            view.end = Some(end);
        });
        Ok(())
    }
}
