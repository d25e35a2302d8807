use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::speech::model::{Capabilities, Language, RawHypothesis};
use crate::text::PatientText;

fn hypothesis(text: &str, average_log_probability: f32, no_speech_probability: f32) -> Hypothesis {
    Hypothesis {
        text: PatientText::from(text),
        tokens: text.chars().map(u32::from).collect(),
        average_log_probability,
        no_speech_probability,
        ..Hypothesis::default()
    }
}

#[test]
fn each_guard_objects_to_what_it_is_for() {
    let guard = Guard::default();
    let judge = |text: &str, log_probability, no_speech, seconds: usize| {
        guard.judge(&hypothesis(text, log_probability, no_speech), seconds * 16_000)
    };
    assert_eq!(judge("血壓高", -0.3, 0.1, 2), Verdict::Accepted);
    assert_eq!(judge("", -0.3, 0.9, 2), Verdict::Accepted);
    assert_eq!(judge("多謝觀看", -1.2, 0.9, 2), Verdict::Silent);
    assert_eq!(judge("多謝觀看", -0.3, 0.9, 2), Verdict::Accepted);
    assert_eq!(judge("血壓高", -1.2, 0.1, 2), Verdict::Rejected(Objection::Improbable));
    assert_eq!(judge(&"好痛".repeat(9), -0.1, 0.1, 9), Verdict::Rejected(Objection::Loop));
    let refrain = format!("{}啦", "thank you very much indeed for it ".repeat(4));
    assert_eq!(judge(&refrain, -0.1, 0.1, 20), Verdict::Rejected(Objection::Repetitive));
    assert_eq!(judge("I have had a headache since Monday", -0.1, 0.1, 1), Verdict::Rejected(Objection::TooFast));
}

#[test]
fn a_loop_is_long_and_at_the_end() {
    assert!(!loops(&[]));
    assert!(!loops(&[7; 17]));
    assert!(loops(&[7; 18]));
    assert!(loops(&[1, 2, 3].repeat(6)));
    assert!(!loops(&[1, 2, 3].repeat(5)));
    let mut ended: Vec<u32> = [1, 2, 3].repeat(6);
    ended.push(9);
    assert!(!loops(&ended));
    let verse: Vec<u32> = (0..10).collect();
    assert!(!loops(&verse.repeat(3)));
    assert!(loops(&verse.repeat(4)));
}

/// Gives the same hypotheses again and again, and notes what it was asked.
struct Scripted {
    capabilities: Capabilities,
    full: Vec<Hypothesis>,
    speech: Vec<Hypothesis>,
}

struct Reading(std::vec::IntoIter<Hypothesis>);

impl Recognizer for Scripted {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }
    fn spell(&self, _: &PatientText) -> Result<Vec<Vec<u32>>, SpeechError> {
        unreachable!()
    }
    fn raw(&self, _: &[f32], _: Option<Language>) -> Result<RawHypothesis, SpeechError> {
        unreachable!()
    }
    fn open<'a>(&'a self, _: &'a [f32], context: Context) -> Result<Box<dyn Utterance + 'a>, SpeechError> {
        let script = if context == Context::Full { &self.full } else { &self.speech };
        Ok(Box::new(Reading(script.clone().into_iter())))
    }
}

impl Utterance for Reading {
    fn attempt(
        &mut self,
        _: &DecodeOptions,
        temperature: f32,
        give_up: &(dyn Fn(&[u32]) -> bool + Sync),
    ) -> Result<Hypothesis, SpeechError> {
        give_up(&[1]);
        Ok(Hypothesis { temperature, ..self.0.next().unwrap() })
    }
    fn align(&mut self, _: &mut Hypothesis) -> Result<(), SpeechError> {
        Ok(())
    }
}

fn scripted(full: &[Hypothesis], speech: &[Hypothesis]) -> Scripted {
    let capabilities = Capabilities {
        family: "scripted",
        languages: vec![Language::Cantonese],
        longest: 480_000,
        prompt: false,
        word_list: false,
        word_times: false,
        aligner: false,
        short_context: true,
        sampling: true,
    };
    Scripted { capabilities, full: full.to_vec(), speech: speech.to_vec() }
}

