"""For schemathesis: sends a session's cookie, and takes the next from an answer, as a browser does."""

import os

import schemathesis

cookie = dict([os.environ["SESSION_COOKIE"].split("=", 1)])


@schemathesis.hook
def before_call(context, case, kwargs):
    case.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookie.items())


@schemathesis.hook
def after_call(context, case, response):
    for given in response.headers.get("set-cookie", []):
        name, _, rest = given.partition("=")
        if name in cookie and "Max-Age=0" not in rest:
            cookie[name] = rest.split(";")[0]
