"""The sheet that the memo is set on: A4, our fonts, paragraphs, lists and tables that never overflow."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path

import matplotlib
from fpdf import FPDF, FontFace
from fpdf.enums import TableBordersLayout
from fpdf.fonts import TTFFont

FONTS = {"": "DejaVuSans.ttf", "B": "DejaVuSans-Bold.ttf"}
FAMILY = "dejavu"
NARROWER = 92.0
"""Per cent of the font's width: DejaVu is drawn for screens and runs wide on paper."""
MARGIN_MM, TOP_MM, FOOT_MM, GUTTER_MM = 18.0, 14.0, 14.0, 7.0
BODY, SMALL, TINY = 8.2, 7.2, 6.4
"""Sizes of type in points."""
LEADING = 0.445
"""Millimetres from line to line for a point of type."""
BULLET_MM, PAIR_MM, HEADING_MM, AIR_MM = 2.6, 1.3, 5.2, 1.9
CELL_MM = (0.5, 2.4, 0.5, 0.0)
"""Air inside a cell: top, right, bottom, left."""
INK, GREY, RULE, ACCENT = (32, 33, 36), (95, 99, 104), (200, 204, 208), (11, 85, 99)
PAGE_COUNT = 2
NO_GLYPH = "\u25a1"
"""A small square for what the fonts cannot draw."""
UNSEEN = ("Cf", "Mn", "Me", "Cc")
"""Unicode categories of signs that draw nothing by themselves."""


