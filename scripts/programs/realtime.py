"""`WS /v1/realtime` through OpenAI's package: transcription sessions."""

import array, asyncio, base64, json, sys, time, wave

import openai, websockets
from live.harness import hold

RATE = 24000
CHUNK = RATE // 10 * 2  # bytes of 100 ms
PATIENCE = 60.0


def at_24_khz(path, out):
    """The clip at Realtime's rate, as raw samples and as a file for `transcribe`, which then hears the same samples."""
    with wave.open(str(path)) as clip:
        samples = array.array("h", clip.readframes(clip.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    raised = array.array("h")
    for index in range(len(samples) * 3 // 2):
        place = index * 2 / 3
        first = int(place)
        second = min(first + 1, len(samples) - 1)
        raised.append(round(samples[first] + (samples[second] - samples[first]) * (place - first)))
    raised.extend([0] * RATE * 2)
    if sys.byteorder == "big":
        raised.byteswap()
    with wave.open(str(out), "wb") as file:
        file.setnchannels(1), file.setsampwidth(2), file.setframerate(RATE)
        file.writeframes(raised.tobytes())
    return raised.tobytes()


class Realtime:
    def __init__(self, server, clips):
        self.server, self.clips = server, clips
        self.client = openai.AsyncOpenAI(base_url=f"http://127.0.0.1:{server.port}/v1", api_key="none", max_retries=0)
        self.long, self.short = clips.scratch / "long-24.wav", clips.scratch / "short-24.wav"
        self.long_sound = at_24_khz(clips.long, self.long)
        self.short_sound = at_24_khz(clips.cantonese[0], self.short)
        self.talk = clips.scratch / "talk-24.wav"
        self.talk_sound = at_24_khz(clips.joined("talk.wav", clips.longest(5)), self.talk)
        self.named = clips.scratch / "named-24.wav"
        self.named_sound = at_24_khz(clips.named, self.named)

    async def all(self, tally):
        for name, doing in (
            ("realtime: a session says how it hears, and is told otherwise", self.session),
            ("realtime: server VAD finds the utterances of transcribe, with their times and texts", self.turns),
            ("realtime: words are told while they are said, and completed says the text", self.early),
            ("realtime: keywords are written where they are heard", self.keywords),
            ("realtime: without VAD the client commits and clears", self.manual),
            ("realtime: the events of the interface before are understood", self.beta),
            ("realtime: what cannot be done is told, and the session goes on", self.errors),
            ("realtime: what cannot be opened is refused", self.refused),
            ("realtime: a message that is too long closes", self.too_long),
            ("realtime: who goes away frees the room", self.gone),
        ):
            await tally.check(name, doing)

    def connect(self):
        return self.client.realtime.connect(extra_query={"intent": "transcription"})

    async def next(self, connection, wanted=None):
        """The next event, or the next of a type; each must be what the package says it is."""
        async with asyncio.timeout(PATIENCE):
            while True:
                event = await connection.recv()
                if not event.type.startswith("transcription_session."):  # of the interface before, which this package no longer types
                    type(event).model_validate(event.to_dict())
                if wanted is None or event.type == wanted:
                    return event
                hold(event.type != "error", lambda: f"an error: {event.error}")

    async def told(self, connection, **settings):
        await connection.session.update(session={"type": "transcription", "audio": {"input": settings}})
        return (await self.next(connection, "session.updated")).session

    async def send(self, connection, sound, chunk=CHUNK):
        for start in range(0, len(sound), chunk):
            await connection.input_audio_buffer.append(audio=base64.b64encode(sound[start : start + chunk]).decode())

    async def session(self):
        async with self.connect() as connection:
            created = await self.next(connection)
            hold(created.type == "session.created" and created.session.type == "transcription", f"{created}")
            hold(created.session.audio.input.transcription.model == "whisper-base", f"{created.session}")
            vad = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 700}
            updated = await self.told(
                connection,
                format={"type": "audio/pcm", "rate": RATE},
                transcription={"model": "whisper-1", "language": "en", "prompt": "metformin", "keywords": ["陳大文"], "delay": "high"},
                turn_detection=vad,
                noise_reduction=None,
            )
            heard = updated.audio.input
            hold((heard.transcription.language, heard.transcription.prompt) == ("en", "metformin"), f"{heard}")
            hold((heard.transcription.keywords, heard.transcription.delay) == (["陳大文"], "high"), f"{heard}")
            hold({name: getattr(heard.turn_detection, name) for name in vad} == vad, f"{heard.turn_detection}")

    async def turns(self):
        wanted = self.clips.segments(self.long, "--language", "en")
        for chunk in (CHUNK, len(self.long_sound)):
            async with self.connect() as connection:
                await self.told(connection, transcription={"language": "en", "delay": "xhigh"})
                sending = asyncio.create_task(self.send(connection, self.long_sound, chunk))
                await self.judge(connection, wanted)
                await sending
        return f"{len(wanted)} utterances, in small messages and in one"

    async def judge(self, connection, wanted):
        """An utterance's events in their order, each with the times and the text that `transcribe` gives it."""
        items, stages, deltas, done = [], {}, {}, 0
        after = {"speech_started": None, "speech_stopped": "speech_started", "committed": "speech_stopped"}
        while done < len(wanted):
            event = await self.next(connection)
            hold(event.type != "error", f"{event}")
            if event.type.startswith("input_audio_buffer."):
                stage = event.type.split(".")[1]
                hold(stages.get(event.item_id) == after[stage], f"{stage} after {stages.get(event.item_id)}")
                stages[event.item_id] = stage
                if stage == "speech_started":
                    segment = wanted[len(items)]
                    hold(event.audio_start_ms == segment["start_ms"], f"begins at {event.audio_start_ms}, not {segment['start_ms']}")
                    items.append(event.item_id)
                elif stage == "speech_stopped":
                    segment = wanted[items.index(event.item_id)]
                    hold(event.audio_end_ms == segment["end_ms"], f"ends at {event.audio_end_ms}, not {segment['end_ms']}")
                elif len(items) > 1:
                    hold(event.previous_item_id == items[-2], "the items are not in a row")
            elif event.type == "conversation.item.input_audio_transcription.delta":
                hold(stages[event.item_id] == "committed", "a delta came before the utterance had ended")
                deltas[event.item_id] = deltas.get(event.item_id, "") + event.delta
            elif event.type == "conversation.item.input_audio_transcription.completed":
                hold(event.item_id == items[done], "the texts are not in order")
                hold(event.transcript == wanted[done]["text"] == deltas[event.item_id], f"text {done} is another")
                done += 1

    async def early(self):
        """At the speed of speech: deltas come before an utterance has ended, and completed says the text whatever they said."""
        wanted = [segment["text"] for segment in self.clips.segments(self.talk)]
        items, stopped, early, deltas, texts = [], set(), 0, {}, []

        async def speak(connection):
            begin = time.monotonic()
            for start in range(0, len(self.talk_sound), CHUNK):
                await asyncio.sleep(max(0.0, begin + start / (2 * RATE) - time.monotonic()))
                await self.send(connection, self.talk_sound[start : start + CHUNK])

        async with self.connect() as connection:
            speaking = asyncio.create_task(speak(connection))
            while len(texts) < len(wanted):
                event = await self.next(connection)
                hold(event.type != "error", f"{event}")
                if event.type == "input_audio_buffer.speech_started":
                    items.append(event.item_id)
                elif event.type == "input_audio_buffer.speech_stopped":
                    stopped.add(event.item_id)
                elif event.type == "conversation.item.input_audio_transcription.delta":
                    hold(event.item_id == items[-1] or event.item_id in stopped, "a delta of an item that has not begun")
                    hold(event.item_id not in items[: len(texts)], "a delta after its text")
                    hold(event.delta != "", "an empty delta")
                    early += event.item_id not in stopped
                    deltas.setdefault(event.item_id, []).append(event.delta)
                elif event.type == "conversation.item.input_audio_transcription.completed":
                    if event.transcript or deltas.get(event.item_id):
                        texts.append((event.item_id, event.transcript))
            await speaking
        hold([text for _, text in texts if text] == wanted, "the texts are others")
        same = sum("".join(deltas.get(item, [])) == text for item, text in texts)
        hold(early, f"no delta of {len(texts)} utterances came while they were said")
        hold(same * 2 > len(texts), f"of {len(texts)} texts {same} are their deltas")
        return f"{early} deltas while {len(texts)} utterances were said; {same} texts are exactly their deltas"

    async def keywords(self):
        wanted = self.clips.transcribed(self.named, "text", "--bias", str(self.clips.words)).rstrip("\n")
        hold(self.clips.name in wanted, "the name is not written")
        async with self.connect() as connection:
            texts = []
            for words in (self.clips.listed, None):
                await self.told(connection, transcription={"keywords": words}, turn_detection=None)
                await self.send(connection, self.named_sound)
                await connection.input_audio_buffer.commit()
                completed = await self.next(connection, "conversation.item.input_audio_transcription.completed")
                texts.append(completed.transcript)
            hold(texts == [wanted, self.clips.transcribed(self.named).rstrip("\n")], "the texts are others")
            hold(texts[0] != texts[1], "the words change nothing")

    async def manual(self):
        text = self.clips.transcribed(self.short).rstrip("\n")
        async with self.connect() as connection:
            hold((await self.told(connection, turn_detection=None)).audio.input.turn_detection is None, "VAD is not off")
            for _ in range(2):
                await self.send(connection, self.short_sound)
                await connection.input_audio_buffer.commit()
                committed = await self.next(connection)
                hold(committed.type == "input_audio_buffer.committed", f"{committed.type}")
                completed = await self.next(connection, "conversation.item.input_audio_transcription.completed")
                hold(completed.item_id == committed.item_id and completed.transcript == text, "the text is another")
            await self.send(connection, self.short_sound)
            await connection.input_audio_buffer.clear()
            await self.next(connection, "input_audio_buffer.cleared")
            await connection.input_audio_buffer.commit(event_id="mine")
            error = await self.next(connection)
            seen = (error.type, error.error.code, error.error.event_id)
            hold(seen == ("error", "input_audio_buffer_commit_empty", "mine"), f"{seen}")

    async def beta(self):
        async with self.connect() as connection:
            await connection.send(
                {
                    "type": "transcription_session.update",
                    "session": {"input_audio_format": "pcm16", "input_audio_transcription": {"model": "whisper-1"}, "turn_detection": None},
                }
            )
            await self.next(connection, "transcription_session.updated")
            await self.send(connection, self.short_sound)
            await connection.input_audio_buffer.commit()
            completed = await self.next(connection, "conversation.item.input_audio_transcription.completed")
            hold(completed.transcript == self.clips.transcribed(self.short).rstrip("\n"), "the text is another")

    async def errors(self):
        bad = "session.audio.input"
        cases = (
            ({"type": "response.create"}, "unsupported_parameter", "type"),
            ({"type": "input_audio_buffer.append", "audio": "!!"}, "invalid_value", "audio"),
            ({"type": "input_audio_buffer.append", "audio": "AA=="}, "invalid_value", "audio"),
            ({"type": "input_audio_buffer.commit", "loud": True}, "invalid_message", None),
            ({"format": {"type": "audio/pcmu"}}, "unsupported_parameter", f"{bad}.format"),
            ({"transcription": {"model": "gpt-4o-transcribe"}}, "model_not_found", "model"),
            ({"transcription": {"language": "fr"}}, "invalid_value", "language"),
            ({"transcription": {"keywords": ["x"]}}, "invalid_value", f"{bad}.transcription"),
            ({"transcription": {"keywords": ["metformin"] * 100_000}}, "invalid_value", f"{bad}.transcription"),
            ({"transcription": {"languages": ["en"]}}, "unsupported_parameter", f"{bad}.transcription"),
            ({"transcription": {"delay": "none"}}, "invalid_value", f"{bad}.transcription"),
            ({"turn_detection": {"type": "semantic_vad"}}, "unsupported_parameter", f"{bad}.turn_detection"),
            ({"turn_detection": {"type": "server_vad", "threshold": 3}}, "invalid_value", f"{bad}.turn_detection"),
            ({"noise_reduction": {"type": "near_field"}}, "unsupported_parameter", f"{bad}.noise_reduction"),
        )
        async with self.connect() as connection:
            await self.next(connection, "session.created")
            for number, (event, code, param) in enumerate(cases):
                if "type" not in event:
                    event = {"type": "session.update", "session": {"type": "transcription", "audio": {"input": event}}}
                await connection.send({**event, "event_id": f"e{number}"})
                error = await self.next(connection)
                seen = (error.type, error.error.code, error.error.param)
                hold(seen == ("error", code, param), f"{event}: {seen}")
                hold(error.error.event_id in (f"e{number}", None if code == "invalid_message" else ""), f"{error.error.event_id}")
            for raw in (b"\x00\x01", "no JSON", "[1]"):
                await connection.send_raw(raw)
                hold((await self.next(connection)).error.code == "invalid_message", f"{raw!r} is not refused")
            await self.told(connection, turn_detection=None)
            await self.send(connection, self.short_sound)
            await connection.input_audio_buffer.commit()
            completed = await self.next(connection, "conversation.item.input_audio_transcription.completed")
            hold(completed.transcript == self.clips.transcribed(self.short).rstrip("\n"), "the text is another")
        return f"{len(cases) + 3} events"

    async def refused(self):
        url = f"ws://127.0.0.1:{self.server.port}/v1/realtime"
        for query, headers, status in (
            ("", {}, 400),
            ("?intent=conversation", {}, 400),
            ("?intent=transcription&model=gpt-realtime", {}, 404),
            ("?intent=transcription&call_id=x", {}, 400),
            ("?intent=transcription", {"Origin": "http://evil.example"}, 403),
        ):
            try:
                async with websockets.connect(url + query, additional_headers=headers, proxy=None):
                    hold(False, f"{query or 'no query'} is taken")
            except websockets.InvalidStatus as refusal:
                hold(refusal.response.status_code == status, f"{query}: {refusal.response.status_code}")
                hold("message" in json.loads(refusal.response.body)["error"], f"{query}: no reason")
        async with websockets.connect(url + "?intent=transcription", subprotocols=["realtime"], proxy=None) as socket:
            hold(socket.subprotocol == "realtime", f"{socket.subprotocol}")

    async def too_long(self):
        url = f"ws://127.0.0.1:{self.server.port}/v1/realtime?intent=transcription"
        async with websockets.connect(url, proxy=None, max_size=None) as socket:
            await socket.recv()
            try:
                async with asyncio.timeout(PATIENCE):
                    await socket.send("x" * (21 << 20))
                    while True:
                        hold(json.loads(await socket.recv())["type"] == "error", "something else than an error")
            except websockets.ConnectionClosed as closed:
                hold(closed.rcvd.code == 1009, f"{closed.rcvd}")

    async def gone(self):
        async def rooms():
            return (await self.server.ask("/v1/status"))[1]["rooms"]["open"]

        connections = [await self.connect().enter() for _ in range(3)]
        for connection in connections:
            await self.send(connection, self.long_sound[: 8 * 2 * RATE])
        hold(await rooms() == 3, f"{await rooms()} rooms")
        for connection in connections:
            await connection.close()
        begin = time.monotonic()
        while await rooms():
            hold(time.monotonic() - begin < 15, f"{await rooms()} rooms are still open after 15 s")
            await asyncio.sleep(0.1)
        return f"after {time.monotonic() - begin:.1f} s"

    async def at_the_end(self, tally):
        await tally.check("realtime: SIGTERM closes with 1012, and nothing is left of the server", self.ended)

    async def ended(self):
        url = f"ws://127.0.0.1:{self.server.port}/v1/realtime?intent=transcription"
        async with websockets.connect(url, proxy=None) as socket:
            await socket.recv()
            stopping = asyncio.create_task(asyncio.to_thread(self.server.stop))
            try:
                async with asyncio.timeout(PATIENCE):
                    while True:
                        await socket.recv()
            except websockets.ConnectionClosed as closed:
                hold(closed.rcvd is not None and closed.rcvd.code == 1012, f"{closed.rcvd}")
            hold(await stopping, "the server did not end within 20 s")
