"""A room left on: hours of silence and noise with some speech in them, made on the fly, fed faster than real time."""

import asyncio, random, time, wave

from . import sound
from .bench import running
from .harness import Wrong, hold, hold_rules

RATE = sound.RATE
SNR_DB = 20  # of the noisy stretches, against the mean level of the clips
LEVELS_DB = (-12.0, 3.0)
STRETCH = 120  # seconds, each of them silent or noisy
LEVEL_MIB = 24  # what is held between utterances may not grow by more, once the room has warmed up
WARM_MINUTES = 30  # a shorter room, fed as fast as it takes it, is heard in seconds: the allocator has not given back what the first took
PEAK_MIB = 160  # hearing an utterance takes some 60 MiB for a moment, and the allocator gives them back a moment later


class Day:
    """The same sound for the same seed: clips in random order at varying levels, the rest silence and room noise."""

    def __init__(self, minutes, speech_minutes, seed):
        import numpy

        self.np, self.seed, self.seconds = numpy, seed, round(60 * minutes)
        dice = random.Random(seed)
        names = [row["file"] for row in sound.manifest() if row["language"] == "yue"]
        clips = {name: numpy.frombuffer(sound.clip(name), "<i2").astype(numpy.float32) for name in names}
        self.loudness = float(numpy.sqrt(numpy.mean([numpy.mean(clip**2) for clip in clips.values()])))
        chosen, length = [], 0.0
        while length < 60 * speech_minutes:
            dice.shuffle(names)
            for name in names:
                if length < 60 * speech_minutes:
                    chosen.append(name)
                    length += len(clips[name]) / RATE
        self.speech = length
        # About a dozen sentences of a talk close together, the rest of the time between the talks.
        gaps = [dice.uniform(0.3, 2.5) if dice.random() > 1 / 12 else None for _ in chosen]
        gaps[0] = None
        spare = self.seconds - length - sum(gap or 0 for gap in gaps) - 2
        hold(spare > 0, "more speech than the time holds")
        weights = [dice.expovariate(1) for gap in gaps if gap is None] + [1.0]
        waits = iter([spare * weight / sum(weights) for weight in weights])
        self.plan, at = [], 0.0
        for name, gap in zip(chosen, gaps):
            at += next(waits) if gap is None else gap
            self.plan.append((round(at * RATE), clips[name] * 10 ** (dice.uniform(*LEVELS_DB) / 20)))
            at += len(clips[name]) / RATE
        self.noisy = [dice.random() < 0.5 for _ in range(self.seconds // STRETCH + 1)]

    def noise(self, second):
        np = self.np
        if not self.noisy[second // STRETCH]:
            return np.zeros(RATE, np.float32)
        rough = np.random.default_rng([self.seed, second]).standard_normal(RATE + 7).astype(np.float32)
        soft = np.convolve(rough, np.ones(8, np.float32), "valid")  # more of it low than high, as rooms have it
        return soft * (self.loudness * 10 ** (-SNR_DB / 20) / np.sqrt(8))

    def blocks(self):
        """Second by second, as s16."""
        np, first = self.np, 0
        for second in range(self.seconds):
            begin, block = second * RATE, self.noise(second)
            while first < len(self.plan) and self.plan[first][0] + len(self.plan[first][1]) <= begin:
                first += 1
            for start, clip in self.plan[first:]:
                if start >= begin + RATE:
                    break
                here, there = max(start, begin), min(start + len(clip), begin + RATE)
                block[here - begin : there - begin] += clip[here - start : there - start]
            yield np.clip(np.rint(block), -32768, 32767).astype("<i2").tobytes()


def up_to_the_cuts(ours, theirs):
    """Compares two lists of segments. (equal, cut elsewhere); raises `Wrong` when words or stretches differ otherwise."""
    events = sorted(
        [(s["start_ms"], s["end_ms"], 0, s) for s in ours] + [(s["start_ms"], s["end_ms"], 1, s) for s in theirs],
        key=lambda e: e[:3],
    )
    groups, end = [], -1
    for start, stop, side, segment in events:
        if start >= end:
            groups.append(([], []))
        groups[-1][side].append(segment)
        end = max(end, stop)
    equal = cut = 0
    for one, other in groups:
        where = (one or other)[0]["start_ms"]
        if not one or not other:
            raise Wrong(f"speech at {where} ms is only in {'the room' if one else 'the file'}")
        times = [[(s["start_ms"], s["end_ms"]) for s in side] for side in (one, other)]
        if times[0] != times[1]:
            if abs(times[0][0][0] - times[1][0][0]) > 700 or abs(times[0][-1][1] - times[1][-1][1]) > 700:
                raise Wrong(f"speech at {where} ms reaches elsewhere: {times[0]} against {times[1]}")
            cut += 1
        elif [s["text"] for s in one] != [s["text"] for s in other]:
            raise Wrong(f"the same stretch at {where} ms has other words")
        else:
            equal += len(one)
    return equal, cut


def at_rest(memory):
    """The level below which a tenth of the samples lies: without what an utterance takes while it is heard."""
    return sorted(memory)[len(memory) // 10]


async def room(bench, minutes, speech_minutes, seed, every=1.0, say=None):
    """Feeds such a room, samples the server's memory, compares with the file. What was seen, in one line."""
    day = await asyncio.to_thread(Day, minutes, speech_minutes, seed)
    path = bench.scratch / "room.wav"
    memory, fed = [], {}

    def script():
        with wave.open(str(path), "wb") as file:
            file.setparams((1, 2, RATE, 0, "NONE", ""))
            for block in day.blocks():
                file.writeframesraw(block)
                yield ("sound", block)
        fed["at"] = time.monotonic()
        yield ("finish",)

    async with running(bench.server("room")) as server:
        begin = time.monotonic()
        client = bench.room(server, script(), chunks=(8000, 4097, 12345), window=10.0, patience=600.0)
        run = asyncio.create_task(client.run())
        while not run.done():
            await asyncio.wait([run], timeout=every)
            if server.alive:
                memory.append((time.monotonic() - begin, server.resident()))
                if say and len(memory) % 30 == 0:
                    say(
                        f"{memory[-1][0]:6.0f} s: {client.rules.acked / RATE / 60:6.1f} min acked, {len(client.finals)} finals, "
                        f"{memory[-1][1]:.0f} MiB"
                    )
        await run
        took = time.monotonic() - begin
    hold(client.breaks == 0, f"the connection broke {client.breaks} times")
    hold_rules(client)
    hold(client.rules.acked == day.seconds * RATE, f"{client.rules.acked} samples acknowledged of {day.seconds * RATE}")
    hold(client.transcript["audio"]["duration_ms"] == day.seconds * 1000, "the transcript is not as long as the room")
    segments = client.transcript["segments"]
    equal, cut = up_to_the_cuts(segments, await asyncio.to_thread(bench.offline, path))
    path.unlink()
    warm = [mib for at, mib in memory if at > took / 10] or [mib for _, mib in memory]
    half = len(warm) // 2
    early, late = at_rest(warm[:half] or warm), at_rest(warm[half:])
    level = LEVEL_MIB if minutes >= WARM_MINUTES else PEAK_MIB
    hold(late - early <= level, f"memory grew from {early:.0f} to {late:.0f} MiB")
    hold(max(warm) - early <= PEAK_MIB, f"memory peaked at {max(warm):.0f} MiB over {early:.0f}")
    return (
        f"{minutes:g} min with {day.speech / 60:.1f} min of {len(day.plan)} clips at {LEVELS_DB[0]:g} to {LEVELS_DB[1]:g} dB, "
        f"noise at {SNR_DB} dB SNR, seed {seed}; sent in {fed['at'] - begin:.0f} s, done in {took:.0f} s; "
        f"{equal} finals equal the file's, {cut} stretches cut elsewhere; "
        f"memory at rest {early:.0f} MiB in the first half, {late:.0f} in the second, {max(warm):.0f} at most"
    )


class Short:
    def __init__(self, bench):
        self.bench = bench

    async def all(self, tally):
        await tally.check(
            "three minutes of a room left on: nothing lost, memory level, like the file",
            lambda: room(self.bench, 3, 0.5, 1, every=0.25),
        )
