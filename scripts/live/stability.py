"""How soon words are shown as stable, and how often a final takes them back, seen from the client."""

import statistics, unicodedata

from listen_client import Format

from . import sound
from .harness import hold, hold_rules

# The endpointing of the program: an utterance's end is so long after its last speech, and is known so long after it.
PADDING_MS, PAUSE_MS = 320, 640
LONG_MS = 4000
MOST_CHANGED, LEAST_STABLE = 2.0, 50.0


def letters(text):
    return [c for c in text if not c.isspace()]


def changed(stable, final):
    """Characters of the stable text that the final does not have: the edit distance to the nearest beginning of the final."""
    a, b = letters(stable), letters(final)
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return min(row)


def same_start(a, b):
    """How many characters two texts have in common from their start."""
    return next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))


class Utterance:
    """What was shown of one utterance, and its final."""

    def __init__(self, start):
        self.start, self.shown, self.final, self.final_at = start, [], None, None


class Watch:
    """Collects the messages of one room. The times are this client's."""

    def __init__(self):
        self.growing, self.done = {}, []

    def __call__(self, message, now):
        if message["type"] == "partial" and message["stable"] + message["tentative"] == "":
            pass  # what was shown has no final
        elif message["type"] == "partial":
            utterance = self.growing.setdefault(message["start_ms"], Utterance(message["start_ms"]))
            utterance.shown.append((now, message["stable"]))
        elif message["type"] == "final":
            segment = message["segment"]
            # Utterances before this one that got no final: nothing was heard in them after all.
            ended = [start for start in sorted(self.growing) if start < segment["end_ms"]]
            own = (
                self.growing.pop(ended.pop())
                if ended and ended[-1] > segment["start_ms"] - 500
                else Utterance(segment["start_ms"])
            )
            self.done += [self.growing.pop(start) for start in ended]
            own.final, own.final_at = segment, now
            self.done.append(own)

    def close(self):
        self.done += self.growing.values()
        self.growing = {}


