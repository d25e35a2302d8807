"""Clients that change things all the time and remember what was acknowledged, for a server that is killed under them.

Each does one thing at a time, so that at a kill at most one thing of each is unanswered. What is there after the restart is compared
with what was acknowledged; of what was unanswered, it is looked up whether it was done, wholly or not at all.
"""

import http.client, json
from collections import Counter

from events import action
from people import Refused

READS = {"view", "listed", "search", "export", "permit", "report", "sign_in", "sign_out"}


# What a client sees of a server that was killed.
GONE = (OSError, http.client.HTTPException, json.JSONDecodeError)


class Loss(Exception):
    """Something that was acknowledged is not there, or something is there by halves."""


def same(found, expected, what):
    if found != expected:
        raise Loss(f"{what}: {json.dumps(found, ensure_ascii=False)[:300]} instead of {json.dumps(expected, ensure_ascii=False)[:300]}")


class Act:
    """One request: what it is called, how it is sent, what an answer means, and how to find out afterwards whether it was done.

    `ends` is the device that it ends: the key store notes that first, and a start after a kill in between ends it itself, with its own event.
    """

    def __init__(self, name, request, done, landed, ends=None):
        self.name, self.request, self.done, self.landed, self.ends = name, request, done, landed, ends


class Writer:
    """A signed-in browser that acts. `counts` says how many of which events its acknowledged acts must have left."""

    def __init__(self, browser, name, events_of):
        self.browser, self.name, self.events_of = browser, name, events_of
        self.counts, self.pending, self.acknowledged, self.number, self.ended = Counter(), None, 0, 0, None
        self.broken = None

    def label(self):
        """A word that nothing else has."""
        self.number += 1
        return f"{self.name}x{self.number}"

    def act(self, act):
        """Sends it; False when no answer came."""
        self.pending = act
        try:
            answer = self.browser.ask(*act.request)
        except GONE:
            return False
        self.settle(act, answer)
        return True

    def settle(self, act, answer):
        act.done(answer)
        self.counts.update(self.events_of.get(act.name, {}))
        self.acknowledged += 1
        self.pending = None

    def run(self, dice, stopped):
        """Acts until no answer comes."""
        try:
            while not stopped.is_set() and self.act(self.choose(dice)):
                pass
        except GONE:
            # In a look before an act.
            pass
        except Exception as error:
            self.broken = error

    def resolve(self):
        """After the restart: whether what was unanswered was done. Says so."""
        act, self.pending, self.ended = self.pending, None, None
        if act is None:
            return None
        answer = act.landed()
        if answer is None or answer is False:
            return False
        if not isinstance(answer, Counter):
            act.done(answer)
            answer = self.events_of.get(act.name, {})
        self.counts.update(answer)
        self.ended = act if act.ends else None
        return True

    def leave_to_start(self, events):
        """Of an unanswered end that the start has made, the one event is the start's, and none of this writer's."""
        if not self.ended:
            return
        made = [action(event) for event in events if event["actor"] == "system" and event.get("record") == self.ended.ends]
        if made:
            same(Counter(made), Counter(self.events_of[self.ended.name]), "events of what the start has ended")
            self.counts.subtract(self.events_of[self.ended.name])

    def get(self, path):
        return self.browser.ask("GET", path)

    def is_there(self, path):
        try:
            self.get(path)
            return True
        except Refused as refused:
            same(refused.status, 404, path)
            return False

    def each(self):
        """Every kind of act once, for the events of each."""
        raise NotImplementedError


