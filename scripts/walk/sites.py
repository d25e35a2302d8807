"""A server with two organisations and as many of their staff, signed in, as a check needs."""

import os, re, subprocess, tempfile
from contextlib import contextmanager
from pathlib import Path

from parts import Postgres, Server
from people import Browser, Person

CLINIC, HOSPITAL = "Peak Clinic", "Harbour Hospital"


def address(number):
    """Where the person of this number sits. Tries to sign in are limited by address, and so each has one."""
    return f"127.{1 + number // 60000}.{number // 250 % 240 + 1}.{number % 250 + 1}"


class Site:
    """`cantoscribe serve` on a folder, founded twice. It can be killed and started again at the same port."""

    def __init__(self, binary, folder, url=None, more=(), environment=None):
        self.binary, self.folder, self.data = binary, folder, folder / "data"
        self.database = ["--database", url] if url else []
        self.more, self.environment = list(more), environment
        self.server, self.port, self.people = None, None, 0
        folder.mkdir(parents=True)

    @property
    def url(self):
        """What `audit verify --database` takes."""
        return self.database[1] if self.database else f"sqlite:{self.data / 'cantoscribe.db'}"

    def start(self):
        log = self.folder / "server.log"
        self.server = Server(self.binary, self.data, [*self.more, *self.database], log, self.port, self.environment)
        self.port = self.server.port
        self.server.wait(lambda: Browser(self.port).send("GET", "/healthz"))

    def command(self, *arguments):
        done = subprocess.run([str(part) for part in (self.binary, *arguments)], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def verify(self, *more):
        """Exit code and words of `audit verify` with the database."""
        log, key = self.data / "audit", self.data / "audit.pub"
        return self.command("audit", "verify", log, "--key", key, "--database", self.url, *more)

    def person(self, name):
        """Somebody new, with a passkey and an address of their own."""
        self.people += 1
        return Person(self.port, name, address(self.people))

    def found(self):
        """Starts it; the first administrator of each organisation comes in."""
        self.start()
        token = re.search(r"/accounts#(\S+)", (self.folder / "server.log").read_text()).group(1)
        self.administrator = self.person("Admin Peak")
        self.office = self.administrator.enrol(token, organisation=CLINIC, organisation_chinese="山頂診所")
        self.server.stop()
        code, said = self.command("accounts", "organisation", "--data", self.data, *self.database)
        assert code == 0, said
        self.start()
        token = re.search(r"/accounts#(\S+)", said).group(1)
        self.other_office = self.person("Admin Harbour").enrol(token, organisation=HOSPITAL, organisation_chinese="海港醫院")
        return self

    def invite(self, office, name, kind="doctor"):
        """Takes somebody in as this; the browser in which they are signed in. `browser.person` can sign in again."""
        token = office.ask("POST", "/v1/invitations", {"name": name, "kind": kind})["token"]
        person = self.person(name)
        browser = person.enrol(token)
        browser.person = person
        return browser


@contextmanager
def databases(which):
    """The databases that a check runs on: `(name, folder, URL)` of each, and the server of PostgreSQL if there is one. `which` is `sqlite`, `postgres` or `both`."""
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o711)
        found = []
        if which != "postgres":
            found.append(("sqlite", Path(scratch) / "sqlite", None))
        postgres = Postgres(Path(scratch) / "cluster") if which != "sqlite" else None
        if postgres:
            found.append(("postgresql", Path(scratch) / "postgresql", postgres.url))
        try:
            yield found, postgres
        finally:
            if postgres:
                postgres.stop()
