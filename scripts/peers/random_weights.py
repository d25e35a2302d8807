"""SenseVoice and Qwen3-ASR at their published sizes, with random weights: who is compared, over what, and whether all say the same.

Real weights cannot be fetched here, and speed does not depend on them: the same checkpoint, made by the family's reference script, goes
through all engines. What is heard is real speech, the manifest's Cantonese clips joined and cut into equal pieces; what is written means
nothing, but must be the same wherever the arithmetic is f32. Qwen3-ASR writes as many tokens as the checkpoint's `max_new_tokens` says:
random weights do not end an answer.
"""

import csv, datetime, hashlib, json, os, statistics, subprocess, sys, tomllib, wave
from dataclasses import dataclass, field
from pathlib import Path

import character_error
from . import measure, report
from .engines import ROOT, WORKER, Engine

RATE = 16000
LANGUAGE = "yue"
CRATE = Path(__file__).with_name("qwen-asr-crate")


@dataclass
class Piece:
    path: Path
    seconds: float
    language: str = LANGUAGE


@dataclass
class Row:
    """An engine, what its lines say, as words that can be compared, and the processes that it ran as."""

    engine: Engine
    words: object
    packages: list = field(default_factory=list)
    runs: list = field(default_factory=list)

    @property
    def name(self):
        return f"{self.engine.name} {self.engine.settings}"


def ours(arguments, folder, setting, words):
    command = [arguments.binary, "transcribe", "--raw", "--model", folder, "--format", "json", "--threads", arguments.threads, "--compute", "cpu"]
    row = Engine("cantoscribe", setting, [*command, *setting.split()], {}, ["--language"])
    return Row(row, lambda line: words(json.loads(line)["segments"][0]))


class SenseVoice:
    """Against sherpa-onnx, whose users have the 8-bit file."""

    reference, weights = "sense-voice-reference", "model.pt"
    folder = ROOT / "target" / "sense-voice-full"
    venv = ROOT / "target" / "venv-sherpa-onnx"
    packages = ["sherpa-onnx==2.0.1", "numpy==2.4.6"]
    exact, settings, bound = "--precision exact", ["--precision balanced", "--precision fast"], 1.3
    yardstick = "sherpa-onnx int8"
    python, versions = venv / "bin" / "python", ["sherpa-onnx"]
    crates, pieces, seconds = {}, 12, 8

    def remark(self, _arguments, _piece, _segment):
        return "`as exact` of sherpa-onnx float32 says whether it is the same network."

    def exported(self):
        """The checkpoint as sherpa-onnx loads it, made on the first call."""
        folder = self.folder / "onnx"
        complete, source = folder / "model.int8.onnx", self.folder / "model.pt"
        if not complete.exists() or complete.stat().st_mtime < source.stat().st_mtime:
            python = ROOT / "target" / "venv-sense-voice" / "bin" / "python"
            subprocess.run([python, WORKER.with_name("sense_voice_onnx.py"), self.folder, folder], check=True)
        return folder

    def rows(self, arguments):
        model = self.exported()
        names = [line.rsplit(" ", 1)[0] for line in (model / "tokens.txt").read_text(encoding="utf-8").splitlines()]
        # sherpa-onnx leaves the first four out, which are tags where the weights are trained.
        words = lambda segment: [names[id] for id in segment["tokens"]][4:]
        start = lambda kind: [sys.executable, WORKER, "sherpa-onnx", kind, model, arguments.threads]
        peers = [Row(Engine("sherpa-onnx", kind, start(kind), {}, []), str.split) for kind in ("int8", "float32")]
        return peers, lambda setting: ours(arguments, self.folder, setting, words)


