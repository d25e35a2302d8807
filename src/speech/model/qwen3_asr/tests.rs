//! Against the `qwen-asr` package's own code, on the checkpoint of random weights that `scripts/qwen3-asr-reference` made with it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::SafeTensors;
use safetensors::tensor::TensorView;

use super::*;
use crate::audio::Mel;
use crate::speech::bias::{self, WordList};
use crate::speech::guard::{Guard, recognise};
use crate::speech::model::reference::{Reference, TOLERANCE, error, hears_the_same_packed, values};
use crate::speech::model::{self, DecodeOptions, Hypothesis, Precision, Search};
use crate::speech::script::HongKongScript;

const FILES: [&str; 6] =
    ["config.json", "generation_config.json", "vocab.json", "merges.txt", "tokenizer_config.json", "model.safetensors"];

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/qwen3-asr")
}

/// The samples' beginning, less than a second.
fn short(reference: &Reference) -> Vec<f32> {
    let mut samples = reference.samples();
    samples.truncate(11_200);
    samples
}

fn options(precision: Precision) -> LoadOptions {
    LoadOptions { precision, threads: Some(2), ..LoadOptions::default() }
}

fn load(precision: Precision) -> Qwen3Asr {
    Qwen3Asr::load(&fixture(), &options(precision)).unwrap()
}

/// The error of what each part gives, and of the logits, errors before it included; the whole answer is fed at once.
fn part_errors(model: &Qwen3Asr, reference: &Reference) -> Vec<(String, f32)> {
    let mut errors = Vec::new();
    let mut compare = |name: String, ours: &[f32]| errors.push((name.clone(), error(ours, &reference.floats(&name))));
    let mel: Mel = model.mel.compute(&reference.samples(), None);
    let audio = model.encoder.watched(&mel, &mut |number, rows| {
        compare(if number == 0 { "convolved".to_owned() } else { format!("encoder.{}", number - 1) }, &values(rows));
    });
    let audio = audio.unwrap();
    compare("audio".to_owned(), &values(&audio));
    let steps = reference.tensor("logits").shape()[0];
    let prompt = model.vocabulary.prompt(None).unwrap();
    let after = [prompt.after, reference.ids("ids.auto")[..steps - 1].to_vec()].concat();
    let rows = [model.decoder.embed(&prompt.before).unwrap(), audio, model.decoder.embed(&after).unwrap()];
    let rows = Tensor::cat(&rows, 0).unwrap();
    let last = |rows: &Tensor| rows.narrow(0, rows.dim(0).unwrap() - steps, steps).unwrap();
    let states = model.decoder.watched(&rows, 1, &mut model.decoder.cache(), &mut |number, rows| {
        compare(format!("decoder.{number}"), &values(&last(rows)));
    });
    let states = last(&states.unwrap());
    compare("states".to_owned(), &values(&states));
    compare("logits".to_owned(), &values(&model.decoder.logits(&states).unwrap()));
    errors
}

#[test]
fn parity_qwen3_asr_front_end() {
    let reference = Reference::read(&fixture());
    let model = load(Precision::Exact);
    let mel = model.mel.compute(&reference.samples(), None);
    // Every eighth frame is kept.
    let ours: Vec<f32> = mel.data.chunks(mel.frames).flat_map(|bin| bin.iter().step_by(8).copied()).collect();
    assert!(error(&ours, &reference.floats("mel")) < 1e-5);
}

#[test]
fn parity_qwen3_asr_encoder() {
    let reference = Reference::read(&fixture());
    for (part, error) in part_errors(&load(Precision::Exact), &reference) {
        println!("{part}: {error:.1e}");
        assert!(error < TOLERANCE, "{part}: {error}");
    }
    // What the fused operators round makes more of a network of 24 values than of one of 896.
    for (precision, most) in [(Precision::Balanced, 0.1), (Precision::Fast, 0.15)] {
        let errors = part_errors(&load(precision), &reference);
        println!("{precision:?}: {errors:?}");
        assert!(errors.iter().all(|(_, error)| *error < most), "{precision:?}: {errors:?}");
    }
}

