//! What is told of an item before its text is whole: what its text will most likely begin with, while it is still being said.
//!
//! Deltas are only ever appended to. What `completed` says is the text, as with OpenAI: where hearing the whole utterance gave other words
//! than those told before, it takes their place, and no further delta comes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use super::protocol::ServerEvent;
use crate::audio::SampleIndex;
use crate::engine::{Engine, EngineError, Glimpse, Outcome, RoomNumber};
use crate::speech::model::DecodeOptions;
use crate::speech::{Agreement, AgreementSettings, Growing, Writing, looks};
use crate::text::PatientText;

/// The deltas of one item.
pub(super) struct Deltas {
    item: String,
    tells: UnboundedSender<ServerEvent>,
    writing: Arc<Writing>,
    state: Mutex<State>,
}

struct State {
    agreement: Agreement,
    /// All deltas so far.
    told: String,
    /// A look was asked for and not answered.
    asking: bool,
    /// Nothing more is told before the text is whole.
    over: bool,
    /// Samples that the last look heard.
    seen: u64,
    /// What the next look may go on from.
    begun: Vec<(u32, f32)>,
}

impl Deltas {
    /// Of an item that begins.
    pub fn new(item: String, settings: AgreementSettings, writing: Arc<Writing>, tells: UnboundedSender<ServerEvent>) -> Self {
        let agreement = Agreement::new(settings);
        let state = State { agreement, told: String::new(), asking: false, over: false, seen: 0, begun: Vec::new() };
        Self { item, tells, writing, state: Mutex::new(state) }
    }

    /// Asks for a look at the item's utterance, where one is due and none is out.
    ///
    /// # Errors
    /// As [`Engine::glimpse`].
    pub fn look(
        self: &Arc<Self>,
        engine: &Engine,
        room: RoomNumber,
        (growing, position): (&Growing<'_>, SampleIndex),
        options: &DecodeOptions,
    ) -> Result<(), EngineError> {
        let begun = {
            let mut state = self.lock();
            if state.asking || state.over || !looks::is_due(growing, position, state.seen) {
                return Ok(());
            }
            (state.asking, state.seen) = (true, growing.samples.len() as u64);
            // Should nothing come of it, the one after it hears all anew.
            std::mem::take(&mut state.begun)
        };
        // Words' times say how far a word is from the end.
        let options = DecodeOptions { begun, word_times: true, ..options.clone() };
        let (told, samples) = (Arc::clone(self), growing.samples.len());
        engine.glimpse(room, growing.samples.to_vec(), options, Glimpse::Growing, move |outcome| told.saw(outcome, samples))
    }

    fn saw(&self, outcome: Outcome, samples: usize) {
        let mut state = self.lock();
        state.asking = false;
        // A look that gave nothing says nothing; a model that failed fails on the whole utterance, too, and is told then.
        let Outcome::Heard(heard) = outcome else { return };
        if state.over {
            return;
        }
        state.agreement.update(&self.writing.growing(heard.clone()), samples);
        state.begun = looks::begun(heard, samples);
        let stable = state.agreement.stable().clone();
        if self.writing.keeps(&stable) {
            self.tell(&mut state, stable.reveal());
        }
    }

    /// The item is forgotten, or cannot be heard.
    pub fn end(&self) {
        self.lock().over = true;
    }

    /// The item's whole text is known: tells what it has beyond the deltas, where they are its beginning.
    pub fn complete(&self, text: &str) {
        let mut state = self.lock();
        state.over = true;
        self.tell(&mut state, text);
    }

    /// Tells what `text` has beyond what was told.
    fn tell(&self, state: &mut State, text: &str) {
        let Some(new) = text.strip_prefix(state.told.as_str()).filter(|new| !new.is_empty()) else { return };
        // Where nobody listens the session is over.
        let _ = self.tells.send(ServerEvent::Delta { item: self.item.clone(), text: PatientText::from(new) });
        state.told = text.to_owned();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Changed by single moves: whole even after a panic elsewhere.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    use super::*;
    use crate::speech::Numbers;
    use crate::speech::model::Hypothesis;
    use crate::speech::script::HongKongScript;

    fn deltas(numbers: Numbers) -> (Deltas, UnboundedReceiver<ServerEvent>) {
        let (tells, told) = unbounded_channel();
        let writing = Arc::new(Writing::new(HongKongScript::load().unwrap(), numbers));
        (Deltas::new("item".to_owned(), AgreementSettings::default(), writing, tells), told)
    }

    fn saw(deltas: &Deltas, text: &str, samples: usize) {
        deltas.saw(Outcome::Heard(Hypothesis { text: text.into(), ..Hypothesis::default() }), samples);
    }

    fn told(events: &mut UnboundedReceiver<ServerEvent>) -> Vec<String> {
        let text = |event| match event {
            ServerEvent::Delta { text, .. } => text.reveal().to_owned(),
            other => panic!("{other:?}"),
        };
        std::iter::from_fn(|| events.try_recv().ok()).map(text).collect()
    }

    #[test]
    fn what_stays_is_told_while_it_is_said_and_the_rest_at_the_end() {
        let (deltas, mut events) = deltas(Numbers::Said);
        saw(&deltas, "我今日", 16_000);
        assert!(told(&mut events).is_empty());
        deltas.saw(Outcome::Nothing, 20_000);
        saw(&deltas, "我今日頭痛", 32_000);
        saw(&deltas, "我今日頭痛兩日", 48_000);
        assert_eq!(told(&mut events), ["我今日", "頭痛"]);
        deltas.complete("我今日頭痛兩日喇");
        assert_eq!(told(&mut events), ["兩日喇"]);
        // A look that comes late tells nothing.
        saw(&deltas, "我今日頭痛兩日喇醫生", 96_000);
        assert!(told(&mut events).is_empty());
    }

    #[test]
    fn a_text_that_does_not_begin_with_what_was_told_is_left_to_completed() {
        let (deltas, mut events) = deltas(Numbers::Said);
        saw(&deltas, "我今日", 16_000);
        saw(&deltas, "我今日頭痛", 32_000);
        assert_eq!(told(&mut events), ["我今日"]);
        deltas.complete("你今日頭痛");
        assert!(told(&mut events).is_empty());
    }

    #[test]
    fn numbers_that_will_be_digits_are_not_told_as_words() {
        let (deltas, mut events) = deltas(Numbers::Written);
        saw(&deltas, "食五百毫克", 16_000);
        saw(&deltas, "食五百毫克", 32_000);
        assert!(told(&mut events).is_empty());
        deltas.complete("食500 mg");
        assert_eq!(told(&mut events), ["食500 mg"]);
        // A number may go on: its first digit alone would stay a word.
        let (deltas, mut events) = super::tests::deltas(Numbers::Written);
        saw(&deltas, "食五", 16_000);
        saw(&deltas, "食五百毫克", 32_000);
        assert!(!told(&mut events).concat().contains('五'));
        let (deltas, mut events) = super::tests::deltas(Numbers::Said);
        deltas.end();
        saw(&deltas, "我", 16_000);
        saw(&deltas, "我", 32_000);
        assert!(told(&mut events).is_empty());
    }
}
