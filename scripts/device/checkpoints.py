"""Checkpoints of random weights in the layouts and sizes that the models are published in.

The weights mean nothing: the same numbers go through every program and device. They are drawn so that moments come out unlike and
tokens differ; what PyTorch begins a normalisation with (1 and 0) would hide one that is not applied. An answer is cut at TOKENS, about
what is said in half a minute: nothing ends one by itself.
"""

import json
import math
import struct

import torch
from safetensors.torch import save_file

SEED = 20251126
TOKENS = 96


class Weights:
    """Tensors by name, drawn one after another."""

    def __init__(self):
        self.random = torch.Generator().manual_seed(SEED)
        self.tensors = {}

    def draw(self, name, shape, spread, centre=0.0):
        self.tensors[name] = torch.empty(shape).normal_(centre, spread, generator=self.random)

    def norm(self, name, width, bias=True):
        self.draw(f"{name}.weight", [width], 0.12, 1.0)
        if bias:
            self.draw(f"{name}.bias", [width], 0.12)

    def layer(self, name, shape, gain, bias=0.2):
        self.draw(f"{name}.weight", shape, gain / math.sqrt(math.prod(shape[1:])))
        if bias:
            self.draw(f"{name}.bias", [shape[0]], bias)

    def rounded(self, dtype):
        return {name: tensor.to(dtype) for name, tensor in self.tensors.items()}


def write(folder, name, value):
    (folder / name).write_text(json.dumps(value, ensure_ascii=False) + "\n")


