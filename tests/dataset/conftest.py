"""A tiny base model's tokenizer with a ChatML template, and a way to write files."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dataset.render import Renderer
from dataset.row import Message, Row

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SENTENCES = [
    "my parcel has not come yet, where is it",
    "please cancel the order that I placed on Monday",
    "the lamp arrived broken and I want my money back",
    "system user assistant delivery cancellation refund",
]


def save_tokenizer(folder: Path, template: str = CHATML) -> Path:
    """Train a byte-level BPE on a few sentences and save it as a base model's folder would hold it."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.add_special_tokens([AddedToken(name, special=True) for name in ("<|im_start|>", "<|im_end|>")])
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"eos_token": "<|im_end|>", "bos_token": {"content": "<|im_start|>"}, "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tokenizer(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture(scope="session")
def renderer(tokenizer_folder: Path) -> Renderer:
    return Renderer.from_folder(tokenizer_folder)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file of that name and content."""

    def writing(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writing


@pytest.fixture(scope="session")
def pair() -> Callable[..., Row]:
    """A row of one question and one answer."""

    def making(question: str, answer: str = "yes", line: int = 1, system: str = "") -> Row:
        first = (Message("system", system),) if system else ()
        return Row((*first, Message("user", question), Message("assistant", answer)), line)

    return making


@pytest.fixture(scope="session")
def workbook() -> Callable[[dict[str, dict[str, str | float]]], bytes]:
    """An Excel file out of {sheet: {cell: value}}, written by hand: five small XML files in a zip."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"

    def cell(place: str, value: str | float) -> str:
        if isinstance(value, str):
            return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
        return f'<c r="{place}"><v>{value}</v></c>'

    def sheet(cells: dict[str, str | float]) -> str:
        rows: dict[int, str] = {}
        for place, value in cells.items():
            number = int("".join(filter(str.isdigit, place)))
            rows[number] = rows.get(number, "") + cell(place, value)
        inner = "".join(f'<row r="{number}">{text}</row>' for number, text in sorted(rows.items()))
        return f'<worksheet xmlns="{main}"><sheetData>{inner}</sheetData></worksheet>'

    def making(sheets: dict[str, dict[str, str | float]]) -> bytes:
        listed = "".join(f'<sheet name="{name}" sheetId="{n}" r:id="s{n}"/>' for n, name in enumerate(sheets, 1))
        parts = "".join(
            f'<Relationship Id="s{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        files = {
            "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
            "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">{parts}</Relationships>',
        }
        for number, cells in enumerate(sheets.values(), 1):
            files[f"xl/worksheets/sheet{number}.xml"] = sheet(cells)
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        return buffer.getvalue()

    return making
