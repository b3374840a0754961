"""What SECURITY.md says of the server is what the server is told."""

from __future__ import annotations

import tomllib

from commands.machine import LOOPBACK

from .conftest import ROOT


def test_the_server_is_set_up_as_the_threat_model_says() -> None:
    settings = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    server = settings["server"]
    assert server["address"] == "127.0.0.1"
    assert server["allowedHosts"] == ["localhost", "127.0.0.1"]
    assert set(LOOPBACK) == set(server["allowedHosts"]), "an address that opens and does not answer"
    assert server["enableXsrfProtection"] and server["enableCORS"]
    assert server["maxUploadSize"] == 1024, "in MiB: the 1 GiB of the page"
    assert settings["browser"]["gatherUsageStats"] is False
    page = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert all(word in page for word in ("127.0.0.1", "server.allowedHosts", "1 GiB", "Usage statistics are off"))
