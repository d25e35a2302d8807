//! A small Qwen3 of random weights as `scripts/qwen3-text-reference` wrote it, against what transformers made of it.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use candle_core::quantized::gguf_file::{Content, Value, write};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use super::*;
use crate::speech::model::Precision;
use crate::speech::model::reference::{Reference, TOLERANCE, error};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/qwen3-text").join(name)
}

fn load(path: &Path, precision: Precision) -> Result<Qwen3Text, SpeechError> {
    Qwen3Text::load(path, &LoadOptions { precision, threads: Some(2), ..LoadOptions::default() })
}

/// Logits after a prompt and after each of some tokens.
fn logits(model: &Qwen3Text, prompt: &[u32], tokens: &[u32]) -> Vec<f32> {
    let mut cache = model.decoder.cache();
    let mut all = model.feed(prompt, &mut cache).unwrap();
    for token in tokens {
        all.extend(model.decoder.step(&[*token], &mut cache).unwrap().concat());
    }
    all
}

#[test]
fn parity_qwen3_text_ids() {
    let (reference, model) = (Reference::read(&fixture("")), load(&fixture("model.gguf"), Precision::Exact).unwrap());
    for text in ["text.0", "text.1", "text.2", "text.3", "text.4"] {
        assert_eq!(model.tokens.encode(&reference.text(text)).unwrap(), reference.ids(text), "{text}");
    }
    // In two steps as it is asked, of which the second knows the first.
    let system = model.message("system", &reference.text("system")).unwrap();
    let question = model.question(&reference.text("user")).unwrap();
    assert_eq!([system, question].concat(), reference.ids("conversation"));
}

#[test]
fn parity_qwen3_text_logits_and_tokens() {
    let reference = Reference::read(&fixture(""));
    let (prompt, answer, expected) = (reference.ids("conversation"), reference.ids("answer"), reference.floats("logits"));
    for precision in Precision::ALL {
        let model = load(&fixture("model.gguf"), precision).unwrap();
        let ours = logits(&model, &prompt, &answer[..answer.len() - 1]);
        let error = error(&ours, &expected);
        let mut cache = model.decoder.cache();
        let first = model.feed(&prompt, &mut cache).unwrap();
        let count = std::sync::atomic::AtomicUsize::new(0);
        let over = || count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) >= answer.len();
        assert_eq!(model.greedy(first, &mut cache, answer.len() + 1, &over).unwrap(), None, "the reference's answer has no end");
        let size = expected.len() / answer.len();
        let likeliest: Vec<u32> = ours.chunks(size).map(|row| argmax(row).unwrap()).collect();
        println!("{}: error {error:.1e} at the logits", precision.name());
        // What surrounds the products of F16 weights is f32 in every precision.
        assert!(error < TOLERANCE, "{error}");
        assert_eq!(likeliest, answer);
    }
}

/// A conversation whose system's message was fed before gives each question what it would have got alone.
#[test]
fn questions_know_nothing_of_each_other() {
    let model = load(&fixture("model.gguf"), Precision::Exact).unwrap();
    let conversation = model.begin("Reword one sentence.").unwrap();
    let ask = |question: &str| {
        let mut cache = conversation.cache.clone();
        model.feed(&model.question(question).unwrap(), &mut cache).unwrap()
    };
    let first = ask("no CP");
    ask("metformin 500 mg BD");
    assert_eq!(ask("no CP"), first);
    // Nothing that has no end within the limit, when told to give up, or beyond what the model can read.
    let answer = |question: &str, longest, give_up: bool| model.answer(&conversation, question, longest, &|| give_up).unwrap();
    assert_eq!(answer("no CP", 5, false), None);
    assert_eq!(answer("no CP", 5, true), None);
    assert_eq!(answer(&"no CP ".repeat(200), 5, false), None);
}

type Metadata = HashMap<String, Value>;