class Doctor(Writer):
    """Patients, visits, typed notes, edits, signatures, telephones, templates, erasings."""

    def __init__(self, *given):
        super().__init__(*given)
        self.patients, self.templates, self.touched, self.erased = {}, {}, set(), set()

    def choose(self, dice):
        if not self.patients or dice.random() < 0.08:
            return self.enter()
        patient = dice.choice(sorted(self.patients)[-12:])
        visits = self.patients[patient]["visits"]
        roll = dice.random()
        if roll < 0.1:
            return self.change(patient)
        if roll < 0.15:
            return self.contact(patient, dice.randrange(10_000_000))
        if roll < 0.19:
            return self.template(dice.randrange(5))
        if roll < 0.22 and len(self.patients) > 3:
            return self.erase(patient)
        if not visits or roll < 0.3:
            return self.visit(patient)
        visit = dice.choice(sorted(visits))
        if not visits[visit] or roll < 0.34:
            return self.typed(patient, visit)
        recording = dice.choice(sorted(visits[visit]))
        stage = visits[visit][recording]["stage"]
        if stage == "signed" or roll > 0.5:
            return self.edit(patient, visit, recording) if stage != "signed" else self.addendum(patient, visit, recording)
        return self.sign(patient, visit, recording) if stage == "reviewed" else self.review(patient, visit, recording)

    def each(self):
        yield self.enter()
        patient = next(iter(self.patients))
        yield self.change(patient)
        yield self.contact(patient, 1)
        yield self.template(0)
        yield self.visit(patient)
        visit = next(iter(self.patients[patient]["visits"]))
        yield self.typed(patient, visit)
        recording = next(iter(self.patients[patient]["visits"][visit]))
        for step in (self.edit, self.review, self.sign, self.addendum):
            yield step(patient, visit, recording)
        # What erasing a patient leaves is counted by what is gone.

    def enter(self):
        name = self.label()

        def done(answer):
            self.patients[answer["id"]] = {"version": answer["version"], "name": answer["name"], "phone": None, "visits": {}}
            self.touched.add(answer["id"])
            same(answer["name"], name, "the patient's name")

        def landed():
            found = self.browser.ask("POST", "/v1/patients/search", {"text": name})["patients"]
            return next((one for one in found if one["name"] == name), None)

        return Act("enter", ("POST", "/v1/patients", {"name": name}), done, landed)

    def change(self, patient):
        kept, name = self.patients[patient], self.label()
        body = {"version": kept["version"], "patient": {"name": name, "chinese_name": "陳大文", "born": "1961-03-02"}}

        def done(answer):
            same(answer["name"], name, "the patient's name")
            kept.update(version=answer["version"], name=name)
            self.touched.add(patient)

        def landed():
            answer = self.get(f"/v1/patients/{patient}")
            return answer if answer["version"] != kept["version"] else None

        return Act("change", ("PUT", f"/v1/patients/{patient}", body), done, landed)

    def contact(self, patient, digits):
        kept, phone = self.patients[patient], f"9{digits:07}"

        def done(answer):
            same(answer["phone"], f"+852{phone}", "the telephone")
            kept["phone"] = answer["phone"]
            self.touched.add(patient)

        def landed():
            answer = self.get(f"/v1/patients/{patient}/contact")
            return answer if answer["phone"] != kept["phone"] else None

        return Act("contact", ("PUT", f"/v1/patients/{patient}/contact", {"phone": phone}), done, landed)

    def template(self, number):
        name, text = f"{self.name}t{number}", f"[S]\n{self.label()} {{{{S}}}}"

        def done(_):
            self.templates[name] = text

        def landed():
            found = {one["name"]: one["text"] for one in self.get("/v1/templates")["templates"]}
            return "" if found.get(name) == text else None

        return Act("template", ("PUT", f"/v1/templates/{name}", {"specialty": "", "text": text}), done, landed)

    def visit(self, patient):
        visits = self.patients[patient]["visits"]

        def done(answer):
            visits[answer["id"]] = {}
            self.touched.add(patient)

        def landed():
            found = self.get(f"/v1/patients/{patient}/encounters")["encounters"]
            return next((one for one in found if one["id"] not in visits), None)

        return Act("visit", ("POST", f"/v1/patients/{patient}/encounters", {}), done, landed)

    def typed(self, patient, visit):
        notes = self.patients[patient]["visits"][visit]

        def done(answer):
            notes[answer["recording"]] = {"version": 1, "stage": "draft", "lines": []}
            self.touched.add(patient)

        def landed():
            found = self.get(f"/v1/encounters/{visit}")["recordings"]
            return next((one for one in found if one["recording"] not in notes), None)

        return Act("typed", ("POST", f"/v1/encounters/{visit}/typed-note"), done, landed)

    def note(self, recording):
        """What the server has: version, stage, lines."""
        desk = self.get(f"/v1/recordings/{recording}/record")
        note = self.get(f"/v1/recordings/{recording}")
        same(desk["version"], note["version"], "the version of a note that nobody changes")
        lines = [line["text"] for section in note["note"]["sections"] for line in section["sentences"]]
        return {"version": note["version"], "stage": desk["stage"], "lines": lines}

    def write(self, name, patient, visit, recording, path, body, after):
        """A change of a note, after which it is `after(note before)`."""
        notes = self.patients[patient]["visits"][visit]
        wanted = after(notes[recording])

        def done(_):
            notes[recording] = wanted
            self.touched.add(patient)

        def landed():
            found = self.note(recording)
            if found == notes[recording]:
                return None
            same(found, wanted, f"a note after an unanswered {name}")
            return found

        return Act(name, ("POST", f"/v1/recordings/{recording}/note/{path}", {"version": notes[recording]["version"], **body}), done, landed)

    def edit(self, patient, visit, recording):
        text = self.label()
        after = lambda note: {"version": note["version"] + 1, "stage": "draft", "lines": [*note["lines"], text]}
        return self.write("edit", patient, visit, recording, "edits", {"edit": {"op": "add", "section": "S", "text": text}}, after)

    def addendum(self, patient, visit, recording):
        text = self.label()
        after = lambda note: {"version": note["version"] + 1, "stage": "signed", "lines": [*note["lines"], text]}
        return self.write("addendum", patient, visit, recording, "addenda", {"lines": [{"section": "S", "text": text}]}, after)

    def review(self, patient, visit, recording):
        return self.write("review", patient, visit, recording, "review", {}, lambda note: {**note, "stage": "reviewed"})

    def sign(self, patient, visit, recording):
        return self.write("sign", patient, visit, recording, "sign", {}, lambda note: {**note, "stage": "signed"})

    def erase(self, patient):
        notes = {note for visit in self.patients[patient]["visits"].values() for note in visit}

        def done(_):
            del self.patients[patient]
            self.erased.add(patient)
            self.counts.update({"erase": len(notes) + 1, "key_destroy": len(notes) + 1})

        def landed():
            """Notes are erased one by one, each wholly, and the patient last."""
            gone = {note for note in notes if not self.is_there(f"/v1/recordings/{note}")}
            patient_gone = not self.is_there(f"/v1/patients/{patient}")
            if patient_gone:
                same(gone, notes, "notes of a patient that is erased")
                del self.patients[patient]
                self.erased.add(patient)
            for visit in self.patients[patient]["visits"].values() if not patient_gone else []:
                for note in gone & visit.keys():
                    del visit[note]
            self.touched.add(patient)
            return Counter(erase=len(gone) + patient_gone, key_destroy=len(gone) + patient_gone) if gone or patient_gone else None

        return Act("erase", ("DELETE", f"/v1/patients/{patient}"), done, landed)

    def check(self, everything=False):
        """What was acknowledged since the last kill, or ever, is there as it was acknowledged."""
        for patient in sorted(self.erased if everything else self.erased & self.touched):
            same(self.is_there(f"/v1/patients/{patient}"), False, "an erased patient is there")
        for patient in sorted(self.patients if everything else self.touched & self.patients.keys()):
            kept = self.patients[patient]
            found = self.get(f"/v1/patients/{patient}")
            same((found["version"], found["name"]), (kept["version"], kept["name"]), "a patient")
            if kept["phone"]:
                same(self.get(f"/v1/patients/{patient}/contact")["phone"], kept["phone"], "a telephone")
            visits = {one["id"] for one in self.get(f"/v1/patients/{patient}/encounters")["encounters"]}
            same(sorted(visits), sorted(kept["visits"]), "visits of a patient")
            for visit, notes in kept["visits"].items():
                found = {one["recording"] for one in self.get(f"/v1/encounters/{visit}")["recordings"]}
                same(sorted(found), sorted(notes), "notes of a visit")
                for note, expected in notes.items():
                    same(self.note(note), expected, "a note")
        self.touched = set()
        found = {one["name"]: one["text"] for one in self.get("/v1/templates")["templates"]}
        same(found, self.templates, "templates")


