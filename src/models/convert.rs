//! A Whisper model of CTranslate2 to the files that Hugging Face publishes: `model.safetensors`, `config.json`,
//! `generation_config.json` and `tokenizer.json`. The same input gives the same bytes.
//!
//! CTranslate2 keeps the projections of one attention stacked in one matrix: query, key and value of self-attention, key and value
//! of cross-attention. Whisper's keys have no bias; there the stacked bias holds zeros, which is checked and left out. Values stay
//! as they are stored (f16).

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use super::convert_config::{Shape, config, generation_config};
use super::ct2::{Kind, Model, Variable};
use super::error::ModelError;
use super::manifest::WEIGHTS;

/// A tensor to be written: its dimensions and its bytes.
struct Tensor<'a> {
    shape: Vec<usize>,
    kind: Kind,
    bytes: &'a [u8],
}

/// Converts `model.bin`, `config.json` and `tokenizer.json` in `from`; writes the four files to `to`.
///
/// # Errors
/// [`ModelError::Conversion`] for a file that is cut short, contradicts itself, is quantised or is not a Whisper model.
pub fn ctranslate2_whisper(from: &Path, to: &Path) -> Result<(), ModelError> {
    let read = |name: &str| fs::read(from.join(name)).map_err(ModelError::io("read", from.join(name)));
    let write = |name: &str, bytes: &[u8]| fs::write(to.join(name), bytes).map_err(ModelError::io("write", to.join(name)));
    let (bytes, tokenizer) = (read("model.bin")?, read("tokenizer.json")?);
    let in_model = |why: String| ModelError::Conversion { file: "model.bin".to_owned(), why };
    let model = Model::parse(&bytes).map_err(in_model)?;
    let shape = shape(&model).map_err(in_model)?;
    let tensors = tensors(&model, &shape).map_err(in_model)?;
    let generation = generation_config(&read("config.json")?, &tokenizer, shape.decoder_positions)?;
    write("config.json", &config(&shape, &generation))?;
    write("generation_config.json", &generation.to_json())?;
    write("tokenizer.json", &tokenizer)?;
    write_safetensors(&to.join(WEIGHTS), &tensors)
}

fn shape(model: &Model<'_>) -> Result<Shape, String> {
    if model.specification != "WhisperSpec" {
        return Err(format!("it is a `{}`, not a Whisper model", model.specification));
    }
    let matrix = |name: &str| match get(model, name)?.shape() {
        [rows, columns] => Ok((*rows, *columns)),
        other => Err(format!("`{name}` has {} dimensions instead of 2", other.len())),
    };
    let (vocabulary, width) = matrix("decoder/embeddings/weight")?;
    let (encoder_positions, _) = matrix("encoder/position_encodings/encodings")?;
    let (decoder_positions, _) = matrix("decoder/position_encodings/encodings")?;
    let mel_bins = match get(model, "encoder/conv1/weight")?.shape() {
        [_, bins, _] => *bins,
        _ => return Err("`encoder/conv1/weight` has not 3 dimensions".to_owned()),
    };
    Ok(Shape {
        vocabulary,
        width,
        mel_bins,
        encoder_positions,
        decoder_positions,
        encoder_layers: layers(model, "encoder"),
        decoder_layers: layers(model, "decoder"),
        encoder_heads: heads(model, "encoder")?,
        decoder_heads: heads(model, "decoder")?,
        encoder_feed_forward: matrix("encoder/layer_0/ffn/linear_0/weight")?.0,
        decoder_feed_forward: matrix("decoder/layer_0/ffn/linear_0/weight")?.0,
    })
}

fn get<'a>(model: &Model<'a>, name: &str) -> Result<Variable<'a>, String> {
    model.variables.get(name).copied().ok_or_else(|| format!("`{name}` is missing"))
}

fn layers(model: &Model<'_>, side: &str) -> usize {
    (0_usize..).take_while(|layer| model.variables.contains_key(&format!("{side}/layer_{layer}/ffn/linear_0/weight"))).count()
}

fn heads(model: &Model<'_>, side: &str) -> Result<usize, String> {
    let name = format!("{side}/num_heads");
    let variable = get(model, &name)?;
    let count = match (variable.kind, <[u8; 2]>::try_from(variable.bytes)) {
        (Kind::Int16, Ok(bytes)) => usize::try_from(i16::from_le_bytes(bytes)).ok(),
        _ => None,
    };
    count.filter(|count| *count > 0).ok_or_else(|| format!("`{name}` is not a number of heads"))
}

/// All tensors under their Hugging Face names.
fn tensors<'a>(model: &Model<'a>, shape: &Shape) -> Result<BTreeMap<String, Tensor<'a>>, String> {
    let width = shape.width;
    let mut out = Tensors { model, tensors: BTreeMap::new() };
    for (side, count) in [("encoder", shape.encoder_layers), ("decoder", shape.decoder_layers)] {
        let top = format!("model.{side}");
        out.whole(format!("{top}.embed_positions.weight"), &format!("{side}/position_encodings/encodings"), &[])?;
        out.norm(&format!("{top}.layer_norm"), &format!("{side}/layer_norm"), width)?;
        for index in 0..count {
            let (to, from) = (format!("{top}.layers.{index}"), format!("{side}/layer_{index}"));
            let attention = format!("{from}/self_attention");
            out.norm(&format!("{to}.self_attn_layer_norm"), &format!("{attention}/layer_norm"), width)?;
            out.stacked(&format!("{to}.self_attn"), &["q", "k", "v"], &format!("{attention}/linear_0"), width)?;
            out.stacked(&format!("{to}.self_attn"), &["out"], &format!("{attention}/linear_1"), width)?;
            if side == "decoder" {
                let attention = format!("{from}/attention");
                out.norm(&format!("{to}.encoder_attn_layer_norm"), &format!("{attention}/layer_norm"), width)?;
                out.stacked(&format!("{to}.encoder_attn"), &["q"], &format!("{attention}/linear_0"), width)?;
                out.stacked(&format!("{to}.encoder_attn"), &["k", "v"], &format!("{attention}/linear_1"), width)?;
                out.stacked(&format!("{to}.encoder_attn"), &["out"], &format!("{attention}/linear_2"), width)?;
            }
            out.norm(&format!("{to}.final_layer_norm"), &format!("{from}/ffn/layer_norm"), width)?;
            for (layer, number) in [("fc1", 0), ("fc2", 1)] {
                out.pair(&format!("{to}.{layer}"), &format!("{from}/ffn/linear_{number}"))?;
            }
        }
    }
    out.pair("model.encoder.conv1", "encoder/conv1")?;
    out.pair("model.encoder.conv2", "encoder/conv2")?;
    out.whole("model.decoder.embed_tokens.weight".to_owned(), "decoder/embeddings/weight", &[shape.vocabulary, width])?;
    Ok(out.tensors)
}

