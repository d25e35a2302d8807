"""Those who take part: staff with passkeys, and a patient with a telephone."""

import http.client, json, re
from urllib.parse import urlencode

from authenticator import Authenticator


class Refused(Exception):
    """An answer that is not the one asked for."""

    def __init__(self, status, code):
        super().__init__(f"{status} {code}")
        self.status, self.code = status, code


class Browser:
    """Sends requests as a page of the server does, and keeps its cookies. `address` is where it sits: one of 127.0.0.0/8."""

    def __init__(self, port, address="127.0.0.1"):
        self.port, self.host, self.cookies, self.address = port, f"localhost:{port}", {}, address
        self.origin = f"http://{self.host}"

    def send(self, method, path, body=None, form=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30, source_address=(self.address, 0))
        headers = {"host": self.host}
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method != "GET":
            headers["origin"] = self.origin
        data = None
        if body is not None:
            data, headers["content-type"] = json.dumps(body).encode(), "application/json"
        if form is not None:
            data, headers["content-type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        connection.request(method, path, data, headers)
        answer = connection.getresponse()
        content = answer.read().decode("utf-8", "replace")
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        connection.close()
        return answer.status, answer.getheader("location"), content

    def ask(self, method, path, body=None):
        """The JSON of an answer; a refusal is an exception."""
        status, _, content = self.send(method, path, body)
        answer = json.loads(content) if content.strip().startswith(("{", "[")) else content
        if status >= 400:
            raise Refused(status, answer.get("error", {}).get("code") if isinstance(answer, dict) else None)
        return answer


class Person:
    """Somebody who works somewhere: a passkey, and a browser for each role."""

    def __init__(self, port, name, address="127.0.0.1"):
        self.port, self.name, self.address = port, name, address
        self.authenticator = Authenticator(f"http://localhost:{port}")

    def enrol(self, token, **entry):
        """Comes in with a token for the first time."""
        browser = Browser(self.port, self.address)
        asked = browser.ask("POST", "/v1/enrolments/begin", {"token": token, "name": self.name, **entry})
        answer = self.authenticator.create(asked["options"])
        who = browser.ask("POST", "/v1/enrolments/finish", {"ceremony": asked["ceremony"], "answer": answer, "label": "journey"})
        return self._enter(browser, who, who["roles"][0])

    def sign_in(self, organisation=None, kind=None):
        """Signs in with the passkey, in a role: the one way in."""
        browser = Browser(self.port, self.address)
        asked = browser.ask("POST", "/v1/sign-in/begin")
        answer = self.authenticator.get(asked["options"])
        who = browser.ask("POST", "/v1/sign-in/finish", {"ceremony": asked["ceremony"], "answer": answer})
        fits = [role for role in who["roles"] if organisation in (None, role["organisation"]["name"]) and kind in (None, role["kind"])]
        browser = self._enter(browser, who, fits[0])
        browser.roles = who["roles"]
        return browser

    @staticmethod
    def _enter(browser, who, role):
        browser.ask("POST", "/v1/sign-in/role", {"ticket": who["ticket"], "role": role["id"]})
        browser.organisation = role["organisation"]
        return browser


class Phone:
    """A patient's telephone: messages come, links are opened, forms are sent. No script runs."""

    def __init__(self, port):
        self.browser, self.root, self.consent, self.page = Browser(port), "d", None, ""

    def open(self, link):
        """Opens a link by its button, and shows the page that it leads to."""
        path = "/" + link.split("/", 3)[3]
        self.root, self.consent = path.split("/")[1:3]
        status, _, before = self.browser.send("GET", path)
        assert status == 200 and "<script" not in before, status
        status, to, _ = self.browser.send("POST", path, form={})
        if status == 303:
            self.look(to)
        return status

    def look(self, path=None):
        status, _, self.page = self.browser.send("GET", path or f"/{self.root}/{self.consent}")
        return status

    def press(self, act, **form):
        """Sends one of the page's forms; what it then says."""
        path = f"/{self.root}/{self.consent}/{act}"
        assert f'action="{path}"' in self.page, f"the page has no form for {act}"
        status, to, content = self.browser.send("POST", path, form=form)
        if status == 303:
            self.look(to)
        else:
            self.page = content
        return re.sub(r"<[^>]+>", " ", self.page)