class Adder(Writer):
    """Adds lines to one note, as another window does at the same moment: none may be lost, and none be there twice."""

    def __init__(self, browser, name, events_of, note):
        super().__init__(browser, name, events_of)
        self.note, self.lines = note, []

    def choose(self, _):
        text = self.label()

        def landed():
            return "" if text in self.shown() else None

        body = {"version": 1, "edit": {"op": "add", "section": "S", "text": text}}
        return Act("edit", ("POST", f"/v1/recordings/{self.note}/note/edits", body), lambda _: self.lines.append(text), landed)

    def act(self, act):
        try:
            return super().act(act)
        except Refused as refused:
            # Five times another window was faster: nothing was kept, and the page would ask.
            same(refused.code, "conflict", "an edit beside another window")
            self.pending = None
            return True

    def shown(self):
        note = self.get(f"/v1/recordings/{self.note}")["note"]
        return [line["text"] for section in note["sections"] for line in section["sentences"]]

    def check(self, everything=False):
        own = [text for text in self.shown() if text.startswith(f"{self.name}x")]
        same(own, self.lines, "lines of a window")


class Asker(Writer):
    """Asks another clinic for a patient, and takes some requests back. A role has thirty requests an hour, counted anew at each start."""

    def __init__(self, browser, name, events_of, clinic):
        super().__init__(browser, name, events_of)
        self.clinic, self.requests, self.asked = clinic, {}, 0

    def choose(self, dice):
        waiting = sorted(request for request, state in self.requests.items() if state == "requested")
        if waiting and (self.asked > 25 or dice.random() < 0.4):
            return self.cancel(dice.choice(waiting))
        return self.ask() if self.asked <= 25 else self.look()

    def run(self, dice, stopped):
        self.asked = 0
        super().run(dice, stopped)

    def each(self):
        yield self.ask()
        yield self.cancel(next(iter(self.requests)))

    def states(self):
        return {one["id"]: one["state"] for one in self.get("/v1/requests")["requests"]}

    def look(self):
        return Act("look", ("GET", "/v1/requests"), lambda _: None, lambda: None)

    def ask(self):
        self.asked += 1
        number = {"kind": "clinic", "value": self.label()}
        body = {"organisation": self.clinic, "patient": number, "purpose": "referral", "domains": ["notes"]}

        def done(answer):
            self.requests[answer["id"]] = "requested"

        def landed():
            return next(({"id": one} for one in self.states() if one not in self.requests), None)

        return Act("ask", ("POST", "/v1/requests", body), done, landed)

    def cancel(self, request):
        def done(_):
            self.requests[request] = "refused"

        def landed():
            return "" if self.states()[request] != "requested" else None

        return Act("cancel", ("POST", f"/v1/requests/{request}/cancel"), done, landed)

    def check(self, everything=False):
        same(self.states(), self.requests, "requests")


