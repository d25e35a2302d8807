"""Bad input: a close code with its reason, and everything accepted before is kept."""

import asyncio, base64, json, struct, time

from . import sound
from .harness import hold, hold_rules, same
from .raw import BINARY, TEXT, raw, room

QUERY = "rate=16000&channels=1&format=pcm_s16le&language=yue"
MEBIBYTE = 2**20
NAN, INFINITE = (struct.pack("<f", float(x)) for x in ("nan", "inf"))

# What is sent, in which format, and which (code of the error, close code) may answer. The frames: (kind, data).
FRAMES = [
    ("text that is no JSON", QUERY, [(TEXT, b"hello")], ("bad_message", 1003)),
    ("text that is no UTF-8", QUERY, [(TEXT, b"\xff\xfe\xff")], ("bad_message", 1003), (None, 1007), (None, 1002)),
    ("JSON of an unknown type", QUERY, [(TEXT, b'{"type":"sing"}')], ("bad_message", 1003)),
    ("JSON that is no object", QUERY, [(TEXT, b"[1,2,3]")], ("bad_message", 1003)),
    ("JSON with a type that is no text", QUERY, [(TEXT, b'{"type":{"type":"finish"}}')], ("bad_message", 1003)),
    ("JSON three thousand deep", QUERY, [(TEXT, b'{"type":' + b"[" * 3_000)], ("bad_message", 1003)),
    ("a text of a hundred thousand brackets", QUERY, [(TEXT, b"[" * 100_000)], ("bad_message", 1003), ("too_large", 1009)),
    (
        "`resume` in the middle",
        QUERY,
        [(TEXT, b'{"type":"resume","token":"x"}')],
        ("bad_message", 1003),
        ("refused", 1008),
        ("bad_token", 1008),
    ),
    ("JSON where audio should be", QUERY, [(BINARY, b'{"type":"pause" }')], ("not_audio", 1003)),
    ("3 bytes of s16", QUERY, [(BINARY, b"abc")], ("not_audio", 1003)),
    ("6 bytes of two channels of s16", QUERY.replace("channels=1", "channels=2"), [(BINARY, b"abcdef")], ("not_audio", 1003)),
    ("6 bytes of f32", QUERY.replace("pcm_s16le", "pcm_f32le"), [(BINARY, b"abcdef")], ("not_audio", 1003)),
    ("f32 that is not a number", QUERY.replace("pcm_s16le", "pcm_f32le"), [(BINARY, bytes(400) + NAN)], ("not_audio", 1003)),
    ("f32 that is infinite", QUERY.replace("pcm_s16le", "pcm_f32le"), [(BINARY, INFINITE + bytes(400))], ("not_audio", 1003)),
    (
        "an opus packet of no frames",
        QUERY.replace("16000", "48000").replace("pcm_s16le", "opus"),
        [(BINARY, b"\x03\x00")],
        ("not_audio", 1003),
    ),
    ("a frame two bytes over 1 MiB", QUERY, [(BINARY, bytes(MEBIBYTE + 2))], ("too_large", 1009)),
    ("a frame of 2 MiB", QUERY, [(BINARY, bytes(2 * MEBIBYTE))], ("too_large", 1009)),
    ("a text of 2 MiB", QUERY, [(TEXT, b" " * (2 * MEBIBYTE))], ("too_large", 1009)),
]

QUERIES = [
    "rate=7999",
    "rate=192001",
    "rate=0",
    "rate=-1",
    "rate=99999999999999999999",
    "rate=fast",
    "rate=",
    "channels=0",
    "channels=9",
    "channels=one",
    "format=mp3",
    "format=",
    "format=opus",
    "language=xx",
    "channels=2&speakers=doctor",
    "speakers=doctor,patient",
    "rate=16000&rate=8000",
]


def asked(change):
    """A query with some of its fields changed; `rate=..&rate=..` stands twice."""
    fields = dict(pair.split("=") for pair in QUERY.split("&"))
    pairs = [pair.split("=") for pair in change.split("&")]
    changed = {name for name, _ in pairs}
    return "&".join(f"{k}={v}" for k, v in [*((k, v) for k, v in fields.items() if k not in changed), *pairs])


