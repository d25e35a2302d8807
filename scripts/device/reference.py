"""The ids that transformers' own code gives on a device, in f32. SenseVoice is not among what it has."""

import json

import numpy
import torch

from .checkpoints import TOKENS, bytes_as_letters


def hear(name, folder, clips, device):
    """The ids of each of the clips (f32, 16 kHz)."""
    # Convolutions would be in TF32.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    with torch.no_grad():
        return (whisper if name.startswith("whisper") else qwen3_asr)(folder, clips, device)


def control(folder):
    file = json.loads((folder / "tokenizer.json").read_text())
    return {token["content"]: token["id"] for token in file["added_tokens"]}


def whisper(folder, clips, device):
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

    model = WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval().to(device)
    ids, generation = control(folder), json.loads((folder / "generation_config.json").read_text())
    features = WhisperFeatureExtractor(feature_size=model.config.num_mel_bins)
    prefix = [ids[f"<|{token}|>"] for token in ("startoftranscript", "yue" if "<|yue|>" in ids else "zh", "transcribe", "notimestamps")]
    texts = []
    for clip in clips:
        mel = features(clip, sampling_rate=16000, return_tensors="pt").input_features.to(device)
        states, tokens, feed, cache = model.model.encoder(mel), [], prefix, None
        while len(tokens) < TOKENS:
            fed = torch.tensor([feed], device=device)
            step = model(decoder_input_ids=fed, encoder_outputs=states, past_key_values=cache, use_cache=True)
            cache, logits = step.past_key_values, step.logits[0, -1]
            logits[generation["suppress_tokens"]] = -torch.inf
            logits[ids["<|notimestamps|>"] + 1 :] = -torch.inf
            if not tokens:
                logits[generation["begin_suppress_tokens"]] = -torch.inf
            feed = [int(logits.argmax())]
            if feed[0] == ids["<|endoftext|>"]:
                break
            tokens += feed
        texts.append(tokens)
    return texts


def qwen3_asr(folder, clips, device):
    from transformers import Qwen3ASRFeatureExtractor, Qwen3ASRForConditionalGeneration

    model = Qwen3ASRForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval().to(device)
    ids, letters = control(folder), bytes_as_letters()
    places = {letter: id for id, letter in enumerate(letters.values())}
    text = lambda written: [places[letters[byte]] for byte in written.encode()]
    start, end, line = [ids["<|im_start|>"]], [ids["<|im_end|>"]], text("\n")
    before = [*start, *text("system\n"), *end, *line, *start, *text("user\n"), ids["<|audio_start|>"]]
    after = [ids["<|audio_end|>"], *end, *line, *start, *text("assistant\n"), *text("language Cantonese"), ids["<asr_text>"]]
    features = Qwen3ASRFeatureExtractor(feature_size=model.config.audio_config.num_mel_bins)
    texts = []
    for clip in clips:
        heard = features(numpy.asarray(clip), sampling_rate=16000, padding="longest", return_attention_mask=True, return_tensors="pt")
        frames = int(heard["attention_mask"].sum())
        rows = 13 * (frames // 100) + -(-(-(-(-(-(frames % 100) // 2)) // 2)) // 2)
        prompt = torch.tensor([before + [ids["<|audio_pad|>"]] * rows + after], device=device)
        answer = model.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), input_features=heard["input_features"].to(device),
            input_features_mask=heard["attention_mask"].to(device), max_new_tokens=TOKENS, do_sample=False,
        )
        tokens = answer[0, prompt.shape[1]:].tolist()
        texts.append([token for token in tokens if token not in (ids["<|im_end|>"], ids["<|endoftext|>"])])
    return texts
