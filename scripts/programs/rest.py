"""`POST /v1/audio/transcriptions` and `GET /v1/models` through OpenAI's package: what must work."""

import asyncio, math, time

import openai
from live.harness import hold

from .clips import seconds
from .environment import FIXTURES

PROMPT = "metformin, amlodipine"
NAME = "../../陳大文-hba1c.wav"  # a client's name of a file, which is nobody's business


def near(one, other, tolerance=1e-6):
    return abs(one - other) <= tolerance


class Rest:
    def __init__(self, server, clips):
        self.server, self.clips = server, clips
        self.client = openai.OpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none", max_retries=0, timeout=300)
        self.clip = clips.cantonese[0]

    def create(self, path, **options):
        with open(path, "rb") as file:
            return self.client.audio.transcriptions.create(**{"file": file, "model": "whisper-base", **options})

    async def all(self, tally):
        for name, doing in (
            ("models are listed and found", self.models),
            ("json is what transcribe writes", self.json),
            ("text, srt and vtt are what transcribe writes", self.written),
            ("verbose_json has the segments of transcribe", self.verbose),
            ("verbose_json has the words of transcribe, with their times", self.words),
            ("a stream's deltas are its text", self.stream),
            ("language is honoured", self.language),
            ("prompt is honoured", self.prompt),
            ("keywords are written where they are heard, and nowhere else", self.keywords),
            ("temperature is honoured, and its outcome is the same each time", self.temperature),
            ("chunking_strategy is honoured", self.chunking),
            ("every audio format is taken", self.formats),
            ("whisper-1 stands for the loaded model", self.alias),
            ("several at once are heard as alone", self.together),
        ):
            await tally.check(name, lambda doing=doing: asyncio.to_thread(doing))

    async def at_the_end(self, tally):
        await tally.check("nothing sent or said is left in the data folder or the log", lambda: asyncio.to_thread(self.traces))

    def models(self):
        listed = self.client.models.list().data
        hold([model.id for model in listed] == ["whisper-base"], f"{[model.id for model in listed]}")
        hold(self.client.models.retrieve("whisper-base") == listed[0], "the model is another when asked for")
        hold(listed[0].object == "model" and listed[0].owned_by == "cantoscribe", f"{listed[0]}")

    def json(self):
        answer = self.create(self.clip)
        hold(answer.text == self.clips.transcribed(self.clip).rstrip("\n"), "the text is another")
        hold(answer.text != "", "nothing was heard")
        hold(answer.usage.type == "duration" and answer.usage.seconds == math.ceil(seconds(self.clip)), f"{answer.usage}")
        return f"{len(answer.text)} characters"

    def written(self):
        for how in ("text", "srt", "vtt"):
            answer = self.create(self.clips.long, response_format=how, language="en")
            hold(answer == self.clips.transcribed(self.clips.long, how, "--language", "en"), f"{how} is another")

    def verbose(self):
        answer = self.create(self.clips.long, response_format="verbose_json", language="en")
        wanted = self.clips.segments(self.clips.long, "--language", "en")
        hold(answer.language == "english" and near(answer.duration, seconds(self.clips.long), 0.001), "language or duration")
        hold(answer.words is None, "words that nobody asked for")
        hold(len(answer.segments) == len(wanted) > 1, f"{len(answer.segments)} segments, not {len(wanted)}")
        for ours, theirs in zip(answer.segments, wanted):
            times = near(ours.start, theirs["start_ms"] / 1000) and near(ours.end, theirs["end_ms"] / 1000)
            hold(ours.id == theirs["id"] and ours.text == theirs["text"] and times, f"segment {ours.id} is another")
            hold(near(math.exp(ours.avg_logprob), theirs["confidence"], 1e-4), f"segment {ours.id} has another confidence")
            hold(ours.tokens and 0 <= ours.no_speech_prob <= 1 and ours.compression_ratio > 0, f"segment {ours.id} lacks its numbers")
        return f"{len(wanted)} segments"

    def words(self):
        path, count = self.clips.long, 0
        wanted = [word for segment in self.clips.segments(path, "--language", "en") for word in segment["words"]]
        for granularities in (["word"], ["word", "segment"]):
            answer = self.create(path, response_format="verbose_json", language="en", timestamp_granularities=granularities)
            hold((answer.segments is not None) == ("segment" in granularities), f"segments with {granularities}")
            ours = [(word.word, word.start, word.end) for word in answer.words]
            theirs = [(word["text"], word["start_ms"] / 1000, word["end_ms"] / 1000) for word in wanted]
            hold(ours == theirs, f"{len(ours)} words, not the same as {len(theirs)}")
            count = len(ours)
        return f"{count} words"

    def stream(self):
        begin, first, deltas, done = time.monotonic(), None, [], None
        for event in self.create(self.clips.long, language="en", stream=True):
            hold(done is None, "an event after the end")
            if event.type == "transcript.text.delta":
                first = first or time.monotonic() - begin
                deltas.append(event.delta)
            else:
                hold(event.type == "transcript.text.done", event.type)
                done = event.text
        whole = time.monotonic() - begin
        hold(done == self.clips.transcribed(self.clips.long, "text", "--language", "en").rstrip("\n"), "the text is another")
        hold("".join(deltas) == done and len(deltas) > 1, f"{len(deltas)} deltas are not the text")
        hold(first < whole, "all came at once")
        return f"{len(deltas)} deltas, the first after {first:.1f} s of {whole:.1f}"

    def language(self):
        clip = self.clips.english[0]
        for language in ("en", "zh", "yue", "auto"):
            answer = self.create(clip, language=language)
            hold(answer.text == self.clips.transcribed(clip, "text", "--language", language).rstrip("\n"), f"{language} is heard otherwise")
        found = self.create(clip, language="auto", response_format="verbose_json").language
        hold(found == "english", f"it is found to be {found}")

    def prompt(self):
        changed = 0
        for clip in self.clips.cantonese[:3]:
            answer = self.create(clip, prompt=PROMPT)
            hold(answer.text == self.clips.transcribed(clip, "text", "--prompt", PROMPT).rstrip("\n"), "it is heard otherwise")
            changed += answer.text != self.clips.transcribed(clip).rstrip("\n")
        hold(changed, "the prompt changed nothing")
        return f"changed {changed} of 3 texts"

    def keywords(self):
        clips, listed = self.clips, self.clips.listed
        for clip in (clips.named, *clips.cantonese[:3]):
            answer = self.create(clip, keywords=listed)
            hold(answer.text == clips.transcribed(clip, "text", "--bias", str(clips.words)).rstrip("\n"), f"{clip.name} is heard otherwise")
        hold(clips.name in self.create(clips.named, keywords=listed).text, "the name is not written")
        hold(clips.name not in self.create(clips.named).text, "it is written without the list, too")
        return f"{len(listed)} words"

    def temperature(self):
        one, other = (self.create(self.clip, temperature=0.6, response_format="verbose_json") for _ in range(2))
        hold(one.text == other.text, "two texts of the same request")
        hold(all(segment.temperature >= 0.59 for segment in one.segments), f"{[segment.temperature for segment in one.segments]}")
        hold(self.create(self.clip, temperature=0).text == self.clips.transcribed(self.clip).rstrip("\n"), "0 is not the default")

    def chunking(self):
        path = self.clips.long
        for strategy, pause in (("auto", "640"), ({"type": "server_vad", "silence_duration_ms": 4000}, "4000")):
            answer = self.create(path, language="en", chunking_strategy=strategy, response_format="srt")
            hold(answer == self.clips.transcribed(path, "srt", "--language", "en", "--pause-ms", pause), f"{strategy} is heard otherwise")
        fewer, more = (self.clips.segments(path, "--language", "en", "--pause-ms", pause) for pause in ("4000", "640"))
        hold(len(fewer) < len(more), "the pause changes nothing")
        return f"{len(more)} utterances become {len(fewer)}"

    def formats(self):
        names = [f"tone.{kind}" for kind in ("flac", "mp3", "m4a", "aac", "ogg", "opus", "webm")]
        for name in names:
            answer = self.create(FIXTURES / name, response_format="verbose_json")
            hold(answer.duration > 0.2 and answer.text == "", f"{name}: {answer.duration} s, {len(answer.text)} characters")
        return f"{len(names)} formats"

    def alias(self):
        answer = self.create(self.clip, model="whisper-1")
        hold(answer.text == self.create(self.clip).text, "it is heard otherwise")
        hold(self.client.models.retrieve("whisper-1").id == "whisper-base", "it is not found")

    def together(self):
        async def all_of():
            async with openai.AsyncOpenAI(base_url=str(self.client.base_url), api_key="none", max_retries=0) as client:
                sent = [client.audio.transcriptions.create(file=(NAME, clip.read_bytes()), model="whisper-base") for clip in clips]
                return [answer.text for answer in await asyncio.gather(*sent)]

        clips = self.clips.cantonese[:4]
        texts = asyncio.run(all_of())
        hold(texts == [self.clips.transcribed(clip).rstrip("\n") for clip in clips], "a text is another")

    def traces(self):
        sound = self.clip.read_bytes()
        text = self.clips.transcribed(self.clip).strip()
        needles = {"sound": sound[len(sound) // 2 :][:64], "text": text.encode(), "prompt": PROMPT.encode(), "name": "陳大文".encode()}
        files = [path for path in self.server.data.rglob("*") if path.is_file()] + [self.server.log_path]
        for path in files:
            content = path.read_bytes()
            found = [name for name, needle in needles.items() if needle in content]
            hold(not found, f"{found} in {path.name}")
        data = self.server.data
        names = [path.relative_to(data).parts[0] for path in data.rglob("*") if path.is_file() and "cantoscribe.db" not in path.name]
        # Of events the log tells; what was said was looked for in it too.
        hold(set(names) == {"lock", "master.key", "audit", "audit.key", "audit.pub", "keys"}, f"{sorted(set(names))}")
        return f"{len(files)} files"
