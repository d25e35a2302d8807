"""What the groups of checks share: the servers, the sound, the finals of the undisturbed run, and everything that was said."""

import asyncio, contextlib, random

from listen_client import ODD, Format, Refused, Room

from . import sound
from .harness import Server, hold, offline


class Bench:
    def __init__(self, scratch, binary=None, seed=1):
        self.scratch, self.binary = scratch, binary
        self.dice = random.Random(seed)
        self.servers, self.rooms = [], []
        self.sound = sound.three_clips()
        self.samples = len(self.sound) // 2
        self.wav = sound.write_wav(scratch / "three.wav", self.sound)
        self.reference = None

    def server(self, name, **how):
        server = Server(self.scratch, name, binary=self.binary, **how)
        self.servers.append(server)
        return server

    def room(self, server, script=None, form=None, **how):
        """A room on a server; without a script it streams the three clips and finishes."""
        script = [("sound", self.sound), ("finish",)] if script is None else script
        room = Room(server.url, form or Format(), script, **how)
        self.rooms.append(room)
        return room

    def offline(self, path, *options):
        return offline(path, "--language", "yue", *options, binary=self.binary)

    def chunks(self):
        """Other sizes at each call."""
        return tuple(self.dice.choice((1, 3, 77, 160, 800, 1601, 4096, 9999, 20000)) for _ in range(9)) + ODD[:2]

    def moment(self):
        """A random moment of a run: (how much of the sound is safe by then, seconds after that).

        Told by the sound and not by the clock, so that it falls into the run on a slow machine as on a fast one. A third of them
        fall behind the last sample, while the finals are made and told.
        """
        return (min(1.0, self.dice.uniform(0.0, 1.5)), self.dice.uniform(0.0, 0.5))

    async def through_kills(self, server, room, moments):
        """Runs a room while the server is killed at these moments and started again.

        A recording that ended by itself after the restart (`finish` was already safe) is looked up in the list.
        """
        run = asyncio.create_task(room.run())
        struck = []
        for share, after in moments:
            while not run.done() and room.rules.acked < share * (self.samples * room.form.rate // sound.RATE - 1):
                await asyncio.wait([run], timeout=0.005)
            done, _ = await asyncio.wait([run], timeout=after)
            if done:
                break
            server.kill()
            struck.append(f"{room.rules.acked / room.form.rate:.1f} s acked and {len(room.finals)} finals told")
            await server.start_aside()
        return await finals_of(server, room, run), struck

    def close(self):
        for server in self.servers:
            server.kill()


async def finals_of(server, room, run):
    """The segments of a run, also of one whose `end` was said to nobody."""
    try:
        await run
    except Refused as refusal:
        hold(refusal.code == "finished", f"resuming was refused: {refusal}")
        return (await finished(server, room.recording))["segments"]
    return room.transcript["segments"]


async def finished(server, recording, patience=60.0):
    """The transcript of a recording once it is finished."""
    async with asyncio.timeout(patience):
        while True:
            status, document = await server.ask(f"/v1/recordings/{recording}")
            hold(status == 200, f"GET /v1/recordings/ID answered {status}")
            if document["state"] == "finished":
                return document["transcript"]
            await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def running(server):
    """A server for one check."""
    await server.start_aside()
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)