def bytes_as_letters():
    """GPT-2's letter of each byte, by the byte."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in shown}
    return letters | {byte: chr(256 + place) for place, byte in enumerate(byte for byte in range(256) if byte not in letters)}


def tokenizer(folder, count, control):
    """tokenizer.json with `count` byte-level pieces, of which no two are ever joined, and the control tokens behind them."""
    letters = list(bytes_as_letters().values())
    pieces = {letter: id for id, letter in enumerate(letters)}
    for id in range(len(pieces), count):
        pieces[f"Ġ#{id}"] = id
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    added = [{"id": count + place, "content": name, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
              "special": True} for place, name in enumerate(control)]
    model = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
             "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": pieces, "merges": []}
    write(folder, "tokenizer.json", {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
                                     "pre_tokenizer": byte_level, "post_processor": None, "decoder": byte_level, "model": model})
    return {name: count + place for place, name in enumerate(control)}


def whisper(folder, size):
    """Hugging Face's layout. `size`: mels, width, layers of encoder and decoder, heads, pieces, languages, positions of the window."""
    mels, width, encoder, decoder, heads, pieces, languages, window = size
    inner, positions = 4 * width, TOKENS + 4
    spoken = ["en", "zh", *(f"l{place}" for place in range(2, 99))] + (["yue"] if languages == 100 else [])
    kept = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    names = [f"<|{name}|>" for name in ["endoftext", "startoftranscript", *spoken, *kept]]
    ids = tokenizer(folder, pieces, names + [f"<|{stamp * 0.02:.2f}|>" for stamp in range(window + 1)])
    end = ids["<|endoftext|>"]
    vocabulary = pieces + len(ids)
    write(folder, "config.json", {
        "architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper", "d_model": width, "encoder_layers": encoder,
        "decoder_layers": decoder, "encoder_attention_heads": heads, "decoder_attention_heads": heads, "encoder_ffn_dim": inner,
        "decoder_ffn_dim": inner, "num_mel_bins": mels, "max_source_positions": window, "max_target_positions": positions,
        "vocab_size": vocabulary, "activation_function": "gelu", "scale_embedding": False, "dropout": 0.0, "bos_token_id": end,
        "eos_token_id": end, "pad_token_id": end, "decoder_start_token_id": ids["<|startoftranscript|>"]})
    write(folder, "generation_config.json", {"suppress_tokens": [1, 2, 7], "begin_suppress_tokens": [220, end]})
    weights = Weights()
    for number, (inputs, name) in enumerate([(mels, "conv1"), (width, "conv2")]):
        weights.layer(f"model.encoder.{name}", [width, inputs, 3], 1.4, 0.3)
    angle = torch.arange(window)[:, None] * torch.exp(-math.log(10000) / (width // 2 - 1) * torch.arange(width // 2))[None]
    weights.tensors["model.encoder.embed_positions.weight"] = torch.cat([angle.sin(), angle.cos()], 1)
    # The embedding is tied to the output: a strong one would say each token again.
    weights.draw("model.decoder.embed_tokens.weight", [vocabulary, width], 0.5)
    weights.draw("model.decoder.embed_positions.weight", [positions, width], 1.5)
    for part, layers in [("encoder", encoder), ("decoder", decoder)]:
        for layer in range(layers):
            prefix = f"model.{part}.layers.{layer}"
            for attention in ["self_attn"] + ["encoder_attn"] * (part == "decoder"):
                for name in ["q_proj", "k_proj", "v_proj", "out_proj"]:
                    weights.layer(f"{prefix}.{attention}.{name}", [width, width], 1.4, 0.3 if name != "k_proj" else 0)
                weights.norm(f"{prefix}.{attention}_layer_norm", width)
            weights.layer(f"{prefix}.fc1", [inner, width], 1.4, 0.3)
            weights.layer(f"{prefix}.fc2", [width, inner], 1.4, 0.3)
            weights.norm(f"{prefix}.final_layer_norm", width)
        weights.norm(f"model.{part}.layer_norm", width)
    save_file(weights.rounded(torch.float16), folder / "model.safetensors", {"format": "pt"})


def qwen3_asr(folder, size):
    """The layout of transformers from version 5 on, `Qwen/Qwen3-ASR-0.6B-hf`."""
    audio, text, pieces = size
    audio = audio | {"model_type": "qwen3_asr_encoder", "activation_function": "gelu", "n_window": 50, "n_window_infer": 800}
    text = text | {"model_type": "qwen3", "hidden_act": "silu", "rms_norm_eps": 1e-6, "attention_bias": False, "tie_word_embeddings": True,
                   "max_position_embeddings": 65536, "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0}}
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|audio_start|>", "<|audio_end|>", "<|audio_pad|>", "<asr_text>"]
    ids = tokenizer(folder, pieces, names)
    end, pad = [ids["<|endoftext|>"], ids["<|im_end|>"]], ids["<|endoftext|>"]
    write(folder, "config.json", {"architectures": ["Qwen3ASRForConditionalGeneration"], "model_type": "qwen3_asr", "audio_config": audio,
                                  "text_config": text, "audio_token_id": ids["<|audio_pad|>"], "eos_token_id": end, "pad_token_id": pad,
                                  "tie_word_embeddings": True})
    write(folder, "generation_config.json", {"do_sample": False, "max_new_tokens": TOKENS, "eos_token_id": end, "pad_token_id": pad})
    weights, gain = Weights(), 1.6
    channels, width, inner = audio["downsample_hidden_size"], audio["d_model"], audio["encoder_ffn_dim"]
    bins = audio["num_mel_bins"]
    for number, inputs in [(1, 1), (2, channels), (3, channels)]:
        weights.layer(f"model.audio_tower.conv2d{number}", [channels, inputs, 3, 3], gain, 0.1)
        bins = -(-bins // 2)
    weights.layer("model.audio_tower.conv_out", [width, channels * bins], gain, 0)
    for layer in range(audio["encoder_layers"]):
        prefix = f"model.audio_tower.layers.{layer}"
        for name in ["q_proj", "k_proj", "v_proj", "out_proj"]:
            weights.layer(f"{prefix}.self_attn.{name}", [width, width], gain, 0.1)
        weights.norm(f"{prefix}.self_attn_layer_norm", width)
        weights.layer(f"{prefix}.fc1", [inner, width], gain, 0.1)
        weights.layer(f"{prefix}.fc2", [width, inner], gain, 0.1)
        weights.norm(f"{prefix}.final_layer_norm", width)
    weights.norm("model.audio_tower.ln_post", width)
    weights.layer("model.multi_modal_projector.linear_1", [width, width], gain, 0.1)
    weights.layer("model.multi_modal_projector.linear_2", [audio["output_dim"], width], gain, 0.1)
    width, head = text["hidden_size"], text["head_dim"]
    queries, keys = text["num_attention_heads"] * head, text["num_key_value_heads"] * head
    weights.draw("model.language_model.embed_tokens.weight", [text["vocab_size"], width], 0.2)
    for layer in range(text["num_hidden_layers"]):
        prefix = f"model.language_model.layers.{layer}"
        for name, shape in {"q_proj": [queries, width], "k_proj": [keys, width], "v_proj": [keys, width], "o_proj": [width, queries]}.items():
            weights.layer(f"{prefix}.self_attn.{name}", shape, gain, 0)
        for name in ["q_norm", "k_norm"]:
            weights.norm(f"{prefix}.self_attn.{name}", head, False)
        for name in ["gate_proj", "up_proj"]:
            weights.layer(f"{prefix}.mlp.{name}", [text["intermediate_size"], width], gain, 0)
        weights.layer(f"{prefix}.mlp.down_proj", [width, text["intermediate_size"]], gain, 0)
        for name in ["input_layernorm", "post_attention_layernorm"]:
            weights.norm(f"{prefix}.{name}", width, False)
    weights.norm("model.language_model.norm", width, False)
    save_file(weights.rounded(torch.bfloat16), folder / "model.safetensors", {"format": "pt"})


def sentence_pieces(count):
    """A SentencePiece model, as the protocol buffer that it is: the unknown piece, controls, tags, and characters."""
    tags = ["zh", "en", "yue", "ja", "ko", "nospeech", "HAPPY", "SAD", "ANGRY", "NEUTRAL", "Speech", "BGM", "withitn", "woitn"]
    special = [("<unk>", 2), ("<s>", 3), ("</s>", 3)] + [(f"<|{tag}|>", 4) for tag in tags]
    texts = special + [(chr(0x4E00 + place), 1) for place in range(count - len(special))]
    model = bytearray()
    for place, (text, kind) in enumerate(texts):
        written = text.encode()
        piece = b"\x0a" + bytes([len(written)]) + written + b"\x15" + struct.pack("<f", -float(place)) + b"\x18" + bytes([kind])
        model += b"\x0a" + bytes([len(piece)]) + piece
    return bytes(model)


def sense_voice(folder, size):
    """FunASR's layout."""
    width, heads, inner, blocks, more, kernel, mels, pieces = size
    features = 7 * mels
    encoder = {"output_size": width, "attention_heads": heads, "linear_units": inner, "num_blocks": blocks, "tp_blocks": more,
               "dropout_rate": 0.1, "kernel_size": kernel, "sanm_shfit": 0, "normalize_before": True, "selfattention_layer_type": "sanm"}
    # What is JSON is YAML.
    write(folder, "config.yaml", {
        "encoder": "SenseVoiceEncoderSmall", "encoder_conf": encoder, "model": "SenseVoiceSmall",
        "model_conf": {"length_normalized_loss": True, "sos": 1, "eos": 2, "ignore_id": -1}, "tokenizer": "SentencepiecesTokenizer",
        "frontend": "WavFrontend", "frontend_conf": {"fs": 16000, "window": "hamming", "n_mels": mels, "frame_length": 25,
                                                     "frame_shift": 10, "lfr_m": 7, "lfr_n": 6, "cmvn_file": None}})
    (folder / "own.bpe.model").write_bytes(sentence_pieces(pieces))
    line = lambda value: " ".join([value] * features)
    (folder / "am.mvn").write_text(
        f"<Nnet> \n<Splice> {features} {features} \n[ 0 ]\n<AddShift> {features} {features} \n<LearnRateCoef> 0 [ {line('-8')} ]\n"
        f"<Rescale> {features} {features} \n<LearnRateCoef> 0 [ {line('0.2')} ]\n</Nnet> \n")
    weights, gain = Weights(), 1.15
    weights.draw("embed.weight", [16, features], 0.3)
    names = [("encoders0.0", features)] + [(f"encoders.{block}", width) for block in range(blocks - 1)]
    for name, inputs in names + [(f"tp_encoders.{block}", width) for block in range(more)]:
        prefix = f"encoder.{name}"
        weights.norm(f"{prefix}.norm1", inputs)
        weights.norm(f"{prefix}.norm2", width)
        weights.layer(f"{prefix}.self_attn.linear_q_k_v", [3 * width, inputs], gain, 0.03)
        weights.layer(f"{prefix}.self_attn.linear_out", [width, width], gain, 0.03)
        weights.draw(f"{prefix}.self_attn.fsmn_block.weight", [width, 1, kernel], 0.3)
        weights.layer(f"{prefix}.feed_forward.w_1", [inner, width], gain, 0.03)
        weights.layer(f"{prefix}.feed_forward.w_2", [width, inner], gain, 0.03)
    weights.norm("encoder.after_norm", width)
    weights.norm("encoder.tp_norm", width)
    weights.layer("ctc.ctc_lo", [pieces, width], gain, 0.03)
    torch.save(weights.tensors, folder / "model.pt")


# What is made, and the published sizes of it.
CHECKPOINTS = {
    "whisper-base": (whisper, (80, 512, 6, 6, 8, 50257, 99, 1500)),
    "whisper-large-v3-turbo": (whisper, (128, 1280, 32, 4, 20, 50257, 100, 1500)),
    "sense-voice-small": (sense_voice, (512, 4, 2048, 50, 20, 11, 80, 25055)),
    "qwen3-asr-0.6b": (qwen3_asr, (
        {"num_mel_bins": 128, "d_model": 896, "encoder_layers": 18, "encoder_attention_heads": 14, "encoder_ffn_dim": 3584,
         "output_dim": 1024, "downsample_hidden_size": 480},
        {"vocab_size": 151936, "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16,
         "num_key_value_heads": 8, "head_dim": 128}, 151643)),
}
# The same in small, to try the check itself.
SMALL = {
    "whisper-base": (whisper, (80, 64, 2, 2, 4, 400, 99, 1500)),
    "whisper-large-v3-turbo": (whisper, (128, 64, 3, 1, 4, 400, 100, 1500)),
    "sense-voice-small": (sense_voice, (64, 4, 128, 3, 2, 11, 80, 300)),
    "qwen3-asr-0.6b": (qwen3_asr, (
        {"num_mel_bins": 128, "d_model": 64, "encoder_layers": 2, "encoder_attention_heads": 4, "encoder_ffn_dim": 128, "output_dim": 64,
         "downsample_hidden_size": 16},
        {"vocab_size": 512, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
         "num_key_value_heads": 2, "head_dim": 32}, 400)),
}