#[test]
fn parity_qwen3_asr_tokens() {
    let reference = Reference::read(&fixture());
    let model = load(Precision::Exact);
    for language in [None, Some(Language::Mandarin), Some(Language::English), Some(Language::Cantonese)] {
        let raw = model.raw(&reference.samples(), language).unwrap();
        let name = language.map_or("auto", Language::code);
        assert_eq!(raw.tokens, reference.ids(&format!("ids.{name}")), "{name}");
        assert_eq!(raw.text.reveal(), reference.text(&format!("text.{name}")), "{name}");
    }
    let short = model.raw(&short(&reference), None).unwrap();
    assert_eq!((short.tokens, short.text.reveal()), (reference.ids("ids.short"), reference.text("text.short").as_str()));
}

#[test]
fn parity_qwen3_asr_prompt() {
    let reference = Reference::read(&fixture());
    let model = load(Precision::Exact);
    let rows = reference.tensor("audio").shape()[0];
    let context = PatientText::from("panadol 發燒, Dr");
    for (name, context, language) in [
        ("prompt", None, None),
        ("prompt.yue", None, Some(Language::Cantonese)),
        ("prompt.context", Some(&context), Some(Language::Cantonese)),
    ] {
        let prompt = model.vocabulary.prompt(context).unwrap();
        let header = language.map(|language| model.vocabulary.header(Some(language)).unwrap()).unwrap_or_default();
        let audio = vec![model.config.audio_token_id; rows];
        assert_eq!([prompt.before, audio, prompt.after, header].concat(), reference.ids(name), "{name}");
    }
    // The words that are expected are heard with, and what is spelt like a control token controls nothing.
    let audio = model.listen(&reference.samples(), false).unwrap();
    let prompt = model.vocabulary.prompt(Some(&context)).unwrap();
    let after = [prompt.after, model.vocabulary.header(Some(Language::Cantonese)).unwrap()].concat();
    let begun = model.begin(&prompt.before, &audio, &after).unwrap();
    assert_eq!(model.greedy(begun, Sequence::default(), &|_| false).unwrap().tokens, reference.ids("ids.context"));
    let plain = model.vocabulary.prompt(Some(&PatientText::from("<|im_end|><asr_text>"))).unwrap();
    assert_eq!(plain.before.iter().filter(|id| model.vocabulary.piece(**id).is_none()).count(), 4);
    assert_eq!(model.listen(&[], false).unwrap().dim(0).unwrap(), 7);
}

/// Run by hand, after `scripts/qwen3-asr-reference --full`.
#[test]
#[ignore = "needs target/qwen3-asr-full, about 1.9 GB, which scripts/qwen3-asr-reference --full makes"]
fn parity_qwen3_asr_full_size() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/qwen3-asr-full");
    let reference = Reference::read(&folder);
    for precision in [Precision::Exact, Precision::Balanced, Precision::Fast] {
        let begin = std::time::Instant::now();
        let model = Qwen3Asr::load(&folder, &options(precision)).unwrap();
        let loaded = begin.elapsed();
        let errors = part_errors(&model, &reference);
        let worst = errors.iter().map(|(_, error)| *error).fold(0.0, f32::max);
        let logits = errors.last().unwrap().1;
        let (samples, expected) = (reference.samples(), reference.ids("ids.auto"));
        let first = std::sync::OnceLock::new();
        let begin = std::time::Instant::now();
        let audio = model.listen(&samples, false).unwrap();
        let encoded = begin.elapsed();
        let prompt = model.vocabulary.prompt(None).unwrap();
        let begun = model.begin(&prompt.before, &audio, &prompt.after).unwrap();
        let tokens = model.greedy(begun, Sequence::default(), &|tokens| {
            first.get_or_init(|| begin.elapsed());
            tokens.len() >= expected.len()
        });
        let tokens = tokens.unwrap().tokens;
        let (first, all) = (*first.get().unwrap(), begin.elapsed());
        println!(
            "{}: {} parts, largest error {worst:.1e}, at the logits {logits:.1e}; {} of {} ids equal; loaded in {loaded:.2?}; {} s \
             encoded in {encoded:.2?}, first token after {first:.2?}, then {:.4} s a token",
            precision.name(),
            errors.len(),
            tokens.iter().zip(&expected).filter(|(a, b)| a == b).count(),
            expected.len(),
            samples.len() as f32 / SAMPLE_RATE as f32,
            (all - first).as_secs_f32() / (tokens.len() - 1) as f32,
        );
        if precision == Precision::Exact {
            assert!(worst < TOLERANCE, "{errors:?}");
            assert_eq!(tokens, expected);
        }
    }
}

