"""What `../shared/contracts/listen.md` promises, held against what a server really sends. Breaches are listed, not raised."""

import json, time
from collections import deque

SLACK = 0.15  # seconds that a message may be late here without being late there
SCHEMAS = {"transcript": "cantoscribe/transcript/1", "note": "cantoscribe/note/1"}
CLOSE_CODES = {
    "not_audio": 1003,
    "bad_message": 1003,
    "refused": 1008,
    "bad_token": 1008,
    "finished": 1008,
    "replaced": 1008,
    "too_large": 1009,
    "internal": 1011,
    "disk_full": 1011,
    "no_room": 1013,
}


class Rules:
    """The rules of one recording, over all its connections."""

    def __init__(self, rate, behind=0.5, one_voice=True):
        self.rate, self.behind, self.one_voice = rate, behind, one_voice
        self.broken = []
        self.finals = {}
        self.acked = self.ever_sent = 0
        self.worst_lag = 0.0
        self.lags = deque(maxlen=100_000)
        self.packet_ends = None  # for opus: acks fall on packet boundaries
        self.connected(0.0)

    def breach(self, what):
        if len(self.broken) < 50:
            self.broken.append(what)

    def connected(self, now):
        """A new connection: nothing is in flight, and the growing utterance is heard anew."""
        self.ready = False
        self.sent = self.acked
        self.flying = deque()
        self.growing = {}
        self.finals_here = []
        self.note_at, self.notes_here = None, 0
        self.shown = (0, "")  # where the partial that stands began, and its words
        self.fatal = None
        self.said_last = None

    def sending(self, samples, now):
        """Sound goes out: so many samples a channel, all told."""
        self.sent = samples
        self.ever_sent = max(self.ever_sent, samples)
        self.flying.append((samples, now))

    def lost(self):
        """The sound in flight was sent while paused, or the connection broke: no ack is owed."""
        self.flying.clear()

    def heard(self, message, now=None):
        """Judges one message of the server."""
        now = time.monotonic() if now is None else now
        kind = message.get("type")
        if self.said_last:
            self.breach(f"`{kind}` after `{self.said_last}`")
        if not self.ready and kind not in ("ready", "error"):
            self.breach(f"the first message is `{kind}`, not `ready`")
        judge = getattr(self, f"on_{kind}", None)
        if judge is None:
            self.breach(f"a message of the unknown type `{kind}`")
        else:
            judge(message, now)

    def whole(self, message, field, least=0):
        value = message.get(field)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self.breach(f"`{message.get('type')}.{field}` is {value!r}, not a count of at least {least}")
            return least
        return value

    def on_ready(self, message, now):
        if self.ready:
            self.breach("`ready` twice on one connection")
        self.ready = True
        samples = self.whole(message, "samples")
        if samples < self.acked:
            self.breach(f"`ready.samples` {samples} after an ack of {self.acked}")
        if samples > self.ever_sent:
            self.breach(f"`ready.samples` {samples} when only {self.ever_sent} were ever sent")
        for field in ("recording", "token"):
            if not isinstance(message.get(field), str) or not message[field]:
                self.breach(f"`ready.{field}` is no text")
        self.acked = self.sent = samples

    def on_ack(self, message, now):
        samples = self.whole(message, "samples")
        if samples < self.acked:
            self.breach(f"an ack went back from {self.acked} to {samples}")
        if samples > self.sent:
            self.breach(f"an ack of {samples} when {self.sent} were sent")
        if self.packet_ends is not None and samples not in self.packet_ends:
            self.breach(f"an ack of {samples}, which is no packet's border")
        self.acked = max(self.acked, samples)
        while self.flying and self.flying[0][0] <= samples:
            lag = now - self.flying.popleft()[1]
            self.lags.append(lag)
            self.worst_lag = max(self.worst_lag, lag)

    def too_far_behind(self):
        """The worst delay of an ack, when it is over what the contract allows."""
        return self.worst_lag if self.worst_lag > self.behind + SLACK else None

    def on_partial(self, message, now):
        start = self.whole(message, "start_ms")
        stable, tentative = message.get("stable"), message.get("tentative")
        if not isinstance(stable, str) or not isinstance(tentative, str):
            return self.breach("a partial without its texts")
        if not self.one_voice:
            return None
        self.shown = (start, stable + tentative)
        before = self.growing.get(start, "")
        if before is None:
            self.breach(f"a partial at {start} ms after its final")
        elif not stable.startswith(before):
            # Lengths only: what was said belongs in no log.
            self.breach(f"stable text at {start} ms was taken back: {len(before)} characters, now {len(stable)}")
        elif self.finals_here and start < self.finals_here[-1]["start_ms"]:
            self.breach(f"a partial at {start} ms after a final that begins at {self.finals_here[-1]['start_ms']} ms")
        if before is not None:
            self.growing[start] = stable
        return None

    def on_final(self, message, now):
        segment = message.get("segment")
        if not isinstance(segment, dict) or not isinstance(segment.get("text"), str) or not segment["text"]:
            return self.breach("a final without a segment or its text")
        number = self.whole(segment, "id")
        start, end = self.whole(segment, "start_ms"), self.whole(segment, "end_ms")
        if end <= start:
            self.breach(f"final {number} ends at {end} ms and begins at {start} ms")
        if number in self.finals:
            if any(self.finals[number].get(k) != segment.get(k) for k in ("text", "start_ms", "end_ms", "speaker")):
                self.breach(f"final {number} came again with another text or time")
        elif self.finals and number <= max(self.finals):
            self.breach(f"final {number} is new after final {max(self.finals)}")
        if self.finals_here and number <= self.finals_here[-1]["id"]:
            self.breach(f"final {number} after final {self.finals_here[-1]['id']} on one connection")
        if self.one_voice and self.finals_here and start < self.finals_here[-1]["end_ms"]:
            self.breach(f"final {number} begins at {start} ms, inside the one before it")
        self.finals[number] = segment
        self.finals_here.append(segment)
        for key in [k for k in self.growing if k < end]:
            self.growing[key] = None
        if self.shown[0] < end:
            self.shown = (0, "")
        return None

    def on_note(self, message, now):
        note = message.get("note")
        self.document(note, "note")
        if self.note_at is not None and now - self.note_at < 1.0 - SLACK:
            self.breach(f"two notes within {now - self.note_at:.2f} s")
        # A note may be one final behind what was just told, and be followed by the next without a final between them.
        self.notes_here += 1
        if self.notes_here > len(self.finals_here):
            self.breach(f"{self.notes_here} notes after {len(self.finals_here)} finals")
        self.note_at = now
        self.evidence(note)

    def on_end(self, message, now):
        transcript = message.get("transcript")
        self.document(transcript, "transcript")
        self.document(message.get("note"), "note")
        if self.acked != self.sent:
            self.breach(f"`end` after an ack of {self.acked} of {self.sent}")
        if isinstance(transcript, dict):
            told = [self.finals[k] for k in sorted(self.finals)]
            if transcript.get("segments") != told:
                self.breach(f"`end` has {len(transcript.get('segments', []))} segments that are not the {len(told)} finals told")
        if self.shown[1]:
            self.breach(f"{len(self.shown[1])} characters still stand at {self.shown[0]} ms, and have no final")
        self.evidence(message.get("note"))
        self.said_last = "end"

    def on_erased(self, message, now):
        self.said_last = "erased"

    def on_error(self, message, now):
        code, fatal = message.get("code"), message.get("fatal")
        if not isinstance(code, str) or not isinstance(message.get("message"), str) or not isinstance(fatal, bool):
            self.breach(f"an error without code, message and fatal: {json.dumps(message)[:200]}")
        if fatal:
            self.fatal = self.said_last = code

    def closed(self, code):
        """The connection closed, with this code (1006: it just broke)."""
        wanted = {"end": 1000, "erased": 1000, None: None}.get(self.said_last, CLOSE_CODES.get(self.said_last))
        if self.said_last and code == 1006:
            self.breach(f"no close after `{self.said_last}`")
        elif self.said_last and wanted is not None and code != wanted:
            self.breach(f"closed with {code} after `{self.said_last}`, not {wanted}")
        elif not self.said_last and code in (1003, 1008, 1009, 1011, 1013):
            self.breach(f"closed with {code} without an `error` that says why")

    def document(self, document, kind):
        if not isinstance(document, dict) or document.get("schema") != SCHEMAS[kind]:
            self.breach(f"a {kind} that is no {SCHEMAS[kind]}")

    def evidence(self, value):
        """Every span of a note lies in a final that was told."""
        if isinstance(value, list):
            for entry in value:
                self.evidence(entry)
        elif isinstance(value, dict):
            for span in value.get("evidence") or []:
                told = self.finals.get(span.get("segment"))
                if told is None or not 0 <= span["start"] < span["end"] <= len(told["text"]):
                    self.breach(f"a note's evidence lies outside what was told: segment {span.get('segment')}")
            for entry in value.values():
                self.evidence(entry)
