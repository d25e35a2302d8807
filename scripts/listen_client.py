#!/usr/bin/env python3
"""A client of `WS /v1/listen`, written against ../shared/contracts/listen.md alone, in another language than the server.

usage: scripts/listen_client.py RECORDING.wav... [--url ws://127.0.0.1:8080] [--speed 1] [--chunks 1,333,4096] [--pause 1.5]

Streams the recordings with a pause after each, keeps what is not acknowledged, comes back after every break with what is missing,
and prints the finals. Exits 1 when the server broke a rule of the contract. As a module it serves scripts/check-live and
scripts/long.
Needs the PyPI package `websockets`, which it installs into target/venv-live by itself.
"""

import argparse, asyncio, json, sys, time, urllib.parse
from collections import deque
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from live.environment import in_virtual_environment

if __name__ == "__main__":
    in_virtual_environment()

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.frames import Frame, Opcode

from live.rules import Rules

ODD = (1, 333, 4096, 77, 1601, 12345, 7, 800)
WIDTH = {"pcm_s16le": 2, "pcm_f32le": 4}


class Format:
    """How the sound is written on the wire."""

    def __init__(self, encoding="pcm_s16le", rate=16000, channels=1):
        self.encoding, self.rate, self.channels = encoding, rate, channels
        self.frame = WIDTH.get(encoding, 0) * channels  # bytes of one sample of all channels; 0: packets

    def query(self):
        return {"rate": self.rate, "channels": self.channels, "format": self.encoding}


class Refused(Exception):
    """The server does not want us: an answer before the upgrade, or a fatal error."""

    def __init__(self, code, message="", close=None):
        super().__init__(f"{code} ({close}): {message}")
        self.code, self.message, self.close = code, message, close


class Kept:
    """What is not acknowledged: sound and commands, in order, each with the sample it begins at."""

    def __init__(self, frame):
        self.frame = frame
        self.entries = deque()  # (start, samples, bytes | command)
        self.next = 0  # which of them goes out next
        self.end = 0

    def add(self, samples, what):
        self.entries.append((self.end, samples, what))
        self.end += samples

    def acknowledged(self, samples):
        """Lets go of what is safe. A command is safe once sound after it is."""
        while self.next > 0 and self.entries:
            start, count, _ = self.entries[0]
            if not (start + count <= samples if count else start < samples):
                return
            self.entries.popleft()
            self.next -= 1

    def rewind(self, samples):
        """Everything from this sample on goes out again."""
        self.next = len(self.entries)
        self.acknowledged(samples)
        self.next = 0
        if self.entries:
            start, count, what = self.entries[0]
            if count and start < samples:
                if not self.frame:
                    raise ValueError("resumed inside a packet")
                self.entries[0] = (samples, start + count - samples, what[(samples - start) * self.frame :])


class Counting(ClientConnection):
    """Counts the server's pings; the library answers them."""

    pings = 0

    def process_event(self, event):
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.pings += 1
        super().process_event(event)


