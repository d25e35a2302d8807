//! Against FunASR's own code, on the checkpoint of random weights that `scripts/sense-voice-reference` made with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use safetensors::tensor::TensorView;

use super::*;
use crate::audio::FilterBank;
use crate::speech::bias::WordList;
use crate::speech::guard::{Guard, recognise};
use crate::speech::model::reference::{Reference, TOLERANCE, error, hears_the_same_packed, values};
use crate::speech::model::{self, Precision};
use crate::speech::script::HongKongScript;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sense-voice")
}

fn features(reference: &Reference) -> Features {
    Features { width: reference.tensor("features").shape()[1], data: reference.floats("features") }
}

fn options(precision: Precision) -> LoadOptions {
    LoadOptions { precision, threads: Some(2), ..LoadOptions::default() }
}

fn load(precision: Precision) -> SenseVoice {
    SenseVoice::load(&fixture(), &options(precision)).unwrap()
}

/// The error of what each stage of the encoder gives, and of the logits, errors before it included.
fn stage_errors(model: &SenseVoice, reference: &Reference) -> Vec<(String, f32)> {
    let sizes = &model.config.encoder_conf;
    let mut names = vec!["encoders0.0".to_owned()];
    names.extend((0..sizes.num_blocks - 1).map(|index| format!("encoders.{index}")));
    names.push("after_norm".to_owned());
    names.extend((0..sizes.tp_blocks).map(|index| format!("tp_encoders.{index}")));
    names.push("tp_norm".to_owned());
    let queries = [language_query(Some(Language::Cantonese)), EVENT_AND_MOOD[0], EVENT_AND_MOOD[1], AS_SAID];
    let mut errors = Vec::new();
    let states = model.network.encoder.watched(&features(reference), queries, &mut |stage, states| {
        errors.push((names[stage].clone(), error(&values(states), &reference.floats(&names[stage]))));
    });
    assert_eq!(errors.len(), names.len());
    let logits = model.network.output.forward(&states.unwrap()).unwrap();
    errors.push(("logits".to_owned(), error(&values(&logits), &reference.floats("logits"))));
    errors
}

#[test]
fn parity_sense_voice_front_end() {
    let reference = Reference::read(&fixture());
    let front = load(Precision::Exact).config.frontend_conf;
    let bins = FilterBank::new(front.n_mels, front.window_samples(), front.hop_samples()).compute(&reference.samples());
    assert!(error(&bins.data, &reference.floats("bins")) < 1e-5);
    assert!(error(&bins.stacked(front.lfr_m, front.lfr_n).data, &reference.floats("stacked")) < 1e-5);
    let features = FrontEnd::load(&front, &fixture().join("am.mvn")).unwrap().compute(&reference.samples());
    assert!(error(&features.data, &reference.floats("features")) < 1e-4);
}

#[test]
fn parity_sense_voice_encoder() {
    let reference = Reference::read(&fixture());
    for (stage, error) in stage_errors(&load(Precision::Exact), &reference) {
        println!("{stage}: {error:.1e}");
        assert!(error < TOLERANCE, "{stage}: {error}");
    }
    // What the fused operators round makes more of a network of 16 values than of one of 512.
    for (precision, most) in [(Precision::Balanced, 0.1), (Precision::Fast, 0.2)] {
        let errors = stage_errors(&load(precision), &reference);
        assert!(errors.iter().all(|(_, error)| *error < most), "{precision:?}: {errors:?}");
    }
}

#[test]
fn parity_sense_voice_tokens() {
    let reference = Reference::read(&fixture());
    let model = load(Precision::Exact);
    for language in [None, Some(Language::Mandarin), Some(Language::English), Some(Language::Cantonese)] {
        let raw = model.raw(&reference.samples(), language).unwrap();
        let name = format!("ids.{}", language.map_or("auto", Language::code));
        assert_eq!(raw.tokens, reference.ids(&name), "{name}");
        if language == Some(Language::Cantonese) {
            // The library writes tags out.
            let text = Vocabulary::load(fixture().join("speech.bpe.model")).unwrap();
            let tags: Vec<String> = raw.tokens.iter().filter_map(|id| text.tag(*id)).map(|tag| format!("<|{tag}|>")).collect();
            let expected = tags.iter().fold(reference.text("text"), |text, tag| text.replace(tag, ""));
            assert_eq!(raw.text.reveal().trim_start(), expected.trim_start());
        }
    }
}

