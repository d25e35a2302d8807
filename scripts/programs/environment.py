"""The virtual environment of the checks with OpenAI's package, made on the first use."""

import virtual_environment
from live.environment import AUDIO, BINARY, ROOT

VENV = ROOT / "target" / "venv-openai"
PACKAGES = ["openai[realtime]==3.57.0"]
FIXTURES = ROOT / "tests" / "fixtures"


def in_virtual_environment():
    """Runs the calling script again inside the virtual environment, unless it already is."""
    virtual_environment.enter(VENV, PACKAGES)
