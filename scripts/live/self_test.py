"""The measuring instruments measured: each rule must notice the breach that it is for, and nothing else."""

from listen_client import Kept

from .harness import Wrong, hold
from .room import up_to_the_cuts
from .rules import Rules
from .stability import changed
from .traces import blocks, found

READY = {"type": "ready", "recording": "a", "token": "b", "samples": 0}


def ack(samples):
    return {"type": "ack", "samples": samples}


def partial(start, stable):
    return {"type": "partial", "start_ms": start, "stable": stable, "tentative": ""}


def final(number, start, end, text="字字"):
    return {"type": "final", "segment": {"id": number, "start_ms": start, "end_ms": end, "text": text, "speaker": None}}


def note(*spans):
    return {
        "type": "note",
        "note": {
            "schema": "cantoscribe/note/1",
            "plan": [{"evidence": [{"segment": s, "start": a, "end": b} for s, a, b in spans]}],
        },
    }


def end(*finals):
    transcript = {"schema": "cantoscribe/transcript/1", "segments": [message["segment"] for message in finals]}
    return {"type": "end", "transcript": transcript, "note": {"schema": "cantoscribe/note/1"}}


def error(code, fatal=True):
    return {"type": "error", "code": code, "message": "why", "fatal": fatal}


A, B = final(0, 100, 900), final(1, 1000, 2000)
AGAIN, SENT, WAIT = "again", "sent", "wait"  # a new connection; 16000 samples more; a second and a half

# What the server does, and what the rules must say (None: nothing).
CASES = [
    (
        [
            READY,
            SENT,
            ack(8000),
            ack(16000),
            partial(100, "字"),
            partial(100, "字字"),
            A,
            note((0, 0, 2)),
            B,
            WAIT,
            note((1, 0, 1)),
            end(A, B),
            1000,
        ],
        None,
    ),
    ([READY, SENT, ack(16000), A, AGAIN, {**READY, "samples": 16000}, A, B, end(A, B), 1000], None),
    ([READY, SENT, SENT, error("disk_full"), 1011], None),
    ([READY, {"type": "erased"}, 1000], None),
    ([error("no_room"), 1013], None),
    ([ack(0)], "first message"),
    ([READY, READY], "twice"),
    ([READY, {"type": "sing"}], "unknown type"),
    ([READY, SENT, ack(16001)], "when 16000 were sent"),
    ([READY, SENT, ack(16000), ack(15999)], "went back"),
    ([READY, SENT, ack(True)], "not a count"),
    ([READY, SENT, ack(16000), AGAIN, {**READY, "samples": 15999}], "after an ack of 16000"),
    ([READY, SENT, AGAIN, {**READY, "samples": 16001}], "were ever sent"),
    ([READY, partial(100, "字字"), partial(100, "字")], "taken back"),
    ([READY, partial(100, "字甲"), partial(100, "字乙甲")], "taken back"),
    ([READY, partial(100, "字"), A, partial(100, "字字")], "after its final"),
    ([READY, B, partial(100, "字")], "after a final"),
    ([READY, SENT, ack(16000), partial(100, "字"), end(), 1000], "have no final"),
    ([READY, SENT, ack(16000), partial(100, "字"), partial(900, ""), end(), 1000], None),
    ([READY, B, A], "is new after final 1"),
    ([READY, A, A], "on one connection"),
    ([READY, A, AGAIN, READY, final(0, 100, 900, "別")], "another text"),
    ([READY, A, AGAIN, READY, final(0, 100, 901)], "another text or time"),
    ([READY, A, final(1, 800, 2000)], "inside the one before"),
    ([READY, final(0, 900, 900)], "ends at"),
    ([READY, A, note(), B, note()], "two notes within"),
    ([READY, A, note(), WAIT, note()], "2 notes after 1 finals"),
    ([READY, A, note((1, 0, 1))], "evidence"),
    ([READY, A, note((0, 0, 3))], "evidence"),
    ([READY, A, note((0, 1, 1))], "evidence"),
    ([READY, SENT, ack(8000), end()], "`end` after an ack of 8000"),
    ([READY, A, B, end(A)], "are not the 2 finals"),
    ([READY, end(), ack(0)], "after `end`"),
    ([READY, end(), 1006], "no close"),
    ([READY, end(), 1012], "closed with 1012"),
    ([READY, error("too_large"), 1003], "closed with 1003"),
    ([READY, 1008], "without an `error`"),
    ([READY, {"type": "error", "code": 7}], "an error without"),
]


def judged(steps):
    rules, now = Rules(16000), 0.0
    for step in steps:
        now += 0.05
        if step == AGAIN:
            rules.connected(now)
        elif step == SENT:
            rules.sending(rules.sent + 16000, now)
        elif step == WAIT:
            now += 1.5
        elif isinstance(step, int):
            rules.closed(step)
        else:
            rules.heard(step, now)
    return rules


async def rules():
    for number, (steps, wanted) in enumerate(CASES):
        broken = judged(steps).broken
        fine = not broken if wanted is None else len(broken) >= 1 and wanted in broken[0]
        hold(fine, f"case {number} should say {wanted!r} and says {broken}")
    late = Rules(16000)
    late.heard(READY, 0.0)
    late.sending(100, 1.0)
    late.heard(ack(100), 1.9)
    hold(late.too_far_behind() is not None, "a late ack is not noticed")
    return f"{len(CASES)} cases"


async def instruments():
    kept = Kept(2)
    kept.add(3, b"aabbcc")
    kept.add(0, "pause")
    kept.add(2, b"ddee")
    kept.next = 3
    kept.acknowledged(3)
    hold([what for _, _, what in kept.entries] == ["pause", b"ddee"], "a command is let go before sound after it is safe")
    kept.rewind(4)
    hold([(start, what) for start, _, what in kept.entries] == [(4, b"ee")], "what is kept is not cut where it is safe")
    for stable, text, wanted in (("", "字", 0), ("字甲", "字甲乙", 0), ("字丙", "字甲乙", 1), ("字甲乙丙", "字甲", 2)):
        hold(changed(stable, text) == wanted, f"{changed(stable, text)} characters changed, not {wanted}")
    one, other = A["segment"], B["segment"]
    joined = final(0, 100, 2000, "字字字字")["segment"]
    hold(up_to_the_cuts([one, other], [one, other]) == (2, 0), "equal segments are not equal")
    hold(up_to_the_cuts([one, other], [joined]) == (0, 1), "a cut elsewhere is not seen as one")
    for ours in ([one], [one, {**other, "text": "別"}]):
        try:
            up_to_the_cuts(ours, [one, other])
        except Wrong:
            continue
        hold(False, "a lost or a changed segment is not noticed")
    sealed = bytes((i * 151 + 7) % 256 for i in range(96))
    hold(len(found(blocks(sealed), {"a": bytes(37) + sealed[32:64] + bytes(9)})) == 1, "a sealed block that is left is not found")
    hold(len(found(blocks(sealed), {"a": bytes(500)})) == 0, "a block is found that is not there")


async def all(tally):
    await tally.check("the rules notice every breach that they are for", rules)
    await tally.check("what measures is right", instruments)