class Bad:
    def __init__(self, bench, server):
        self.bench, self.server = bench, server

    async def second(self, connection, ready, query=QUERY):
        """One second of a tone, acknowledged: what must be kept. The number of samples."""
        rate = int(query.split("rate=")[1].split("&")[0])
        channels = int(query.split("channels=")[1].split("&")[0])
        if "opus" in query:
            data, samples = [b"\xf8\xff\xfe"] * 50, 48000  # 20 ms of silence each
        elif "f32" in query:
            data, samples = [sound.as_floats(sound.tone(1, rate))], rate
        else:
            data, samples = [sound.tone(channels, rate)], rate
        for part in data:
            await connection.send(BINARY, part)
        while (await self.next(connection, "ack"))["samples"] < samples:
            pass
        return samples

    async def next(self, connection, kind, patience=15.0):
        message = await connection.message(kind, patience)
        hold(message is not None, f"the connection closed before `{kind}`")
        return message

    async def resume(self, connection, ready, token=None):
        """Resumes on a raw connection; the first message."""
        status = await connection.upgrade(f"/v1/listen?recording={ready['recording']}", f"127.0.0.1:{self.server.port}")
        hold(status == 101, f"resuming was answered with {status}")
        await connection.text({"type": "resume", "token": token or ready["token"]})

    async def kept(self, ready, samples):
        """Resumes and sees that the accepted sound is there, then erases the recording."""
        async with raw(self.server.port) as connection:
            await self.resume(connection, ready)
            again = await connection.message()
            hold(again is not None and again["type"] == "ready", f"resuming was answered with {again}")
            hold(again["samples"] >= samples, f"{again['samples']} samples kept of {samples}")
            await connection.text({"type": "cancel"})
            await self.next(connection, "erased")
            hold((await connection.ending())[1] == 1000, "no close with 1000 after `erased`")

    async def frames(self, query, sent, allowed):
        async with room(self.server.port, query) as (connection, ready):
            samples = await self.second(connection, ready, query)
            try:
                for kind, data in sent:
                    await connection.send(kind, data)
            except ConnectionError:
                pass
            ending = await connection.ending()
            hold(ending in allowed, f"answered with {ending}, not {' or '.join(map(str, allowed))}")
        await self.kept(ready, samples)
        return f"{ending[1]} {ending[0]}"

    async def fragments(self):
        """2 MiB in 64 KiB fragments of one message."""
        async with room(self.server.port) as (connection, ready):
            samples = await self.second(connection, ready)
            try:
                for number in range(32):
                    await connection.send(BINARY if number == 0 else 0, bytes(65536), final=number == 31)
            except ConnectionError:
                pass
            ending = await connection.ending()
            hold(ending == ("too_large", 1009), f"answered with {ending}")
        await self.kept(ready, samples)

    async def hundred_megabytes(self):
        """Refused by its header: no memory is set aside for it."""
        before = self.server.resident()
        async with room(self.server.port) as (connection, ready):
            samples = await self.second(connection, ready)
            most, sent = before, 0
            try:
                await connection.send(BINARY, b"", length=100 * 10**6)
                watch = asyncio.create_task(connection.ending())
                while sent < 100 * 10**6 and not watch.done():
                    connection.writer.write(bytes(10**6))
                    async with asyncio.timeout(5):
                        await connection.writer.drain()
                    sent += 10**6
                    most = max(most, self.server.resident())
                    await asyncio.sleep(0)
            except (ConnectionError, TimeoutError):
                pass
            ending = await watch
            hold(ending == ("too_large", 1009), f"answered with {ending}")
            hold(most - before < 40, f"{most - before:.0f} MiB more memory")
        await self.kept(ready, samples)
        return f"closed after {sent / 10**6:.0f} MB, {most - before:.1f} MiB more memory"

    async def one_mebibyte(self):
        async with room(self.server.port) as (connection, ready):
            await connection.send(BINARY, bytes(MEBIBYTE))
            await connection.send(BINARY, b"")
            while (await self.next(connection, "ack"))["samples"] < MEBIBYTE // 2:
                pass
        await self.kept(ready, MEBIBYTE // 2)

    async def query(self, change):
        """No recording is begun: an answer of 4xx, or an error and a close."""
        async with raw(self.server.port) as connection:
            status = await connection.upgrade(f"/v1/listen?{asked(change)}", f"127.0.0.1:{self.server.port}")
            if status != 101:
                return 400 <= status < 500, str(status)
            message = await connection.message()
            if message is None or message["type"] != "error":
                return False, message["type"] if message else "closed"
            _, close = await connection.ending()
            return close in (1003, 1008), f"{close} {message['code']}"

    async def queries(self):
        before = len((await self.server.ask("/v1/recordings"))[1]["recordings"])
        answers = [(change, *await self.query(change)) for change in QUERIES]
        wrong = [f"{change} was answered with {seen}" for change, fine, seen in answers if not fine]
        hold(not wrong, "; ".join(wrong))
        after = len((await self.server.ask("/v1/recordings"))[1]["recordings"])
        hold(after == before, f"{after - before} recordings were begun")
        return ", ".join(f"{change} {seen}" for change, _, seen in answers)

    async def another_rate(self):
        """48 kHz sent as 16 kHz cannot be known: it is kept as it was said to be."""
        path = self.bench.scratch / "fast.wav"
        data = await asyncio.to_thread(sound.by_sox, self.bench.wav, path, 48000, 1) or self.bench.sound * 3
        data = data[: 2 * 16000 * 12]
        client = self.bench.room(self.server, [("sound", data), ("finish",)])
        await client.run()
        hold_rules(client)
        hold(client.transcript["audio"]["duration_ms"] == 12000, "what was accepted is not all there")

    async def newer_wins(self):
        """A second connection with the same token takes the recording over, with all of its sound."""
        half = 2 * 16000 * 7
        first = self.bench.room(self.server, [("sound", self.bench.sound[:half]), ("until", lambda: False), ("leave",)])
        older = asyncio.create_task(first.run())
        async with asyncio.timeout(20):
            while first.rules.acked < half // 2:
                await asyncio.sleep(0.05)
        async with raw(self.server.port) as connection:
            await self.resume(connection, {"recording": first.recording, "token": first.token})
            ready = await connection.message()
            hold(ready and ready["type"] == "ready", f"the newer connection got {ready}")
            hold(ready["samples"] == half // 2, f"the newer was told of {ready['samples']} samples")
            refusal = (await asyncio.gather(older, return_exceptions=True))[0]
            hold(getattr(refusal, "code", None) == "replaced" and refusal.close == 1008, f"the older ended with {refusal!r}")
            rest, at = self.bench.sound[half:], 0
            while at < len(rest):
                await connection.send(BINARY, rest[at : at + 32000])
                at += 32000
            await connection.text({"type": "finish"})
            end = await self.next(connection, "end", 60)
            hold((await connection.ending())[1] == 1000, "no close with 1000 after `end`")
        if self.bench.reference:
            same(end["transcript"]["segments"], self.bench.reference, "taken over in the middle")
        return await self.finished(first.recording, first.token, end)

    async def finished(self, recording, token, end):
        """A finished recording cannot be resumed: it is refused, or all that comes is its `end` again."""
        async with raw(self.server.port) as connection:
            await connection.upgrade(f"/v1/listen?recording={recording}", f"127.0.0.1:{self.server.port}")
            await connection.text({"type": "resume", "token": token})
            again = None
            while (message := await connection.message()) is not None:
                hold(
                    message["type"] in ("ready", "ack", "final", "note", "end", "error"), f"resuming it gave `{message['type']}`"
                )
                again = message
            hold(again is not None, "resuming a finished recording was not answered")
            if again["type"] == "error":
                hold(
                    (again["code"], connection.closed) == ("finished", 1008),
                    f"resuming it gave {again['code']}, {connection.closed}",
                )
                return "resuming it then: 1008 finished"
            hold(
                again["type"] == "end" and connection.closed == 1000,
                f"resuming it ended with {again['type']}, {connection.closed}",
            )
            hold(again["transcript"] == end["transcript"], "its `end` came again with another transcript")
        return "resuming it then: its `end` again, 1000"

    async def refused(self, recording, token, what, *codes):
        async with raw(self.server.port) as connection:
            status = await connection.upgrade(f"/v1/listen?recording={recording}", f"127.0.0.1:{self.server.port}")
            if status == 101:
                await connection.text({"type": "resume", "token": token})
                ending = await connection.ending()
                hold(ending[1] == 1008 and (not codes or ending[0] in codes), f"{what} was answered with {ending}")

    async def forged(self):
        async with room(self.server.port) as (connection, ready):
            samples = await self.second(connection, ready)
            number, token = ready["recording"], ready["token"]
            forged = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
            changed = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
            for wrong in (forged, "", changed, token + "x", token[:-1], "x" * 3_000):
                await self.refused(number, wrong, "a forged token", "bad_token")
            await self.refused("no-such-recording", token, "an unknown recording", "bad_token", "refused")
            await self.refused("..%2F..%2Fmaster.key", token, "a path for a recording", "bad_token", "refused")
            # The owner was not disturbed by any of this.
            await connection.send(BINARY, sound.tone(0.5))
            while (await self.next(connection, "ack"))["samples"] < samples + 8000:
                pass
        await self.kept(ready, samples + 8000)
        await self.refused(number, token, "an erased recording")

    async def no_resume(self):
        """On a resumed connection something else than `resume` comes first."""
        async with room(self.server.port) as (connection, ready):
            samples = await self.second(connection, ready)
        seen = []
        for kind, data in (
            (BINARY, bytes(3200)),
            (TEXT, b'{"type":"finish"}'),
            (TEXT, b'{"type":"resume"}'),
            (TEXT, b'{"type":"resume","token":7}'),
        ):
            async with raw(self.server.port) as connection:
                await connection.upgrade(f"/v1/listen?recording={ready['recording']}", f"127.0.0.1:{self.server.port}")
                await connection.send(kind, data)
                code, close = await connection.ending()
                hold(code and close in (1003, 1008), f"answered with {code} and {close}")
                seen.append(f"{close} {code}")
        await self.kept(ready, samples)
        return ", ".join(seen)

    async def foreign(self):
        """A foreign page cannot open the socket: neither by its Origin nor by a name of its own for our address."""
        port, ours = self.server.port, f"127.0.0.1:{self.server.port}"
        cases = [
            ("evil.example", None),
            (f"evil.example:{port}", f"http://evil.example:{port}"),
            (ours, "http://evil.example"),
            (ours, "null"),
            (ours, f"http://127.0.0.1:{port + 1}"),
            (ours, f"http://127.0.0.1.evil.example:{port}"),
            (ours, f"http://evil.example:{port}"),
            (ours, f"http://127.0.0.1:{port}.evil.example"),
            (ours, ""),
            (f"127.0.0.1:{port + 1}", None),
            (None, None),
            (f"127.0.0.1:{port}@evil.example", None),
            (f"[::1]:{port}.evil.example", None),
        ]
        for path in (f"/v1/listen?{QUERY}", "/v1/recordings"):
            for host, origin in cases:
                async with raw(port) as connection:
                    status = await connection.upgrade(path, host, {} if origin is None else {"Origin": origin})
                    fine = status == 403 or (host is None and status == 400)
                    hold(fine, f"{path.split('?')[0]} with Host {host!r} and Origin {origin!r} was answered with {status}")
        async with room(port, headers={"Origin": f"http://{ours}"}) as (connection, ready):
            await connection.text({"type": "cancel"})
            await self.next(connection, "erased")
        return f"{2 * len(cases)} answered with 403, our own page let in"

    async def plain_get(self):
        status, _ = await self.server.ask(f"/v1/listen?{QUERY}")
        hold(400 <= status < 500, f"a GET without an upgrade was answered with {status}")
        return str(status)

    async def random_frames(self):
        """Two hundred connections of random frames and half of them of random bytes in the middle: the server stands."""
        dice, recordings, endings = self.bench.dice, [], {}
        for number in range(200):
            try:
                async with room(self.server.port) as (connection, ready):
                    recordings.append(ready["recording"])
                    for _ in range(dice.randint(1, 6)):
                        size = dice.choice((0, 1, 2, 125, 126, 127, 4096, 70000))
                        frame = connection.frame(
                            dice.choice((0, TEXT, BINARY, BINARY, 8, 9, 10, 11, 3)), dice.randbytes(size), dice.random() < 0.8
                        )
                        if number % 2:
                            at = dice.randrange(len(frame))
                            frame = frame[:at] + dice.randbytes(1) + frame[at + 1 :]
                        connection.writer.write(frame)
                    try:
                        ending = await asyncio.wait_for(connection.ending(), 0.2)
                    except TimeoutError:
                        ending = ("still open", None)
                    except (ValueError, ConnectionError):
                        ending = ("reset", None)
            except ConnectionError:
                ending = ("reset", None)
            endings[ending] = endings.get(ending, 0) + 1
        hold(self.server.alive, "the server ended")
        for recording in recordings:
            status, _ = await self.server.ask(f"/v1/recordings/{recording}", "DELETE")
            hold(status == 204, f"DELETE of such a recording answered {status}")
        return ", ".join(
            f"{count} {code or 'no error'} {close or ''}".strip() for (code, close), count in sorted(endings.items(), key=str)
        )

    async def does_not_read(self):
        """It asks for pongs and never reads one: the server neither fills its memory nor keeps others waiting."""
        # What hearing takes the first time, two rooms at once, is not this client's.
        await asyncio.gather(*(self.bench.room(self.server).run() for _ in range(2)))
        before = self.server.resident()
        async with room(self.server.port, small=True) as (connection, ready):
            pings, stuck = connection.frame(9, bytes(125)) * 500, False
            await connection.send(BINARY, self.bench.sound)
            for _ in range(400):
                connection.writer.write(pings)
                try:
                    async with asyncio.timeout(3):
                        await connection.writer.drain()
                except (TimeoutError, ConnectionError):
                    stuck = True
                    break
            begin = time.monotonic()
            other = self.bench.room(self.server)
            await other.run()
            hold_rules(other)
            took = time.monotonic() - begin
            hold(took < 60, f"others waited {took:.1f} s")
            more = self.server.resident() - before
            hold(more < 96, f"{more:.0f} MiB more memory")
        await self.kept(ready, len(self.bench.sound) // 2)
        return f"{'it was held back' if stuck else 'it was not held back'}, {more:.0f} MiB more, others done in {took:.1f} s"

    async def too_many_rooms(self):
        """The last one too many is told that there is no room now, and nobody else is hurt."""
        status = (await self.server.ask("/v1/status"))[1]["rooms"]
        most = status["most"]
        hold(isinstance(most, int) and most > 0, f"/v1/status says {status}")
        opened, refused = [], None
        try:
            for _ in range(min(most, 40) + 1):
                context = raw(self.server.port)
                connection = await context.__aenter__()
                opened.append((context, connection, None))
                answer = await connection.upgrade(f"/v1/listen?{QUERY}", f"127.0.0.1:{self.server.port}")
                if answer == 503:
                    refused = "503"
                    break
                kind, data = await connection.receive()
                message = json.loads(data)
                if message["type"] == "error":
                    ending = await connection.ending()
                    hold(message["code"] == "no_room" and ending[1] == 1013, f"refused with {message['code']} and {ending[1]}")
                    refused = "1013 no_room"
                    break
                opened[-1] = (context, connection, message)
            hold(refused or most > 40, f"{len(opened)} rooms were opened, and {most} is the most")
        finally:
            for context, connection, ready in opened:
                if ready:
                    await connection.text({"type": "cancel"})
                    await connection.message("erased")
                await context.__aexit__(None, None, None)
        return f"{most} at most, then {refused}"

    async def all(self, tally):
        for name, query, sent, *allowed in FRAMES:
            await tally.check(
                f"bad input: {name}", lambda query=query, sent=sent, allowed=allowed: self.frames(query, sent, allowed), 60
            )
        await tally.check("bad input: 2 MiB in fragments", self.fragments, 60)
        await tally.check("bad input: a frame of 100 MB", self.hundred_megabytes, 60)
        await tally.check("a frame of exactly 1 MiB, and an empty one, are taken", self.one_mebibyte, 60)
        await tally.check("bad input: rates, channels, formats that cannot be", self.queries, 60)
        await tally.check("bad input: another rate than stated is kept as stated", self.another_rate)
        await tally.check("a second connection with the same token: the newer wins", self.newer_wins)
        await tally.check("a forged token, an unknown and an erased recording: 1008", self.forged, 60)
        await tally.check("something else than `resume` first", self.no_resume, 60)
        await tally.check("a foreign Origin or Host: 403 before the upgrade", self.foreign, 60)
        await tally.check("a GET without an upgrade", self.plain_get, 60)
        await tally.check("two hundred connections of random frames", self.random_frames, 120)
        await tally.check("a client that does not read", self.does_not_read, 120)
        await tally.check("one room too many", self.too_many_rooms, 120)