class Room:
    """One recording, over as many connections as it takes. `script` yields steps:

    ("sound", bytes), ("packet", bytes, samples); ("pause",), ("unpause",), ("finish",), ("cancel",); ("wait", seconds);
    ("until", function): waits until it is true; ("paused_sound", bytes): sent and not counted; ("leave",): the connection is
    dropped and `run` returns.
    """

    def __init__(
        self,
        url,
        form,
        script,
        chunks=ODD,
        speed=0.0,
        window=4.0,
        language="yue",
        query=None,
        on_message=None,
        patience=60.0,
        log=False,
    ):
        self.url, self.form, self.chunks, self.speed, self.window = url, form, chunks, speed, window
        self.query = {**form.query(), "language": language, **(query or {})}
        self.rules = Rules(form.rate, one_voice="speakers" not in self.query)
        self.kept = Kept(form.frame)
        self.steps = self.cut(script)
        self.on_message, self.patience = on_message, patience
        self.recording = self.token = self.transcript = self.note = None
        self.errors, self.closes, self.resumed_at = [], [], []
        self.partials = self.notes = self.breaks = self.waits = self.pings = self.longest_kept = 0
        self.log = [] if log else None  # (end sample, when it was sent)
        self.began = None
        self.erased = False
        self.changed = asyncio.Event()
        self.connection = None

    @property
    def finals(self):
        return [self.rules.finals[k] for k in sorted(self.rules.finals)]

    @property
    def broken(self):
        return self.rules.broken

    def cut(self, script):
        """The script with its sound cut into chunks of the sizes given, over and over."""
        turn = 0
        for step in script:
            if step[0] != "sound":
                yield step
                continue
            data, at = step[1], 0
            while at < len(data):
                size = self.chunks[turn % len(self.chunks)] * self.form.frame
                turn += 1
                yield ("sound", data[at : at + size])
                at += size

    async def run(self):
        """Runs the script to its end, over as many connections as it takes. Raises `Refused` when the server says no."""
        last_seen = time.monotonic()
        while True:
            try:
                if await self.connect_once():
                    return self
                last_seen = time.monotonic()
            except (OSError, InvalidMessage, EOFError, TimeoutError):
                if time.monotonic() - last_seen > self.patience:
                    raise
            except InvalidStatus as refusal:
                body = (refusal.response.body or b"").decode("utf-8", "replace")
                raise Refused(refusal.response.status_code, body) from None
            except InvalidHandshake:
                if time.monotonic() - last_seen > self.patience:
                    raise
            except Refused as refusal:
                # No room free now: what is kept waits here, and we ask again.
                if refusal.code != "no_room" or time.monotonic() - last_seen > self.patience:
                    raise
                self.waits += 1
                await asyncio.sleep(0.4)
            await asyncio.sleep(0.1)

    async def connect_once(self):
        query = {"recording": self.recording} if self.recording else self.query
        address = f"{self.url}/v1/listen?{urllib.parse.urlencode(query)}"
        async with connect(
            address,
            create_connection=Counting,
            ping_interval=10,
            ping_timeout=20,
            max_size=None,
            compression=None,
            proxy=None,
            open_timeout=20,
            close_timeout=5,
        ) as connection:
            self.connection = connection
            self.rules.connected(time.monotonic())
            left = False
            try:
                if self.recording:
                    await connection.send(json.dumps({"type": "resume", "token": self.token}))
                self.heard(await asyncio.wait_for(connection.recv(), self.patience))
                if self.rules.ready:
                    self.kept.rewind(self.rules.acked)
                    reader = asyncio.create_task(self.read(connection))
                    try:
                        left = await self.send(connection)
                        if not left:
                            await reader
                    finally:
                        if left:
                            reader.cancel()
                        await asyncio.gather(reader, return_exceptions=True)
                else:
                    await self.read(connection)
            except ConnectionClosed:
                pass
            finally:
                self.pings += connection.pings
                self.rules.lost()
            if left:
                connection.transport.abort()
                return True
        code = connection.close_code
        self.closes.append(code)
        self.rules.closed(code)
        if self.transcript is not None or self.erased:
            return True
        if self.rules.fatal:
            raise Refused(self.rules.fatal, self.errors[-1].get("message", ""), code)
        if code in (1003, 1008, 1009, 1011, 1013):
            raise Refused("no error told", connection.close_reason or "", code)
        self.breaks += 1
        return False

    async def read(self, connection):
        try:
            async for message in connection:
                self.heard(message)
        except ConnectionClosed:
            pass
        finally:
            self.changed.set()

    def heard(self, raw):
        now = time.monotonic()
        if not isinstance(raw, str):
            self.rules.breach("a binary frame from the server")
            return
        message = json.loads(raw)
        self.rules.heard(message, now)
        kind = message.get("type")
        if kind == "ready":
            if self.recording not in (None, message["recording"]):
                self.rules.breach("resumed as another recording")
            self.recording, self.token = message["recording"], message["token"]
            self.resumed_at.append(message["samples"])
        elif kind == "ack":
            self.kept.acknowledged(self.rules.acked)
        elif kind == "partial":
            self.partials += 1
        elif kind == "note":
            self.notes += 1
            self.note = message["note"]
        elif kind == "end":
            self.transcript, self.note = message["transcript"], message["note"]
        elif kind == "erased":
            self.erased = True
        elif kind == "error":
            self.errors.append(message)
        if self.on_message:
            self.on_message(message, now)
        self.changed.set()

    async def send(self, connection):
        """Sends what is kept, then what comes. True: the script says to leave."""
        # Sound from before the break goes out at once; what follows keeps its time from the first connection on.
        if self.began is None:
            self.began = time.monotonic()
        while connection.close_code is None:
            if self.kept.next < len(self.kept.entries):
                if await self.send_kept(connection):
                    return False
                continue
            step = next(self.steps, None)
            if step is None or step[0] == "leave":
                return step is not None
            await self.take(connection, step)
        return False

    async def take(self, connection, step):
        """One step of the script: what must not be lost is kept, to be sent from there."""
        kind = step[0]
        if kind in ("wait", "until"):
            done, patience = ((lambda: False), step[1]) if kind == "wait" else (step[1], self.patience)
            since = time.monotonic()
            await self.until(lambda: connection.close_code is not None or done(), patience)
            self.began += time.monotonic() - since
        elif kind == "paused_sound":
            await connection.send(step[1])
        elif kind == "sound":
            self.kept.add(len(step[1]) // self.form.frame, step[1])
        elif kind == "packet":
            self.kept.add(step[2], step[1])
        else:
            self.kept.add(0, kind)

    async def send_kept(self, connection):
        """Sends the next of what is kept. True: it was the last word."""
        start, samples, what = self.kept.entries[self.kept.next]
        if not samples:
            self.kept.next += 1
            await connection.send(json.dumps({"type": what}))
            return what in ("finish", "cancel")
        end = start + samples
        await self.pace(connection, start, end)
        self.kept.next += 1  # only now: acks that came while waiting moved it
        now = time.monotonic()
        self.rules.sending(end, now)
        if self.log is not None and (not self.log or self.log[-1][0] < end):
            self.log.append((end, now))
        self.longest_kept = max(self.longest_kept, self.kept.end - self.rules.acked)
        await connection.send(what)
        return False

    async def pace(self, connection, start, end):
        """Waits until this sample is due, and until not too much is unacknowledged."""
        if self.speed:
            late = self.began + end / self.form.rate / self.speed - time.monotonic()
            if late > 0:
                await asyncio.sleep(late)
        room = int(self.window * self.form.rate)
        await self.until(lambda: start - self.rules.acked <= room or connection.close_code is not None, self.patience)

    async def until(self, done, patience):
        """Waits until something is so, woken by every message; gives up quietly after `patience` seconds."""
        end = time.monotonic() + patience
        while not done() and time.monotonic() < end:
            self.changed.clear()
            try:
                await asyncio.wait_for(self.changed.wait(), min(0.25, max(0.01, end - time.monotonic())))
            except TimeoutError:
                pass
        return done()

    def sent_at(self, milliseconds):
        """When the sound at this time of the recording was sent."""
        wanted = milliseconds * self.form.rate / 1000
        low, high = 0, len(self.log)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.log[middle][0] < wanted else (low, middle)
        return self.log[min(low, len(self.log) - 1)][1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", nargs="+", type=Path, help="WAV files of 16 bits, all of one rate and number of channels")
    parser.add_argument("--url", default="ws://127.0.0.1:8080")
    parser.add_argument("--language", default="yue")
    parser.add_argument("--speed", type=float, default=1.0, help="times real time; 0: as fast as acks allow")
    parser.add_argument("--chunks", default=",".join(map(str, ODD)), help="samples a channel in each frame, over and over")
    parser.add_argument("--pause", type=float, default=1.5, help="seconds of silence after each recording")
    parser.add_argument("--patience", type=float, default=60.0, help="seconds to try again when the server is gone")
    arguments = parser.parse_args()
    from live.sound import read_wav, silence

    sounds = [read_wav(path) for path in arguments.recordings]
    rate, channels = sounds[0][0], sounds[0][1]
    if any(sound[:2] != (rate, channels) for sound in sounds):
        sys.exit("listen_client: the recordings are not all of one rate and number of channels")
    script = [step for sound in sounds for step in (("sound", sound[2]), ("sound", silence(arguments.pause, rate, channels)))]

    def show(message, _):
        if message["type"] == "final":
            segment = message["segment"]
            print(
                f"{segment['id']:4} {segment['start_ms'] / 1000:8.2f} {segment['end_ms'] / 1000:8.2f}  {segment['text']}",
                flush=True,
            )
        elif message["type"] == "error":
            print(f"listen_client: {message['code']}: {message['message']}", file=sys.stderr)

    async def stream():
        room = Room(
            arguments.url,
            Format("pcm_s16le", rate, channels),
            [*script, ("finish",)],
            [int(n) for n in arguments.chunks.split(",")],
            arguments.speed,
            language=arguments.language,
            on_message=show,
            patience=arguments.patience,
        )
        try:
            await room.run()
        except Refused as refusal:
            print(f"listen_client: refused: {refusal}", file=sys.stderr)
        except OSError as error:
            print(f"listen_client: {arguments.url} cannot be reached: {error}", file=sys.stderr)
        return room

    room = asyncio.run(stream())
    for breach in room.broken:
        print(f"listen_client: the contract is broken: {breach}", file=sys.stderr)
    sys.exit(1 if room.broken or room.transcript is None else 0)


if __name__ == "__main__":
    main()