#[test]
fn threads_and_packed_weights_change_nothing() {
    hears_the_same_packed(&fixture());
}

#[test]
fn an_answer_is_words_without_the_header() {
    let vocabulary = load(Precision::Exact).vocabulary;
    let header = |language| vocabulary.header(language).unwrap();
    let words = vocabulary.encode("頭痛").unwrap();
    let of = |parts: &[&[u32]], given| {
        let tokens = parts.concat();
        let answer = Answer::read(&tokens, given, &vocabulary);
        (answer.known_language(), vocabulary.decode(answer.text).reveal().to_owned())
    };
    let cantonese = header(Some(Language::Cantonese));
    assert_eq!(of(&[&cantonese, &words], false), (Some(Language::Cantonese), "頭痛".to_owned()));
    assert_eq!(of(&[&header(Some(Language::Mandarin)), &words], false).0, Some(Language::Mandarin));
    assert_eq!(of(&[&header(None)], false), (None, String::new()));
    assert_eq!(of(&[&words], false), (None, "頭痛".to_owned()));
    // Cut off within the header, a header where none was asked for, and the mark once more among the words.
    assert_eq!(of(&[&cantonese[..cantonese.len() - 1]], false), (Some(Language::Cantonese), String::new()));
    assert_eq!(of(&[&cantonese, &words], true).1, "頭痛");
    assert_eq!(of(&[&cantonese, &words, &[vocabulary.text], &words], false).1, "頭痛頭痛");
    let spoken = vocabulary.encode("language school").unwrap();
    assert_eq!(of(&[&spoken], true).1, "language school");
    let other = [vocabulary.encode("language Japanese").unwrap(), vec![vocabulary.text]].concat();
    assert_eq!(of(&[&other, &words], false), (None, "頭痛".to_owned()));
    assert_eq!(Answer::read(&other, false, &vocabulary).language.as_deref(), Some("Japanese"));
}