class Sheet(FPDF):
    """A4 pages with a line and the page number at their foot. `FPDF` calls `footer` by itself."""

    def __init__(self, *, title: str, foot: str, day: date) -> None:
        super().__init__(format="A4")
        folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
        for style, file in FONTS.items():
            self.add_font(FAMILY, style, folder / file)
        self.ours = [font for font in self.fonts.values() if isinstance(font, TTFFont)]
        self.drawn = set.intersection(*(set(font.cmap) for font in self.ours))
        """Code points that all our fonts can draw."""
        self.foot = foot
        self.set_creation_date(datetime.combine(day, time(), UTC))
        self.set_title(self.words(title))
        self.set_lang("en-GB")
        self.set_margins(MARGIN_MM, TOP_MM, MARGIN_MM)
        self.set_auto_page_break(True, FOOT_MM + 2)
        self.c_margin = 0  # all text begins on the same line as rules and bars
        self.set_stretching(NARROWER)
        self.add_page()

    def discard(self) -> None:
        """Close what a sheet holds open that will not be put out."""
        for font in self.ours:
            font.close()

    def footer(self) -> None:
        """The line at the foot, and which page of how many."""
        self.set_y(-FOOT_MM)
        self.set_draw_color(*RULE)
        self.set_line_width(0.15)
        width = self.w - 2 * MARGIN_MM  # the page's own: a column may have set other margins
        self.line(MARGIN_MM, self.y, MARGIN_MM + width, self.y)
        self.set_font(FAMILY, "", TINY)
        self.set_text_color(*GREY)
        self.set_x(MARGIN_MM)
        self.cell(width * 0.9, 6, self.words(self.foot))
        # Set from the left: the place holder of the page count is wider than the count.
        self.set_x(MARGIN_MM + width - self.get_string_width(f"{self.page_no()} / {PAGE_COUNT}"))
        self.cell(0, 6, f"{self.page_no()} / {{nb}}")

    def words(self, text: str, most: int = 0) -> str:
        """Text as our fonts can draw it, in one line, cut with an ellipsis behind `most` characters (0: never)."""
        seen = []
        for sign in " ".join(text.split()):
            if ord(sign) in self.drawn:
                seen.append(sign)
            elif unicodedata.category(sign) not in UNSEEN:
                seen.append(NO_GLYPH)
        shown = "".join(seen)
        return shown[: most - 1].rstrip() + "…" if most and len(shown) > most else shown

    def text_block(
        self, text: str, *, size: float = BODY, style: str = "", color: Sequence[int] = INK, most: int = 0
    ) -> None:
        """A paragraph."""
        self.set_font(FAMILY, style, size)
        self.set_text_color(*color)
        self.multi_cell(0, size * LEADING, self.words(text, most), align="L", new_x="LMARGIN", new_y="NEXT")

    def heading(self, text: str) -> None:
        """A section's title with air above it; never the last line of a page."""
        if self.will_page_break(HEADING_MM + AIR_MM + 4 * BODY * LEADING):
            self.add_page()
        self.ln(AIR_MM)
        self.text_block(text, size=9.2, style="B", color=ACCENT)
        self.ln(0.7)

    def bullets(self, texts: Iterable[str], most: int, *, size: float = SMALL) -> None:
        """A list; what is left out is said."""
        texts = list(texts)
        for text in texts[:most]:
            self.set_font(FAMILY, "", size)
            self.set_text_color(*INK)
            self.cell(BULLET_MM, size * LEADING, "•")
            self.multi_cell(0, size * LEADING, self.words(text), align="L", new_x="LMARGIN", new_y="NEXT")
            self.ln(0.35)
        self.left_out(len(texts) - most)

    def pairs(self, pairs: Iterable[tuple[str, str]], *, size: float = SMALL) -> None:
        """Labels and values one behind the other: a table of short answers wastes a page. No pair is broken in two."""
        for label, value in pairs:
            parts = (("", GREY, self.words(label)), ("B", INK, self.words(value)))
            widths = []
            for style, _, text in parts:
                self.set_font(FAMILY, style, size)
                widths.append(self.get_string_width(text) + PAIR_MM)
            if sum(widths) > self.w - self.r_margin - self.x and self.x > self.l_margin:
                self.ln(size * LEADING)
            for (style, color, text), width in zip(parts, widths, strict=True):
                self.set_font(FAMILY, style, size)
                self.set_text_color(*color)
                if width > self.w - self.r_margin - self.x:
                    self.multi_cell(0, size * LEADING, text, align="L", new_x="LMARGIN", new_y="NEXT")
                else:
                    self.cell(width, size * LEADING, text)
            self.set_x(self.x + 2 * PAIR_MM)
        self.ln(size * LEADING)

    def side_by_side(self, *lists: tuple[str, Sequence[str], int]) -> None:
        """Lists with their titles, side by side; on a new page where one of them would break."""
        left, right = self.l_margin, self.r_margin
        width = (self.epw - GUTTER_MM * (len(lists) - 1)) / len(lists)
        if self.will_page_break(
            AIR_MM + HEADING_MM + max(self._list_mm(texts[:most], width) for _, texts, most in lists)
        ):
            self.add_page()
        page, top, ends = self.page, self.y, []
        for place, (title, texts, most) in enumerate(lists):
            start = left + place * (width + GUTTER_MM)
            self.page = page
            self.set_y(top)
            self.set_side_margins(start, self.w - start - width)
            self.heading(title)
            self.bullets(texts, most)
            ends.append((self.page, self.y))
        self.set_side_margins(left, right)
        self.page, bottom = max(ends)
        self.set_y(bottom)

    def _list_mm(self, texts: Sequence[str], width: float) -> float:
        """Height of a list that is `width` mm wide."""
        self.set_font(FAMILY, "", SMALL)
        line = SMALL * LEADING
        heights = (
            self.multi_cell(width - BULLET_MM, line, self.words(text), align="L", dry_run=True, output="HEIGHT")
            for text in texts
        )
        return sum(float(str(height)) + 0.35 for height in heights) + line

    def set_side_margins(self, left: float, right: float) -> None:
        """Both side margins, and the pen at the left one."""
        self.set_left_margin(left)
        self.set_right_margin(right)
        self.set_x(left)

    def left_out(self, count: int) -> None:
        """Where the rest stands."""
        if count > 0:
            self.ln(0.5)
            self.text_block(f"{count} more in the Markdown of this memo.", size=TINY, color=GREY)

    def grid(
        self, rows: Sequence[Sequence[str]], widths: Sequence[float], *, columns: Sequence[str] = (),
        align: Sequence[str] = (), size: float = SMALL, bold_first: bool = False, rules: bool = True,
    ) -> None:  # fmt: skip
        """A table whose cells break into lines; its head is repeated on a new page."""
        if not rows:
            return
        self.set_font(FAMILY, "", size)
        self.set_text_color(*INK)
        self.set_draw_color(*RULE)
        self.set_line_width(0.15)
        table_align = tuple(align or "L" * len(widths))
        with self.table(
            width=self.epw, col_widths=tuple(widths), text_align=table_align, v_align="TOP",
            line_height=size * LEADING, padding=CELL_MM, first_row_as_headings=bool(columns),
            headings_style=FontFace(emphasis="", color=GREY, size_pt=TINY),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES if rules else TableBordersLayout.NONE,
        ) as table:  # fmt: skip
            for number, row in enumerate([columns, *rows] if columns else rows):
                line = table.row()
                strong = bold_first and number == bool(columns)
                for place, cell in enumerate(row):
                    # Figures in the last column end where the rules end.
                    last = place + 1 == len(row) and table_align[place] == "R"
                    line.cell(
                        self.words(cell),
                        style=FontFace(emphasis="B") if strong and place < 2 else None,
                        padding=(CELL_MM[0], 0.0, CELL_MM[2], 0.0) if last else None,
                    )