fn heard(full: &[Hypothesis], speech: &[Hypothesis], context: Context) -> Hypothesis {
    let model = scripted(full, speech);
    let options = DecodeOptions { context, search: Search::Greedy, temperatures: vec![0.0, 0.5], ..DecodeOptions::default() };
    recognise(&model, &[0.0; 32_000], &options, &Guard::default()).unwrap()
}

#[test]
fn falls_back_until_one_is_accepted_and_is_silent_when_none_is() {
    let (good, bad) = (hypothesis("血壓高", -0.3, 0.1), hypothesis("血壓高", -2.0, 0.1));
    let silent = hypothesis("多謝觀看", -2.0, 0.9);
    let first = heard(&[good.clone(), bad.clone()], &[], Context::Full);
    assert_eq!((first.text.reveal(), first.temperature), ("血壓高", 0.0));
    let second = heard(&[bad.clone(), good.clone()], &[], Context::Full);
    assert_eq!((second.text.reveal(), second.temperature), ("血壓高", 0.5));
    assert!(heard(&[bad.clone(), bad.clone()], &[], Context::Full).text.is_blank());
    assert!(heard(&[silent], &[], Context::Full).text.is_blank());
    assert_eq!(heard(&[], std::slice::from_ref(&good), Context::Speech).text.reveal(), "血壓高");
    let whole = heard(std::slice::from_ref(&good), &[hypothesis("多謝觀看", -2.0, 0.9)], Context::Speech);
    assert_eq!(whole.text.reveal(), "血壓高");
    let whole = heard(&[bad.clone(), good], &[bad], Context::Speech);
    assert_eq!((whole.text.reveal(), whole.temperature), ("血壓高", 0.5));
}

#[test]
fn where_nothing_is_sampled_there_is_one_attempt() {
    let mut model = scripted(&[hypothesis("血壓高", -2.0, 0.1)], &[]);
    (model.capabilities.sampling, model.capabilities.short_context) = (false, false);
    // A second attempt would find the script at its end.
    let heard = recognise(&model, &[0.0; 32_000], &DecodeOptions::default(), &Guard::default()).unwrap();
    assert!(heard.text.is_blank());
}

#[test]
fn a_glimpse_is_one_attempt_that_the_guards_believe() {
    let (good, bad) = (hypothesis("血壓高", -0.3, 0.1), hypothesis("血壓高", -2.0, 0.1));
    let options = DecodeOptions::default();
    let look = |speech: &[Hypothesis]| {
        let model = scripted(&[], speech);
        glimpse(&model, &[0.0; 32_000], &options, &Guard::default(), &|| false).unwrap()
    };
    assert_eq!(look(std::slice::from_ref(&good)).unwrap().text.reveal(), "血壓高");
    assert!(look(&[bad, good]).is_none());
    assert!(look(&[hypothesis("多謝觀看", -2.0, 0.9)]).is_none());
    assert!(look(&[hypothesis(" ", -0.1, 0.1)]).is_none());
}

#[test]
fn what_is_no_longer_wanted_ends_at_the_next_token_and_gives_nothing() {
    let good = hypothesis("血壓高", -0.3, 0.1);
    let model = scripted(std::slice::from_ref(&good), &[hypothesis("血壓高", -2.0, 0.1)]);
    let (options, guard) = (DecodeOptions::default(), Guard::default());
    // Asked: before anything, before and after each attempt, and after each token.
    for wanted in 0..10_usize {
        let asked = AtomicUsize::new(0);
        let cancelled = || asked.fetch_add(1, Ordering::Relaxed) >= wanted;
        let heard = recognise_unless(&model, &[0.0; 32_000], &options, &guard, &cancelled).unwrap();
        let asked = asked.load(Ordering::Relaxed);
        assert!(asked <= wanted + 2, "asked {asked} times and wanted {wanted}");
        assert_eq!(heard.map(|heard| heard.text), (wanted >= asked).then(|| good.text.clone()));
    }
    let glimpsed = glimpse(&model, &[0.0; 32_000], &options, &guard, &|| true).unwrap();
    assert!(glimpsed.is_none());
}