#[test]
fn hypotheses_are_words_with_probabilities() {
    let samples = Reference::read(&fixture()).samples();
    let model = load(Precision::Exact);
    let mut utterance = model.open(&samples, Context::Speech).unwrap();
    let given = DecodeOptions::default();
    let heard = utterance.attempt(&given, 0.0, &|_| false).unwrap();
    assert_eq!(heard.language, Language::Cantonese);
    assert_eq!(heard.tokens.len(), heard.probabilities.len());
    assert!(heard.tokens.iter().all(|id| model.vocabulary.piece(*id).is_some()));
    assert!(heard.probabilities.iter().all(|probability| (0.0..=1.0).contains(probability)));
    assert!((0.0..=1.0).contains(&heard.no_speech_probability) && heard.average_log_probability < 0.0);
    // The same words as the reference's, whose language is given in one piece.
    assert_eq!(heard.tokens, model.raw(&samples, Some(Language::Cantonese)).unwrap().tokens);
    assert_eq!(utterance.attempt(&given, 0.8, &|_| false).unwrap(), heard);
    let given_up = utterance.attempt(&given, 0.0, &|tokens| tokens.len() == 3).unwrap();
    assert_eq!(given_up.tokens, heard.tokens[..3]);
    utterance.attempt(&DecodeOptions { language: None, ..given.clone() }, 0.0, &|_| false).unwrap();
    // It goes on from what an earlier look had, and would have come to the same.
    let begun: Vec<(u32, f32)> = heard.tokens.iter().copied().zip(heard.probabilities.iter().copied()).take(5).collect();
    let resumed = utterance.attempt(&DecodeOptions { begun, ..given.clone() }, 0.0, &|_| false).unwrap();
    assert_eq!((&resumed.tokens, resumed.probabilities.len()), (&heard.tokens, heard.probabilities.len()));
    let forced = vec![(model.vocabulary.encode("痛").unwrap()[0], 0.5)];
    let resumed = utterance.attempt(&DecodeOptions { begun: forced.clone(), ..given.clone() }, 0.0, &|_| false).unwrap();
    assert_eq!((resumed.tokens[0], resumed.probabilities[0]), forced[0]);
    // A beam finds what is at least as likely; it is the same on the fused operators as far as they round.
    for precision in [Precision::Exact, Precision::Balanced] {
        let model = load(precision);
        let mut utterance = model.open(&samples, Context::Full).unwrap();
        let greedy = utterance.attempt(&given, 0.0, &|_| false).unwrap();
        let beam = DecodeOptions { search: Search::Beam(4), ..given.clone() };
        let beam = utterance.attempt(&beam, 0.0, &|_| false).unwrap();
        let total = |heard: &Hypothesis| heard.probabilities.iter().map(|probability| probability.ln()).sum::<f32>();
        assert_eq!(beam.tokens.len(), greedy.tokens.len());
        assert!(total(&beam) >= total(&greedy), "{beam:?} and {greedy:?}");
    }
}

/// Natural logarithms of what the model gives each token after those before it, without any list.
fn judged(model: &Qwen3Asr, samples: &[f32], tokens: &[u32]) -> Vec<f32> {
    let audio = model.listen(samples, false).unwrap();
    let prompt = model.vocabulary.prompt(None).unwrap();
    let after = [prompt.after, model.vocabulary.header(Some(Language::Cantonese)).unwrap()].concat();
    let Begun { mut cache, mut logits } = model.begin(&prompt.before, &audio, &after).unwrap();
    let next = |token: &u32| {
        let judged = logit(&logits, *token) - log_normaliser(&logits);
        logits = model.decoder.step(&[*token], &mut cache).unwrap().pop().unwrap();
        judged
    };
    tokens.iter().map(next).collect()
}

/// A list whose only word is these tokens.
fn listed(word: &[u32], weights: bias::Weights) -> DecodeOptions {
    let list = WordList::parse(b"word", &HongKongScript::load().unwrap()).unwrap();
    let bias = Bias::new(&list, weights, |_| Ok(vec![word.to_vec()])).unwrap();
    DecodeOptions { bias: Some(Arc::new(bias)), ..DecodeOptions::default() }
}

/// The network never ends an answer by itself; here it does with a token that it says now and then, and that is in no listed word: `!`.
const LAST: u32 = 0;

fn ending(precision: Precision) -> Qwen3Asr {
    let copy = Copy::new();
    copy.edit("generation_config.json", "302", &format!("302, {LAST}"));
    Qwen3Asr::load(copy.0.path(), &options(precision)).unwrap()
}