class Office(Writer):
    """Invitations, microphones and programs of an organisation, given and taken back."""

    def __init__(self, *given):
        super().__init__(*given)
        self.invited, self.devices, self.others = {}, {}, None

    def choose(self, dice):
        roll = dice.random()
        if self.invited and (roll < 0.2 or len(self.invited) > 12):
            return self.uninvite(dice.choice(sorted(self.invited)))
        if self.devices and (roll < 0.4 or len(self.devices) > 12):
            return self.revoke(dice.choice(sorted(self.devices)))
        return self.invite() if roll < 0.7 else self.enrol()

    def each(self):
        yield self.invite()
        yield self.uninvite(next(iter(self.invited)))
        yield self.enrol()
        yield self.revoke(next(iter(self.devices)))

    def invitations(self):
        return {one["name"]: one["id"] for one in self.get("/v1/people")["invitations"]}

    def good(self):
        return {one["name"]: one["id"] for one in self.get("/v1/devices")["devices"] if one["good"]}

    def invite(self):
        name = self.label()

        def done(_):
            # The answer has the token alone; the id is in the list.
            self.invited[name] = None

        landed = lambda: "" if name in self.invitations() else None
        return Act("invite", ("POST", "/v1/invitations", {"name": name, "kind": "doctor"}), done, landed)

    def uninvite(self, name):
        if self.invited[name] is None:
            self.invited[name] = self.invitations()[name]
        done = lambda _: self.invited.pop(name)
        landed = lambda: "" if name not in self.invitations() else None
        return Act("uninvite", ("DELETE", f"/v1/invitations/{self.invited[name]}"), done, landed)

    def enrol(self):
        name = self.label()

        def done(answer):
            self.devices[name] = answer["id"]

        def landed():
            found = self.good().get(name)
            return {"id": found} if found else None

        return Act("enrol", ("POST", "/v1/devices", {"name": name, "scope": "transcribe", "days": 3}), done, landed)

    def revoke(self, name):
        done = lambda _: self.devices.pop(name)
        landed = lambda: "" if name not in self.good() else None
        return Act("revoke", ("DELETE", f"/v1/devices/{self.devices[name]}"), done, landed, ends=self.devices[name])

    def check(self, everything=False):
        same(sorted(self.invitations()), sorted(self.invited), "invitations")
        same(self.good(), self.devices, "devices")