/// What the fixture's metadata say, and its tensors.
fn parts() -> (Metadata, HashMap<String, QTensor>) {
    let mut file = fs::File::open(fixture("model.gguf")).unwrap();
    let content = Content::read(&mut file).unwrap();
    let names: Vec<String> = content.tensor_infos.keys().cloned().collect();
    let tensors = names.into_iter().map(|name| {
        let tensor = content.tensor(&mut file, &name, &Device::Cpu).unwrap();
        (name, tensor)
    });
    let tensors = tensors.collect();
    (content.metadata, tensors)
}

fn save(path: &Path, metadata: &Metadata, tensors: &HashMap<String, QTensor>) {
    let metadata: Vec<(&str, &Value)> = metadata.iter().map(|(key, value)| (key.as_str(), value)).collect();
    let tensors: Vec<(&str, &QTensor)> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    write(&mut fs::File::create(path).unwrap(), &metadata, &tensors).unwrap();
}

/// The fixture's tokens with a network wide enough for blocks of 256 values, its matrices stored as `of`.
fn wide(of: GgmlDType) -> (Metadata, HashMap<String, QTensor>) {
    let (mut metadata, tensors) = parts();
    let ids = tensors["token_embd.weight"].shape().dims()[0];
    for (key, value) in [("embedding_length", 256), ("feed_forward_length", 512), ("attention.key_length", 64)] {
        metadata.insert(format!("qwen3.{key}"), Value::U32(value));
    }
    metadata.insert("qwen3.attention.value_length".to_owned(), Value::U32(64));
    let mut state = 20_251_127_u64;
    let stored =
        tensors.keys().map(|name| (name, name.split('.').nth_back(1).unwrap())).collect::<std::collections::BTreeMap<_, _>>();
    let stored = stored.into_iter().map(|(name, part)| {
        let shape: &[usize] = match part {
            "token_embd" => &[ids, 256],
            "output_norm" | "attn_norm" | "ffn_norm" => &[256],
            "attn_q_norm" | "attn_k_norm" => &[64],
            "attn_q" | "attn_output" => &[256, 256],
            "attn_k" | "attn_v" => &[128, 256],
            "ffn_down" => &[256, 512],
            _ => &[512, 256],
        };
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let even = (state >> 40) as f32 / (1_u64 << 24) as f32 - 0.5;
            if shape.len() == 1 { 1.0 + even / 3.0 } else { 5.0 * even / (shape[1] as f32).sqrt() }
        };
        let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
        let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        (name.clone(), QTensor::quantize(&tensor, if shape.len() == 1 { GgmlDType::F32 } else { of }).unwrap())
    });
    let stored = stored.collect();
    (metadata, stored)
}

/// The formats that are published, against the same numbers in f32. Candle's products make the inputs 8-bit too, which costs what the
/// decoder's tests allow for (0.06 of the largest logit).
#[test]
fn parity_qwen3_text_in_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    let (prompt, answer) = ([1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 11, 12]);
    for of in [GgmlDType::Q8_0, GgmlDType::Q4K] {
        let (metadata, tensors) = wide(of);
        save(&path, &metadata, &tensors);
        let ours = logits(&load(&path, Precision::Exact).unwrap(), &prompt, &answer);
        let dense = tensors.iter().map(|(name, tensor)| {
            let dense = tensor.dequantize(&Device::Cpu).unwrap();
            (name.clone(), QTensor::quantize(&dense, GgmlDType::F32).unwrap())
        });
        save(&path, &metadata, &dense.collect());
        let error = error(&ours, &logits(&load(&path, Precision::Exact).unwrap(), &prompt, &answer));
        println!("{of:?}: error {error:.1e} at the logits");
        assert!(error < 0.06, "{of:?}: {error}");
    }
}