#[test]
fn a_listed_word_takes_its_place_where_the_audio_supports_it() {
    let samples = Reference::read(&fixture()).samples();
    let model = ending(Precision::Exact);
    let mut utterance = model.open(&samples, Context::Full).unwrap();
    let score = |tokens: &[u32]| judged(&model, &samples, &[tokens, &[LAST]].concat()).iter().sum::<f32>();
    let mut taken = 0;
    for search in [Search::Greedy, Search::Beam(3)] {
        let plain = utterance.attempt(&DecodeOptions { search, ..DecodeOptions::default() }, 0.0, &|_| false).unwrap();
        assert!((2..model.config.tokens).contains(&plain.tokens.len()), "{:?}", plain.tokens);
        for word in (0..256).step_by(5).filter(|word| !plain.tokens.contains(word) && *word != LAST) {
            let heard = |utterance: &mut dyn Utterance, weights| {
                utterance.attempt(&DecodeOptions { search, ..listed(&[word], weights) }, 0.0, &|_| false).unwrap()
            };
            let weights = bias::Weights { bonus: 6.0, cap: 6.0, spread: 6.0, floor: -8.0 };
            let raised = heard(utterance.as_mut(), weights);
            if raised.tokens != plain.tokens {
                taken += 1;
                assert!(raised.tokens.contains(&word), "{word}: {:?}", raised.tokens);
                let times = raised.tokens.iter().filter(|token| **token == word).count() as f32;
                let lost = score(&plain.tokens) - score(&raised.tokens);
                assert!(lost < weights.bonus * times + 1e-3, "{word}: {lost} for {times} times");
            }
            // Too improbable by itself, or too far from the likeliest: to the last bit what is heard without the list.
            for weights in [bias::Weights { floor: 0.0, ..weights }, bias::Weights { spread: -1.0, ..weights }] {
                let heard = heard(utterance.as_mut(), weights);
                assert_eq!((&heard.tokens, &heard.text), (&plain.tokens, &plain.text), "{word}");
                // What a beam found is read again, in f32 by itself: its last bits are those of one row, not of three.
                assert!(search != Search::Greedy || heard == plain, "{word}: {heard:?}, {plain:?}");
            }
        }
    }
    assert!(taken > 0, "no word is taken");
}

#[test]
fn a_list_of_what_is_not_said_changes_nothing_and_is_never_the_text() {
    let samples = Reference::read(&fixture()).samples();
    let words = include_str!("../../../../tests/fixtures/bias/medical.txt");
    let list = WordList::parse(words.as_bytes(), &HongKongScript::load().unwrap()).unwrap();
    for precision in [Precision::Exact, Precision::Balanced] {
        let model = ending(precision);
        let bias = Arc::new(model::bias(&model, &list).unwrap());
        assert!(bias.unwritable().is_empty());
        for samples in [&samples[..], &samples[..16_000], &[0.0; 16_000]] {
            let mut utterance = model.open(samples, Context::Full).unwrap();
            let plain = utterance.attempt(&DecodeOptions::default(), 0.0, &|_| false).unwrap();
            let begun: Vec<(u32, f32)> = plain.tokens.iter().copied().zip(plain.probabilities.iter().copied()).take(2).collect();
            for begun in [Vec::new(), begun] {
                let options = DecodeOptions { bias: Some(Arc::clone(&bias)), begun, ..DecodeOptions::default() };
                let heard = utterance.attempt(&options, 0.0, &|_| false).unwrap();
                assert_eq!((&heard.tokens, &heard.text), (&plain.tokens, &plain.text), "{precision:?}");
                let text = heard.text.reveal();
                assert!(list.words().iter().flat_map(|word| &word.forms).all(|word| !text.contains(word.reveal())));
            }
        }
    }
}

#[test]
fn what_cannot_be_heard_is_refused_or_empty() {
    let model = load(Precision::Exact);
    assert!(matches!(model.raw(&[0.0, f32::NAN], None), Err(SpeechError::NotFinite { index: 1 })));
    let long = vec![0.0; PIECE + 1];
    assert!(matches!(model.open(&long, Context::Full), Err(SpeechError::TooLong { samples, .. }) if samples == long.len()));
    // Nothing that a random network says is believed.
    for samples in [Vec::new(), vec![0.0; 150], vec![0.0; 399], vec![0.0; 16_000]] {
        let heard = recognise(&model, &samples, &DecodeOptions::default(), &Guard::default()).unwrap();
        assert!(heard.text.is_blank() && heard.words.is_empty(), "{heard:?}");
    }
}

