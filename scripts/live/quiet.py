"""Connections on which nothing happens, or whose other end is gone."""

import asyncio, os, socket, time

from . import sound
from .bench import running
from .harness import LeftOut, hold, hold_rules, same
from .raw import BINARY, PONG, raw, room

REPAIR = 19  # TCP_REPAIR: a socket closed in this mode says nothing to its peer


class Quiet:
    def __init__(self, bench, server):
        self.bench, self.server = bench, server

    def aside(self):
        """Checks that mostly wait: they run while the others do."""
        return [
            (
                "nothing sent for 65 s: pings every 20 s, and the room is still there",
                lambda: self.on_its_own("silent", Quiet.pings),
                150.0,
            ),
            (
                "60 s without a pong: the connection is dropped, the recording is not",
                lambda: self.on_its_own("deaf", Quiet.no_pong),
                180.0,
            ),
        ]

    async def on_its_own(self, name, check):
        """On a server of its own: it waits while others run, and takes no room from them."""
        async with running(self.bench.server(name)) as server:
            return await check(Quiet(self.bench, server))

    async def pings(self):
        async with room(self.server.port) as (connection, ready):
            await connection.send(BINARY, sound.tone(0.5))
            at, end = [], time.monotonic() + 65
            while time.monotonic() < end:
                try:
                    kind, data = await asyncio.wait_for(connection.one(), max(0.01, end - time.monotonic()))
                except TimeoutError:
                    break
                if kind == 9:
                    at.append(time.monotonic())
                    await connection.send(PONG, data)
                hold(kind != 8, "the server closed the connection")
            gaps = [b - a for a, b in zip(at, at[1:])]
            hold(len(at) >= 3 and all(18 < gap < 22 for gap in gaps), f"pings after {[round(gap, 1) for gap in gaps]} s")
            await connection.text({"type": "finish"})
            end = await connection.message("end", 60)
            hold(
                end is not None and end["transcript"]["audio"]["duration_ms"] == 500,
                "`finish` after the silence gave no transcript",
            )
        return f"{len(at)} pings"

    async def no_pong(self):
        async with room(self.server.port) as (connection, ready):
            connection.answer_pings = False
            begin = time.monotonic()
            await connection.send(BINARY, sound.tone(0.5))
            await connection.ending(120)
            took = time.monotonic() - begin
            hold(55 < took < 100, f"the connection was dropped after {took:.0f} s")
        row = await self.server.listed(ready["recording"])
        hold(row is not None and row["state"] == "open" and row.get("connected") is False, f"its row in the list is {row}")
        await self.resumes(ready, 8000)
        return f"dropped after {took:.0f} s"

    async def resumes(self, ready, samples):
        async with raw(self.server.port) as connection:
            await connection.upgrade(f"/v1/listen?recording={ready['recording']}", f"127.0.0.1:{self.server.port}")
            await connection.text({"type": "resume", "token": ready["token"]})
            again = await connection.message()
            hold(
                again is not None and again["type"] == "ready" and again["samples"] >= samples,
                f"resuming was answered with {again}",
            )
            await connection.text({"type": "cancel"})
            hold(await connection.message("erased") is not None, "no `erased` after `cancel`")

    async def never_asks(self):
        """Fifty connections that never say what they want, and fifty that stop in the middle of saying it."""
        sockets = []
        try:
            for number in range(100):
                sockets.append(socket.create_connection(("127.0.0.1", self.server.port)))
                if number % 2:
                    sockets[-1].sendall(b"GET /v1/listen?rate=16000 HTTP/1.1\r\nHost: 127.0")
            other = self.bench.room(self.server)
            await other.run()
            hold_rules(other)
            if self.bench.reference:
                same(other.transcript["segments"], self.bench.reference, "beside them")
        finally:
            for one in sockets:
                one.close()

    async def vanished(self):
        """The other end is gone without a word, as when its machine loses its power."""
        async with room(self.server.port) as (connection, ready):
            await connection.send(BINARY, sound.tone(1.0))
            while (await connection.message("ack"))["samples"] < 16000:
                pass
            repair = os.dup(connection.writer.get_extra_info("socket").fileno())
            with socket.socket(fileno=repair) as peer:
                try:
                    peer.setsockopt(socket.IPPROTO_TCP, REPAIR, 1)
                except OSError:
                    raise LeftOut("needs the right to change the network (root)") from None
            connection.writer.transport.abort()
        await asyncio.sleep(0.2)
        await self.resumes(ready, 16000)

    async def all(self, tally):
        await tally.check("a hundred connections that never ask for anything", self.never_asks)
        await tally.check("a half-open connection: the recording is resumed on another", self.vanished, 60)
