"""A script's own virtual environment, made on its first use."""

import os, subprocess, sys, venv
from pathlib import Path


def enter(folder, packages):
    """Runs the calling script again inside `folder`, unless it already is; makes it anew when other packages are asked for."""
    if Path(sys.prefix) == folder:
        return
    python, complete, wanted = folder / "bin" / "python", folder / "complete", "\n".join(packages)
    if not complete.exists() or complete.read_text() != wanted:
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages], check=True)
        complete.write_text(wanted)
    os.execv(python, [str(python), *sys.argv])
