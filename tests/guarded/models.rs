//! The installed whisper-base is the conversion that the registry pins, and holds a Whisper base.

use std::fs;

use cantoscribe::models::{Family, default_folder, find_installed, verify};
use libtest_mimic::Trial;
use safetensors::{Dtype, SafeTensors};

use crate::{Need, guarded, model_dir};

pub fn tests() -> Vec<Trial> {
    vec![
        guarded("models::whisper_base_is_intact", &[Need::Model("whisper-base")], whisper_base_is_intact),
        guarded("models::whisper_base_has_its_tensors", &[Need::Model("whisper-base")], whisper_base_has_its_tensors),
        guarded("models::silero_vad_is_intact", &[Need::Model("silero-vad")], silero_vad_is_intact),
    ]
}

fn whisper_base_is_intact() {
    let folder = default_folder().unwrap();
    assert_eq!(verify(&folder, "whisper-base").unwrap(), []);
    let model = find_installed(&folder, "whisper-base").unwrap();
    assert_eq!(model.family, Family::Whisper);
}

fn silero_vad_is_intact() {
    let folder = default_folder().unwrap();
    assert_eq!(verify(&folder, "silero-vad").unwrap(), []);
    assert_eq!(find_installed(&folder, "silero-vad").unwrap().family, Family::SileroVad);
}

fn whisper_base_has_its_tensors() {
    let folder = model_dir("whisper-base");
    let bytes = fs::read(folder.join("model.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let count: usize = tensors.iter().map(|(_, tensor)| tensor.shape().iter().product::<usize>()).sum();
    assert!((72_000_000..75_000_000).contains(&count), "{count} values");
    assert_eq!(tensors.tensor("model.decoder.embed_tokens.weight").unwrap().shape(), [51865, 512]);
    assert_eq!(tensors.tensor("model.encoder.conv1.weight").unwrap().shape(), [512, 80, 3]);
    assert!(tensors.tensor("model.decoder.layers.5.encoder_attn.k_proj.bias").is_err());
    // The first encoder position is sines of zero, then cosines of zero (half the width each), in either precision.
    let positions = tensors.tensor("model.encoder.embed_positions.weight").unwrap();
    let one: &[u8] = if positions.dtype() == Dtype::F16 { &[0x00, 0x3c] } else { &[0, 0, 0x80, 0x3f] };
    let row: Vec<&[u8]> = positions.data().chunks_exact(one.len()).take(512).collect();
    assert!(
        row.iter().take(256).all(|value| value.iter().all(|byte| *byte == 0)) && row.iter().skip(256).all(|value| *value == one)
    );
    let generation: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("generation_config.json")).unwrap()).unwrap();
    assert_eq!(generation["lang_to_id"]["<|zh|>"], 50260);
    assert_eq!(generation["no_timestamps_token_id"], 50363);
}
