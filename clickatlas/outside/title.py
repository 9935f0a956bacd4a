"""The title of a page."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

from clickatlas.outside.fetch import Fetched, Outside, OutsideError

MAX_BYTES = 64 << 10
MAX_TITLE = 500
HTML = ("text/html", "application/xhtml+xml")
_MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9_.:-]{1,40})""", re.IGNORECASE)
# Python knows other codecs, which are no charsets, and some that take long.
_CHARSETS = re.compile(
    r"(utf-?8|utf-?16(-?[lb]e)?|us-ascii|ascii|latin-?1|iso-?8859-\d\d?|windows-\d{3,4}|cp\d{3,4}|koi8-[ru]|"
    r"gbk|gb2312|gb18030|big5(-hkscs)?|shift[_-]jis|euc-(jp|kr)|iso-2022-jp|macintosh)"
)


async def title_of(outside: Outside, url: str) -> str:
    """The title of the page at `url`, at most 500 characters; "" where it has none.

    Reads its first 64 kB at most. Raises `OutsideError`.
    """
    answer = await outside.get(url, most=MAX_BYTES, accept=", ".join(HTML))
    if answer.status != 200:
        raise OutsideError(f"answered {answer.status}")
    if answer.content_type.partition(";")[0].strip().lower() not in HTML:
        return ""
    return read_title(answer)


def read_title(answer: Fetched) -> str:
    """The title in the first bytes of an HTML page."""
    reader = _Reader()
    try:
        reader.feed(_text(answer))  # never closed: what is cut off is left alone
    except _Done:
        pass
    except AssertionError:  # html.parser's word for some broken declarations
        return ""
    return clean("".join(reader.words))


def clean(title: str) -> str:
    """On one line, without control characters or what turns the direction of writing, and not too long."""
    spaced = " ".join(title.split())
    kept = "".join(
        letter for letter in spaced if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co")
    )
    return kept[:MAX_TITLE].strip()


def _text(answer: Fetched) -> str:
    body = answer.body
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(charset, "replace")
    for said in (answer.content_type, body[:1024].decode("latin-1")):
        found = _CHARSET.search(said)
        if found and _CHARSETS.fullmatch(name := found[1].lower()):
            try:
                return body.decode(name, "replace")
            except LookupError:
                continue
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        # Cut off in the middle of a letter, it still is UTF-8.
        return body.decode("utf-8" if error.start > len(body) - 4 else "windows-1252", "replace")


class _Done(Exception):
    pass


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._inside = False
        self._drawings = 0  # an SVG has titles, too

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "svg":
            self._drawings += 1
        self._inside = self._inside or (tag == "title" and not self._drawings)

    def handle_endtag(self, tag: str) -> None:
        if tag == "svg":
            self._drawings -= 1
        elif tag == "title" and self._inside:
            raise _Done

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.words.append(data)
