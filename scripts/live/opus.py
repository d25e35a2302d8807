"""Opus packets by the system's libopus, and an Ogg file of the same packets for comparing with `transcribe`."""

import ctypes, ctypes.util, random, struct

RATE = 48000
VOIP = 2048


def library():
    """libopus (Debian: libopus0), or None."""
    name = ctypes.util.find_library("opus") or "libopus.so.0"
    try:
        opus = ctypes.CDLL(name)
    except OSError:
        return None
    opus.opus_encoder_create.restype = ctypes.c_void_p
    return opus


def packets(opus, data, channels=1, sizes=(20, 60, 10, 40)):
    """(packet, samples a channel) for s16 sound at 48 kHz, in frames of so many milliseconds; the last is filled up."""
    error = ctypes.c_int()
    encoder = ctypes.c_void_p(opus.opus_encoder_create(RATE, channels, VOIP, ctypes.byref(error)))
    if error.value:
        raise RuntimeError(f"libopus: error {error.value}")
    out, made, at, turn = ctypes.create_string_buffer(4000), [], 0, 0
    while at < len(data):
        samples = RATE * sizes[turn % len(sizes)] // 1000
        turn += 1
        size = samples * channels * 2
        length = opus.opus_encode(encoder, data[at : at + size].ljust(size, b"\0"), samples, out, len(out))
        if length < 0:
            raise RuntimeError(f"libopus: error {length}")
        made.append((out.raw[:length], samples))
        at += size
    opus.opus_encoder_destroy(encoder)
    return made


def checksum(page):
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ 0x04C11DB7 if register & 0x80000000 else register << 1) & 0xFFFFFFFF
    return register


def ogg(made, channels=1):
    """An Ogg Opus file of these packets, nothing skipped at its start. One packet a page."""
    serial, pages = random.Random(1).getrandbits(32), []
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, channels, 0, RATE, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 4) + b"live" + struct.pack("<I", 0)
    granule = 0
    for number, (packet, samples) in enumerate([(head, 0), (tags, 0), *made]):
        granule += samples
        flags = 2 if number == 0 else 4 if number == len(made) + 1 else 0
        lacing = bytes([255] * (len(packet) // 255) + [len(packet) % 255])
        page = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, serial, number, 0, len(lacing)) + lacing + packet
        pages.append(page[:22] + struct.pack("<I", checksum(page)) + page[26:])
    return b"".join(pages)
