"""The real parts that a journey needs: a PostgreSQL, a provider of SMS, and the server."""

import glob, json, os, pwd, secrets, signal, socket, subprocess, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Postgres:
    """A server from Debian's package, in a folder, gone at the end. It does not run as root."""

    def __init__(self, folder):
        programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda path: int(path.split("/")[4]))
        if not programs:
            raise SystemExit("journey: needs Debian's package `postgresql`")
        self.programs, self.folder, self.port = Path(programs[-1]), Path(folder), free_port()
        self.password = secrets.token_hex(12)
        self.folder.mkdir(mode=0o700)
        (self.folder / "password").write_text(self.password)
        self.user = {}
        if os.getuid() == 0:
            entry = pwd.getpwnam("postgres")
            os.chown(self.folder, entry.pw_uid, entry.pw_gid)
            os.chown(self.folder / "password", entry.pw_uid, entry.pw_gid)
            self.user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        data = self.folder / "data"
        initdb = [self.programs / "initdb", f"--pgdata={data}", "--username=walk", "--auth=scram-sha-256", f"--pwfile={self.folder / 'password'}", "--encoding=UTF8", "--no-sync"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=self.folder, **self.user)
        serve = [self.programs / "postgres", "-D", data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        self.process = subprocess.Popen(serve, stderr=subprocess.DEVNULL, cwd=self.folder, **self.user)
        for _ in range(600):
            ready = [self.programs / "pg_isready", "--quiet", "--host=127.0.0.1", "--port", str(self.port)]
            if subprocess.run(ready).returncode == 0:
                break
            time.sleep(0.1)
        create = [self.programs / "createdb", "--host=127.0.0.1", "--username=walk", "--port", str(self.port), "journey"]
        subprocess.run(create, check=True, env={**os.environ, "PGPASSWORD": self.password})
        self.url = f"postgres://walk:{self.password}@127.0.0.1:{self.port}/journey"

    def dump(self, path):
        """Everything in the database, for whoever looks into it afterwards."""
        dump = [self.programs / "pg_dump", "--host=127.0.0.1", "--username=walk", "--port", str(self.port), "journey"]
        with open(path, "wb") as file:
            subprocess.run(dump, check=True, stdout=file, env={**os.environ, "PGPASSWORD": self.password})

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait()


class Provider:
    """Takes SMS over HTTP as any provider does, drops doubles by their id, and shows what a phone would."""

    def __init__(self):
        self.messages, self.ids, self.more = [], set(), threading.Condition()
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                message = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with provider.more:
                    if message["id"] not in provider.ids:
                        provider.ids.add(message["id"])
                        provider.messages.append(message)
                        provider.more.notify_all()
                self.send_response(202)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def settings(self, path):
        """The file that `serve --gateways` reads."""
        body = '{"to":"{{to}}","text":"{{text}}","id":"{{id}}"}'
        path.write_text(f"[sms]\nurl = \"{self.url}\"\nbody = '{body}'\n")
        path.chmod(0o600)

    def wait(self, count):
        """The message of this number, from 1."""
        with self.more:
            if not self.more.wait_for(lambda: len(self.messages) >= count, timeout=30):
                raise AssertionError(f"message {count} did not come in 30 s")
            return self.messages[count - 1]


class Server:
    """`cantoscribe serve` on a data folder."""

    def __init__(self, binary, data, arguments, log, port=None, environment=None):
        self.port, self.data = port or free_port(), data
        self.log = open(log, "ab")
        command = [binary, "serve", "--addr", f"127.0.0.1:{self.port}", "--data", data, *arguments]
        variables = {**os.environ, **(environment or {})}
        self.process = subprocess.Popen([str(part) for part in command], stdout=self.log, stderr=self.log, env=variables)
        self.log_path = Path(log)

    def wait(self, ready):
        for _ in range(1200):
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended: {self.log_path.read_text()[-2000:]}")
            try:
                return ready()
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server did not answer in two minutes")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
        self.log.close()

    def kill(self):
        """As a power cut would: nothing is said to it."""
        self.process.kill()
        self.process.wait()
        self.log.close()
