"""The shape of a model: from its folder, or one clear error."""

from __future__ import annotations

import pytest

from core.errors import BadInput
from cost_models.shapes import shape_of


@pytest.mark.parametrize("model", ["/" + "a" * 300, "~nobody-of-this-name/model"])
def test_a_path_that_cannot_be_looked_at_is_said(model: str) -> None:
    with pytest.raises(BadInput, match="cannot be used"):
        shape_of(model)
