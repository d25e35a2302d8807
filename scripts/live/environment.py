"""The virtual environment of the live checks, made on the first use, and where things are."""

from pathlib import Path

import virtual_environment

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / "target" / "venv-live"
PACKAGES = ["websockets==15.0.1", "numpy==2.2.6"]
AUDIO = ROOT.parent / "shared" / "audio"
BINARY = ROOT / "target" / "release" / "cantoscribe"


def in_virtual_environment():
    """Runs the calling script again inside the virtual environment, unless it already is."""
    virtual_environment.enter(VENV, PACKAGES)
