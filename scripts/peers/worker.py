#!/usr/bin/env python3
"""One peer, one process: loads the model, transcribes all clips, prints a line for each as soon as it is there.

usage: worker.py faster-whisper|whisper.cpp|sherpa-onnx|qwen-asr int8|float32|bfloat16|f16|q8_0 MODEL THREADS LANGUAGE CLIP...
       worker.py about

Nothing but a plain use of the peer's own package stands here, and only the package that is asked for is imported: what it costs to
start is in its time. `about` prints, as JSON, what the packages say of this processor.
"""
import json, sys
from types import SimpleNamespace

FILE_TYPES = {"f16": 1, "q8_0": 7}  # whisper.cpp's numbers


def faster_whisper(kind, model, threads, language):
    from faster_whisper import WhisperModel

    whisper = WhisperModel(model, device="cpu", compute_type=kind, cpu_threads=threads, local_files_only=True)
    # CTranslate2 takes another type, and says nothing, where the processor lacks the one that was asked for.
    if whisper.model.compute_type.split("_")[0] != kind:
        sys.exit(f"CTranslate2 computes in {whisper.model.compute_type} here, not in {kind}")
    options = {"beam_size": 1, "without_timestamps": True, "condition_on_previous_text": False, "vad_filter": False}
    return lambda clip: whisper.transcribe(clip, language=language, **options)[0]


def whisper_cpp(kind, model, threads, language):
    import _pywhispercpp
    from pywhispercpp.model import Model

    options = {"no_timestamps": True, "no_context": True, "print_progress": False, "language": language, "n_threads": threads}
    whisper = Model(model, params_sampling_strategy=0, context_params={"use_gpu": False}, **options)
    if _pywhispercpp.whisper_model_ftype(whisper._ctx) != FILE_TYPES[kind]:
        sys.exit(f"whisper.cpp did not load {kind}")
    return whisper.transcribe


def sherpa_onnx(kind, model, threads, language):
    """SenseVoice. The words are the tokens."""
    import wave

    import numpy, sherpa_onnx

    file = {"int8": "model.int8.onnx", "float32": "model.onnx"}[kind]
    recognizer = sherpa_onnx.OfflineRecognizer.from_sense_voice(
        f"{model}/{file}", f"{model}/tokens.txt", num_threads=threads, language=language, use_itn=False
    )

    def transcribe(clip):
        stream = recognizer.create_stream()
        with wave.open(clip) as file:
            samples = numpy.frombuffer(file.readframes(file.getnframes()), "<i2").astype(numpy.float32) / 32768
            stream.accept_waveform(file.getframerate(), samples)
        recognizer.decode_stream(stream)
        # It has a space for what begins a word.
        return [SimpleNamespace(text=token.replace(" ", "\u2581")) for token in stream.result.tokens]

    return transcribe


def qwen_asr(kind, model, threads, language):
    """As many tokens as the checkpoint's `max_new_tokens` says."""
    import types

    import transformers  # before those below: it looks which of them are there

    # For the forced aligner's languages and for files of audio: imported, and not reached here.
    for name in ("nagisa", "soynlp", "soynlp.tokenizer", "librosa", "soundfile"):
        sys.modules[name] = types.ModuleType(name)
    sys.modules["soynlp.tokenizer"].LTokenizer = None
    import wave
    from pathlib import Path

    import numpy, torch
    from qwen_asr import Qwen3ASRModel

    transformers.logging.set_verbosity_error()
    torch.set_num_threads(threads)
    tokens = json.loads(Path(model, "generation_config.json").read_text())["max_new_tokens"]
    asr = Qwen3ASRModel.from_pretrained(model, dtype=getattr(torch, kind), max_new_tokens=tokens)

    def transcribe(clip):
        with wave.open(clip) as file:
            samples = numpy.frombuffer(file.readframes(file.getnframes()), "<i2").astype(numpy.float32) / 32768
            return asr.transcribe((samples, file.getframerate()), language=language)

    return transcribe


def about():
    import _pywhispercpp, ctranslate2

    system = " ".join(_pywhispercpp.whisper_print_system_info().split())
    print(json.dumps({"ctranslate2": sorted(ctranslate2.get_supported_compute_types("cpu")), "whisper.cpp": system}))


def main():
    if sys.argv[1:] == ["about"]:
        return about()
    name, kind, model, threads, language, *clips = sys.argv[1:]
    load = {"faster-whisper": faster_whisper, "whisper.cpp": whisper_cpp, "sherpa-onnx": sherpa_onnx, "qwen-asr": qwen_asr}[name]
    transcribe = load(kind, model, int(threads), language)
    for clip in clips:
        text = " ".join(segment.text for segment in transcribe(clip))
        print(" ".join(text.split()), flush=True)


if __name__ == "__main__":
    main()