struct Tensors<'m, 'a> {
    model: &'m Model<'a>,
    tensors: BTreeMap<String, Tensor<'a>>,
}

impl<'a> Tensors<'_, 'a> {
    /// A variable as it is; `expected` dimensions are checked unless empty.
    fn whole(&mut self, to: String, from: &str, expected: &[usize]) -> Result<(), String> {
        let variable = weights(self.model, from)?;
        if !expected.is_empty() && variable.shape() != expected {
            return Err(format!("`{from}` has dimensions {:?} instead of {expected:?}", variable.shape()));
        }
        self.tensors.insert(to, Tensor { shape: variable.shape().to_vec(), kind: variable.kind, bytes: variable.bytes });
        Ok(())
    }

    fn norm(&mut self, to: &str, from: &str, width: usize) -> Result<(), String> {
        self.whole(format!("{to}.weight"), &format!("{from}/gamma"), &[width])?;
        self.whole(format!("{to}.bias"), &format!("{from}/beta"), &[width])
    }

    fn pair(&mut self, to: &str, from: &str) -> Result<(), String> {
        self.whole(format!("{to}.weight"), &format!("{from}/weight"), &[])?;
        self.whole(format!("{to}.bias"), &format!("{from}/bias"), &[])
    }

    /// Square projections that are stacked by rows in one matrix, `(parts * width, width)`.
    fn stacked(&mut self, to: &str, parts: &[&str], from: &str, width: usize) -> Result<(), String> {
        let (weight, bias) = (weights(self.model, &format!("{from}/weight"))?, weights(self.model, &format!("{from}/bias"))?);
        let rows = parts.len().saturating_mul(width);
        if weight.shape() != [rows, width] || bias.shape() != [rows] || rows == 0 {
            return Err(format!("`{from}` is not {rows} rows of {width} with a bias"));
        }
        let weights = weight.bytes.chunks_exact(weight.bytes.len() / parts.len());
        let biases = bias.bytes.chunks_exact(bias.bytes.len() / parts.len());
        for ((part, bytes), bias_bytes) in parts.iter().zip(weights).zip(biases) {
            let name = format!("{to}.{part}_proj");
            self.tensors.insert(format!("{name}.weight"), Tensor { shape: vec![width, width], kind: weight.kind, bytes });
            if *part != "k" {
                self.tensors.insert(format!("{name}.bias"), Tensor { shape: vec![width], kind: bias.kind, bytes: bias_bytes });
            } else if !is_zero(bias_bytes, bias.kind) {
                return Err(format!("`{from}` has a bias on its keys, which Whisper has not"));
            }
        }
        Ok(())
    }
}

/// A variable that holds floating-point weights.
fn weights<'a>(model: &Model<'a>, name: &str) -> Result<Variable<'a>, String> {
    let variable = get(model, name)?;
    match variable.kind {
        Kind::Float16 | Kind::Float32 => Ok(variable),
        other => Err(format!("`{name}` is stored as {other:?}: quantised models are not converted")),
    }
}

/// Whether all values are zero, of either sign.
fn is_zero(bytes: &[u8], kind: Kind) -> bool {
    bytes.chunks_exact(kind.size()).all(|value| match value.split_last() {
        Some((high, low)) => high & 0x7f == 0 && low.iter().all(|byte| *byte == 0),
        None => true,
    })
}

/// The safetensors layout: length of the header, header in JSON padded to 8 bytes, data in the order of the header. Written here,
/// and not by the `safetensors` crate, so that its bytes (and with them the registry's hash) do not depend on a crate's version.
fn write_safetensors(path: &Path, tensors: &BTreeMap<String, Tensor<'_>>) -> Result<(), ModelError> {
    let mut header = String::from(r#"{"__metadata__":{"format":"pt"}"#);
    let mut offset = 0_usize;
    for (name, tensor) in tensors {
        let end = offset.saturating_add(tensor.bytes.len());
        let kind = if tensor.kind == Kind::Float16 { "F16" } else { "F32" };
        let shape: Vec<String> = tensor.shape.iter().map(ToString::to_string).collect();
        header.push_str(&format!(
            r#","{name}":{{"dtype":"{kind}","shape":[{}],"data_offsets":[{offset},{end}]}}"#,
            shape.join(",")
        ));
        offset = end;
    }
    header.push('}');
    while header.len() % 8 != 0 {
        header.push(' ');
    }
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::new(fs::File::create(path)?);
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        tensors.values().try_for_each(|tensor| file.write_all(tensor.bytes))?;
        file.flush()
    };
    write().map_err(ModelError::io("write", path))
}

#[cfg(test)]
#[path = "convert_tests.rs"]
mod tests;
