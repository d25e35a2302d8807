//! The converter against files that the test writes itself.

use safetensors::{Dtype, SafeTensors};

use super::super::digest::Digest;
use super::*;

const WIDTH: usize = 2;

/// Writes CTranslate2's layout; every value of a variable is told apart by a running number.
#[derive(Default)]
struct Ct2 {
    body: Vec<u8>,
    count: u32,
    next: u16,
}

impl Ct2 {
    fn raw(&mut self, name: &str, shape: &[u32], kind: u8, bytes: &[u8]) {
        self.body.extend(text(name));
        self.body.push(shape.len() as u8);
        self.body.extend(shape.iter().flat_map(|n| n.to_le_bytes()));
        self.body.push(kind);
        self.body.extend((bytes.len() as u32).to_le_bytes());
        self.body.extend(bytes);
        self.count += 1;
    }

    fn f16(&mut self, name: &str, shape: &[u32]) {
        let values: Vec<u8> = (0..shape.iter().product::<u32>())
            .flat_map(|_| {
                self.next += 1;
                self.next.to_le_bytes()
            })
            .collect();
        self.raw(name, shape, 4, &values);
    }

    fn linear(&mut self, name: &str, rows: u32, columns: u32) {
        self.f16(&format!("{name}/weight"), &[rows, columns]);
        self.f16(&format!("{name}/bias"), &[rows]);
    }

    /// A stacked projection whose key rows have no bias.
    fn stacked(&mut self, name: &str, parts: &[&str]) {
        let width = WIDTH as u32;
        self.f16(&format!("{name}/weight"), &[parts.len() as u32 * width, width]);
        let bias: Vec<u8> = parts.iter().flat_map(|part| if *part == "k" { [0, 0, 0, 0x80] } else { [1, 2, 3, 4] }).collect();
        self.raw(&format!("{name}/bias"), &[parts.len() as u32 * width], 4, &bias);
    }

    fn norm(&mut self, name: &str) {
        self.f16(&format!("{name}/gamma"), &[WIDTH as u32]);
        self.f16(&format!("{name}/beta"), &[WIDTH as u32]);
    }

    fn file(&self, specification: &str) -> Vec<u8> {
        let mut out = 6_u32.to_le_bytes().to_vec();
        out.extend(text(specification));
        out.extend(3_u32.to_le_bytes());
        out.extend(self.count.to_le_bytes());
        out.extend(&self.body);
        out.extend(1_u32.to_le_bytes());
        out.extend(text("decoder/projection/weight"));
        out.extend(text("decoder/embeddings/weight"));
        out
    }
}

fn text(name: &str) -> Vec<u8> {
    let mut out = (name.len() as u16 + 1).to_le_bytes().to_vec();
    out.extend(name.as_bytes());
    out.push(0);
    out
}

fn tiny() -> Ct2 {
    let mut ct2 = Ct2::default();
    for side in ["encoder", "decoder"] {
        ct2.raw(&format!("{side}/num_heads"), &[], 2, &1_i16.to_le_bytes());
        ct2.f16(&format!("{side}/position_encodings/encodings"), &[3, 2]);
        ct2.norm(&format!("{side}/layer_norm"));
        ct2.norm(&format!("{side}/layer_0/self_attention/layer_norm"));
        ct2.stacked(&format!("{side}/layer_0/self_attention/linear_0"), &["q", "k", "v"]);
        ct2.linear(&format!("{side}/layer_0/self_attention/linear_1"), 2, 2);
        ct2.norm(&format!("{side}/layer_0/ffn/layer_norm"));
        ct2.linear(&format!("{side}/layer_0/ffn/linear_0"), 8, 2);
        ct2.linear(&format!("{side}/layer_0/ffn/linear_1"), 2, 8);
    }
    ct2.norm("decoder/layer_0/attention/layer_norm");
    ct2.linear("decoder/layer_0/attention/linear_0", 2, 2);
    ct2.stacked("decoder/layer_0/attention/linear_1", &["k", "v"]);
    ct2.linear("decoder/layer_0/attention/linear_2", 2, 2);
    for (conv, inputs) in [("conv1", 4), ("conv2", 2)] {
        ct2.f16(&format!("encoder/{conv}/weight"), &[2, inputs, 3]);
        ct2.f16(&format!("encoder/{conv}/bias"), &[2]);
    }
    ct2.f16("decoder/embeddings/weight", &[5, 2]);
    ct2
}

const CONFIG: &str = r#"{"alignment_heads":[[0,0]],"lang_ids":[12],"suppress_ids":[1],"suppress_ids_begin":[2,10]}"#;
const TOKENIZER: &str = r#"{"added_tokens":[{"id":10,"content":"<|endoftext|>"},{"id":11,"content":"<|startoftranscript|>"},
    {"id":12,"content":"<|zh|>"},{"id":13,"content":"<|translate|>"},{"id":14,"content":"<|transcribe|>"},
    {"id":15,"content":"<|startofprev|>"},{"id":16,"content":"<|notimestamps|>"}]}"#;

