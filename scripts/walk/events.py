"""The events of an audit log's files, read without our program: tlog-tiles' entry bundles."""

import base64, hashlib, json, time


def events(log):
    """All events that the checkpoint in this folder is signed for."""
    size = int((log / "checkpoint").read_text().split("\n")[1])
    found = []
    for number in range((size + 255) // 256):
        width = min(256, size - 256 * number)
        digits = f"{number:03}" if number < 1000 else f"x{number // 1000:03}/{number % 1000:03}"
        path = log / "tile" / "entries" / (digits if width == 256 else f"{digits}.p/{width}")
        if not path.exists():
            # It has become full meanwhile.
            path = log / "tile" / "entries" / digits
        content, at, last = path.read_bytes(), 0, len(found) + width
        while len(found) < last:
            length = int.from_bytes(content[at : at + 2], "big")
            found.append(json.loads(content[at + 2 : at + 2 + length])["event"])
            at += 2 + length
    return found


def settled(log):
    """All events, once the files have had no new one for 0.9 s: on a busy machine they come a moment behind what was answered."""
    found, same = events(log), 0
    while same < 3:
        time.sleep(0.3)
        more = events(log)
        same = same + 1 if len(found) == len(more) else 0
        found = more
    return found


def action(event):
    """What was done, without counts and reasons."""
    return event["action"] if isinstance(event["action"], str) else next(iter(event["action"]))


def record_id(thing):
    """What the log calls a recording."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"cantoscribe recording\n" + thing.encode()).digest()[:16]).rstrip(b"=").decode()
