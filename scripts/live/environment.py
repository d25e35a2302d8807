"""The virtual environment of the live checks, made on the first use, and where things are."""

import os, subprocess, sys, venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / "target" / "venv-live"
PACKAGES = ["websockets==15.0.1", "numpy==2.2.6"]
AUDIO = ROOT.parent / "shared" / "audio"
BINARY = ROOT / "target" / "release" / "cantoscribe"


def in_virtual_environment():
    """Runs the calling script again inside the virtual environment, unless it already is."""
    if Path(sys.prefix) == VENV:
        return
    python = VENV / "bin" / "python"
    if not (VENV / "complete").exists():
        venv.create(VENV, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES], check=True)
        (VENV / "complete").touch()
    os.execv(python, [str(python), *sys.argv])
