//! Stable text on real clips: how much of it a final changes, and how much there is before the endpoint.
//!
//! A room in virtual time: the sound comes as it is spoken, each decode takes as long as a fixed model says, and only its text is
//! real. So the figures are the same on every machine. `CANTOSCRIBE_ALL_CLIPS=1` measures all clips, at several speeds, and prints a
//! table.

use std::collections::HashMap;

use cantoscribe::audio::SampleIndex;
use cantoscribe::speech::endpoint::EndpointSettings;
use cantoscribe::speech::guard::{Guard, glimpse, recognise};
use cantoscribe::speech::model::{self, DecodeOptions, Hypothesis, Language, LoadOptions, Recognizer};
use cantoscribe::speech::script::HongKongScript;
use cantoscribe::speech::{Agreement, AgreementSettings, HeardUtterance, Segmenter};
use libtest_mimic::Trial;

use crate::signals::{Noise, clip, clips};
use crate::{Need, guarded, model_dir, vad};

const SECOND: f64 = 16_000.0;
/// Samples that come at once.
const CHUNK: usize = 1_600;
/// When a room looks at an utterance that grows, as `room::channel` has it: what there must be of it, how much more than at the last
/// look, and the silence after which it waits for the whole.
const LEAST: u64 = 9_600;
const MORE: u64 = 4_000;
const SILENCE: u64 = 1_600;
/// The part of a pause after which what is foreseen is stable.
const PAUSE_TOLD: f64 = 0.8;
/// An utterance is long when it has more samples.
const LONG: u64 = 64_000;

pub fn tests() -> Vec<Trial> {
    let needs = [Need::Model("silero-vad"), Need::Model("whisper-base"), Need::Shared("audio/manifest.tsv")];
    vec![guarded("stable_text_is_seldom_changed_and_a_longer_pause_gives_more_of_it", &needs, bounds)]
}

/// How long a decode takes: seconds, and seconds for each second of its audio.
#[derive(Clone, Copy)]
struct Cost(f64, f64);

impl Cost {
    fn of(self, samples: usize) -> f64 {
        self.0 + self.1 * samples as f64 / SECOND
    }
}

/// One language's model and all that was decoded with it: a text depends on its audio alone.
struct Ear<'a> {
    model: &'a dyn Recognizer,
    script: &'a HongKongScript,
    options: DecodeOptions,
    glimpsed: HashMap<Vec<u32>, Option<Hypothesis>>,
    heard: HashMap<Vec<u32>, Hypothesis>,
}

impl Ear<'_> {
    fn glimpse(&mut self, samples: &[f32]) -> Option<Hypothesis> {
        let Self { model, script, options, glimpsed, .. } = self;
        let look = || glimpse(*model, samples, options, &Guard::default(), &|| false).unwrap();
        glimpsed.entry(key(samples)).or_insert_with(|| look().map(|heard| script.convert_hypothesis(heard))).clone()
    }

    fn hear(&mut self, samples: &[f32]) -> Hypothesis {
        let Self { model, script, options, heard, .. } = self;
        let hear = || script.convert_hypothesis(recognise(*model, samples, options, &Guard::default()).unwrap());
        heard.entry(key(samples)).or_insert_with(hear).clone()
    }
}

fn key(samples: &[f32]) -> Vec<u32> {
    samples.iter().map(|sample| sample.to_bits()).collect()
}

/// Start and end of the audio of a look, and whether it is all of the utterance as it stands.
type Place = (SampleIndex, SampleIndex, bool);

/// A decode under way.
struct Job {
    due: f64,
    place: Place,
    hypothesis: Option<Hypothesis>,
}

#[derive(Default)]
struct Figures {
    stable: usize,
    /// Edits that make stable text the beginning of its final that is most like it.
    edits: usize,
    /// Stable characters that are not those of the final at the same place.
    elsewhere: usize,
    /// Characters of long utterances' finals, and how many as stable text had before the endpoint.
    long: usize,
    long_stable: usize,
    /// Seconds from a character's word's end until it was stable.
    delays: Vec<f64>,
}

