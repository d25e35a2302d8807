"""A server to be checked, the tally of the checks, and what both scripts share."""

import asyncio, json, os, re, shutil, signal, socket, subprocess, sys, tempfile, time, traceback, urllib.error, urllib.request
from pathlib import Path

from .environment import AUDIO, BINARY

LOG_LEVEL = "trace"
ROOMS = 4  # stated, so that a busy machine does not refuse what is to be checked


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """`cantoscribe serve --trial` on a data folder; it can be killed and started again on the same address."""

    def __init__(self, scratch, name, data=None, environment=None, binary=None, options=()):
        self.binary, self.options = binary or BINARY, options
        self.data = Path(data) if data else scratch / name
        self.log_path = scratch / f"{name}.log"
        self.port = free_port()
        self.environment = {**os.environ, "CANTOSCRIBE_LOG": LOG_LEVEL, **(environment or {})}
        self.process = None

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}"

    def start(self, patience=60.0):
        with self.log_path.open("ab") as log:
            command = [
                str(self.binary),
                "serve",
                "--trial",
                "--addr",
                f"127.0.0.1:{self.port}",
                "--data",
                str(self.data),
                "--rooms",
                str(ROOMS),
                *self.options,
            ]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.environment)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.process.poll() is not None:
                tail = self.log_path.read_text(errors="replace").splitlines()[-5:]
                raise RuntimeError(f"the server ended with {self.process.returncode}: " + " / ".join(tail))
            try:
                self.get("/v1/status")
                return self
            except (OSError, urllib.error.URLError):
                time.sleep(0.05)
        raise RuntimeError("the server does not answer /v1/status")

    async def start_aside(self):
        """Starts it while the clients of this script go on."""
        return await asyncio.to_thread(self.start)

    def kill(self):
        """SIGKILL: nothing of the server runs on."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
                return False
        return True

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def resident(self):
        """MiB of memory in use."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024

    def files_open(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def get(self, path, method="GET"):
        """(status, JSON or None) of a request by a page of the server's own."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=20) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        try:
            return status, json.loads(body) if body else None
        except ValueError:
            return status, None

    async def ask(self, path, method="GET"):
        return await asyncio.to_thread(self.get, path, method)

    async def listed(self, recording):
        """The recording's row in the list, or None."""
        _, answer = await self.ask("/v1/recordings")
        return next((row for row in answer["recordings"] if row["id"] == recording), None)


class Wrong(Exception):
    """A check does not hold; the message says what was seen."""


class LeftOut(Exception):
    """A check cannot be made here; the message says what it lacks."""


def hold(condition, seen):
    if not condition:
        raise Wrong(seen() if callable(seen) else seen)


def hold_rules(*rooms, behind=None):
    """No room broke a rule of the contract; with `behind`, acks were never later than the contract says."""
    for room in rooms:
        hold(not room.broken, lambda room=room: "the contract is broken: " + "; ".join(room.broken[:3]))
        late = room.rules.too_far_behind() if behind else None
        hold(late is None, lambda late=late: f"an ack came {1000 * late:.0f} ms after its sound")


class Tally:
    """Runs checks one after another and counts them."""

    def __init__(self, only=None):
        self.passed, self.failed, self.left_out, self.only = 0, [], 0, only
        self.begin = time.monotonic()

    async def check(self, name, doing, patience=240.0):
        """`doing` is a coroutine function; what it returns is printed behind the name."""
        if self.only and not re.search(self.only, name):
            return None
        begin = time.monotonic()
        try:
            seen = await asyncio.wait_for(doing(), patience)
            self.passed += 1
            self.say("ok", name, seen, begin)
            return seen
        except LeftOut as lack:
            self.left_out += 1
            self.say("LEFT OUT", name, str(lack), begin)
        except Exception as error:  # each check stands alone: the others still run
            if not isinstance(error, Wrong):
                traceback.print_exc(limit=6, file=sys.stdout)
            self.failed.append(name)
            self.say("FAILED", name, str(error) or type(error).__name__, begin)
        return None

    def leave_out(self, name, lack):
        self.left_out += 1
        self.say("LEFT OUT", name, lack, time.monotonic())

    def say(self, word, name, seen, begin):
        behind = f": {seen}" if seen else ""
        print(f"{word:8} {name}{behind} [{time.monotonic() - begin:.1f} s]", flush=True)

    def close(self):
        """The closing line; the exit code."""
        for name in self.failed:
            print(f"FAILED   {name}")
        print(f"{self.passed} passed, {len(self.failed)} failed, {self.left_out} skipped ({time.monotonic() - self.begin:.0f} s)")
        return 1 if self.failed else 0


def offline(path, *options, binary=None):
    """The segments of `cantoscribe transcribe --format json`."""
    command = [str(binary or BINARY), "transcribe", "--format", "json", *options, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise Wrong(f"transcribe exited {run.returncode}: {run.stderr.strip()[:200]}")
    return json.loads(run.stdout)["segments"]


def difference(ours, theirs):
    """Where two lists of segments differ, without saying what was said; None where they are equal."""
    if ours == theirs:
        return None
    if len(ours) != len(theirs):
        return f"{len(ours)} segments against {len(theirs)}: " + spans(ours) + " against " + spans(theirs)
    for one, other in zip(ours, theirs):
        for field in sorted(set(one) | set(other)):
            if one.get(field) != other.get(field):
                numbers = isinstance(one.get(field), (int, float))
                values = f" ({one.get(field)} against {other.get(field)})" if numbers else ""
                return f"segment {one.get('id')} differs in `{field}`{values}"
    return "they differ"


def spans(segments):
    return "[" + " ".join(f"{s.get('start_ms')}-{s.get('end_ms')}" for s in segments[:12]) + "]"


def same(ours, theirs, what):
    found = difference(ours, theirs)
    hold(found is None, f"{what}: {found}")


def scratch_folder():
    return Path(tempfile.mkdtemp(prefix="cantoscribe-live-"))


def sweep(folder):
    shutil.rmtree(folder, ignore_errors=True)


def lacking(binary):
    """What the checks need and this machine lacks; None when it is all there."""
    if not AUDIO.is_dir():
        return f"no recordings at {AUDIO.parent.name}/{AUDIO.name} beside the project"
    if not binary.exists():
        return "the program is not built: cargo build --release"
    run = subprocess.run([str(binary), "models", "verify"], capture_output=True, text=True, check=False)
    return "the models are not installed: cantoscribe models pull whisper-base silero-vad" if run.returncode else None
