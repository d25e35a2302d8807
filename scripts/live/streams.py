"""Checks of what a well-behaved client gets: the same finals, however it sends and whatever breaks."""

import asyncio

from listen_client import Format

from . import opus, sound
from .bench import finished
from .harness import LeftOut, hold, hold_rules, same


class Streams:
    def __init__(self, bench, server):
        self.bench, self.server = bench, server
        self.paused = self.real_time = None

    async def undisturbed(self):
        """In real time, as a microphone sends: every rule of the contract holds. What it hears is what all others must."""
        room = self.bench.room(self.server, speed=1.0, chunks=(320, 480, 1601))
        await room.run()
        hold(room.breaks == 0, "the connection broke")
        hold(room.finals, "nothing was heard")
        hold(len(room.finals) >= 3, f"{len(room.finals)} finals of three clips")
        hold_rules(room)
        hold(
            room.transcript["audio"]["duration_ms"] == self.bench.samples * 1000 // 16000,
            "the transcript's duration is not the sound's",
        )
        hold(room.partials > 0, "not one partial in real time")
        self.bench.reference = room.transcript["segments"]
        self.real_time = room
        worst = 1000 * room.rules.worst_lag
        return f"{len(room.finals)} finals, {room.partials} partials, {room.notes} notes, worst ack after {worst:.0f} ms"

    async def soon_safe(self):
        """No ack comes more than 500 ms after its sound. A busy machine gets three tries: it is the server that is judged."""
        room, seen = self.real_time, []
        for _ in range(3):
            if room is None:
                room = self.bench.room(
                    self.server, [("sound", self.bench.sound[: 2 * 16000 * 6]), ("cancel",)], speed=1.0, chunks=(320,)
                )
                await room.run()
            seen.append(room.rules.worst_lag)
            if room.rules.too_far_behind() is None:
                before = f", at try {len(seen)}" if len(seen) > 1 else ""
                return f"at most {1000 * seen[-1]:.0f} ms{before}"
            room = None
        hold(False, f"acks came {[round(1000 * lag) for lag in seen]} ms after their sound")
        return None

    async def like_the_file(self):
        same(self.reference(), await asyncio.to_thread(self.bench.offline, self.bench.wav), "the socket against `transcribe`")

    def reference(self):
        if self.bench.reference is None:
            raise LeftOut("there is no undisturbed run to compare with")
        return self.bench.reference

    async def chunked(self, chunks, **how):
        room = self.bench.room(self.server, chunks=chunks, **how)
        await room.run()
        hold_rules(room)
        same(room.transcript["segments"], self.reference(), "against the undisturbed run")
        return room

    async def odd_chunks(self):
        room = await self.chunked((1, 333, 4096, 77, 1601, 12345, 7, 800))
        return f"worst ack after {1000 * room.rules.worst_lag:.0f} ms"

    async def tiny_chunks(self):
        await self.chunked((1, 13, 160))

    async def one_frame(self):
        await self.chunked((2**19,))

    async def four_times_real_time(self):
        await self.chunked((1600,), speed=4.0)

    async def three_rooms(self):
        """Load costs partials, never a final."""
        rooms = [self.bench.room(self.server, chunks=self.bench.chunks()) for _ in range(3)]
        async with asyncio.TaskGroup() as group:
            for room in rooms:
                group.create_task(room.run())
        hold_rules(*rooms)
        for room in rooms:
            same(room.transcript["segments"], self.reference(), "under load against the undisturbed run")

    async def floats(self):
        data = sound.as_floats(self.bench.sound)
        room = self.bench.room(self.server, [("sound", data), ("finish",)], Format("pcm_f32le"), chunks=self.bench.chunks())
        await room.run()
        hold_rules(room)
        same(room.transcript["segments"], self.reference(), "f32 against s16")

    async def resampled(self, rate, channels):
        path = self.bench.scratch / f"three-{rate}-{channels}.wav"
        data = await asyncio.to_thread(sound.by_sox, self.bench.wav, path, rate, channels)
        if data is None:
            raise LeftOut("no sox")
        room = self.bench.room(
            self.server, [("sound", data), ("finish",)], Format("pcm_s16le", rate, channels), chunks=self.bench.chunks()
        )
        await room.run()
        hold_rules(room)
        hold(room.rules.acked == len(data) // (2 * channels), "samples are not counted a channel at the stated rate")
        same(
            room.transcript["segments"], await asyncio.to_thread(self.bench.offline, path), "against `transcribe` of the same WAV"
        )

    async def opus(self):
        library = opus.library()
        data = await asyncio.to_thread(sound.by_sox, self.bench.wav, self.bench.scratch / "three-48000-1.wav", 48000, 1)
        if library is None or data is None:
            raise LeftOut("no libopus" if data else "no sox")
        made = await asyncio.to_thread(opus.packets, library, data)
        path = self.bench.scratch / "three.opus"
        path.write_bytes(opus.ogg(made))
        room = self.bench.room(self.server, [*(("packet", *packet) for packet in made), ("finish",)], Format("opus", 48000, 1))
        ends, total = {0}, 0
        for _, samples in made:
            total += samples
            ends.add(total)
        room.rules.packet_ends = ends
        segments, struck = await self.bench.through_kills(self.server, room, [(0.5, 0.2)])
        hold_rules(room)
        same(segments, await asyncio.to_thread(self.bench.offline, path), "against `transcribe` of the same packets in Ogg")
        return f"{len(made)} packets, killed at {', '.join(struck) or 'no moment'}"

    async def speakers(self):
        """Each named channel is heard alone, under its name."""
        names = ("doctor", "patient")
        voices = [self.bench.sound[: 2 * 16000 * 10], sound.silence(1.0) + sound.clip(sound.THREE[2]) + sound.silence(1.5)]
        data = sound.side_by_side(*voices)
        room = self.bench.room(
            self.server, [("sound", data), ("finish",)], Format("pcm_s16le", 16000, 2), query={"speakers": ",".join(names)}
        )
        await room.run()
        hold_rules(room)
        for name, voice in zip(names, voices):
            path = sound.write_wav(self.bench.scratch / f"{name}.wav", voice.ljust(len(data) // 2, b"\0"))
            alone = await asyncio.to_thread(self.bench.offline, path)
            heard = [segment for segment in room.transcript["segments"] if segment["speaker"] == name]
            hold(alone, f"the {name} alone is not heard")
            plain = [[{**s, "id": None, "speaker": None} for s in segments] for segments in (heard, alone)]
            same(*plain, f"the {name}'s channel against the same sound alone")
        hold(all(s["speaker"] in names for s in room.transcript["segments"]), "a segment without its speaker")

    def pausing(self):
        """A pause in the silence after the first clip, and one in the middle of the second, with sound sent in each."""
        first, second = 2 * 16000 * 39 // 10, 2 * 16000 * 7
        junk = ("paused_sound", sound.tone(0.5))
        part = self.bench.sound
        return [
            ("sound", part[:first]),
            ("pause",),
            ("wait", 0.3),
            junk,
            ("wait", 0.3),
            ("unpause",),
            ("sound", part[first:second]),
            ("pause",),
            ("wait", 0.3),
            junk,
            ("wait", 1.5),
            ("unpause",),
            ("sound", part[second:]),
            ("finish",),
        ]

    async def pause(self):
        room = self.bench.room(self.server, self.pausing(), speed=4.0)
        await room.run()
        hold_rules(room)
        hold(room.breaks == 0, "the connection broke")
        told = [error for error in room.errors if error["code"] == "paused"]
        hold(
            told and not any(error["fatal"] for error in told), "sound sent while paused is not answered with the error `paused`"
        )
        hold(
            room.rules.acked == self.bench.samples,
            f"{room.rules.acked} samples kept of {self.bench.samples}: what was sent while paused counts",
        )
        hold(
            room.transcript["audio"]["duration_ms"] == self.bench.samples * 1000 // 16000,
            "the pause is in the transcript's duration",
        )
        self.paused = room.transcript["segments"]
        first, rest = self.paused[0], self.reference()[0]
        hold(first["text"] == rest["text"], "a pause in silence changed the words before it")
        return f"{len(self.paused)} segments; {len(self.reference())} without the pauses"

    async def pause_and_kill(self):
        if self.paused is None:
            raise LeftOut("there is no run with pauses to compare with")
        room = self.bench.room(self.server, self.pausing(), chunks=self.bench.chunks(), speed=4.0)
        cut = room.form.rate * 7
        run = asyncio.create_task(room.run())
        async with asyncio.timeout(60):
            while room.rules.acked < cut and not run.done():
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        self.server.kill()
        await self.server.start_aside()
        await run
        hold(room.breaks >= 1, "the kill came too late")
        hold_rules(room)
        same(room.transcript["segments"], self.paused, "killed in a pause against the same pauses undisturbed")

    async def kill(self, again):
        """At one random moment, and again so many seconds after each start."""
        for _ in range(20):
            room = self.bench.room(self.server, chunks=self.bench.chunks(), speed=4.0)
            segments, struck = await self.bench.through_kills(
                self.server, room, [self.bench.moment(), *((0.0, after) for after in again)]
            )
            hold_rules(room)
            same(segments, self.reference(), f"killed with {' and '.join(struck)} against the undisturbed run")
            if struck:
                return f"killed with {' and '.join(struck)}, resumed at {room.resumed_at[1:]}"
        hold(False, "the moment was too late twenty times")
        return None

    async def cut_often(self):
        """The connection is dropped twenty times without a word, as when a tab is closed or a network fails."""
        size, steps = len(self.bench.sound) // 42 * 2, []
        for at in range(0, len(self.bench.sound), size):
            steps += [("sound", self.bench.sound[at : at + size]), ("leave",)]
        room = self.bench.room(self.server, [*steps, ("finish",)], chunks=(800, 1601, 33))
        while room.transcript is None:
            await room.run()
        hold_rules(room)
        hold(len(room.resumed_at) > 20, f"only {len(room.resumed_at) - 1} breaks")
        same(room.transcript["segments"], self.reference(), "against the undisturbed run")
        return f"{len(room.resumed_at) - 1} breaks"

    async def polite_end(self):
        """SIGTERM, as when the program is brought up to date."""
        room = self.bench.room(self.server, speed=4.0)
        run = asyncio.create_task(room.run())
        await asyncio.sleep(2.0)
        clean = await asyncio.to_thread(self.server.stop)
        await self.server.start_aside()
        await run
        hold(clean, "the server did not end within 20 s")
        hold(room.closes[0] == 1012, f"it was closed with {room.closes[0]}")
        hold_rules(room)
        same(room.transcript["segments"], self.reference(), "against the undisturbed run")

    async def finished_from_the_list(self):
        """Cut off for good, the server killed: the recording is in the list and is finished from there."""
        room = self.bench.room(
            self.server, [("sound", self.bench.sound), ("until", lambda: room.rules.acked == self.bench.samples), ("leave",)]
        )
        await room.run()
        hold(room.rules.acked == self.bench.samples, "not everything was acknowledged without `finish`")
        self.server.kill()
        await self.server.start_aside()
        row = await self.server.listed(room.recording)
        hold(
            row is not None and row["state"] == "open" and row.get("duration_ms") == self.bench.samples * 1000 // 16000,
            f"its row in the list is {row}",
        )
        status, _ = await self.server.ask(f"/v1/recordings/{room.recording}/finish", "POST")
        hold(status == 202, f"POST finish answered {status}")
        same((await finished(self.server, room.recording))["segments"], self.reference(), "finished from the list")

    async def first(self, tally):
        await tally.check("an undisturbed run in real time keeps every rule of the contract", self.undisturbed)
        await tally.check("every ack within 500 ms of its sound, in real time", self.soon_safe)

    async def all(self, tally):
        check = tally.check
        await check("its finals are those of `cantoscribe transcribe`", self.like_the_file)
        await check("odd chunks, as fast as acks allow: the same finals", self.odd_chunks)
        await check("chunks of 1, 13 and 160 samples: the same finals", self.tiny_chunks)
        await check("half a megabyte in one frame: the same finals", self.one_frame)
        await check("four times real time: the same finals", self.four_times_real_time)
        await check("three rooms at once: the same finals", self.three_rooms)
        await check("f32: the same finals", self.floats)
        await check("s16 at 48 kHz with 2 channels: like the file", lambda: self.resampled(48000, 2))
        await check("s16 at 44.1 kHz: like the file", lambda: self.resampled(44100, 1))
        await check("opus packets through a SIGKILL: like the file", self.opus)
        await check("two named channels: each like its sound alone", self.speakers)
        await check("pause and unpause: what is sent while paused is not kept", self.pause)
        await check("SIGKILL in a pause: the same finals", self.pause_and_kill)
        for number in range(3):
            again = ", and again while it replays" if number == 2 else ""
            name = f"SIGKILL at a random moment ({number + 1} of 3{again}): the same finals"
            await check(name, lambda number=number: self.kill([0.4] if number == 2 else []))
        await check("twenty breaks of the connection: the same finals", self.cut_often)
        await check("SIGTERM in the middle: the same finals", self.polite_end)
        await check("an abandoned recording is finished from the list after a SIGKILL", self.finished_from_the_list)
