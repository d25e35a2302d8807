"""What a recording leaves behind: nothing readable while it is there, nothing once it is erased, nothing in the log ever."""

import asyncio, os, sqlite3, stat, tempfile
from pathlib import Path

from .harness import hold, hold_rules

BLOCK = 32


def contents(folder):
    """The bytes of every file of the data folder."""
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def blocks(data):
    """The blocks of 32 bytes that look random: sealed content, not the database's own marks, nor events, which are ASCII. Half a block apart."""
    cut = (data[at : at + BLOCK] for at in range(0, len(data) - BLOCK + 1, BLOCK // 2))
    return {block for block in cut if len(set(block)) >= 24 and sum(byte >= 128 for byte in block) >= 4}


def of_the_log(*folders):
    """Every block in the audit log's files, whose hashes look random too: that log stays, and tells nothing that was said."""
    logs = (data for files in folders for name, data in files.items() if name.parts[0] in ("audit", "audit.pub", "audit.key"))
    return {data[at : at + BLOCK] for data in logs for at in range(max(0, len(data) - BLOCK + 1))}


def without_macs(files):
    """The files with the keyed hash of each event of the log blotted out: it is 32 random bytes, stays, and tells nothing that was said."""
    with tempfile.TemporaryDirectory() as folder:
        for name, data in files.items():
            if name.name.startswith("cantoscribe.db"):
                (Path(folder) / name.name).write_bytes(data)
        with sqlite3.connect(Path(folder) / "cantoscribe.db") as database:
            macs = [mac for (mac,) in database.execute("SELECT mac FROM events WHERE mac IS NOT NULL")]
        database.close()
    hold(macs and all(len(mac) == BLOCK for mac in macs), "the events have no keyed hashes")
    for name, data in files.items():
        for mac in macs:
            data = data.replace(mac, bytes(BLOCK))
        files = files | {name: data}
    return files


def found(wanted, files):
    """The blocks of these that stand anywhere in the files, and a file that has each."""
    return {
        data[at : at + BLOCK]: str(name)
        for name, data in files.items()
        for at in range(max(0, len(data) - BLOCK + 1))
        if data[at : at + BLOCK] in wanted
    }


class Traces:
    def __init__(self, bench, server):
        self.bench, self.server = bench, server

    def needles(self, rooms):
        """What must not be readable: texts, tokens, and stretches of the loudest sound."""
        texts = {segment["text"] for room in rooms for segment in room.finals if len(segment["text"]) >= 4}
        pieces = {text[at : at + 4] for text in texts for at in range(0, len(text) - 3, 4)}
        wanted = [
            (f"text of a final in {code}", piece.encode(code)) for piece in sorted(pieces) for code in ("utf-8", "utf-16-le")
        ]
        wanted += [
            ("text of a final as JSON escapes", piece.encode("ascii", "backslashreplace"))
            for piece in sorted(pieces)
            if not piece.isascii()
        ]
        wanted += [("a token", room.token.encode()) for room in rooms if room.token]
        loud = [
            at for at in range(32000, len(self.bench.sound) - BLOCK, 4000) if len(set(self.bench.sound[at : at + BLOCK])) >= 20
        ]
        wanted += [("sound", self.bench.sound[at : at + BLOCK]) for at in loud]
        return wanted

    def readable(self, files, rooms):
        wanted = self.needles(rooms)
        hold(len(wanted) > 20, "nothing was said that could be looked for")
        for name, data in files.items():
            for what, needle in wanted:
                hold(needle not in data, f"{what} can be read in {name}")
        return len(wanted)

    async def sealed(self):
        """While a room runs and after rooms ended, the data folder shows no words, no sound, no token."""
        seen = {}

        def look():
            if len(room.finals) >= 2:
                seen.update(contents(self.server.data))
            return len(room.finals) >= 2

        room = self.bench.room(self.server, [("sound", self.bench.sound), ("until", look), ("finish",)])
        await room.run()
        hold(seen, "too little was heard")
        files = contents(self.server.data)
        for there in (seen, files):
            number = self.readable(there, [room])
        hold(sum(map(len, files.values())) > len(self.bench.sound), "the data folder does not even hold the sound")
        return f"{len(files)} files, {number} stretches looked for"

    async def permissions(self):
        paths = [self.server.data, *self.server.data.rglob("*")]
        for path in paths:
            # The log and its public key are for whoever verifies it; the folder that they are in is closed.
            if path != self.server.data and path.relative_to(self.server.data).parts[0] in ("audit", "audit.pub"):
                continue
            mode = stat.S_IMODE(os.stat(path).st_mode)
            hold(not mode & 0o077, f"{path.name} has the mode {mode:o}")
        return f"{len(paths)} files and folders closed to others, of the audit log by the folder around it"

    async def gone(self, before, during, recording, token):
        before, during, after = (without_macs(files) for files in (before, during, contents(self.server.data)))
        old = set().union(*(blocks(data) for data in before.values())) | of_the_log(before, during, after)
        sealed = set().union(*(blocks(data) for data in during.values()))
        # Not only what fell on the same half block: a page of the database may have moved by any number of bytes.
        sealed -= old
        sealed -= set(found(sealed, before))
        hold(len(sealed) > 1000, f"only {len(sealed)} sealed blocks to look for")
        left = found(sealed, after)
        where = sorted(set(left.values()))
        hold(not left, f"{len(left)} sealed blocks of 32 bytes are left in {', '.join(where)}")
        for name, data in after.items():
            for what, needle in (
                ("number", recording.encode()),
                ("number", recording.replace("-", "").encode()),
                ("token", token.encode()),
            ):
                hold(needle not in data, f"its {what} stands in {name}")
            if len(recording.replace("-", "")) % 2 == 0 and all(c in "0123456789abcdef-" for c in recording):
                hold(bytes.fromhex(recording.replace("-", "")) not in data, f"its number stands in {name} as bytes")
            hold(recording not in str(name), "a file still has its name")
        hold(await self.server.listed(recording) is None, "it is still in the list")
        return f"none of {len(sealed)} sealed blocks is left"

    async def cancelled(self):
        """In the middle of speech, with finals there: `erased`, 1000, and no byte of it is left."""
        before = contents(self.server.data)
        seen = {}

        def look():
            if len(room.finals) >= 2:
                seen.update(contents(self.server.data))
            return len(room.finals) >= 2

        room = self.bench.room(self.server, [("sound", self.bench.sound[: 2 * 16000 * 13]), ("until", look), ("cancel",)])
        await room.run()
        hold(room.erased and room.closes[-1] == 1000, f"closed with {room.closes}")
        hold(seen, "too little was heard")
        hold_rules(room)
        return await self.gone(before, seen, room.recording, room.token)

    async def deleted(self):
        """A finished recording is deleted from the list."""
        before = contents(self.server.data)
        room = self.bench.room(self.server)
        await room.run()
        during = contents(self.server.data)
        status, _ = await self.server.ask(f"/v1/recordings/{room.recording}", "DELETE")
        hold(status == 204, f"DELETE answered {status}")
        status, _ = await self.server.ask(f"/v1/recordings/{room.recording}")
        hold(status == 404, f"GET after DELETE answered {status}")
        return await self.gone(before, during, room.recording, room.token)

    async def cancelled_and_killed(self):
        """SIGKILL as soon as `cancel` is sent: it is erased then, or when it is asked again."""
        before = contents(self.server.data)
        room = self.bench.room(
            self.server, [("sound", self.bench.sound[: 2 * 16000 * 8]), ("until", lambda: len(room.finals) >= 1), ("leave",)]
        )
        await room.run()
        during = contents(self.server.data)
        again = self.bench.room(self.server, [("cancel",)])
        again.recording, again.token = room.recording, room.token
        # More than was acknowledged may be safe: `cancel` stands behind all that was sent, or it would count as heard long ago.
        again.rules.acked = room.rules.acked
        again.rules.ever_sent = again.kept.end = room.rules.ever_sent
        run = asyncio.create_task(again.run())
        async with asyncio.timeout(20):
            while not again.rules.ready:
                await asyncio.sleep(0.001)
        self.server.kill()
        await self.server.start_aside()
        outcome = (await asyncio.gather(run, return_exceptions=True))[0]
        hold(again.erased or getattr(outcome, "close", None) == 1008, f"asked again to erase: {outcome!r}")
        return await self.gone(before, during, room.recording, room.token)

    async def log(self):
        """No text and no token in any server's log, at the finest level."""
        total, number = 0, 0
        for server in self.bench.servers:
            if not server.log_path.exists():
                continue
            data = server.log_path.read_bytes()
            total += len(data)
            number = self.readable({server.log_path.name: data}, self.bench.rooms)
        hold(total > 0, "the logs are empty")
        return f"{total} bytes of logs, {number} stretches looked for"

    async def all(self, tally):
        await tally.check("the data folder shows no words, no sound, no token", self.sealed)
        await tally.check("the data folder is closed to other users", self.permissions)
        await tally.check("cancel: `erased`, 1000, and no byte is left in the data folder", self.cancelled)
        await tally.check("SIGKILL as `cancel` is sent: erased all the same", self.cancelled_and_killed)
        await tally.check("DELETE of a finished recording: no byte is left", self.deleted)

    async def at_the_end(self, tally):
        await tally.check("no patient text, no sound, no token in the log at `trace`", self.log)
