"""A script's own virtual environment, made on its first use."""

import os, subprocess, sys, venv
from pathlib import Path


def enter(folder, packages, bare=(), any_python=False):
    """Runs the calling script again inside `folder`, unless it already is; makes it anew when other packages are asked for.

    Those of `bare` are installed without what they say they need: where a script uses a small part of a large package. With `any_python`
    it does not matter which Python they say they need: where they run on an older one.
    """
    if Path(sys.prefix) == folder:
        return
    python, complete, wanted = folder / "bin" / "python", folder / "complete", "\n".join([*packages, *bare])
    if not complete.exists() or complete.read_text() != wanted:
        venv.create(folder, with_pip=True, clear=True)
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *(["--ignore-requires-python"] if any_python else [])]
        subprocess.run([*install, *packages], check=True)
        if bare:
            subprocess.run([*install, "--no-deps", *bare], check=True)
        complete.write_text(wanted)
    os.execv(python, [str(python), *sys.argv])