/// Run by hand, after `scripts/sense-voice-reference --full`.
#[test]
#[ignore = "needs target/sense-voice-full, about 1 GB, which scripts/sense-voice-reference --full makes"]
fn parity_sense_voice_full_size() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sense-voice-full");
    let reference = Reference::read(&folder);
    for precision in [Precision::Exact, Precision::Balanced, Precision::Fast] {
        let begin = std::time::Instant::now();
        let model = SenseVoice::load(&folder, &LoadOptions { threads: Some(1), ..options(precision) }).unwrap();
        let loaded = begin.elapsed();
        let errors = stage_errors(&model, &reference);
        let worst = errors.iter().map(|(_, error)| *error).fold(0.0, f32::max);
        let logits = errors.last().unwrap().1;
        let (samples, expected) = (reference.samples(), reference.ids("ids.yue"));
        let begin = std::time::Instant::now();
        let tokens = model.raw(&samples, Some(Language::Cantonese)).unwrap().tokens;
        let heard = begin.elapsed();
        let seconds = samples.len() as f32 / SAMPLE_RATE as f32;
        println!(
            "{}: {} stages, largest error {worst:.1e}, at the logits {logits:.1e}; {} of {} ids equal; loaded in {loaded:.2?}, heard {seconds} s in {heard:.2?}",
            precision.name(),
            errors.len() - 1,
            tokens.iter().zip(&expected).filter(|(a, b)| a == b).count(),
            expected.len(),
        );
        if precision == Precision::Exact {
            assert!(worst < TOLERANCE);
            assert_eq!(tokens, expected);
        }
    }
}

#[test]
fn threads_and_packed_weights_change_nothing() {
    hears_the_same_packed(&fixture());
}

#[test]
fn words_have_times_and_tags_are_no_text() {
    let samples = Reference::read(&fixture()).samples();
    let model = load(Precision::Exact);
    let mut utterance = model.open(&samples, Context::Speech).unwrap();
    for search in [Search::Greedy, Search::Beam(4)] {
        let options = DecodeOptions { search, ..DecodeOptions::default() };
        let mut heard = utterance.attempt(&options, 0.0, &|_| false).unwrap();
        utterance.align(&mut heard).unwrap();
        assert_eq!(heard.tokens.len(), heard.probabilities.len());
        assert!(heard.tokens.iter().all(|id| model.vocabulary.tag(*id).is_none()));
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        let words: String = heard.words.iter().map(|word| squeezed(word.text.reveal())).collect();
        assert!(heard.words.len() > 2 && words == squeezed(heard.text.reveal()), "{heard:?}");
        assert!(heard.words.iter().all(|word| word.samples.start < word.samples.end && word.samples.end <= samples.len()));
        assert!(heard.words.windows(2).all(|pair| pair[0].samples.end <= pair[1].samples.start));
        assert!((0.0..=1.0).contains(&heard.no_speech_probability) && heard.average_log_probability < 0.0);
        // Another temperature gives the same.
        assert_eq!(utterance.attempt(&options, 0.8, &|_| false).unwrap().tokens, heard.tokens);
    }
}

#[test]
fn a_list_without_pieces_changes_nothing_and_is_told() {
    let samples = Reference::read(&fixture()).samples();
    let (model, script) = (load(Precision::Exact), HongKongScript::load().unwrap());
    let mut utterance = model.open(&samples, Context::Speech).unwrap();
    let listed = |words: &str| model::bias(&model, &WordList::parse(words.as_bytes(), &script).unwrap()).unwrap();
    for search in [Search::Greedy, Search::Beam(4)] {
        let plain = DecodeOptions { search, ..DecodeOptions::default() };
        let heard = utterance.attempt(&plain, 0.0, &|_| false).unwrap();
        let unknown = listed("鼻敏感\n糖尿");
        assert_eq!(unknown.unwritable(), [1, 2]);
        let options = DecodeOptions { bias: Some(Arc::new(unknown)), ..plain.clone() };
        assert_eq!(utterance.attempt(&options, 0.0, &|_| false).unwrap(), heard);
        // A random network raises what it will, and the same again; its words have times.
        let options = DecodeOptions { bias: Some(Arc::new(listed("今日\n你好"))), ..plain };
        let mut raised = utterance.attempt(&options, 0.0, &|_| false).unwrap();
        assert_eq!(utterance.attempt(&options, 0.0, &|_| false).unwrap(), raised);
        utterance.align(&mut raised).unwrap();
        assert!(!raised.words.is_empty());
    }
}

#[test]
fn what_cannot_be_heard_is_refused_or_empty() {
    let model = load(Precision::Exact);
    assert!(matches!(model.raw(&[0.0, f32::NAN], None), Err(SpeechError::NotFinite { index: 1 })));
    let long = vec![0.0; LONGEST + 1];
    assert!(matches!(model.open(&long, Context::Full), Err(SpeechError::TooLong { samples, .. }) if samples == long.len()));
    // Nothing that a random network says is believed.
    for samples in [Vec::new(), vec![0.0; 399], vec![0.0; 16_000]] {
        let heard = recognise(&model, &samples, &DecodeOptions::default(), &Guard::default()).unwrap();
        assert!(heard.text.is_blank() && heard.words.is_empty(), "{heard:?}");
    }
}

