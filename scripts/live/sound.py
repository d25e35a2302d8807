"""The sound that the live checks send: clips of ../shared/audio with pauses, in several formats."""

import array, csv, math, random, shutil, subprocess, sys, wave

from .environment import AUDIO

# Two short ones and one of five seconds, all heard as something by every model.
THREE = ("cv_zh-HK_22921554.wav", "cv_zh-HK_22283301.wav", "cv_zh-HK_23675496.wav")
RATE = 16000


def read_wav(path):
    """Rate, channels and the bytes of a WAV of 16 bits."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            sys.exit(f"{path.name}: not 16 bits a sample")
        return file.getframerate(), file.getnchannels(), file.readframes(file.getnframes())


def write_wav(path, data, rate=RATE, channels=1):
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, rate, 0, "NONE", ""))
        file.writeframes(data)
    return path


def silence(seconds, rate=RATE, channels=1):
    return bytes(2 * channels * round(seconds * rate))


def clip(name):
    rate, channels, data = read_wav(AUDIO / name)
    if (rate, channels) != (RATE, 1):
        sys.exit(f"{name}: not 16 kHz mono")
    return data


def manifest():
    with (AUDIO / "manifest.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def three_clips(pause=2.0):
    """Three clips with a faint room noise in the pauses, as one stretch of sound."""
    dice = random.Random(3)
    parts = [silence(0.4)]
    for name in THREE:
        faint = array.array("h", (dice.randint(-8, 8) for _ in range(round(pause * RATE))))
        parts += [clip(name), faint.tobytes()]
    return b"".join(parts)


def as_floats(data):
    """The same samples as f32, exactly."""
    samples = array.array("h", data)
    return array.array("f", (x / 32768 for x in samples)).tobytes()


def by_sox(path, target, rate, channels):
    """The same sound at another rate and number of channels; None without sox."""
    if shutil.which("sox") is None:
        return None
    subprocess.run(["sox", "-D", path, "-b", "16", "-r", str(rate), "-c", str(channels), target], check=True)
    return read_wav(target)[2]


def side_by_side(left, right):
    """Two voices as the two channels of one sound; the shorter is filled up with silence."""
    length = max(len(left), len(right))
    both = array.array("h", bytes(2 * length))
    both[0::2] = array.array("h", left.ljust(length, b"\0"))
    both[1::2] = array.array("h", right.ljust(length, b"\0"))
    return both.tobytes()


def tone(seconds, rate=RATE, level=3000):
    return array.array(
        "h", (round(level * math.sin(2 * math.pi * 440 * i / rate)) for i in range(round(seconds * rate)))
    ).tobytes()