class Qwen3Asr:
    """Against the crate of that name, which decodes with 8-bit weights and hears in f32, and the published package."""

    reference, weights = "qwen3-asr-reference", "model.safetensors"
    folder = ROOT / "target" / "qwen3-asr-full"
    venv, packages = None, []
    exact, settings, bound = "--precision exact", ["--precision balanced", "--precision fast"], 1.5
    yardstick = "the crate and the package"
    python, versions = ROOT / "target" / "venv-qwen3-asr" / "bin" / "python", ["qwen-asr", "transformers", "torch"]
    crates = {"qwen-asr (crate)": tomllib.loads((CRATE / "Cargo.toml").read_text())["dependencies"]["qwen-asr"].lstrip("=")}
    # The package forgets on a processor that attention keeps to windows of eight seconds; a chunk of a second that is not whole the crate
    # fills up in another way.
    pieces, seconds = 3, 8

    def built(self):
        """The crate's driver, for this very processor, as its own page advises."""
        target = ROOT / "target" / "qwen-asr-crate"
        environment = {**os.environ, "RUSTFLAGS": "-C target-cpu=native", "CARGO_TARGET_DIR": str(target)}
        manifest = ["--manifest-path", CRATE / "Cargo.toml"]
        subprocess.run(["cargo", "build", "-q", "--release", "--locked", *manifest], env=environment, check=True)
        return target / "release" / "qwen-asr-crate"

    def remark(self, arguments, piece, segment):
        """Whether the crate's network is the same one: it decodes with 8-bit weights, so that its text alone does not say."""
        ids = ",".join(map(str, segment["tokens"]))
        command = [self.built(), "check", self.folder, str(arguments.threads), ids, "Cantonese", piece.path]
        chosen = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split(",")
        same = sum(mine == theirs for mine, theirs in zip(ids.split(","), chosen))
        return f"Given the tokens of ours in exact, the crate's f32 arithmetic chooses {same} of {len(chosen)} as ours did."

    def rows(self, arguments):
        tokens = json.loads((self.folder / "generation_config.json").read_text())["max_new_tokens"]
        words = lambda segment: segment["text"].split() if len(segment["tokens"]) == tokens else ["(another number of tokens)"]
        names = {LANGUAGE: "Cantonese"}
        package = lambda kind: [self.python, WORKER, "qwen-asr", kind, self.folder, arguments.threads]
        crate = [self.built(), self.folder, arguments.threads, tokens]
        environment = {"OPENBLAS_NUM_THREADS": str(arguments.threads)}
        if "avx512f" in report.machine()["flags"]:
            # An OpenBLAS that does not know the processor takes AVX2.
            environment["OPENBLAS_CORETYPE"] = "SkylakeX"
        peers = [Row(Engine("qwen-asr crate", "(default)", crate, names, [], environment), str.split)]
        peers += [Row(Engine("qwen-asr package", kind, package(kind), names, []), str.split) for kind in ("float32", "bfloat16")]
        return peers, lambda setting: ours(arguments, self.folder, setting, words)


FAMILIES = {"sense-voice": SenseVoice(), "qwen3-asr": Qwen3Asr()}


