"""A disk that is full, a clock that jumps."""

import asyncio, datetime, os, shutil, subprocess
from pathlib import Path

from listen_client import Refused

from .bench import running
from .harness import LeftOut, hold, hold_rules, same
from .raw import raw

ROOMY = 64 * 2**30  # of a tmpfs: nothing is set aside for it
FAKETIME = ("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1")


class Disk:
    """A small disk of its own whose size can change while it is used."""

    def __init__(self, place):
        self.place = place

    def __enter__(self):
        self.place.mkdir()
        if os.geteuid() != 0 or shutil.which("mount") is None:
            raise LeftOut("needs root, for a small disk of its own")
        run = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={ROOMY},mode=0700", "cantoscribe-live", self.place],
            capture_output=True,
            check=False,
        )
        if run.returncode:
            raise LeftOut("a tmpfs cannot be mounted here")
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.place], check=False)

    def used(self):
        state = os.statvfs(self.place)
        return (state.f_blocks - state.f_bfree) * state.f_frsize

    def leave(self, free):
        """Changes its size so that so many bytes are free."""
        for _ in range(20):
            size = ROOMY if free is None else -(-(self.used() + free) // 4096) * 4096
            # A server that writes may have filled more than this meanwhile.
            if subprocess.run(["mount", "-o", f"remount,size={size}", self.place], stderr=subprocess.DEVNULL).returncode == 0:
                return
        raise OSError("the disk's size cannot be changed")


class Faults:
    def __init__(self, bench):
        self.bench = bench

    async def refused_room(self, server):
        """Opens a room until it is refused for want of space; what the server answers."""
        for _ in range(40):
            async with raw(server.port) as connection:
                status = await connection.upgrade(
                    "/v1/listen?rate=16000&channels=1&format=pcm_s16le&language=yue", f"127.0.0.1:{server.port}"
                )
                if status == 503:
                    return "503"
                hold(status == 101, f"a new room was answered with {status}")
                message = await connection.message()
                if message and message["type"] == "error":
                    code, close = await connection.ending()
                    hold(close == 1013, f"a new room was refused with {message['code']} and {close}")
                    return f"1013 {message['code']}"
                await connection.text({"type": "cancel"})
                await connection.message("erased")
            await asyncio.sleep(0.25)
        hold(False, "new rooms are still let in")
        return None

    async def full_disk(self):
        """Below the threshold no new room; full, a clear error and nothing lost; with space again, the same finals."""
        with Disk(self.bench.scratch / "disk") as disk:
            async with running(self.bench.server("full-disk", data=disk.place / "data")) as server:
                steps = {"low": False, "full": False}
                part = self.bench.sound
                first, second = 2 * 16000 * 5, 2 * 16000 * 9
                room = self.bench.room(
                    server,
                    [
                        ("sound", part[:first]),
                        ("until", lambda: steps["low"]),
                        ("sound", part[first:second]),
                        ("until", lambda: steps["full"]),
                        ("sound", part[second:]),
                        ("finish",),
                    ],
                )
                run = asyncio.create_task(room.run())
                await self.acked(room, run, first // 2)
                disk.leave(4 * 2**20)
                answer = await self.refused_room(server)
                steps["low"] = True
                await self.acked(room, run, second // 2)
                await asyncio.sleep(1.0)  # what was heard so far is written too
                disk.leave(0)
                steps["full"] = True
                try:
                    await asyncio.wait_for(run, 60)
                    hold(False, "a full disk was not noticed")
                except Refused as refusal:
                    hold((refusal.code, refusal.close) == ("disk_full", 1011), f"a full disk ended the connection with {refusal}")
                kept = room.rules.acked
                server.kill()
                disk.leave(None)
                await server.start_aside()
                await room.run()
                hold_rules(room)
                same(room.transcript["segments"], self.bench.reference, "through a full disk against the undisturbed run")
                status = await self.refused_no_more(server)
        resumed = room.resumed_at[-1] / 16000
        return f"a new room: {answer}; full after {kept / 16000:.1f} s acked, resumed at {resumed:.1f} s; {status}"

    async def full_without_a_kill(self):
        """The same server goes on once there is space."""
        with Disk(self.bench.scratch / "disk-2") as disk:
            async with running(self.bench.server("full-disk-2", data=disk.place / "data")) as server:
                full = {"full": False}
                cut = 2 * 16000 * 7
                room = self.bench.room(
                    server,
                    [
                        ("sound", self.bench.sound[:cut]),
                        ("until", lambda: full["full"]),
                        ("sound", self.bench.sound[cut:]),
                        ("finish",),
                    ],
                )
                run = asyncio.create_task(room.run())
                await self.acked(room, run, cut // 2)
                disk.leave(0)
                full["full"] = True
                outcome = (await asyncio.gather(asyncio.wait_for(run, 60), return_exceptions=True))[0]
                hold(getattr(outcome, "code", None) == "disk_full", f"a full disk ended the run with {outcome!r}")
                # Resuming on the full disk is allowed or refused, but never loses what was accepted.
                again = (await asyncio.gather(asyncio.wait_for(room.run(), 60), return_exceptions=True))[0]
                hold(
                    isinstance(again, Refused) and again.code in ("disk_full", "no_room", 503),
                    f"resumed on a full disk: {again!r}",
                )
                disk.leave(None)
                await asyncio.wait_for(room.run(), 120)
                hold_rules(room)
                same(room.transcript["segments"], self.bench.reference, "through a full disk against the undisturbed run")
        return f"resumed at {[round(samples / 16000, 1) for samples in room.resumed_at]} s"

    async def refused_no_more(self, server):
        room = self.bench.room(server, [("cancel",)])
        await room.run()
        hold(room.erased, "no new room once there is space")
        return "new rooms again"

    async def acked(self, room, run, samples, patience=60):
        async with asyncio.timeout(patience):
            while room.rules.acked < samples:
                hold(not run.done(), lambda: f"the room ended early: {run.exception()!r}")
                await asyncio.sleep(0.05)

    async def clock(self):
        """The server's clock jumps by a day and back while a room runs, and once over a restart."""
        library = next((path for path in FAKETIME if Path(path).exists()), None)
        if library is None:
            raise LeftOut("no libfaketime (Debian: faketime)")
        file = self.bench.scratch / "clock-setting"
        file.write_text("+1d\n")
        environment = {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
        async with running(self.bench.server("clock", environment=environment)) as server:
            room = self.bench.room(server, speed=4.0)
            run = asyncio.create_task(room.run())
            jumps, killed = ("-1d", "+0", "+1d", "-2d", "+400d"), False
            number = 0
            while not run.done():
                await asyncio.wait([run], timeout=0.5)
                number += 1
                file.write_text(jumps[number % len(jumps)] + "\n")
                if number == 3:
                    killed = True
                    server.kill()
                    await server.start_aside()
            await run
            hold(killed and number >= 5, f"the room was over after {number} jumps")
            hold_rules(room)
            same(room.transcript["segments"], self.bench.reference, "under a jumping clock against the undisturbed run")
            row = await server.listed(room.recording)
            made = datetime.datetime.fromisoformat(row["created_at"].replace("Z", "+00:00"))
            ahead = made - datetime.datetime.now(datetime.timezone.utc)
            if ahead < datetime.timedelta(hours=20):
                raise LeftOut("libfaketime does not reach the server's clock")
        return f"{number} jumps and a SIGKILL"

    async def all(self, tally):
        if self.bench.reference is None:
            for name in ("a full disk", "a clock that jumps"):
                tally.leave_out(name, "there is no undisturbed run to compare with")
            return
        await tally.check("a full disk, a kill, space again: nothing accepted is lost, the same finals", self.full_disk)
        await tally.check("a full disk and space again, without a kill: the same finals", self.full_without_a_kill)
        await tally.check("a clock that jumps by a day and back: the same finals", self.clock)