#[test]
fn a_file_that_does_not_fit_is_refused_by_file_and_field_or_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("words.gguf");
    let refused = |names: &[&str]| {
        let message = load(&path, Precision::Balanced).err().unwrap().to_string();
        assert!(message.contains("words.gguf") && names.iter().all(|name| message.contains(name)), "{message}");
    };
    refused(&["cannot read"]);
    let (metadata, tensors) = parts();
    let with = |key: &str, value: Option<Value>| {
        let mut metadata = metadata.clone();
        metadata.remove(key);
        metadata.extend(value.map(|value| (key.to_owned(), value)));
        save(&path, &metadata, &tensors);
    };
    let text = |text: &str| Some(Value::String(text.to_owned()));
    with("general.architecture", text("llama"));
    refused(&["general.architecture", "`llama`"]);
    with("qwen3.rope.scaling.type", text("yarn"));
    refused(&["qwen3.rope.scaling.type", "`yarn`"]);
    for key in
        ["block_count", "embedding_length", "attention.head_count", "attention.key_length", "rope.freq_base", "context_length"]
    {
        let key = format!("qwen3.{key}");
        with(&key, None);
        refused(&[&key, "missing"]);
        with(&key, text("many"));
        refused(&[&key]);
        with(&key, Some(Value::F32(-1.0)));
        refused(&[&key]);
    }
    with("qwen3.attention.head_count", Some(Value::U32(5)));
    refused(&["qwen3.attention.head_count` = 5", "qwen3.attention.head_count_kv` = 2"]);
    with("qwen3.attention.value_length", Some(Value::U32(8)));
    refused(&["qwen3.attention.value_length"]);
    with("qwen3.block_count", Some(Value::U32(1)));
    refused(&["blk.1."]);
    with("qwen3.block_count", Some(Value::U32(3)));
    refused(&["blk.2.", "missing"]);
    for (key, value) in
        [("tokenizer.ggml.model", text("llama")), ("tokenizer.ggml.pre", text("gpt-2")), ("tokenizer.ggml.pre", None)]
    {
        with(key, value);
        refused(&[key]);
    }
    for key in ["tokenizer.ggml.tokens", "tokenizer.ggml.merges", "tokenizer.ggml.token_type"] {
        with(key, None);
        refused(&[key, "missing"]);
        with(key, Some(Value::Array(vec![Value::F32(0.5)])));
        refused(&[key]);
    }
    with("tokenizer.ggml.merges", Some(Value::Array(vec![Value::String("alone".to_owned())])));
    refused(&["entry 0 of `tokenizer.ggml.merges`"]);
    with("tokenizer.ggml.token_type", Some(Value::Array(vec![Value::I32(1)])));
    refused(&["tokenizer.ggml.token_type` has 1 entries"]);
    let mut unnamed = metadata.clone();
    if let Some(Value::Array(types)) = unnamed.get_mut("tokenizer.ggml.token_type") {
        types.iter_mut().for_each(|kind| *kind = Value::I32(1));
    }
    save(&path, &unnamed, &tensors);
    refused(&["<|im_end|>"]);
    let mut more = tensors;
    let one = Tensor::ones((4, 4), candle_core::DType::F32, &Device::Cpu).unwrap();
    more.insert("blk.0.ffn_gate_exps.weight".to_owned(), QTensor::quantize(&one, GgmlDType::F32).unwrap());
    save(&path, &metadata, &more);
    refused(&["blk.0.ffn_gate_exps.weight"]);
    more.remove("blk.0.ffn_gate_exps.weight");
    more.insert("blk.0.attn_k.weight".to_owned(), QTensor::quantize(&one, GgmlDType::F32).unwrap());
    save(&path, &metadata, &more);
    refused(&["blk.0.attn_k.weight", "[4, 4]"]);
    let whole = fs::read(fixture("model.gguf")).unwrap();
    for length in [0, 20, whole.len() / 2, whole.len() - 100] {
        fs::write(&path, &whole[..length]).unwrap();
        refused(&[]);
    }
}