/// A copy of the checkpoint that can be damaged.
struct Copy(tempfile::TempDir);

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["config.yaml", "configuration.json", "am.mvn", "speech.bpe.model", "model.pt"] {
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

    fn refused(&self, names: &[&str]) {
        let Err(error) = model::load(self.0.path(), &options(Precision::Exact)) else { panic!("loaded what lacks {names:?}") };
        let message = error.to_string();
        assert!(names.iter().all(|name| message.contains(name)), "`{message}` does not name {names:?}");
    }
}

#[test]
fn damaged_checkpoints_are_refused_by_file_and_key() {
    Copy::new().edit("config.yaml", "SenseVoiceSmall", "Paraformer").refused(&["config.yaml", "`model`", "Paraformer"]);
    Copy::new().edit("config.yaml", "SenseVoiceEncoderSmall", "SANMEncoder").refused(&[
        "config.yaml",
        "`encoder`",
        "SANMEncoder",
    ]);
    Copy::new().edit("config.yaml", "fs: 16000", "fs: 8000").refused(&["config.yaml", "frontend_conf.fs", "8000"]);
    Copy::new().edit("config.yaml", "num_blocks: 3", "num_blocks: x").refused(&["config.yaml", "line 6"]);
    Copy::new().edit("config.yaml", "lfr_n: 6", "lfr_n: 0").refused(&["config.yaml", "lfr_n"]);
    Copy::new().edit("config.yaml", "heads: 2", "heads: 3").refused(&["config.yaml", "attention_heads"]);
    Copy::new().edit("config.yaml", "num_blocks: 3", "num_blocks: 4").refused(&["model.pt", "encoder.encoders.2.", "missing"]);
    Copy::new().edit("config.yaml", "linear_units: 32", "linear_units: 48").refused(&[
        "model.pt",
        "feed_forward.w_1.weight",
        "[48, 16]",
    ]);
    Copy::new().edit("config.yaml", "n_mels: 12", "n_mels: 80").refused(&["am.mvn", "<AddShift>", "560"]);
    Copy::new().edit("am.mvn", "<Rescale>", "<Scale>").refused(&["am.mvn", "<Rescale>"]);
    Copy::new()
        .edit("configuration.json", "speech.bpe.model", "../speech.bpe.model")
        .refused(&["configuration.json", "../speech.bpe.model"]);
    Copy::new().edit("configuration.json", "speech.bpe.model", "other.model").refused(&["other.model"]);
    for name in ["am.mvn", "speech.bpe.model"] {
        let copy = Copy::new();
        fs::remove_file(copy.path(name)).unwrap();
        copy.refused(&[name]);
    }
}

#[test]
fn a_tokenizer_must_fit_the_weights() {
    let copy = Copy::new();
    let model = fs::read(copy.path("speech.bpe.model")).unwrap();
    // One more piece in front.
    fs::write(copy.path("speech.bpe.model"), [&[0x0a, 3, 0x0a, 1, b'x'], model.as_slice()].concat()).unwrap();
    copy.refused(&["speech.bpe.model", "73 pieces", "ctc.ctc_lo.weight", "72 outputs"]);
    fs::write(copy.path("speech.bpe.model"), &model[..model.len() - 1]).unwrap();
    copy.refused(&["speech.bpe.model"]);
}

#[test]
fn a_checkpoint_without_a_configuration_json_or_in_safetensors_is_the_same() {
    let samples = Reference::read(&fixture()).samples();
    let expected = load(Precision::Exact).raw(&samples, None).unwrap();
    let copy = Copy::new();
    fs::remove_file(copy.path("configuration.json")).unwrap();
    let bytes = fs::read(copy.path("model.pt")).unwrap();
    let tensors = model::pickle::tensors(&copy.path("model.pt"), &bytes).unwrap();
    let views = tensors.iter().map(|(name, info)| {
        let (start, end) = info.data_offsets;
        (name, TensorView::new(info.dtype, info.shape.clone(), &bytes[start..end]).unwrap())
    });
    fs::write(copy.path("model.safetensors"), safetensors::serialize(views, None).unwrap()).unwrap();
    fs::remove_file(copy.path("model.pt")).unwrap();
    let model = model::load(copy.0.path(), &options(Precision::Exact)).unwrap();
    assert_eq!(model.raw(&samples, None).unwrap(), expected);
    fs::write(copy.path("second.bpe.model"), b"").unwrap();
    copy.refused(&["2 files", ".bpe.model"]);
}
