"""Who is compared, with which settings."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

import character_error

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / "target" / "venv-peers"
# What computes is pinned; what else these bring along is listed in the JSON.
PACKAGES = ["faster-whisper==1.2.1", "ctranslate2==4.8.5", "av==18.1.0", "pywhispercpp==1.5.1", "numpy==2.4.6", character_error.PACKAGE]
MODEL = "whisper-base"
WORKER = Path(__file__).with_name("worker.py")

YARDSTICK = "faster-whisper int8"
PEERS = [YARDSTICK, "faster-whisper float32", "whisper.cpp f16", "whisper.cpp q8_0"]
DEFAULT_PEERS = [YARDSTICK, "whisper.cpp f16", "whisper.cpp q8_0"]
DEFAULT_SETTINGS = [
    "--precision exact --context full",
    "--precision balanced --context full",
    "--precision fast --context full",
    "--precision balanced --context speech",
]
# Whisper base has no token for Cantonese. cantoscribe is told `yue`, as its users tell it, and asks the model for `zh` by itself.
PEERS_LANGUAGES = {"yue": "zh"}
PEERS_SETTINGS = "beam 1, no timestamps, no conditioning on previous text, own temperature fall-back, no VAD filter; zh for yue"


@dataclass
class Engine:
    """A row of the table: `start` are the words of its command before the language, and `files` are to follow."""

    name: str
    settings: str
    start: list
    languages: dict
    flag: list
    environment: dict = field(default_factory=dict)

    def command(self, language, files):
        return [*map(str, self.start), *self.flag, self.languages.get(language, language), *files]


def peer(name, model, threads):
    """`model` is the path that this peer loads."""
    package, kind = name.split()
    return Engine(package, kind, [sys.executable, WORKER, package, kind, model, threads], PEERS_LANGUAGES, [])


def ours(binary, setting, threads):
    command = [binary, "transcribe", "--model", MODEL, "--format", "text", "--threads", threads, "--compute", "cpu", *setting.split()]
    return Engine("cantoscribe", setting or "(default)", command, {}, ["--language"])
