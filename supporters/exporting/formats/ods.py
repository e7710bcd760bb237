"""OpenDocument spreadsheets (ISO/IEC 26300): a sheet is XML that is written row by row, since no library that is kept up
streams it."""

import re
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from supporters.exporting.formats.cells import SHEET_ROWS, amount, batches, decimals, in_text, local
from supporters.exporting.formats.pieces import pieces
from supporters.exporting.listings import Kind
from supporters.exporting.rows import Table

_TYPE = "application/vnd.oasis.opendocument.spreadsheet"
_MANY = 500_000
"""Rows from which the XML may outgrow two gigabytes, which takes an archive of the newer kind."""
_MANIFEST = f"""<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.2">
<manifest:file-entry manifest:full-path="/" manifest:version="1.2" manifest:media-type="{_TYPE}"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>
</manifest:manifest>
"""
_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"
 xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"
 xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2"><office:automatic-styles>
<number:date-style style:name="n1"><number:year number:style="long"/><number:text>-</number:text><number:month
 number:style="long"/><number:text>-</number:text><number:day number:style="long"/></number:date-style>
<number:date-style style:name="n2"><number:year number:style="long"/><number:text>-</number:text><number:month
 number:style="long"/><number:text>-</number:text><number:day number:style="long"/><number:text> </number:text><number:hours
 number:style="long"/><number:text>:</number:text><number:minutes number:style="long"/><number:text>:</number:text><number:seconds
 number:style="long"/></number:date-style>
<number:number-style style:name="n3"><number:number number:decimal-places="2" number:min-integer-digits="1"/></number:number-style>
<number:number-style style:name="n4"><number:number number:decimal-places="0" number:min-integer-digits="1"/></number:number-style>
<style:style style:name="day" style:family="table-cell" style:data-style-name="n1"/>
<style:style style:name="moment" style:family="table-cell" style:data-style-name="n2"/>
<style:style style:name="m2" style:family="table-cell" style:data-style-name="n3"/>
<style:style style:name="m0" style:family="table-cell" style:data-style-name="n4"/>
<style:style style:name="head" style:family="table-cell"><style:text-properties fo:font-weight="bold"/></style:style>
<style:style style:name="wide" style:family="table-column"><style:table-column-properties style:column-width="4cm"/></style:style>
</office:automatic-styles><office:body><office:spreadsheet>"""
_FOOT = "</office:spreadsheet></office:body></office:document-content>"
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What XML 1.0 has no way of writing."""
_SPACED = re.compile(r"[\t\r\n]|  |^ | $")
"""White space that would be lost between tags."""
_EMPTY = "<table:table-cell/>"


def write(table: Table) -> Iterator[bytes]:
    with tempfile.NamedTemporaryFile(prefix="export-", suffix=".ods") as file:
        with zipfile.ZipFile(file.name, "w", zipfile.ZIP_DEFLATED, compresslevel=5) as archive:
            # First, and as it is: by it the file is known for what it is.
            archive.writestr("mimetype", _TYPE, zipfile.ZIP_STORED)
            archive.writestr("META-INF/manifest.xml", _MANIFEST)
            with archive.open("content.xml", "w", force_zip64=table.expected > _MANY) as content:
                for text in _content(table):
                    content.write(text.encode())
        yield from pieces(file.name)


def _content(table: Table) -> Iterator[str]:
    cells = in_text(table, _WRITERS, money=_money, nothing=_EMPTY)
    heads = "".join(_text(column.name, ' table:style-name="head"') for column in table.columns)
    yield _HEAD
    sheets, left = 0, 0
    for batch in batches(table.rows):
        while batch:
            if not left:
                sheets, left = sheets + 1, SHEET_ROWS - 1
                yield _between(table, sheets, heads)
            now, batch = batch[:left], batch[left:]
            left -= len(now)
            yield "".join([f"<table:table-row>{''.join(row)}</table:table-row>" for row in cells(now)])
    if not sheets:
        yield _between(table, 1, heads)
    yield "</table:table>" + _FOOT


def _between(table: Table, number: int, heads: str) -> str:
    """The end of the sheet before, if there was one, and the beginning of this."""
    end = "</table:table>" if number > 1 else ""
    name = quoteattr(f"Sheet{number}")
    wide = f'<table:table-column table:style-name="wide" table:number-columns-repeated="{len(table.columns)}"/>'
    return f"{end}<table:table table:name={name}>{wide}<table:table-row>{heads}</table:table-row>"


def _valued(kind: str, attribute: str, value: str, shown: str, style: str = "") -> str:
    styled = f' table:style-name="{style}"' if style else ""
    return (
        f'<table:table-cell{styled} office:value-type="{kind}" office:{attribute}="{value}">'
        f"<text:p>{shown}</text:p></table:table-cell>"
    )


def _text(value: Any, style: str = "") -> str:
    if value == "":
        return _EMPTY
    text = _UNWRITABLE.sub("", escape(str(value)))
    if _SPACED.search(text):
        text = "</text:p><text:p>".join(map(_kept, re.split("\r\n|\r|\n", text)))
    return f'<table:table-cell{style} office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def _kept(line: str) -> str:
    return re.sub("^ | $|  +", lambda found: f'<text:s text:c="{len(found[0])}"/>', line).replace("\t", "<text:tab/>")


def _money(value: Any, currency: str) -> str:
    text = amount(value, currency)
    return _valued("float", "value", text, text, f"m{decimals(currency)}")


def _moment(value: Any) -> str:
    text = local(value).replace(tzinfo=None).isoformat()
    return _valued("date", "date-value", text, text.replace("T", " "), "moment")


def _day(value: Any) -> str:
    return _valued("date", "date-value", value.isoformat(), value.isoformat(), "day")


def _flag(value: Any) -> str:
    text = "true" if value else "false"
    return _valued("boolean", "boolean-value", text, text.upper())


_WRITERS: dict[Kind, Callable[[Any], str]] = {
    Kind.TEXT: _text,
    Kind.NUMBER: lambda value: _valued("float", "value", str(value), str(value)),
    Kind.DAY: _day,
    Kind.MOMENT: _moment,
    Kind.FLAG: _flag,
}
