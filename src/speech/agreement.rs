//! Stable text: what of a growing utterance's text can be shown as settled before the utterance has ended.
//!
//! Each hypothesis hears a little more than the one before it and differs at its end, now and then in its middle. A character is
//! settled once all hypotheses for a while have had it, and all before it, and the model believes it. When the utterance's speech
//! has surely ended, and all of its audio is there, its would-be final settles the rest.

use super::model::Hypothesis;
use crate::text::PatientText;

/// When a character is settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AgreementSettings {
    /// So many samples of speech must have been heard since a hypothesis first had it, and each hypothesis since. More is surer and
    /// later. At least two hypotheses agree, whatever this is.
    pub agreed_for: usize,
    /// Its word must be at least so probable, 0 to 1.
    pub probability: f32,
    /// A word that ends later than so many samples after the utterance's start is not settled by agreement: should the utterance
    /// grow too long, it is cut somewhere after that, and the word may be another utterance's.
    pub surely_within: usize,
}

impl Default for AgreementSettings {
    /// Chosen on the clips of `audio/`, with Whisper base in `balanced`: with 9 600 samples, finals change a fourth more of it, and it is
    /// there 0.1 s sooner; 20 s as [`super::endpoint::EndpointSettings`] cuts by default.
    fn default() -> Self {
        Self { agreed_for: 12_800, probability: 0.5, surely_within: 320_000 }
    }
}

/// The text of one utterance while it grows. What is stable only ever grows by appending.
#[derive(Debug)]
pub struct Agreement {
    settings: AgreementSettings,
    stable: PatientText,
    tentative: PatientText,
    /// The last hypothesis, and for each character of it how much had been heard when it was first there.
    last: PatientText,
    since: Vec<usize>,
}

/// What is known of one character of a hypothesis.
#[derive(Clone, Copy)]
struct Place {
    probability: f32,
    /// Samples from the utterance's start to the end of its word.
    end: usize,
}

impl Agreement {
    /// Of an utterance that begins.
    #[must_use]
    pub fn new(settings: AgreementSettings) -> Self {
        let nothing = PatientText::default;
        Self { settings, stable: nothing(), tentative: nothing(), last: nothing(), since: Vec::new() }
    }

    /// Takes the next hypothesis, of the utterance's first `heard` samples, its words timed and its script converted. One that the
    /// guards refused is left out.
    pub fn update(&mut self, hypothesis: &Hypothesis, heard: usize) {
        let text: Vec<char> = hypothesis.text.reveal().chars().collect();
        let agreed = self.last.reveal().chars().zip(&text).take_while(|(earlier, now)| earlier == *now).count();
        self.since.truncate(agreed);
        self.since.resize(text.len(), heard);
        self.last = hypothesis.text.clone();
        let places = places(&text, hypothesis, heard);
        let settled =
            self.since.iter().zip(&places).take_while(|(since, place)| self.is_settled(**since, **place, heard)).count();
        let settled = whole_words(&text, settled);
        self.append(&text, settled);
    }

    /// Takes the hypothesis of the utterance's whole audio, as its final would be: all of it is stable.
    pub fn complete(&mut self, hypothesis: &Hypothesis) {
        let text: Vec<char> = hypothesis.text.reveal().chars().collect();
        self.append(&text, text.len());
    }

    /// What is settled so far.
    #[must_use]
    pub fn stable(&self) -> &PatientText {
        &self.stable
    }

    /// What the last hypothesis has after that.
    #[must_use]
    pub fn tentative(&self) -> &PatientText {
        &self.tentative
    }

    fn is_settled(&self, since: usize, place: Place, heard: usize) -> bool {
        since < heard
            && heard - since >= self.settings.agreed_for
            && place.probability >= self.settings.probability
            && place.end <= self.settings.surely_within
    }

    /// Appends what of the first `settled` characters comes after what is stable; the rest of the text is tentative.
    fn append(&mut self, text: &[char], settled: usize) {
        let stable: Vec<char> = self.stable.reveal().chars().collect();
        let (edits, at) = if text.starts_with(&stable) { (0, stable.len()) } else { most_alike(&stable, text) };
        // Where hypothesis and stable text have little in common, nothing tells where one goes on from the other.
        let end = if edits * 3 <= stable.len().max(3) { settled.max(at) } else { at };
        let new: String = text.get(at..end).unwrap_or_default().iter().collect();
        if !new.is_empty() {
            self.stable = PatientText::from(format!("{}{new}", self.stable.reveal()));
        }
        self.tentative = PatientText::from(text.get(end..).unwrap_or_default().iter().collect::<String>());
    }
}

/// Probability and end of the word of each character; white space goes with the word before it.
fn places(text: &[char], hypothesis: &Hypothesis, heard: usize) -> Vec<Place> {
    let mut places = Vec::with_capacity(text.len());
    let untimed = Place { probability: 1.0, end: if hypothesis.words.is_empty() { heard } else { 0 } };
    for word in &hypothesis.words {
        let characters: Vec<char> = word.text.reveal().chars().collect();
        let rest = text.get(places.len()..).unwrap_or_default();
        let Some(gap) = rest.windows(characters.len().max(1)).position(|window| window == characters) else { continue };
        let before = places.last().copied().unwrap_or(untimed);
        places.extend(std::iter::repeat_n(before, gap));
        let place = Place { probability: word.probability, end: word.samples.end };
        places.extend(std::iter::repeat_n(place, characters.len()));
    }
    let last = places.last().copied().unwrap_or(untimed);
    places.resize(text.len(), last);
    places
}

/// `settled`, or less: no word of letters or digits is cut, nor a space or a mark left at the end, for the model ends every
/// hypothesis with one.
fn whole_words(text: &[char], settled: usize) -> usize {
    let is_letter = |index: usize| text.get(index).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '\'');
    let mut settled = settled;
    while settled > 0 && is_letter(settled - 1) && is_letter(settled) {
        settled -= 1;
    }
    while settled > 0 && text.get(settled - 1).is_some_and(|c| !c.is_alphanumeric()) {
        settled -= 1;
    }
    settled
}

/// Edits from `stable` to that beginning of `text` which is most like it, and where that ends; the longest of equals.
fn most_alike(stable: &[char], text: &[char]) -> (usize, usize) {
    let mut row: Vec<usize> = (0..=text.len()).collect();
    for (index, wanted) in stable.iter().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        let mut cells = row.iter_mut();
        if let Some(first) = cells.next() {
            *first = left;
        }
        for (cell, found) in cells.zip(text) {
            let best = (*cell + 1).min(left + 1).min(diagonal + usize::from(wanted != found));
            diagonal = *cell;
            *cell = best;
            left = best;
        }
    }
    row.into_iter()
        .enumerate()
        .map(|(end, edits)| (edits, end))
        .min_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)))
        .unwrap_or((0, 0))
}

#[cfg(test)]
mod tests;