impl Figures {
    fn changed(&self) -> f64 {
        100.0 * self.edits as f64 / self.stable as f64
    }

    fn before_endpoint(&self) -> f64 {
        100.0 * self.long_stable as f64 / self.long as f64
    }

    fn add(&mut self, heard: &HeardUtterance, last: &Hypothesis, stable: &[(char, f64)]) {
        let text: Vec<char> = last.text.reveal().chars().collect();
        let shown: Vec<char> = stable.iter().map(|(c, _)| *c).collect();
        let edits = edits(&shown, &text);
        self.stable += shown.len();
        self.edits += edits;
        self.elsewhere += shown.iter().enumerate().filter(|(index, c)| text.get(*index) != Some(*c)).count();
        if heard.utterance.end.0 - heard.utterance.start.0 > LONG {
            self.long += text.len();
            self.long_stable += shown.len().saturating_sub(edits).min(text.len());
        }
        let start = heard.utterance.start.0 as f64 / SECOND;
        self.delays.extend(stable.iter().zip(word_ends(last)).map(|((_, at), end)| at - start - end as f64 / SECOND));
    }

    fn median_delay(&self) -> f64 {
        let mut delays = self.delays.clone();
        delays.sort_by(f64::total_cmp);
        delays.get(delays.len() / 2).copied().unwrap_or_default()
    }
}

/// For each character of the text, where its word ends.
fn word_ends(hypothesis: &Hypothesis) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut rest = hypothesis.text.reveal();
    for word in &hypothesis.words {
        let Some(at) = rest.find(word.text.reveal()) else { continue };
        let after = at + word.text.reveal().len();
        ends.extend(rest[..after].chars().map(|_| word.samples.end));
        rest = &rest[after..];
    }
    ends
}

/// Fewest edits from `stable` to any beginning of `text`.
fn edits(stable: &[char], text: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=text.len()).collect();
    for (i, x) in stable.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in text.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (above + 1).min(row[j] + 1).min(diagonal + usize::from(x != y));
            diagonal = above;
        }
    }
    row.into_iter().min().unwrap()
}

/// Streams one clip and the silence after it through a room that decodes one thing at a time.
fn stream(ear: &mut Ear<'_>, samples: &[f32], (pause_ms, cost): (u32, Cost), figures: &mut Figures) {
    let mut noise = Noise::new(1);
    let mut room = samples.to_vec();
    room.extend((0..2 * 16_000).map(|_| 3e-4 * noise.next()));
    let mut segmenter =
        Segmenter::new(Box::new(vad::detector()), EndpointSettings { pause_ms, ..EndpointSettings::default() }).unwrap();
    let mut agreement = Agreement::new(AgreementSettings::default());
    let (mut job, mut free_at, mut looked_at): (Option<Job>, f64, Option<Place>) = (None, 0.0, None);
    let mut foreseen: Option<(Place, Hypothesis)> = None;
    let mut stable: Vec<(char, f64)> = Vec::new();
    for chunk in room.chunks(CHUNK) {
        let ended = segmenter.push(chunk).unwrap();
        let position = segmenter.position().0;
        let now = position as f64 / SECOND;
        if let Some(Job { place, hypothesis: Some(hypothesis), .. }) = job.take_if(|job| job.due <= now) {
            agreement.update(&hypothesis, (place.1.0 - place.0.0) as usize);
            foreseen = place.2.then_some((place, hypothesis));
        }
        let growing = segmenter.growing();
        let silence = growing.as_ref().map_or(0, |growing| position.saturating_sub(growing.speech_end.0));
        let place = growing.as_ref().map(|growing| (growing.start, growing.end, growing.complete));
        if silence as f64 * 1_000.0 / SECOND >= PAUSE_TOLD * f64::from(pause_ms)
            && let Some((_, hypothesis)) = foreseen.take_if(|(foreseen, _)| Some(*foreseen) == place)
        {
            agreement.complete(&hypothesis);
        }
        let new: Vec<char> = agreement.stable().reveal().chars().skip(stable.len()).collect();
        stable.extend(new.into_iter().map(|c| (c, now)));
        for heard in ended {
            let last = ear.hear(&heard.samples);
            figures.add(&heard, &last, &stable);
            agreement = Agreement::new(AgreementSettings::default());
            stable.clear();
            free_at = now + cost.of(heard.samples.len());
            (job, foreseen) = (None, None);
        }
        let (Some(growing), Some(place)) = (growing, place) else { continue };
        // What is complete comes first: a glimpse under way is given up for it. So is a would-be final once somebody speaks on.
        job.take_if(|job| job.place.2 != growing.complete);
        let seen = looked_at.filter(|looked| looked.0 == place.0).map_or(0, |looked| looked.1.0 - looked.0.0);
        let worth = growing.complete || place.1.0 - place.0.0 >= LEAST.max(seen + MORE) && silence < SILENCE;
        if worth && job.is_none() && now >= free_at && looked_at != Some(place) {
            looked_at = Some(place);
            let hypothesis = if growing.complete { Some(ear.hear(growing.samples)) } else { ear.glimpse(growing.samples) };
            job = Some(Job { due: now + cost.of(growing.samples.len()), place, hypothesis });
        }
    }
}

