"""Recordings to be sent, and what `cantoscribe transcribe` makes of each."""

import functools, json, subprocess, wave

from live.harness import Wrong

from .environment import AUDIO, FIXTURES

NAMED = ("cv_zh-HK_21405026.wav", "粉嶺")  # a clip, and a name that whisper-base writes only when it is listed


class Clips:
    def __init__(self, scratch, binary):
        self.scratch, self.binary = scratch, binary
        rows = [line.split("\t") for line in (AUDIO / "manifest.tsv").read_text().splitlines()]
        head = {name: index for index, name in enumerate(rows[0])}
        named = [(row[head["file"]], row[head["language"]]) for row in rows[1:]]
        self.cantonese = [AUDIO / name for name, language in named if language == "yue"]
        self.english = [AUDIO / name for name, language in named if language == "en"]
        self.named, self.name = AUDIO / NAMED[0], NAMED[1]
        self.words = scratch / "words.txt"
        medical = (FIXTURES / "bias" / "medical.txt").read_text().splitlines()
        self.listed = [self.name, *(word for word in medical if word and not word.startswith("#"))]
        self.words.write_text("\n".join(self.listed) + "\n")
        self.long = self.joined("long.wav", self.english[:4])
        self.longer = self.joined("longer.wav", self.english * 3)

    def joined(self, name, clips, pause=1.2):
        """One after another, a pause of silence after each."""
        path = self.scratch / name
        with wave.open(str(path), "wb") as out:
            for clip in clips:
                with wave.open(str(clip)) as one:
                    if out.getnframes() == 0:
                        out.setparams(one.getparams())
                    out.writeframes(one.readframes(one.getnframes()))
                    out.writeframes(bytes(2 * int(pause * one.getframerate())))
        return path

    @functools.cache
    def transcribed(self, path, how="text", *options):
        """What `transcribe` prints."""
        command = [str(self.binary), "transcribe", "--format", how, *options, str(path)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            raise Wrong(f"transcribe exited {run.returncode}: {run.stderr.strip()[:200]}")
        return run.stdout

    def segments(self, path, *options):
        return json.loads(self.transcribed(path, "json", *options))["segments"]


def seconds(path):
    with wave.open(str(path)) as clip:
        return clip.getnframes() / clip.getframerate()
