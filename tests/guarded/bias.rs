//! A list of words to expect: it raises what was said and changes nothing where nothing of it was (`scripts/bias` measures all clips).

use std::path::Path;
use std::sync::Arc;

use cantoscribe::speech::bias::WordList;
use cantoscribe::speech::guard::{self, Guard};
use cantoscribe::speech::model::{self, DecodeOptions, Hypothesis, LoadOptions, Recognizer, Search};
use cantoscribe::speech::script::HongKongScript;
use libtest_mimic::Trial;

use super::whisper::clip;
use super::{Need, guarded, model_dir};

pub fn tests() -> Vec<Trial> {
    let needs = [Need::Model("whisper-base"), Need::Shared("audio")];
    vec![
        guarded("bias_raises_what_is_said", &needs, what_is_said_is_raised),
        guarded("bias_changes_nothing_where_nothing_listed_is_said", &needs, nothing_else_is_changed),
        guarded("bias_is_the_same_for_any_threads", &needs, threads_change_nothing),
    ]
}

/// Clips and a listed name that is said in each, of those on which no weight was chosen.
const NAMED: [(&str, &str); 5] = [
    ("cv_zh-HK_20450648.wav", "車公廟"),
    ("cv_zh-HK_21405026.wav", "粉嶺"),
    ("cv_zh-HK_22302551.wav", "土瓜灣"),
    ("cv_zh-HK_22395677.wav", "方舟"),
    ("cv_zh-HK_23640949.wav", "真氣"),
];

/// Clips in which nobody speaks of anything medical.
const UNRELATED: [&str; 10] = [
    "cv_zh-HK_22921554.wav",
    "cv_zh-HK_23640949.wav",
    "cv_zh-HK_22265957.wav",
    "cv_zh-HK_22936907.wav",
    "cv_zh-HK_22223401.wav",
    "cv_zh-HK_23390196.wav",
    "cv_zh-HK_23397225.wav",
    "cv_zh-HK_22331587.wav",
    "cv_zh-HK_22296322.wav",
    "cv_zh-HK_22391275.wav",
];

fn load(threads: usize) -> Box<dyn Recognizer> {
    model::load(&model_dir("whisper-base"), &LoadOptions { threads: Some(threads), ..LoadOptions::default() }).unwrap()
}

fn listed(model: &dyn Recognizer, files: &[&str]) -> DecodeOptions {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bias");
    let list: Vec<u8> = files.iter().flat_map(|file| std::fs::read(folder.join(file)).unwrap()).collect();
    let list = WordList::parse(&list, &HongKongScript::load().unwrap()).unwrap();
    let bias = model::bias(model, &list).unwrap();
    assert!(bias.unwritable().is_empty());
    DecodeOptions { bias: Some(Arc::new(bias)), ..DecodeOptions::default() }
}

fn heard(model: &dyn Recognizer, name: &str, options: &DecodeOptions) -> Hypothesis {
    guard::recognise(model, &clip(name), options, &Guard::default()).unwrap()
}

/// Which of the names a model hears without the list, and which with it, differs a little with the processor's instruction set.
fn what_is_said_is_raised() {
    let (model, script) = (load(2), HongKongScript::load().unwrap());
    let options = listed(model.as_ref(), &["names.txt", "medical.txt"]);
    let (mut without, mut with) = (0, 0);
    for (name, said) in NAMED {
        let plain = heard(model.as_ref(), name, &DecodeOptions::default());
        without += usize::from(script.convert(plain.text.reveal()).contains(said));
        let listed = heard(model.as_ref(), name, &options);
        if script.convert(listed.text.reveal()).contains(said) {
            with += 1;
            let words: String = listed.words.iter().map(|word| word.text.reveal()).collect();
            assert!(script.convert(&words).contains(said), "{name}: {said} has no times");
        }
    }
    assert!(with >= 3 && with >= without + 2, "{with} names with the list, {without} without");
}

fn nothing_else_is_changed() {
    let model = load(2);
    let options = listed(model.as_ref(), &["medical.txt"]);
    for name in UNRELATED {
        let plain = heard(model.as_ref(), name, &DecodeOptions::default());
        // To the last bit: words, times and probabilities too.
        assert_eq!(heard(model.as_ref(), name, &options), plain, "{name}");
    }
}

fn threads_change_nothing() {
    let (one, two) = (load(1), load(2));
    for search in [Search::Greedy, Search::Beam(3)] {
        let options = DecodeOptions { search, ..listed(one.as_ref(), &["names.txt", "medical.txt"]) };
        let (name, _) = NAMED[0];
        assert_eq!(heard(one.as_ref(), name, &options), heard(two.as_ref(), name, &options));
    }
}
