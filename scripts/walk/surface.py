"""The addresses of the interface, from its own description, each with something to put into it that would be right."""

import json, re
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parent.parent.parent / "docs" / "openapi.json"

# Whose browser sends right requests to an address, where it is not a doctor's.
OFFICE = re.compile(r"/v1/(people|invitations|devices|roles)\b")
KINDS = ("doctor", "nurse", "registrar", "privacy_officer", "auditor", "administrator")
CLINICIANS, WATCHERS = {"doctor", "nurse"}, {"privacy_officer", "auditor"}
# Who may ask for what, of who is signed in: the first line that fits. What none fits is for everybody who is signed in.
ROLES = [
    (r"\w+ /v1/(people|invitations|devices|roles)\b", {"administrator"}),
    (r"\w+ /v1/letterhead$", {"administrator"}),
    (r"\w+ /v1/holds\b", {"administrator", "privacy_officer"}),
    (r"\w+ /v1/erasures\b", {"privacy_officer"}),
    (r"\w+ /v1/merges\b", {"registrar"}),
    (r"GET /v1/reports/", WATCHERS),
    (r"GET /v1/emergencies/announced$", WATCHERS),
    (r"GET /v1/patients/\{id\}/report$", CLINICIANS | WATCHERS),
    (r"POST /v1/patients/\{id\}/access-requests", CLINICIANS | {"privacy_officer"}),
    (r"POST /v1/patients/\{id\}/treating$", CLINICIANS | {"registrar"}),
    (r"(GET /v1/patients|POST /v1/patients/search)$", CLINICIANS | {"registrar"}),
    (r"(GET /v1/worklist|GET /v1/recordings|GET /v1/figures|\w+ /v1/learned\S*)$", CLINICIANS),
    (r"(POST /v1/recordings/\{id\}/note/(sign|addenda)|DELETE /v1/recordings/\{id\}/note/restriction|GET /v1/recordings/\{id\}/(note|transcript|letters/\{kind\}))$", {"doctor"}),
    # A recording without a signed note is erased by who edits it: those that are asked about here are signed.
    (r"DELETE /v1/(patients|recordings)/\{id\}$", {"doctor"}),
    (r"\w+ /v1/(patients|encounters|recordings|templates|listen|realtime|audio|views|shares/|consents)\b", CLINICIANS),
    (r"POST /v1/(requests|emergencies)\b", {"doctor"}),
]
ANYBODY = {
    "/v1/sign-in/begin", "/v1/sign-in/finish", "/v1/sign-in/role", "/v1/enrolments/look", "/v1/enrolments/begin", "/v1/enrolments/finish",
    "/v1/openid/issuers", "/v1/sign-in/openid/begin", "/v1/sign-in/openid/finish", "/v1/enrolments/openid/begin", "/v1/enrolments/openid/finish",
}
# What programs with a token may ask for.
PROGRAMS = {"/v1/listen", "/v1/status", "/v1/audio/transcriptions", "/v1/realtime", "/v1/models", "/v1/models/{id}"}

