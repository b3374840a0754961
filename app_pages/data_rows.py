"""The rows of a plan: a table with problem rows marked, how long they are, and what of a row is learned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from app_pages.data_copies import rows_at
from app_pages.data_findings import is_of_held_out, title_of
from app_pages.figures import plain
from core.base_models import locate
from core.errors import BadInput, TuneworthyError
from core.jobspec import DEFAULT_BASE_MODEL
from core.plan import DataRef
from dataset.checks.tokens import token_counts
from dataset.finding import MAX_ROWS_LISTED
from dataset.prepare import read_manifest
from dataset.read import read
from dataset.render import Renderer
from dataset.row import Row

FIRST_ROWS = 100
MEASURED_ROWS = 5_000
BINS = 24
FEWEST_LENGTHS = 3
PARTS = {"train": "To train on", "validation": "To steer by", "test": "Held out"}
MARKED = "With problems"


def rows_of(path: str) -> tuple[Row, ...]:
    """The rows of one of our copies, read once. Raises `NotFound` when it is gone."""
    place = Path(path)
    return _rows_of(path, place.stat().st_mtime_ns if place.is_file() else 0)


@lru_cache(maxsize=6)
def _rows_of(path: str, _changed: int) -> tuple[Row, ...]:
    return read(Path(path)).rows


def first_rows(path: str) -> tuple[Row, ...]:
    """As many as are measured."""
    return rows_at(path, range(1, MEASURED_ROWS + 1))


def renderer_of(model: str | None) -> Renderer | None:
    """Tokenizer and template of a base model (the default for None); None while it is not on this machine."""
    model = model or DEFAULT_BASE_MODEL
    try:
        place = locate(model)
        return _renderer(str(place.path), model) if place.path else None
    except TuneworthyError:
        return None


@lru_cache(maxsize=2)
def _renderer(folder: str, name: str) -> Renderer:
    return Renderer.from_folder(Path(folder), name=name)


def lengths(data: DataRef, renderer: Renderer | None) -> tuple[list[int], str]:
    """Length of each of the first training rows, and in what it is counted."""
    if renderer is None:
        return [len(row.text) for row in first_rows(data.train)], "characters"
    return _tokens(data.train, Path(data.train).stat().st_mtime_ns, renderer), "tokens"


@lru_cache(maxsize=12)
def _tokens(path: str, _changed: int, renderer: Renderer) -> list[int]:
    encoded = renderer.encode_all(first_rows(path), None)
    return [found.tokens for _, found in encoded if not isinstance(found, BadInput)]


def token_counts_of(data: DataRef, renderer: Renderer | None) -> dict[str, float | str]:
    """The counts that were made when the file came in; made anew where another base model was chosen since."""
    if renderer is None or data.tokens.get("tokenizer") == renderer.name or data.rows > MEASURED_ROWS:
        return data.tokens
    paths = list(dict.fromkeys(str(getattr(data, part)) for part in PARTS))
    found = [count for path in paths for count in _tokens(path, Path(path).stat().st_mtime_ns, renderer)]
    return dict(token_counts(found, renderer.name).model_dump())


def histogram(data: DataRef, renderer: Renderer | None) -> None:
    """How long the training rows are."""
    import plotly.graph_objects as go
    import streamlit.elements.plotly_chart  # noqa: F401  registers the template whose colours follow the theme

    found, unit = lengths(data, renderer)
    if len(set(found)) < FEWEST_LENGTHS:
        return  # the counts above say it all
    figure = go.Figure(go.Histogram(x=found, nbinsx=BINS, hovertemplate=f"%{{x}} {unit}: %{{y}} rows<extra></extra>"))
    figure.update_layout(
        template="streamlit",
        height=240,
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        bargap=0.08,
        xaxis_title=f"{unit.capitalize()} of a training row",
        yaxis_title="Rows",
        xaxis_tickformat=",",
        yaxis_tickformat=",",
    )
    st.plotly_chart(
        figure,
        key="data.lengths",
        config={"displayModeBar": False},
        alt=f"Histogram of row lengths: {len(found)} rows, {min(found)} to {max(found)} {unit}.",
    )
    if data.train_rows > len(found):
        st.caption(f"The first {len(found):,} of {data.train_rows:,} training rows.")


def table(data: DataRef) -> None:
    """The first rows of a part, with the line of the original and what was found there."""
    lines = read_manifest(data).lines
    problems = {name: problems_by_line(data, name) for name in PARTS}
    marked = sum(line in problems[name] for name in PARTS for line in lines.get(name, []))
    parts = ({"marked": f"{MARKED} ({marked})"} if marked else {}) | PARTS
    part: str | None = st.segmented_control(
        "Part",
        list(parts),
        default="train",
        required=True,
        format_func=parts.__getitem__,
        key="data.part",
        label_visibility="collapsed",
        wrap=True,
    )
    only = _chosen_problem(problems, lines) if part == "marked" else None
    cells: list[dict[str, Any]] = []
    for name in PARTS if part == "marked" else [part or "train"]:
        of_part = lines.get(name, [])
        wanted: Sequence[int] = range(1, min(FIRST_ROWS, len(of_part)) + 1)
        if part == "marked":
            found = {line for line, kinds in problems[name].items() if only in (None, *kinds)}
            wanted = [number for number, line in enumerate(of_part, 1) if line in found]
        for row in rows_at(str(getattr(data, name)), wanted[: FIRST_ROWS - len(cells)]):
            line = of_part[row.line - 1]
            cells.append(_cells(row, line, ", ".join(problems[name].get(line, []))))
    if not cells:
        st.caption("This part has no rows.")
        return
    _show(cells)
    if part == "marked":
        listed = [finding.get("rows") for finding in data.findings]
        if any(isinstance(found, list) and len(found) == MAX_ROWS_LISTED for found in listed):
            st.caption(f"Each finding lists its first {MAX_ROWS_LISTED} lines.")
    elif len(lines.get(part or "train", [])) > len(cells):
        st.caption(f"The first {len(cells):,} of {len(lines[part or 'train']):,} rows.")


def _chosen_problem(problems: dict[str, dict[int, list[str]]], lines: dict[str, list[int]]) -> str | None:
    """One kind of problem to see alone; None for all."""
    kinds = sorted({kind for name in PARTS for line in lines.get(name, []) for kind in problems[name].get(line, [])})
    if len(kinds) < 2:
        return None
    return st.selectbox(
        "Which problem", kinds, index=None, placeholder="Any problem", key="data.problem", label_visibility="collapsed"
    )


def problems_by_line(data: DataRef, part: str = "train") -> dict[int, list[str]]:
    """{line of the file that a part came from: what was found there}.

    Held-out rows may have come in a file of their own; the findings about leaks name the lines of that.
    """
    own = own_file_part(data)
    problems: dict[int, list[str]] = defaultdict(list)
    for finding in data.findings:
        check, found = str(finding.get("check")), finding.get("rows")
        if is_of_held_out(check) == (part == own) and (own == part or not _came_alone(data, part)):
            for line in found if isinstance(found, list) else []:
                problems[int(line)].append(title_of(check).lower())
    return dict(problems)


def own_file_part(data: DataRef) -> str | None:
    """The part whose own file was compared with training: the test file, or else the validation file."""
    return next((part for part in ("test", "validation") if _came_alone(data, part)), None)


def _came_alone(data: DataRef, part: str) -> bool:
    return any(Path(data.train).parent.glob(f"{part}_original.*"))


def _cells(row: Row, line: int, problems: str) -> dict[str, Any]:
    system = [message.content for message in row.messages if message.role == "system"]
    return {
        "Line": line,
        "Asked": row.user_text,
        "Answer": row.answer,
        "Found": problems,
        "Instruction": "\n".join(system),
    }


def _show(cells: list[dict[str, Any]]) -> None:
    empty = [key for key in ("Found", "Instruction") if not any(row[key] for row in cells)]
    st.dataframe(
        [{key: value for key, value in row.items() if key not in empty} for row in cells],
        key="data.rows",
        hide_index=True,
        column_config={
            "Line": st.column_config.NumberColumn(width="small", format="%d", help="Of the original."),
            "Asked": st.column_config.TextColumn(width="large"),
            "Answer": st.column_config.TextColumn(width="large"),
            "Found": st.column_config.TextColumn(width="medium"),
        },
        alt=f"The first {len(cells)} rows of this part.",
    )


def mask(data: DataRef, renderer: Renderer | None) -> None:
    """One row as the model sees it: what it reads, and what it learns to say."""
    if renderer is None:
        st.caption("Which part of a row is learned can be shown once the base model is on this machine.")
        return
    number = int(st.number_input("Training row", 1, data.train_rows, 1, key="data.mask.row", width=160))
    (row,) = rows_at(data.train, range(number, number + 1))
    with st.container(border=True):
        st.markdown("".join(_piece(text, learned) for text, learned in renderer.preview(row)))
    st.caption("Marked: what the model learns to say. The rest it only reads.")


def _piece(text: str, learned: bool) -> str:
    """A piece of a row in Markdown, line by line: a mark cannot run over several lines."""
    lines = text.split("\n")
    if not learned:
        return "  \n".join(plain(line) for line in lines)
    return "  \n".join(f":green-background[{plain(line)}]" if line.strip() else "" for line in lines)
