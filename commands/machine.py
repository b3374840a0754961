"""What this machine can run, and the app itself: doctor, app."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from commands.printing import NO, OK, AsJson, print_json, print_table

PACKAGES = ("torch", "transformers", "peft", "trl", "streamlit", "pydantic", "openai", "bitsandbytes")
NEEDED_TO_TRAIN = ("torch", "transformers", "peft", "trl", "gguf")
LOOPBACK = ("127.0.0.1", "localhost")
"""As `server.allowedHosts` of .streamlit/config.toml: under any other name the app would not answer."""


def doctor(as_json: AsJson = False) -> int:
    """Say what this machine can run and what is missing."""
    from core.base_models import locate
    from core.home import cache_dir, home
    from core.jobspec import DEFAULT_BASE_MODEL
    from core.machine import machine

    here = machine()
    versions = {name: _version(name) for name in (*PACKAGES, "gguf")}
    missing = [name for name in NEEDED_TO_TRAIN if versions[name] is None]
    place = locate(DEFAULT_BASE_MODEL)
    found = {
        "python": sys.version.split()[0],
        "cores": here.cores,
        "memory_gib": round(here.memory_gib, 1),
        "gpus": here.gpus,
        "home": str(home()),
        "cache": str(cache_dir()),
        "packages": versions,
        "default_base_model": place.place if place.ready else f"not here yet, comes from: {', '.join(place.hosts)}",
        "can_train": not missing,
        "missing": missing,
    }
    if as_json:
        print_json(found)
    else:
        rows = [[key, _words(value)] for key, value in found.items() if key != "packages"]
        rows += [[name, version or "not installed"] for name, version in versions.items()]
        print_table("This machine", ["what", "found"], rows)
        typer.echo("Training can run here." if not missing else "Training cannot run here: pip install -e '.[local]'")
    return NO if missing else OK


def app(
    address: Annotated[str, typer.Option(help="Address to bind; loopback only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.", min=1, max=65535)] = 8501,
) -> int:
    """Open the app in this process, on this machine only."""
    from core.errors import Refused

    if address not in LOOPBACK:
        raise Refused(
            f"the app has no login yet and will not bind {address}.",
            "Use 127.0.0.1, and a tunnel such as `ssh -L 8501:localhost:8501 HOST` from elsewhere.",
        )
    script = Path(__file__).resolve().parent.parent / "app.py"
    os.chdir(script.parent)
    # Streamlit replaces this process: Ctrl-C, signals and exit codes are its own.
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.address", address]
    typer.echo(f"Tuneworthy is at http://localhost:{port} (stop with Ctrl-C). Jobs go on when you close it.")
    sys.stdout.flush()
    os.execv(sys.executable, [*command, "--server.port", str(port)])


def _version(name: str) -> str | None:
    import importlib.metadata

    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)