def speech(manifest, count, seconds):
    """The Cantonese clips beside a manifest, one after the other, cut into `count` pieces."""
    with manifest.open(encoding="utf-8") as file:
        names = [row["file"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if row["language"] == LANGUAGE]
    folder, whole, length = ROOT / "target" / "peers-speech", b"", 2 * RATE * seconds
    for name in names:
        with wave.open(str(manifest.parent / name)) as clip:
            if (clip.getframerate(), clip.getnchannels(), clip.getsampwidth()) != (RATE, 1, 2):
                sys.exit(f"compare-peers: {name} is not 16 kHz, mono, 16 bits")
            whole += clip.readframes(clip.getnframes())
    if len(whole) < count * length:
        sys.exit(f"compare-peers: the manifest's clips in `{LANGUAGE}` are too short for {count} pieces of {seconds} s")
    folder.mkdir(exist_ok=True)
    for index in range(count):
        with wave.open(str(folder / f"{seconds}s-{index}.wav"), "wb") as piece:
            piece.setparams((1, 2, RATE, 0, "NONE", ""))
            piece.writeframes(whole[index * length : (index + 1) * length])
    return [Piece(folder / f"{seconds}s-{index}.wav", seconds) for index in range(count)]


def agreement(row, exact):
    """One less the share of words that would have to change to make of a row's what ours in `exact` says."""
    pairs = [(row.words(mine), exact.words(theirs)) for mine, theirs in zip(row.runs[0].texts, exact.runs[0].texts)]
    return 1 - sum(character_error.distance(mine, theirs) for mine, theirs in pairs) / sum(len(theirs) for _, theirs in pairs)


def summary(row, peers, exact):
    """Hearing is from a process' first line to its last; what comes before, start-up, loading and the first piece, is `first_text`."""
    ratios = {
        peer.name: [theirs.warm_seconds / mine.warm_seconds for theirs, mine in zip(peer.runs, row.runs)]
        for peer in peers
        if row is not exact
    }
    return {
        "engine": row.engine.name,
        "settings": row.engine.settings,
        "first_text_seconds": [run.first_text for run in row.runs],
        "hearing_seconds": [run.warm_seconds for run in row.runs],
        "real_time_factor": [run.warm_seconds / run.warm_audio for run in row.runs],
        "times_as_fast_as": ratios,
        "peak_mib": [run.peak_bytes / 2**20 for run in row.runs],
        "as_exact": agreement(row, exact),
        "others_share": [run.others for run in row.runs],
        "piece_seconds": [run.clip_seconds for run in row.runs],
    }


def table(found, peers):
    lines = [["engine", "settings", "first text", "hearing s", "RTF", *(f"x {peer.name}" for peer in peers), "peak MiB", "as exact"]]
    for row in found:
        ratios = [row["times_as_fast_as"].get(peer.name) for peer in peers]
        middle = lambda key, digits: f"{statistics.median(row[key]):.{digits}f}"
        lines.append([
            row["engine"], row["settings"], middle("first_text_seconds", 2), report.spread(row["hearing_seconds"], 2),
            middle("real_time_factor", 4), *(report.spread(values, 2) if values else "-" for values in ratios), middle("peak_mib", 0),
            f"{100 * row['as_exact']:.0f}%",
        ])
    return report.aligned(lines)


def versions(arguments, family):
    binary = hashlib.sha256(arguments.binary.read_bytes()).hexdigest()
    ask = "import importlib.metadata, json, sys; print(json.dumps({name: importlib.metadata.version(name) for name in sys.argv[1:]}))"
    packages = subprocess.run([family.python, "-c", ask, *family.versions], capture_output=True, text=True, check=True).stdout
    return {"cantoscribe": f"(SHA-256 {binary[:12]})", **json.loads(packages), **family.crates}


def described(arguments, family, pieces):
    return {
        "family": arguments.family,
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": report.machine(),
        "versions": versions(arguments, family),
        "pieces": len(pieces),
        "seconds_each": family.seconds,
        "threads": arguments.threads,
        "repeats": arguments.repeats,
    }


def compare(arguments):
    """All engines in turn, `repeats` times; prints the table and writes the JSON. Ours in `exact` runs once, for what it says."""
    family = FAMILIES[arguments.family]
    if not (family.folder / family.weights).exists():
        sys.exit(f"compare-peers: no {family.folder.name}: run `scripts/{family.reference} --full` first")
    pieces = speech(arguments.manifest, arguments.clips or family.pieces, family.seconds)
    peers, own = family.rows(arguments)
    exact = own(family.exact)
    rows = peers + [own(setting) for setting in arguments.setting or family.settings]
    document = described(arguments, family, pieces)
    print("\n".join([
        f"compare-peers --family {arguments.family}, {document['date']}",
        *report.described(document["machine"]),
        "versions: " + ", ".join(f"{name} {version}" for name, version in document["versions"].items()),
        f"{len(pieces)} pieces of {family.seconds} s, {arguments.threads} threads, {arguments.repeats} repeats, weights random",
    ]), flush=True)
    for row in rows:  # untimed: an engine that fails is found before minutes are spent, and the files are in the cache
        measure.run(row.engine, pieces[:1], arguments.threads)
    exact.runs.append(measure.run(exact.engine, pieces, arguments.threads))
    print(family.remark(arguments, pieces[0], json.loads(exact.runs[0].texts[0])["segments"][0]), flush=True)
    for repeat in range(arguments.repeats):
        for row in rows:
            row.runs.append(measure.run(row.engine, pieces, arguments.threads))
            print(f"{repeat + 1}/{arguments.repeats} {row.name}: {row.runs[-1].seconds:.1f} s", file=sys.stderr)
    found = [summary(row, peers, exact) for row in [*rows, exact]]
    if arguments.json:
        arguments.json.write_text(json.dumps({**document, "engines": found}, ensure_ascii=False, indent=1) + "\n")
    print("\n" + table(found, peers) + "\n")
    print("Ratios: how many times as fast an engine hears as the one named, in the same repeat. Medians, and in brackets the range.")
    print(f"Asked for: {family.bound} times as fast as {family.yardstick}.")
    others = max(share for row in found for share in row["others_share"])
    print(f"Other processes took at most {100 * others:.0f}% of the processors during a run.")
