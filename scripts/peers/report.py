"""The table and the document."""

import os, platform, re, statistics
from pathlib import Path

import character_error
from .engines import YARDSTICK

# What decides which kernels an engine can choose.
FLAGS = {
    "x86_64": "avx2 fma f16c avx_vnni avx512f avx512bw avx512_vnni avx512_bf16 avx512_fp16 amx_tile amx_int8 amx_bf16".split(),
    "aarch64": "asimd asimdhp asimddp i8mm bf16 sve sve2".split(),
}


def machine():
    """The processor, as far as it says what it is."""
    fields = dict(re.findall(r"^([^\t:]+?)\s*: (.*)$", Path("/proc/cpuinfo").read_text().split("\n\n")[0], re.M))
    flags, known = fields.get("flags", fields.get("Features", "")).split(), FLAGS.get(platform.machine(), [])
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": fields.get("model name", platform.machine()),
        "family_model": f"{fields.get('cpu family', '?')}/{fields.get('model', '?')}",
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "flags": [flag for flag in known if flag in flags],
        "flags_missing": [flag for flag in known if flag not in flags],
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def described(machine):
    """Lines that say what [`machine`] found."""
    m = machine
    return [
        f"machine: {m['processor']} (family/model {m['family_model']}), {m['cores']} cores, {m['memory_gib']} GiB, {m['system']}",
        f"  has {' '.join(m['flags']) or 'none of the flags looked for'}; lacks {' '.join(m['flags_missing']) or 'none'}",
        f"  load before the first run: {m['load_before']}",
    ]


def error_rate(clips, texts, language, simplified):
    """Character error rate in percent over the clips of one language, or None where there is none."""
    counts = [character_error.errors(c.transcript, t, simplified) for c, t in zip(clips, texts) if c.language == language]
    total = sum(length for _, length in counts)
    return 100 * sum(wrong for wrong, _ in counts) / total if total else None


def spread(values, digits):
    """The median, and the range where there is one."""
    low, middle, high = (f"{value:.{digits}f}" for value in (min(values), statistics.median(values), max(values)))
    return middle if low == high else f"{middle} ({low}-{high})"


def summary(engine, runs, yardstick, clips, simplified):
    """A row's figures, a value a repeat. Ratios are taken within a repeat: what slows the machine then slows both."""
    audio = sum(clip.seconds for clip in clips)
    pairs = list(zip(yardstick, runs))
    return {
        "engine": engine.name,
        "settings": engine.settings,
        "seconds": [run.seconds for run in runs],
        "real_time_factor": [run.seconds / audio for run in runs],
        "ratio": [base.seconds / run.seconds for base, run in pairs],
        "warm_real_time_factor": [run.warm_seconds / run.warm_audio for run in runs if run.warm_audio],
        "warm_ratio": [base.warm_seconds / run.warm_seconds for base, run in pairs if run.warm_audio],
        "first_text_seconds": [run.first_text for run in runs],
        "peak_mib": [run.peak_bytes / 2**20 for run in runs],
        "cer_percent": {
            language: [error_rate(clips, run.texts, language, simplified) for run in runs]
            for language in dict.fromkeys(clip.language for clip in clips)
        },
        "clips_without_text": [sum(not text for text in run.texts) for run in runs],
        "others_share": [run.others for run in runs],
        "clip_seconds": [run.clip_seconds for run in runs],
        "texts": [run.texts for run in runs],
    }


# Key, title, digits, and whether the range over the repeats is shown beside the median.
COLUMNS = [
    ("seconds", "seconds", 1, False),
    ("real_time_factor", "RTF", 3, False),
    ("ratio", "ratio", 2, True),
    ("warm_real_time_factor", "warm RTF", 3, False),
    ("warm_ratio", "warm ratio", 2, True),
    ("first_text_seconds", "first text", 2, False),
    ("peak_mib", "peak MiB", 0, False),
    ("cer_percent", "CER % yue", 1, True),
    ("clips_without_text", "no text", 0, False),
]


def cell(row, key, digits, ranged):
    values = row[key].get("yue") if key == "cer_percent" else row[key]
    if not values:
        return "-"
    return spread(values, digits) if ranged else f"{statistics.median(values):.{digits}f}"


def aligned(lines):
    """Lines of words as a table."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(f"{word:{width}}" for word, width in zip(line, widths)).rstrip() for line in lines)


def table(rows):
    lines = [["engine", "settings", *(column[1] for column in COLUMNS)]]
    lines += [[row["engine"], row["settings"], *(cell(row, key, digits, ranged) for key, _, digits, ranged in COLUMNS)] for row in rows]
    return aligned(lines)


def heading(document):
    """What the figures below it rest on."""
    clips = document["clips"]
    languages = ", ".join(f"{count} {language}" for language, count in clips["languages"].items())
    built = " ".join(re.findall(r"(\w+) = 1", document["about"]["whisper.cpp"]))
    return "\n".join(
        [
            f"compare-peers, {document['date']}",
            *described(document["machine"]),
            "versions: " + ", ".join(f"{name} {version}" for name, version in document["versions"].items()),
            f"  CTranslate2 computes in {', '.join(document['about']['ctranslate2'])}; whisper.cpp is built with {built}",
            f"weights: {document['weights']}",
            f"clips: {len(clips['files'])} of {clips['of']}, {clips['seconds']:.0f} s ({languages}); {document['threads']} threads",
            f"peers: {document['peers_settings']}",
        ]
    )


def legend(document, rows):
    others = max(share for row in rows for share in row["others_share"])
    return "\n".join(
        [
            f"{document['repeats_done']} of {document['repeats']} repeats, engines in turn; medians, and in brackets the range over the repeats.",
            "seconds: whole processes with start-up, one for each language. The peers' start-up has Python's in it, as their users have.",
            f"ratio: how many times as fast as {YARDSTICK} in the same repeat. warm: between the first text and the last of a process.",
            "first text: from start to the first clip's text, in seconds, files cached. no text: clips that the engine wrote nothing for.",
            f"Other processes took at most {100 * others:.0f}% of the processors during a run.",
        ]
    )