fn measure(languages: &[(Language, Vec<String>)], rooms: &[(u32, Cost)]) -> Vec<Figures> {
    let model = model::load(&model_dir("whisper-base"), &LoadOptions::default()).unwrap();
    let script = HongKongScript::load().unwrap();
    let mut all: Vec<Figures> = rooms.iter().map(|_| Figures::default()).collect();
    for (language, names) in languages {
        let options = DecodeOptions { language: Some(*language), ..DecodeOptions::default() };
        for name in names {
            let mut ear = Ear {
                model: model.as_ref(),
                script: &script,
                options: options.clone(),
                glimpsed: HashMap::new(),
                heard: HashMap::new(),
            };
            let samples = clip(name);
            for (room, figures) in rooms.iter().zip(&mut all) {
                stream(&mut ear, &samples, *room, figures);
            }
        }
    }
    for ((pause_ms, Cost(fixed, each)), figures) in rooms.iter().zip(&all) {
        println!(
            "pause {pause_ms} ms, {fixed:.2} s + {each:.2} s a second: {} stable characters, {:.1}% changed ({} elsewhere); {:.1}% of {} before the endpoint; {:.2} s",
            figures.stable,
            figures.changed(),
            figures.elsewhere,
            figures.before_endpoint(),
            figures.long,
            figures.median_delay(),
        );
    }
    all
}

/// Few stable characters are changed, and at the default pause half of them are there before the endpoint, where decodes take as long as
/// those of the fused operators on two cores; the slower ones show what a slower machine would.
fn bounds() {
    let all = std::env::var_os("CANTOSCRIBE_ALL_CLIPS").is_some();
    let chosen = |language: Language, step: usize| {
        let names = clips(language.code());
        (language, names.into_iter().step_by(if all { 1 } else { step }).collect::<Vec<String>>())
    };
    let languages = [chosen(Language::Cantonese, 16), chosen(Language::Mandarin, 8), chosen(Language::English, 6)];
    let costs = [Cost(0.02, 0.01), Cost(0.05, 0.11), Cost(0.15, 0.1), Cost(0.25, 0.1), Cost(0.4, 0.1)];
    let pauses = [EndpointSettings::default().pause_ms, 1280];
    let rooms: Vec<(u32, Cost)> =
        costs.iter().take(if all { 5 } else { 1 }).flat_map(|cost| pauses.map(|ms| (ms, *cost))).collect();
    let figures = measure(&languages, &rooms);
    for figures in figures.iter().take(2) {
        assert!(figures.stable > 50 && figures.long > 50);
        assert!(figures.changed() < 2.0, "{:.1}% of stable characters changed", figures.changed());
    }
    for figures in figures.iter().take(2) {
        assert!(figures.before_endpoint() >= 50.0, "{:.1}% stable before the endpoint", figures.before_endpoint());
    }
}
