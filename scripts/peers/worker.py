#!/usr/bin/env python3
"""One peer, one process: loads the model, transcribes all clips, prints a line for each as soon as it is there.

usage: worker.py faster-whisper|whisper.cpp int8|float32|f16|q8_0 MODEL THREADS LANGUAGE CLIP...
       worker.py about

Nothing but a plain use of the peer's own package stands here, and only the package that is asked for is imported: what it costs to
start is in its time. `about` prints, as JSON, what the packages say of this processor.
"""
import json, sys

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


def about():
    import _pywhispercpp, ctranslate2

    system = " ".join(_pywhispercpp.whisper_print_system_info().split())
    print(json.dumps({"ctranslate2": sorted(ctranslate2.get_supported_compute_types("cpu")), "whisper.cpp": system}))


def main():
    if sys.argv[1:] == ["about"]:
        return about()
    name, kind, model, threads, language, *clips = sys.argv[1:]
    load = {"faster-whisper": faster_whisper, "whisper.cpp": whisper_cpp}[name]
    transcribe = load(kind, model, int(threads), language)
    for clip in clips:
        text = " ".join(segment.text for segment in transcribe(clip))
        print(" ".join(text.split()), flush=True)


if __name__ == "__main__":
    main()
