//! A small network of random weights, its decoder in a GGUF file, against the same with what that file stores as f32 in safetensors.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use candle_core::quantized::gguf_file::{Value, write};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use serde_json::json;

use super::*;
use crate::speech::model::logits::argmax;
use crate::speech::model::qwen3_asr::Qwen3Asr;
use crate::speech::model::qwen3_asr::config::Layout;
use crate::speech::model::reference::{Reference, error, values};
use crate::speech::model::{LoadOptions, Precision, Recognizer as _, decoder_file};

const FOLDER: &str = "tests/fixtures/qwen3-asr";
const FILES: [&str; 4] = ["generation_config.json", "vocab.json", "merges.txt", "tokenizer_config.json"];
/// Rows of 256 values and more, as Q4_K needs them.
const WIDTH: usize = 256;
const INNER: usize = 512;
const LAYERS: usize = 2;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER).join(name)
}

/// Random numbers about `mean`, from a linear congruential generator (Knuth's MMIX).
fn random(state: &mut u64, shape: &[usize], mean: f32, spread: f32) -> Tensor {
    let count = shape.iter().product();
    let mut next = || {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        mean + spread * 3.4 * ((*state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5)
    };
    let numbers: Vec<f32> = (0..count).map(|_| next()).collect();
    Tensor::from_vec(numbers, shape, &Device::Cpu).unwrap()
}

/// The decoder's tensors, in the checkpoint's names.
fn decoder() -> HashMap<String, Tensor> {
    let mut state = 20_251_126;
    let mut tensors = HashMap::new();
    let mut add = |name: String, shape: &[usize]| {
        let tensor = match shape {
            [_] => random(&mut state, shape, 1.0, 0.15),
            [_, inputs] if name.contains("embed") => random(&mut state, shape, 0.0, 4.0 / *inputs as f32),
            [_, inputs] => random(&mut state, shape, 0.0, 1.6 / (*inputs as f32).sqrt()),
            _ => panic!("{shape:?}"),
        };
        tensors.insert(format!("thinker.model.{name}.weight"), tensor);
    };
    add("embed_tokens".to_owned(), &[320, WIDTH]);
    add("norm".to_owned(), &[WIDTH]);
    for layer in 0..LAYERS {
        let shapes: [(&str, &[usize]); 11] = [
            ("input_layernorm", &[WIDTH]),
            ("self_attn.q_proj", &[256, WIDTH]),
            ("self_attn.k_proj", &[128, WIDTH]),
            ("self_attn.v_proj", &[128, WIDTH]),
            ("self_attn.o_proj", &[WIDTH, 256]),
            ("self_attn.q_norm", &[64]),
            ("self_attn.k_norm", &[64]),
            ("post_attention_layernorm", &[WIDTH]),
            ("mlp.gate_proj", &[INNER, WIDTH]),
            ("mlp.up_proj", &[INNER, WIDTH]),
            ("mlp.down_proj", &[WIDTH, INNER]),
        ];
        for (name, shape) in shapes {
            add(format!("layers.{layer}.{name}"), shape);
        }
    }
    tensors
}

/// The encoder of the small fixture, with a projector of another width.
fn encoder() -> HashMap<String, Tensor> {
    let all = candle_core::safetensors::load(fixture("model.safetensors"), &Device::Cpu).unwrap();
    let mut state = 7;
    let mut tensors: HashMap<_, _> = all.into_iter().filter(|(name, _)| name.starts_with("thinker.audio_tower")).collect();
    let inputs = tensors["thinker.audio_tower.proj2.weight"].dim(1).unwrap();
    for (name, shape) in [("weight", vec![WIDTH, inputs]), ("bias", vec![WIDTH])] {
        tensors.insert(format!("thinker.audio_tower.proj2.{name}"), random(&mut state, &shape, 0.0, 0.1));
    }
    tensors
}

/// A folder with everything but a decoder's weights.
fn checkpoint(more: HashMap<String, Tensor>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in FILES {
        fs::copy(fixture(name), folder.path().join(name)).unwrap();
    }
    let mut config: serde_json::Value = serde_json::from_slice(&fs::read(fixture("config.json")).unwrap()).unwrap();
    let thinker = &mut config["thinker_config"];
    thinker["audio_config"]["output_dim"] = json!(WIDTH);
    for (key, value) in [("hidden_size", WIDTH), ("intermediate_size", INNER), ("num_hidden_layers", LAYERS), ("head_dim", 64)] {
        thinker["text_config"][key] = json!(value);
    }
    fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let tensors: HashMap<_, _> = encoder().into_iter().chain(more).collect();
    candle_core::safetensors::save(&tensors, folder.path().join("model.safetensors")).unwrap();
    folder
}

/// What a matrix of a name is stored as.
type Choice = fn(&str) -> GgmlDType;

/// The decoder by llama.cpp's names, each matrix of the type that `of` says.
fn stored(of: Choice) -> HashMap<String, QTensor> {
    let quantise = |(name, tensor): (String, Tensor)| {
        let name = Layout::Qwen.names().in_gguf(&name).unwrap();
        let dtype = if tensor.rank() == 1 { GgmlDType::F32 } else { of(&name) };
        (name, QTensor::quantize(&tensor, dtype).unwrap())
    };
    decoder().into_iter().map(quantise).collect()
}

fn metadata() -> HashMap<String, Value> {
    let whole = |value: usize| Value::U32(u32::try_from(value).unwrap());
    let entries = [
        ("general.architecture", Value::String("qwen3vl".to_owned())),
        ("qwen3vl.block_count", whole(LAYERS)),
        ("qwen3vl.embedding_length", whole(WIDTH)),
        ("qwen3vl.feed_forward_length", whole(INNER)),
        ("qwen3vl.attention.head_count", whole(4)),
        ("qwen3vl.attention.head_count_kv", whole(2)),
        ("qwen3vl.attention.key_length", whole(64)),
        ("qwen3vl.attention.layer_norm_rms_epsilon", Value::F32(1e-6)),
        ("qwen3vl.rope.freq_base", Value::F32(1e6)),
    ];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn save(path: &Path, metadata: &HashMap<String, Value>, tensors: &HashMap<String, QTensor>) {
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    write(&mut fs::File::create(path).unwrap(), &metadata, &tensors).unwrap();
}

fn load(folder: &Path, precision: Precision) -> Result<Qwen3Asr, SpeechError> {
    let decoder = decoder_file(folder)?;
    Qwen3Asr::load(folder, &LoadOptions { precision, threads: Some(2), decoder, ..LoadOptions::default() })
}

/// Logits after each of some tokens, and after the prompt.
fn logits(model: &Qwen3Asr, samples: &[f32], tokens: &[u32]) -> Tensor {
    let prompt = model.vocabulary.prompt(None).unwrap();
    let audio = model.network.listen(samples, false).unwrap();
    let rows = model.network.prompt(&prompt.before, &audio, &[prompt.after, tokens.to_vec()].concat()).unwrap();
    let states = model.network.decoder.forward(&rows, 1, &mut model.network.decoder.cache()).unwrap();
    let count = tokens.len() + 1;
    model.network.decoder.logits(&states.narrow(0, rows.dim(0).unwrap() - count, count).unwrap()).unwrap()
}

/// What candle's products lose that make the inputs 8-bit too, of the largest logit: the weights themselves are the same numbers. Measured:
/// 0.026 in Q8_0.
const BOUND: f32 = 0.06;

/// The likeliest token in each row of logits.
fn likeliest(logits: &[f32]) -> Vec<Option<u32>> {
    logits.chunks(320).map(argmax).collect()
}

/// The logits are those of the same numbers in f32 but for [`BOUND`]. A network of random weights holds many tokens for about as likely:
/// where that decides, another may be the likeliest, and so the tokens are compared one by one, each after what the f32 network wrote.
#[test]
fn parity_qwen3_gguf_logits() {
    let samples = Reference::read(&fixture("")).samples();
    let mixed: Choice = |name| {
        if name.contains("attn_v") || name.contains("token_embd") { GgmlDType::Q6K } else { GgmlDType::Q4K }
    };
    let kinds: [(&str, Choice); 4] =
        [("Q8_0", |_| GgmlDType::Q8_0), ("Q4_K", |_| GgmlDType::Q4K), ("Q4_K and Q6_K", mixed), ("F16", |_| GgmlDType::F16)];
    for (kind, of) in kinds {
        let tensors = stored(of);
        let folder = checkpoint(HashMap::new());
        save(&folder.path().join("decoder.gguf"), &metadata(), &tensors);
        let dense = |name: &String| tensors[&Layout::Qwen.names().in_gguf(name).unwrap()].dequantize(&Device::Cpu).unwrap();
        let dense = checkpoint(decoder().into_keys().map(|name| (name.clone(), dense(&name))).collect());
        let dense = load(dense.path(), Precision::Exact).unwrap();
        let tokens = dense.raw(&samples, None).unwrap().tokens;
        let expected = values(&logits(&dense, &samples, &tokens));
        for precision in Precision::ALL {
            let model = load(folder.path(), precision).unwrap();
            let ours = values(&logits(&model, &samples, &tokens));
            let error = error(&ours, &expected);
            let (ours, wanted) = (likeliest(&ours), likeliest(&expected));
            let equal = ours.iter().zip(&wanted).filter(|(a, b)| a == b).count();
            println!("{kind}, {}: error {error:.1e} at the logits, {equal} of {} ids equal", precision.name(), wanted.len());
            if precision != Precision::Exact {
                // The encoder, and what surrounds the products, round as the precision says.
                assert!(error < 3.0 * BOUND, "{kind} {precision:?}: {error}");
            } else if kind == "F16" {
                assert!(error < 1e-5, "{error}");
                assert_eq!(model.raw(&samples, None).unwrap().tokens, tokens);
            } else {
                assert!(error < BOUND && equal * 10 >= wanted.len() * 8, "{kind}: {error}, {equal}");
            }
        }
    }
}

/// A file that llama.cpp's own package wrote (`scripts/gguf-fixture`), in Q8_0 and F16, against the weights that it was made of.
#[test]
fn parity_qwen3_gguf_of_another_writer() {
    let reference = Reference::read(&fixture(""));
    let tokens = reference.ids("ids.auto");
    let load = |decoder: Option<PathBuf>| {
        let options = LoadOptions { precision: Precision::Exact, threads: Some(2), decoder, ..LoadOptions::default() };
        Qwen3Asr::load(&fixture(""), &options).unwrap()
    };
    let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/qwen3-gguf/decoder.gguf");
    let [ours, expected] = [Some(written), None].map(|file| values(&logits(&load(file), &reference.samples(), &tokens)));
    let error = error(&ours, &expected);
    println!("error {error:.1e} at the logits");
    assert!(error < BOUND, "{error}");
}

/// An output of its own is used, where the file has one.
#[test]
fn an_output_in_the_file_is_used() {
    let samples = Reference::read(&fixture("")).samples();
    let folder = checkpoint(HashMap::new());
    let mut tensors = stored(|_| GgmlDType::Q8_0);
    let path = folder.path().join("decoder.gguf");
    save(&path, &metadata(), &tensors);
    let of = |folder: &Path| values(&logits(&load(folder, Precision::Exact).unwrap(), &samples, &[]));
    let tied = of(folder.path());
    let output = (tensors["token_embd.weight"].dequantize(&Device::Cpu).unwrap() * -2.0).unwrap();
    tensors.insert("output.weight".to_owned(), QTensor::quantize(&output, GgmlDType::F32).unwrap());
    save(&path, &metadata(), &tensors);
    let own: Vec<f32> = of(folder.path()).iter().map(|logit| logit / -2.0).collect();
    assert!(error(&own, &tied) < BOUND);
}

#[test]
fn files_that_do_not_fit_are_refused_by_file_and_tensor() {
    let folder = checkpoint(HashMap::new());
    let path = folder.path().join("decoder.gguf");
    let refused = |names: &[&str]| {
        let message = load(folder.path(), Precision::Balanced).err().unwrap().to_string();
        assert!(message.contains("decoder.gguf") && names.iter().all(|name| message.contains(name)), "{message}");
    };
    let q8 = || stored(|_| GgmlDType::Q8_0);
    let with = |key: &str, value: Value| {
        save(&path, &metadata().into_iter().chain([(key.to_owned(), value)]).collect(), &q8());
    };
    with("general.architecture", Value::String("llama".to_owned()));
    refused(&["general.architecture", "`llama`"]);
    with("qwen3vl.block_count", Value::U32(3));
    refused(&["qwen3vl.block_count", "is 3", "has 2"]);
    with("qwen3vl.rope.freq_base", Value::F32(1e4));
    refused(&["qwen3vl.rope.freq_base"]);
    with("general.alignment", Value::U32(0));
    refused(&["cannot be read as GGUF"]);
    let mut missing = q8();
    missing.remove("blk.1.ffn_up.weight");
    save(&path, &metadata(), &missing);
    refused(&["blk.1.ffn_up.weight", "missing"]);
    let mut wrong = q8();
    let tensor = Tensor::ones((128, 512), candle_core::DType::F32, &Device::Cpu).unwrap();
    wrong.insert("blk.0.attn_k.weight".to_owned(), QTensor::quantize(&tensor, GgmlDType::Q8_0).unwrap());
    save(&path, &metadata(), &wrong);
    refused(&["blk.0.attn_k.weight", "[128, 256]", "[128, 512]"]);
    let mut endless = q8();
    let tensor = Tensor::full(f32::NAN, 64, &Device::Cpu).unwrap();
    endless.insert("blk.0.attn_q_norm.weight".to_owned(), QTensor::quantize(&tensor, GgmlDType::F32).unwrap());
    save(&path, &metadata(), &endless);
    refused(&["blk.0.attn_q_norm.weight", "not finite"]);
    save(&path, &metadata(), &q8());
    let whole = fs::read(&path).unwrap();
    for length in [0, 3, 20, 500, whole.len() / 2, whole.len() - 500] {
        fs::write(&path, &whole[..length]).unwrap();
        refused(&[if length <= 500 { "cannot be read as GGUF" } else { "tensor" }]);
    }
    // The type stands behind the name, the number of sizes and the sizes.
    let name = b"blk.0.attn_q_norm.weight";
    let at = whole.windows(name.len()).position(|part| part == name).unwrap() + name.len() + 4 + 8;
    let mut unknown = whole.clone();
    unknown[at..at + 4].copy_from_slice(&23_u32.to_le_bytes());
    fs::write(&path, unknown).unwrap();
    refused(&["type 23 of ggml's"]);
    fs::write(&path, fs::read(folder.path().join("model.safetensors")).unwrap()).unwrap();
    refused(&["cannot be read as GGUF"]);
    fs::write(folder.path().join("another.gguf"), &whole).unwrap();
    refused(&["another.gguf"]);
}

#[test]
fn without_the_file_the_decoder_is_missing() {
    let folder = checkpoint(HashMap::new());
    let message = load(folder.path(), Precision::Exact).err().unwrap().to_string();
    assert!(message.contains("model.safetensors") && message.contains("thinker.model.embed_tokens.weight"), "{message}");
    // An encoder as llama.cpp has it is not the decoder.
    fs::write(folder.path().join("mmproj-F16.gguf"), b"").unwrap();
    assert_eq!(decoder_file(folder.path()).unwrap(), None);
}