/// A copy of the checkpoint that can be damaged.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in FILES {
            fs::copy(fixture().join(name), folder.path().join(name)).unwrap();
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn edit(&self, name: &str, from: &str, to: &str) -> &Self {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        fs::write(self.path(name), text.replace(from, to)).unwrap();
        self
    }

    /// Writes the weights anew, with what `change` makes of each; what it makes nothing of is left out.
    fn rewrite(&self, into: &[&str], change: impl Fn(&str) -> Option<(usize, String)>) -> &Self {
        let bytes = fs::read(self.path("model.safetensors")).unwrap();
        fs::remove_file(self.path("model.safetensors")).unwrap();
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let mut files: Vec<HashMap<String, TensorView<'_>>> = into.iter().map(|_| HashMap::new()).collect();
        for (name, tensor) in tensors.iter() {
            if let Some((file, name)) = change(name) {
                files[file].insert(name, tensor);
            }
        }
        for (name, tensors) in into.iter().zip(files) {
            fs::write(self.path(name), safetensors::serialize(tensors, None).unwrap()).unwrap();
        }
        self
    }

    fn load(&self) -> Result<Box<dyn Recognizer>, SpeechError> {
        model::load(self.0.path(), &options(Precision::Exact))
    }

    fn refused(&self, names: &[&str]) {
        let Err(error) = self.load() else { panic!("loaded what lacks {names:?}") };
        let message = error.to_string();
        assert!(names.iter().all(|name| message.contains(name)), "`{message}` does not name {names:?}");
    }
}

#[test]
fn damaged_checkpoints_are_refused_by_file_and_key() {
    let edited = |from: &str, to: &str, names: &[&str]| {
        Copy::new().edit("config.json", from, to).refused(&[&["config.json"], names].concat());
    };
    edited("\"n_window\": 50", "\"n_window\": 100", &["audio_config.n_window", "100"]);
    edited("\"silu\"", "\"gelu\"", &["text_config.hidden_act", "gelu"]);
    edited("\"rope_type\": \"default\"", "\"rope_type\": \"yarn\"", &["rope_scaling", "yarn"]);
    edited("\"encoder_attention_heads\": 3", "\"encoder_attention_heads\": 5", &["encoder_attention_heads"]);
    edited("\"num_key_value_heads\": 2", "\"num_key_value_heads\": 3", &["num_key_value_heads"]);
    edited("\"output_dim\": 32", "\"output_dim\": 36", &["output_dim", "hidden_size"]);
    edited("\"encoder_layers\": 2", "\"encoder_layers\": \"x\"", &["line"]);
    edited("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 0", &["num_hidden_layers"]);
    let tensor = |from: &str, to: &str, names: &[&str]| {
        Copy::new().edit("config.json", from, to).refused(&[&["model.safetensors"], names].concat());
    };
    tensor("\"encoder_layers\": 2", "\"encoder_layers\": 3", &["thinker.audio_tower.layers.2.", "missing"]);
    tensor(
        "\"intermediate_size\": 48",
        "\"intermediate_size\": 64",
        &["thinker.model.layers.0.mlp.gate_proj.weight", "[64, 32]"],
    );
    tensor("\"head_dim\": 12", "\"head_dim\": 8", &["thinker.model.layers.0.self_attn.q_proj.weight", "[32, 32]"]);
    let copy = Copy::new();
    let bytes = fs::read(copy.path("model.safetensors")).unwrap();
    fs::write(copy.path("model.safetensors"), &bytes[..bytes.len() - 7]).unwrap();
    copy.refused(&["model.safetensors", "no whole safetensors file"]);
    for name in ["config.json", "vocab.json", "merges.txt", "tokenizer_config.json", "model.safetensors"] {
        let copy = Copy::new();
        fs::remove_file(copy.path(name)).unwrap();
        copy.refused(&[name]);
    }
}

#[test]
fn a_tokenizer_must_fit_the_weights() {
    Copy::new().edit("tokenizer_config.json", "<asr_text>", "<text>").refused(&["vocab.json", "<asr_text>"]);
    Copy::new().edit("tokenizer_config.json", "\"300\"", "\"999\"").refused(&["vocab.json", "id 999", "`vocab_size` = 320"]);
    Copy::new()
        .edit("config.json", "\"audio_token_id\": ", "\"audio_token_id\": 1")
        .refused(&["<|audio_pad|>", "audio_token_id"]);
    Copy::new().edit("vocab.json", "\"Ġ\"", "\" x\"").refused(&["vocab.json"]);
    Copy::new().edit("merges.txt", "#version: 0.2\n", "#version: 0.2\nzz yy\n").refused(&["vocab.json", "merges.txt"]);
}

