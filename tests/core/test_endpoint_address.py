from __future__ import annotations

import pytest

from core.endpoint_address import EXAMPLE, EndpointAddress, is_endpoint
from core.errors import BadInput


def test_one_line_names_the_host_the_model_and_the_variable_of_the_key() -> None:
    found = EndpointAddress.parse(EXAMPLE)
    assert (found.base_url, found.host) == ("https://api.openai.com/v1", "api.openai.com")
    assert (found.model, found.key_variable) == ("gpt-4.1-mini", "OPENAI_API_KEY")
    local = EndpointAddress.parse("http://localhost:8000/v1/chat/completions#org/model-7b:free")
    assert local.base_url == "http://localhost:8000/v1" and local.model == "org/model-7b:free"
    assert local.own_machine and not found.own_machine and local.key_variable == ""


@pytest.mark.parametrize(
    "text",
    [
        "https://api.example.com/v1",
        "https://api.example.com/v1#",
        "https://#model",
        "http://api.example.com/v1#model",
        "https://name:word@api.example.com/v1#model",
        "https://api.example.com/v1?key=sk-abc123#model",
        "https://api.example.com/v1?api_key=secret#model",
        "https://api.example.com:port/v1#model",
        "https://[::1/v1#model",
        "ftp://api.example.com/v1#model",
        "api.example.com#model",
        "",
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        EndpointAddress.parse(text)
    assert "abc123" not in str(refused.value) and "secret" not in str(refused.value)


def test_folders_and_hub_ids_are_no_endpoints() -> None:
    assert is_endpoint("https://x.example/v1#m") and is_endpoint(" HTTP://localhost/v1#m")
    assert not any(map(is_endpoint, (None, "", "org/model", "/models/https", "./http")))
