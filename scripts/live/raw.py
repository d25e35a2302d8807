"""A WebSocket by hand, for what no decent client does."""

import asyncio, base64, json, os, socket, struct
from contextlib import asynccontextmanager

from .harness import Wrong

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Raw:
    """Frames as they are; nothing is answered unless a check says so."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.status = None
        self.body = b""
        self.answer_pings = True
        self.pings = 0

    async def upgrade(self, path, host, headers=None):
        """The HTTP status of the answer to the upgrade."""
        lines = [
            f"GET {path} HTTP/1.1",
            *([f"Host: {host}"] if host is not None else []),
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            *(f"{k}: {v}" for k, v in (headers or {}).items()),
        ]
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = (await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 20)).decode("latin-1")
        self.status = int(head.split()[1])
        if self.status != 101:
            length = next(
                (int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0
            )
            self.body = await asyncio.wait_for(self.reader.readexactly(length), 20)
        return self.status

    def frame(self, kind, data, final=True, length=None):
        """The bytes of one masked frame; `length` lies about the size."""
        size = len(data) if length is None else length
        head = bytes([kind | (0x80 if final else 0)])
        if size < 126:
            head += bytes([0x80 | size])
        elif size < 65536:
            head += struct.pack(">BH", 0x80 | 126, size)
        else:
            head += struct.pack(">BQ", 0x80 | 127, size)
        return head + bytes(4) + data  # a mask of zeros leaves the data as it is

    async def send(self, kind, data, **how):
        self.writer.write(self.frame(kind, data, **how))
        await self.writer.drain()

    async def text(self, value):
        await self.send(TEXT, value.encode() if isinstance(value, str) else json.dumps(value).encode())

    async def receive(self, patience=15.0):
        """(kind, data) of the next frame, pings left out; (None, b"") when the connection is gone."""
        while True:
            try:
                kind, data = await asyncio.wait_for(self.one(), patience)
            except (asyncio.IncompleteReadError, ConnectionError):
                return None, b""
            if kind == PING:
                self.pings += 1
                if self.answer_pings:
                    await self.send(PONG, data)
                continue
            return kind, data

    async def one(self):
        first, second = await self.reader.readexactly(2)
        size = second & 0x7F
        if size == 126:
            size = struct.unpack(">H", await self.reader.readexactly(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", await self.reader.readexactly(8))[0]
        return first & 0x0F, await self.reader.readexactly(size)

    async def message(self, wanted=None, patience=15.0):
        """The next JSON message, of this type when one is wanted; None when the connection closes first."""
        while True:
            kind, data = await self.receive(patience)
            if kind in (None, CLOSE):
                self.closed = struct.unpack(">H", data[:2])[0] if kind == CLOSE and len(data) >= 2 else None
                return None
            if kind != TEXT:
                continue
            message = json.loads(data)
            if wanted is None or message.get("type") == wanted:
                return message

    async def ending(self, patience=20.0):
        """(code of the fatal error, close code) with which the server ends the connection; (None, None): it just broke."""
        code = None
        while True:
            kind, data = await self.receive(patience)
            if kind is None:
                return code, None
            if kind == CLOSE:
                return code, struct.unpack(">H", data[:2])[0] if len(data) >= 2 else 1005
            if kind != TEXT:
                continue  # the pong of a ping of random bytes is no message
            message = json.loads(data)
            if message.get("type") == "error" and message.get("fatal"):
                code = message.get("code")


@asynccontextmanager
async def raw(port, small=False):
    """A TCP connection; `small`: with a receive buffer that is soon full."""
    sock = socket.socket()
    sock.setblocking(False)
    if small:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=2**20 if not small else 2**12)
    try:
        yield Raw(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def room(port, query="rate=16000&channels=1&format=pcm_s16le&language=yue", headers=None, **how):
    """A raw connection on which `ready` has come: (connection, ready). Waits its turn when no room is free."""
    for turn in range(80):
        async with raw(port, **how) as connection:
            status = await connection.upgrade(f"/v1/listen?{query}", f"127.0.0.1:{port}", headers)
            if status != 101:
                raise Wrong(f"the upgrade was answered with {status}")
            message = await connection.message()
            if message is None or message["type"] != "error" or message["code"] != "no_room" or turn == 79:
                if message is None or message["type"] != "ready":
                    raise Wrong(f"instead of `ready` came {message}")
                yield connection, message
                return
        await asyncio.sleep(0.5)