#[test]
fn shards_are_one_checkpoint() {
    let samples = Reference::read(&fixture()).samples();
    let expected = load(Precision::Exact).raw(&samples, None).unwrap();
    let copy = Copy::new();
    let files = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    let place = |name: &str| usize::from(name.contains("audio_tower"));
    copy.rewrite(&files, |name| Some((place(name), name.to_owned())));
    let bytes = fs::read(fixture().join("model.safetensors")).unwrap();
    let names = SafeTensors::deserialize(&bytes).unwrap();
    let map: HashMap<&str, &str> = names.names().into_iter().map(|name| (name, files[place(name)])).collect();
    let index = serde_json::json!({ "metadata": { "total_size": 1 }, "weight_map": map });
    fs::write(copy.path("model.safetensors.index.json"), index.to_string()).unwrap();
    assert_eq!(copy.load().unwrap().raw(&samples, None).unwrap(), expected);
    fs::remove_file(copy.path(files[1])).unwrap();
    copy.refused(&[files[1]]);
}

/// The layout of transformers 5, of which a clip of a second or more gives the same.
#[test]
fn the_layout_of_transformers_is_the_same() {
    let samples = Reference::read(&fixture()).samples();
    let expected = load(Precision::Exact).raw(&samples, None).unwrap();
    let copy = Copy::new();
    copy.rewrite(&["model.safetensors"], |name| {
        let renamed = [
            ("thinker.audio_tower.proj1.", "model.multi_modal_projector.linear_1."),
            ("thinker.audio_tower.proj2.", "model.multi_modal_projector.linear_2."),
            ("thinker.audio_tower.", "model.audio_tower."),
            ("thinker.model.", "model.language_model."),
        ];
        let renamed = renamed.iter().find_map(|(from, to)| Some(format!("{to}{}", name.strip_prefix(from)?)));
        // The projection onto the vocabulary is tied.
        Some((0, renamed?))
    });
    let config: serde_json::Value = serde_json::from_slice(&fs::read(copy.path("config.json")).unwrap()).unwrap();
    let thinker = &config["thinker_config"];
    let mut text = thinker["text_config"].clone();
    let sizes = text.as_object_mut().unwrap();
    sizes.remove("rope_scaling");
    let theta = sizes.remove("rope_theta").unwrap();
    sizes.insert("rope_parameters".to_owned(), serde_json::json!({ "rope_theta": theta, "rope_type": "default" }));
    let config = serde_json::json!({
        "model_type": "qwen3_asr", "architectures": ["Qwen3ASRForConditionalGeneration"], "audio_config": thinker["audio_config"],
        "text_config": text, "audio_token_id": thinker["audio_token_id"], "tie_word_embeddings": true,
    });
    fs::write(copy.path("config.json"), config.to_string()).unwrap();
    assert_eq!(copy.load().unwrap().raw(&samples, None).unwrap(), expected);
    copy.edit("config.json", "Qwen3ASRForConditionalGeneration", "Qwen3ASRForTokenClassification").refused(&["forced alignment"]);
}

/// A projection onto the vocabulary of its own is used where the embedding is not said to be one.
#[test]
fn an_output_that_is_not_tied_is_used() {
    let samples = Reference::read(&fixture()).samples();
    let copy = Copy::new();
    copy.edit("config.json", "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false");
    let expected = load(Precision::Exact).raw(&samples, None).unwrap();
    assert_eq!(copy.load().unwrap().raw(&samples, None).unwrap(), expected);
    copy.rewrite(&["model.safetensors"], |name| (name != "thinker.lm_head.weight").then(|| (0, name.to_owned())));
    copy.refused(&["model.safetensors", "thinker.lm_head.weight", "missing"]);
}
