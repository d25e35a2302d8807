"""Character error rate as the recordings' README defines it.

Traditional to Simplified, punctuation and spaces removed, lower case; then the edit distance over the reference's length.
"""

import unicodedata

PACKAGE = "opencc-python-reimplemented==0.1.7"


def converter():
    """Traditional to Simplified. Imported late: the package is only there inside a virtual environment that installed it."""
    import opencc

    return opencc.OpenCC("t2s")


def normalise(text, simplified):
    kept = (c for c in simplified.convert(text).lower() if unicodedata.category(c)[0] not in "PZSC")
    return "".join(kept)


def distance(a, b):
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (x != y))
    return row[-1]


def errors(transcript, text, simplified):
    """How many characters of `text` are wrong, and how many there should be."""
    reference = normalise(transcript, simplified)
    return distance(reference, normalise(text, simplified)), len(reference)