class Measure:
    """Sums over all rooms."""

    def __init__(self):
        self.stable = self.changed = self.strictly = self.vanished = 0
        self.long = self.long_letters = self.long_stable = self.long_at_end = self.long_under = 0
        self.words, self.words_early, self.word_delays, self.final_delays = 0, 0, [], []
        self.finals = self.unmatched = self.partials = 0

    def add(self, watch, room):
        watch.close()
        for utterance in watch.done:
            self.partials += len(utterance.shown)
            stable = utterance.shown[-1][1] if utterance.shown else ""
            self.stable += len(letters(stable))
            if utterance.final is None:
                self.vanished += len(letters(stable))
                self.changed += len(letters(stable))
                self.strictly += len(letters(stable))
                continue
            self.one(utterance, stable, room)

    def one(self, utterance, stable, room):
        segment, text = utterance.final, utterance.final["text"]
        self.finals += 1
        self.unmatched += bool(utterance.shown) and utterance.start != segment["start_ms"]
        self.changed += changed(stable, text)
        self.strictly += len(letters(stable)) - same_start(letters(stable), letters(text))
        speech_end = room.sent_at(segment["end_ms"] - PADDING_MS)
        fires = room.sent_at(segment["end_ms"] - PADDING_MS + PAUSE_MS)
        self.final_delays.append(utterance.final_at - speech_end)
        if segment["end_ms"] - segment["start_ms"] > LONG_MS:
            before, at_end = ([s for at, s in utterance.shown if at <= limit] for limit in (fires, speech_end))
            self.long += 1
            self.long_letters += len(letters(text))
            kept = len(letters(before[-1])) - changed(before[-1], text) if before else 0
            self.long_stable += kept
            self.long_under += kept * 2 < len(letters(text))
            self.long_at_end += len(letters(at_end[-1])) - changed(at_end[-1], text) if at_end else 0
        self.delays(utterance, room)

    def delays(self, utterance, room):
        """For each word of the final: how long after its end it was first shown as stable; those never shown, by the final."""
        text, at = utterance.final["text"], 0
        for word in utterance.final.get("words", []):
            found = text.find(word["text"].strip(), at)
            if found < 0:
                continue
            at = found + len(word["text"].strip())
            shown = next((when for when, stable in utterance.shown if same_start(stable, text) >= at), None)
            self.words += 1
            self.words_early += shown is not None
            self.word_delays.append((shown or utterance.final_at) - room.sent_at(word["end_ms"]))

    def table(self, seconds):
        share = lambda part, whole: 100 * part / whole if whole else 0.0
        self.share_changed = share(self.changed, self.stable)
        self.share_long = share(self.long_stable, self.long_letters)
        tenths = sorted(self.final_delays)
        rows = [
            ("sound streamed in real time", f"{seconds:.0f} s, {self.finals} finals, {self.partials} partials"),
            (
                "stable characters that the final changed",
                f"{self.share_changed:.2f}% ({self.changed} of {self.stable}; bound {MOST_CHANGED:g}%)",
            ),
            ("  of them shown where nothing was heard in the end", f"{self.vanished}"),
            ("  counted from the first difference on", f"{share(self.strictly, self.stable):.2f}%"),
            (
                f"finals over {LONG_MS / 1000:g} s: stable before the endpoint",
                f"{self.share_long:.1f}% of {self.long_letters} characters (bound {LEAST_STABLE:g}%)",
            ),
            ("  stable when the speech ended", f"{share(self.long_at_end, self.long_letters):.1f}%"),
            ("  utterances with less than half", f"{self.long_under} of {self.long}"),
            ("words stable before their final", f"{share(self.words_early, self.words):.1f}% of {self.words}"),
            (
                "from a word's end to stable, median",
                f"{statistics.median(self.word_delays):.2f} s" if self.word_delays else "none",
            ),
            ("from the end of speech to the final, median", f"{statistics.median(tenths):.2f} s" if tenths else "none"),
            ("  nine of ten within", f"{tenths[int(0.9 * (len(tenths) - 1))]:.2f} s" if tenths else "none"),
            ("partials that begin elsewhere than their final", f"{self.unmatched}"),
        ]
        width = max(wide(name) for name, _ in rows)
        return "\n".join(f"{name}{' ' * (width - wide(name))}  {value}" for name, value in rows)

    def check(self):
        hold(self.stable > 0, "no stable text was ever shown")
        hold(self.share_changed < MOST_CHANGED, f"a final changed {self.share_changed:.2f}% of the stable characters")
        hold(
            not self.long or self.share_long >= LEAST_STABLE,
            f"only {self.share_long:.1f}% of long finals were stable before the endpoint",
        )


def wide(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


async def stability(bench, server, number=None, pause=2.5):
    """Streams the clips, a room a language, in real time. The measure and the seconds of sound."""
    rows = sound.manifest()
    if number:
        # Every so many, so that a short form has all languages and both short and long clips.
        rows = sorted(rows, key=lambda row: (row["language"], row["file"]))
        rows = [rows[i * len(rows) // number] for i in range(min(number, len(rows)))]
    measure, seconds = Measure(), 0.0
    for language in ("yue", "zh", "en"):
        clips = [sound.clip(row["file"]) for row in rows if row["language"] == language]
        if not clips:
            continue
        script = [
            ("sound", sound.silence(0.5)),
            *(step for clip in clips for step in (("sound", clip), ("sound", sound.silence(pause)))),
            ("finish",),
        ]
        watch = Watch()
        room = bench.room(server, script, Format(), chunks=(1600,), speed=1.0, language=language, on_message=watch, log=True)
        await room.run()
        hold_rules(room)
        measure.add(watch, room)
        seconds += room.rules.acked / sound.RATE
    return measure, seconds
