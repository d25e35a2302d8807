"""An engine as a whole process, clocked and weighed from outside."""

import os, subprocess, sys, tempfile, time
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path


@dataclass
class Run:
    """What one engine made of all clips. A process takes one language, so this may be several processes in a row."""

    seconds: float  # from start to exit, all processes
    first_text: float  # from the start of the first process to its first line
    warm_seconds: float  # from the first line of each process to its last: neither start-up nor the first clip is in it
    warm_audio: float  # seconds of the clips that were transcribed in that time
    peak_bytes: int
    others: float  # share of the machine's processors that something else used meanwhile
    clip_seconds: list  # from line to line; the first of a process has its start-up in it
    texts: list


def busy_seconds():
    """Processor seconds used or stolen since the machine started, by anybody."""
    user, nice, system, _idle, _wait, interrupt, soft, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + interrupt + soft + steal) / os.sysconf("SC_CLK_TCK")


def process(command, environment):
    """Lines with the second each came at, seconds to exit, peak memory in bytes, processor seconds of others. Ends all if it fails."""
    with tempfile.TemporaryFile("w+") as errors:
        busy, begin = busy_seconds(), time.monotonic()
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": errors}
        child = subprocess.Popen(command, env=environment, encoding="utf-8", **streams)
        lines = [(time.monotonic() - begin, line.rstrip("\n")) for line in child.stdout]
        _, status, usage = os.wait4(child.pid, 0)
        seconds, busy = time.monotonic() - begin, busy_seconds() - busy
        child.returncode = os.waitstatus_to_exitcode(status)
        child.stdout.close()
        errors.seek(0)
        complaint = errors.read()
    if child.returncode != 0:
        what = " ".join(Path(word).name for word in command[:9])
        sys.exit(f"compare-peers: `{what} ...` exited {child.returncode}:\n{complaint}")
    return lines, seconds, usage.ru_maxrss * 1024, busy - usage.ru_utime - usage.ru_stime


def run(engine, clips, threads):
    """One engine over all clips, which are sorted by language."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), **engine.environment}
    result, foreign, at = Run(0, 0, 0, 0, 0, 0, [], []), 0.0, 0
    for language, group in groupby(clips, key=lambda clip: clip.language):
        group = list(group)
        lines, seconds, peak, others = process(engine.command(language, [str(clip.path) for clip in group]), environment)
        if len(lines) != len(group):
            sys.exit(f"compare-peers: {engine.name} {engine.settings} wrote {len(lines)} lines for {len(group)} clips")
        times = [when for when, _ in lines]
        result.first_text = result.first_text or times[0]
        result.seconds += seconds
        result.warm_seconds += times[-1] - times[0]
        result.warm_audio += sum(clip.seconds for clip in group[1:])
        result.peak_bytes = max(result.peak_bytes, peak)
        result.clip_seconds += [times[0], *(after - before for before, after in zip(times, times[1:]))]
        result.texts += [text for _, text in lines]
        foreign += others
    result.others = max(0.0, foreign / (result.seconds * os.cpu_count()))
    return result