fn convert(model: &[u8]) -> Result<tempfile::TempDir, ModelError> {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(from.path().join("model.bin"), model).unwrap();
    fs::write(from.path().join("config.json"), CONFIG).unwrap();
    fs::write(from.path().join("tokenizer.json"), TOKENIZER).unwrap();
    ctranslate2_whisper(from.path(), to.path())?;
    Ok(to)
}

#[test]
fn every_tensor_has_its_name_dimensions_and_values() {
    let to = convert(&tiny().file("WhisperSpec")).unwrap();
    let bytes = fs::read(to.path().join(WEIGHTS)).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    // A layer has 15 tensors, cross-attention adds 9; 4 for the convolutions, 3 a side at the top, 1 embedding.
    assert_eq!(tensors.len(), 15 + 15 + 9 + 4 + 3 + 3 + 1);
    assert!(tensors.names().iter().all(|name| tensors.tensor(name).unwrap().dtype() == Dtype::F16));
    let stacked = |name: &str| tensors.tensor(&format!("model.encoder.layers.0.self_attn.{name}")).unwrap();
    let first = u16::from_le_bytes(stacked("q_proj.weight").data()[..2].try_into().unwrap());
    for (index, part) in (0_u16..).zip(["q_proj", "k_proj", "v_proj"]) {
        let weight = stacked(&format!("{part}.weight"));
        assert_eq!(weight.shape(), [2, 2]);
        let expected: Vec<u8> = (0..4).flat_map(|value| (first + index * 4 + value).to_le_bytes()).collect();
        assert_eq!(weight.data(), expected, "{part}");
    }
    assert_eq!(stacked("v_proj.bias").data(), [1, 2, 3, 4]);
    assert!(tensors.tensor("model.encoder.layers.0.self_attn.k_proj.bias").is_err());
    assert_eq!(tensors.tensor("model.encoder.conv1.weight").unwrap().shape(), [2, 4, 3]);
}

#[test]
fn the_json_files_carry_what_ctranslate2_and_the_tokenizer_know() {
    let to = convert(&tiny().file("WhisperSpec")).unwrap();
    let json = |name: &str| -> serde_json::Value { serde_json::from_slice(&fs::read(to.path().join(name)).unwrap()).unwrap() };
    let generation = json("generation_config.json");
    assert_eq!(generation["lang_to_id"]["<|zh|>"], 12);
    assert_eq!(generation["task_to_id"]["transcribe"], 14);
    assert_eq!(generation["no_timestamps_token_id"], 16);
    assert_eq!(generation["begin_suppress_tokens"], serde_json::json!([2, 10]));
    let config = json("config.json");
    for (key, value) in [("d_model", 2), ("vocab_size", 5), ("num_mel_bins", 4), ("encoder_layers", 1), ("decoder_ffn_dim", 8)] {
        assert_eq!(config[key], value, "{key}");
    }
    assert_eq!(config["model_type"], "whisper");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let hash = || Digest::of_file(&convert(&tiny().file("WhisperSpec")).unwrap().path().join(WEIGHTS)).unwrap();
    assert_eq!(hash(), hash());
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let whole = tiny().file("WhisperSpec");
    for length in (0..whole.len()).step_by(7) {
        assert!(matches!(convert(&whole[..length]), Err(ModelError::Conversion { .. })), "{length} bytes");
    }
}

#[test]
fn what_is_not_a_plain_whisper_model_is_refused() {
    let why = |ct2: &Ct2, specification: &str| convert(&ct2.file(specification)).unwrap_err().to_string();
    assert!(why(&tiny(), "TransformerSpec").contains("not a Whisper model"));
    let mut int8 = tiny();
    int8.raw("decoder/layer_1/ffn/linear_0/weight", &[8, 2], 1, &[0; 16]);
    assert!(why(&int8, "WhisperSpec").contains("missing"));
    let mut twice = tiny();
    twice.norm("encoder/layer_norm");
    assert!(why(&twice, "WhisperSpec").contains("twice"));
    let mut hostile = tiny();
    hostile.raw("huge", &[u32::MAX, u32::MAX, u32::MAX], 4, &[]);
    assert!(why(&hostile, "WhisperSpec").contains("do not fit"));
    let mut trailing = tiny().file("WhisperSpec");
    trailing.push(0);
    assert!(convert(&trailing).unwrap_err().to_string().contains("follow its end"));
    let count = tiny().file("WhisperSpec");
    let mut many = count.clone();
    let at = 4 + text("WhisperSpec").len() + 4;
    many[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    assert!(matches!(convert(&many), Err(ModelError::Conversion { .. })));
}

#[test]
fn quantised_weights_and_biased_keys_are_refused() {
    let mut quantised = Ct2::default();
    quantised.raw("a", &[4], 1, &[0; 4]);
    let bytes = quantised.file("WhisperSpec");
    let model = Model::parse(&bytes).unwrap();
    assert!(weights(&model, "a").unwrap_err().contains("quantised"));
    assert!(is_zero(&[0, 0, 0, 0x80], Kind::Float16));
    assert!(!is_zero(&[0, 0, 1, 0], Kind::Float16));
}
