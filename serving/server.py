"""The chat worker: `python -m serving.server SERVING_DIR [--lock-fd N]`.

Loads a base with its adapters, answers over HTTP, and ends when nobody has asked for a while or nobody is left who
could. Nothing heavy is imported before the first line of the log.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from pathlib import Path

from core.errors import TuneworthyError
from serving import lease
from serving.adapter_files import check_adapter
from serving.chat_http import HOST, ChatServer, say
from serving.endpoint import Address, ServingFolder, ServingSpec


def serve(folder: ServingFolder, spec: ServingSpec) -> None:
    """Load, answer until nobody asks any more or somebody says stop."""
    adapters = {name: Path(path) for name, path in spec.adapters.items()}
    for path in adapters.values():
        check_adapter(path)  # at once, not after the seconds that the libraries take
    folder.say("importing the libraries")
    from dataset.render import Renderer
    from serving.model import ChatModel

    folder.say("loading the model")
    say(f"loading {spec.base_model} with {len(spec.adapters)} adapter(s) on {spec.device}")
    model = ChatModel.load(Path(spec.base_path), adapters, spec.device)
    server = ChatServer(model, Renderer.from_folder(Path(spec.base_path)))
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True).start()
    folder.publish(
        Address(host=HOST, port=server.server_port, token=server.token, pid=os.getpid(), models=server.names)
    )
    say(f"ready on {HOST}:{server.server_port}")
    _wait_for_the_end(folder, spec, server, stopping)
    # In this order: who sees no address and "stopped" waits for the lock, then starts another worker.
    folder.say("stopped")
    folder.withdraw()
    server.shutdown()
    say("stopped")


def _wait_for_the_end(folder: ServingFolder, spec: ServingSpec, server: ChatServer, stopping: threading.Event) -> None:
    """Until somebody says stop, nobody has asked for a while, or nobody is left who could ask."""
    last_seen = time.monotonic()
    while not stopping.wait(0.2):
        now = time.monotonic()
        if lease.in_use(folder.path):
            last_seen = now
        if server.turn.locked():
            continue
        if now - server.last_used > spec.idle_minutes * 60:
            say("nobody asked for a while: ending")
            return
        if now - max(last_seen, server.last_used) > spec.orphan_seconds:
            say("everybody who used this worker is gone: ending")
            return


def main(arguments: list[str] | None = None) -> int:
    """Entry of the process. The parent passes on the lock that it took; alone, we take it ourselves."""
    parser = argparse.ArgumentParser(prog="python -m serving.server")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lock-fd", type=int, default=None)
    options = parser.parse_args(arguments)
    folder = ServingFolder(options.folder)
    say(f"chat worker {os.getpid()} starts")
    if options.lock_fd is None and folder.try_lock() is None:
        print("another worker serves this folder.", file=sys.stderr)
        return 2
    spec = folder.spec()
    if spec is None:
        folder.fail("The folder holds no spec.json. Start the chat again.")
        return 2
    try:
        serve(folder, spec)
    except TuneworthyError as error:
        folder.fail(str(error))
        say(str(error))
        return 1
    except MemoryError:
        folder.fail("There is not enough memory for this model. Close other programs, or choose a smaller base.")
        return 1
    except Exception as error:
        # The last door: whoever waits must read a reason, and the log keeps the whole story.
        folder.fail(f"The chat worker failed ({type(error).__name__}: {str(error)[:200]}). See its log.")
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