DAY = "from=2026-01-01T00:00:00Z&until=2036-01-01T00:00:00Z"
QUERIES = {
    "/v1/worklist": DAY,
    "/v1/recordings/{id}/note": "format=json",
    "/v1/recordings/{id}/transcript": "format=json",
    "/v1/recordings/{id}/letters/{kind}": "format=html",
    "/v1/listen": "rate=16000&format=pcm_s16le&encounter={encounter}",
    "/v1/realtime": "intent=transcription",
}
BODIES = {
    ("POST", "/v1/patients"): {"name": "Intruder"},
    ("PUT", "/v1/patients/{id}"): {"version": 1, "patient": {"name": "Intruder"}},
    ("POST", "/v1/patients/search"): {"text": "Chan"},
    ("PUT", "/v1/patients/{id}/contact"): {"phone": "91234567"},
    ("POST", "/v1/patients/{id}/encounters"): {},
    ("POST", "/v1/patients/{id}/treating"): {"role": "A" * 22},
    ("POST", "/v1/encounters/{id}/refusal"): {"refused": True},
    ("POST", "/v1/recordings/{id}/move"): {"from": None, "to": "x"},
    ("POST", "/v1/recordings/{id}/note/edits"): {"version": 1, "edit": {"op": "add", "section": "P", "text": "Intruder"}},
    ("POST", "/v1/recordings/{id}/note/addenda"): {"version": 1, "lines": [{"section": "P", "text": "Intruder"}]},
    ("POST", "/v1/learned/forget"): {"words": "x", "concept": {"kind": "drug", "name": "x"}},
    ("POST", "/v1/terminology/search"): {"text": "diab"},
    ("PUT", "/v1/templates/{name}"): {"text": "[S]\n{{S}}"},
    ("PUT", "/v1/template-choice"): {"specialty": "", "name": None},
    ("PUT", "/v1/letterhead"): {"address": "1 Sentinel Street", "phone": "21234567"},
    ("POST", "/v1/emergencies"): {"organisation": "A" * 22, "patient": {"kind": "clinic", "value": "1"}, "reason": "life_in_danger", "words": "Intruder"},
    ("POST", "/v1/emergencies/{id}/views"): {"record": "A" * 22},
    ("POST", "/v1/merges"): {"one": "A" * 22, "other": "B" * 22, "same": True},
    ("POST", "/v1/holds"): {"patient": "A" * 22, "reason": "Intruder"},
    ("POST", "/v1/erasures/look"): {"number": {"kind": "clinic", "value": "1"}},
    ("POST", "/v1/erasures"): {"patient": "A" * 22, "known_by": {"number": {"kind": "clinic", "value": "1"}}, "recording": None, "reason": "mistake", "seen": {"visits": 0, "recordings": 0, "signed": 0, "signatures": 0, "asked": False}},
    ("PUT", "/v1/roles/{id}"): {"department": "Intruders", "ends_at": None},
    ("PUT", "/v1/people/{id}"): {"name": "Intruder", "phone": None, "email": None},
    ("POST", "/v1/encounters/{id}/recording-consent"): {"by": "patient", "how": "spoken"},
    ("POST", "/v1/invitations"): {"name": "Intruder", "kind": "doctor"},
    ("POST", "/v1/devices"): {"name": "Intruder", "room": "1", "scope": "record", "days": 1},
    ("POST", "/v1/sign-in/finish"): {"ceremony": "x", "answer": {}},
    ("POST", "/v1/sign-in/role"): {"ticket": "x", "role": "x"},
    ("POST", "/v1/enrolments/look"): {"token": "x"},
    ("POST", "/v1/enrolments/begin"): {"token": "x"},
    ("POST", "/v1/enrolments/finish"): {"ceremony": "x", "answer": {}, "label": "x"},
    ("POST", "/v1/enrolments/accept"): {"token": "x"},
    ("POST", "/v1/passkeys/finish"): {"ceremony": "x", "answer": {}, "label": "x"},
    ("POST", "/v1/sign-in/openid/begin"): {"issuer": "https://login.example"},
    ("POST", "/v1/sign-in/openid/finish"): {"ceremony": "x", "code": "x", "state": "x"},
    ("POST", "/v1/enrolments/openid/begin"): {"issuer": "https://login.example", "entry": {"token": "x"}},
    ("POST", "/v1/enrolments/openid/finish"): {"ceremony": "x", "code": "x", "state": "x"},
    ("POST", "/v1/openid/bindings/begin"): {"issuer": "https://login.example"},
    ("POST", "/v1/openid/bindings/finish"): {"ceremony": "x", "code": "x", "state": "x"},
    ("POST", "/v1/requests"): {"organisation": "A" * 22, "patient": {"kind": "clinic", "value": "1"}, "purpose": "referral", "domains": ["notes"]},
    ("POST", "/v1/requests/{id}/attest"): {"purpose": "referral"},
    ("POST", "/v1/requests/{id}/restricted"): {"reason": "safety"},
    ("POST", "/v1/shares/{id}/views"): {"record": "A" * 22, "purpose": "referral"},
}
# Their body is the version that was seen.
SEEN = {f"/v1/recordings/{{id}}/note/{step}" for step in ("undo", "redo", "review", "sign")}


class Operation:
    """One method of one address."""

    def __init__(self, method, route, described):
        self.method, self.route = method, route
        self.takes = list(described.get("requestBody", {}).get("content", {}))
        self.answers = described["responses"]
        self.socket = "101" in self.answers
        self.name = f"{method} {route}"

    @property
    def body(self):
        if "application/json" not in self.takes:
            return None
        return {"version": 1} if self.route in SEEN else BODIES[(self.method, self.route)]

    def body_to(self, ids):
        """The same, about what these ids name."""
        body, ids = self.body, ids or {}
        named = {key: ids[kind] for key, kind in {"organisation": "organisations", "record": "records", "patient": "patients"}.items() if kind in ids and isinstance((body or {}).get(key), str)}
        return {**body, **named} if body is not None else None

    def is_for(self, kind):
        """Whether this kind of role may ask."""
        return next((kind in kinds for fits, kinds in ROLES if re.match(fits, self.name)), True)

    def path(self, ids=None):
        """The address with these ids in it: `{"patients": ..., "encounters": ..., ...}`, or ids of nothing."""
        kind = self.route.split("/")[2]
        own = {"credential": "A" * 22, "id": (ids or {}).get(kind, "A" * 22), "view": (ids or {}).get("views", "A" * 22)}
        put = lambda place: {"kind": "summary", "name": "x", "number": "0", "use": "print"}.get(place.group(1)) or own[place.group(1)]
        query = (QUERIES.get(self.route) or "").replace("{encounter}", (ids or {}).get("encounters", "A" * 22))
        return re.sub(r"\{(\w+)\}", put, self.route) + (f"?{query}" if query else "")

    @property
    def of_a_thing(self):
        return "{id}" in self.route or "{view}" in self.route


def operations():
    """All of them; one that takes a body of which nothing right is known here fails."""
    paths = json.loads(DOCUMENT.read_text())["paths"]
    found = [Operation(method.upper(), route, described) for route, methods in paths.items() for method, described in methods.items()]
    for one in found:
        one.body
    return found
