"""Looks for words in everything that lies in a folder, in each form in which a program may have written them."""

import base64, re
from urllib.parse import quote


def forms(word):
    """The word in UTF-8, UTF-16, base64 at each of three places, hexadecimal, JSON's escapes and an address's: `{name: bytes}`."""
    plain = word.encode()
    found = {"UTF-8": plain, "UTF-16LE": word.encode("utf-16-le"), "UTF-16BE": word.encode("utf-16-be"), "UTF-8 backwards": plain[::-1]}
    for name, content in (("UTF-8", plain), ("UTF-16LE", word.encode("utf-16-le"))):
        found[f"hexadecimal of {name}"] = content.hex().encode()
        for shift in range(3):
            # The first and the last letters depend on what stands beside the word.
            first, last = -(-8 * shift // 6) if shift else 0, (shift + len(content)) * 8 // 6
            for kind, code in (("base64", base64.b64encode), ("base64url", base64.urlsafe_b64encode)):
                found[f"{kind} of {name} from byte {shift}"] = code(bytes(shift) + content)[first:last]
    if word != word.encode("ascii", "replace").decode():
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in word)
        found.update({"JSON's escapes": escaped.encode(), "Rust's escapes": "".join(f"\\u{{{ord(letter):x}}}" for letter in word).encode(), "an address": quote(word).encode()})
    return found


class Search:
    """Words to look for, all at once."""

    def __init__(self, words):
        self.names = {}
        for word in words:
            for name, content in forms(word).items():
                self.names.setdefault(content.lower(), f"`{word}` in {name}")
        self.pattern = re.compile(b"|".join(re.escape(content) for content in sorted(self.names, key=len, reverse=True)), re.IGNORECASE)

    def content(self, content):
        """What is found in these bytes."""
        return {self.names[found.lower()] for found in self.pattern.findall(content)}

    def files(self, folders):
        """What is found in the files of these folders and in their names, and how many files and bytes were looked through."""
        found, count, size = {}, 0, 0
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                seen = self.content(str(path.relative_to(folder)).encode())
                if path.is_file() and not path.is_symlink():
                    content = path.read_bytes()
                    count, size = count + 1, size + len(content)
                    seen |= self.content(content)
                if seen:
                    found[path] = sorted(seen)
        return found, count, size
