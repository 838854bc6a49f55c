import gzip
import io

import numpy as np
import polars as pl
import pytest

from mtbalance.data import DataError
from mtbalance.data.files.raw_files import open_raw
from mtbalance.data.ranking import csv_blocks
from mtbalance.data.ranking.csv_blocks import read_blocks, read_header, whole_lines
from mtbalance.data.ranking.csv_cells import Column

COLUMNS = [Column("key", "key"), Column("kind", "id"), Column("size", "number"), Column("label", "label")]


def read(text: str, columns=COLUMNS, first_row: int = 1) -> pl.DataFrame:
    blocks = read_blocks(io.BytesIO(text.encode()), columns, "some.csv", first_row)
    return pl.concat([block.frame for block in blocks])


def test_numbers_are_the_nearest_float32():
    random = np.random.default_rng(0)
    texts = [f"{x:.6f}" for x in random.random(50_000)]
    texts += [repr(float(x)) for x in random.random(50_000)]
    texts += [f"{x:.9e}" for x in np.exp(random.normal(0, 15, 50_000))]
    parsed = read("\n".join(texts), [Column("size", "number")]).to_series().to_numpy()
    assert (parsed == np.array([np.float32(text) for text in texts])).all()


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n\n"])
def test_the_end_of_a_file_may_be_written_in_any_way(end):
    line = "\r\n" if "\r" in end else "\n"
    assert read(f"1,2,0.5,1{line}2,3,.5,0{end}").rows() == [(1, 2, 0.5, 1), (2, 3, 0.5, 0)]


def test_whole_numbers_may_be_written_as_decimals():
    assert read("9007199254740991,8.0,1,1.0\n2,8.00,2,0\n").rows() == [(2**53 - 1, 8, 1.0, 1), (2, 8, 2.0, 0)]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("3,4,0.5", "row 1003 .* has 3 cells instead of 4"),
        ("3,4,0.5,1,", "row 1003 .* has 5 cells instead of 4"),
        ("", "row 1003 .* has 0 cells instead of 4"),
        ("3,,0.5,1", r"row 1003 .*, column 2 \(kind\): '' is empty"),
        ("3,4,,1", r"row 1003 .*, column 3 \(size\): '' is empty"),
        ("3,4,abc,1", r"row 1003 .*, column 3 \(size\): 'abc' is not a number"),
        ("3,4,nan,1", r"row 1003 .*, column 3 \(size\): 'nan' is not a number"),
        ("3,4,-inf,1", r"row 1003 .*, column 3 \(size\): '-inf' is not a number"),
        ("3,4,1e39,1", r"row 1003 .*, column 3 \(size\): '1e39' is not a finite float32"),
        ("3,-4,0.5,1", r"row 1003 .*, column 2 \(kind\): '-4' is negative"),
        ("3,4.5,0.5,1", r"row 1003 .*, column 2 \(kind\): '4.5' is not a whole number"),
        ("3,4000000000,0.5,1", r"row 1003 .*, column 2 \(kind\): '4000000000' is above 2147483647"),
        ("3,4,0.5,2", r"row 1003 .*, column 4 \(label\): '2' is above 1"),
        ('3,4,"0.5,1', "row 1003 .* has 3 cells instead of 4"),
    ],
)
@pytest.mark.parametrize("block_bytes", [30, 2**20])
def test_a_bad_row_is_named_wherever_blocks_are_cut(row, says, block_bytes, monkeypatch):
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", block_bytes)
    good = "1,2,0.5,1\n"
    with pytest.raises(DataError, match=rf"^some.csv: {says}"):
        read(good * 1000 + row + "\n" + good * 20, first_row=3)


def test_decimals_do_not_hide_a_later_bad_cell(monkeypatch):
    monkeypatch.setattr(csv_blocks, "BLOCK_BYTES", 20)
    with pytest.raises(DataError, match=r"row 40 .*, column 2 \(kind\): '7.5' is not a whole number"):
        read("1,8.0,0.5,1\n" * 39 + "1,7.5,0.5,1\n")


def test_blocks_end_where_rows_end_also_with_quoted_newlines():
    rows = [f'{n},"one\ntwo, {n}"\n'.encode() for n in range(200)]
    blocks = list(whole_lines(io.BytesIO(b"".join(rows)), "some.csv", block_bytes=50))
    assert len(blocks) > 50
    assert b"".join(blocks).split(b'"\n') == b"".join(rows).rstrip(b"\n").split(b'"\n')
    assert all(block.count(b'"') % 2 == 0 for block in blocks)


@pytest.mark.parametrize("block_bytes", [1, 7, 50, 1000])
@pytest.mark.parametrize("end", ["", "\n"])
def test_a_file_is_cut_as_any_stream_is(block_bytes, end, tmp_path):
    content = ("\n".join(f'{n},"a\nb",{10**n}' for n in range(30)) + end).encode()
    (tmp_path / "some.csv").write_bytes(content)
    with (tmp_path / "some.csv").open("rb") as stream:
        blocks = list(whole_lines(stream, "some.csv", block_bytes))
    assert blocks == list(whole_lines(io.BytesIO(content), "some.csv", block_bytes))
    assert b"".join(blocks).rstrip() == content.rstrip()


def test_a_short_row_of_texts_is_not_taken_for_an_empty_last_cell():
    columns = [Column("one", "text"), Column("two", "text")]
    assert read("a,b\na,\n", columns).rows() == [("a", "b"), ("a", None)]
    with pytest.raises(DataError, match=r"row 2 .* has 1 cells instead of 2"):
        read("a,b\na\n", columns)


def test_empty_files_and_headers_alone_are_refused():
    with pytest.raises(DataError, match=r"some.csv has no rows"):
        read("")
    with pytest.raises(DataError, match=r"some.csv is empty"):
        read_header(io.BytesIO(b""), "some.csv")


def test_a_header_may_have_a_byte_order_mark_and_quotes():
    stream = io.BytesIO('\ufeffone,"two, too"\r\n1,2\r\n'.encode())
    assert read_header(stream, "some.csv") == ["one", "two, too"]
    assert stream.read() == b"1,2\r\n"


def test_a_line_that_no_memory_holds_is_refused(tmp_path, monkeypatch):
    """As zeros are, of which a .gz of a megabyte holds a gigabyte."""
    monkeypatch.setattr(csv_blocks, "LONGEST_ROW", 1000)
    path = tmp_path / "some.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n" + bytes(100_000)))
    with open_raw(path) as stream, pytest.raises(DataError, match=r"some\.csv\.gz: a line has more than 1,000 bytes"):
        list(whole_lines(stream, str(path), 100))


def test_cells_that_the_reader_of_csv_refuses_are_told():
    cell = "x" * 200_000
    with pytest.raises(DataError, match=r"some\.csv: row 1 .* or the next one is not CSV: field larger than"):
        read(f"1,2,0.5,1\n2,{cell},0.5,1\n")
    with pytest.raises(DataError, match=r"some\.csv: its first line names no columns: field larger than"):
        read_header(io.BytesIO(f"a,{cell}\n".encode()), "some.csv")


def test_a_long_cell_is_shown_in_part_and_looked_at_once():
    """Digits that end in another sign: a pattern that tries every way to cut them would take hours."""
    with pytest.raises(DataError, match=r"row 1 .*column 3 \(size\): '999.*\.\.\..*9x' is not a number") as refused:
        read(f"1,2,{'9' * 100_000}x,1\n")
    assert len(str(refused.value)) < 500


def test_a_quotation_mark_that_is_never_closed_costs_no_more_than_the_file(monkeypatch):
    """Every further line is looked at once, not all lines again for each."""
    looked = []

    class Line(bytes):
        def count(self, *wanted):
            looked.append(len(self))
            return super().count(*wanted)

    lines = [b'1,"2\n', *(b"1,2\n" for _ in range(500))]
    stream = io.BytesIO(b"".join(lines))
    monkeypatch.setattr(csv_blocks, "_lines", lambda stream, *_: Line(stream.readline()))
    monkeypatch.setattr(csv_blocks, "_line", lambda stream, *_: Line(stream.readline()))
    assert b"".join(whole_lines(stream, "some.csv", 1)) == b"".join(lines)
    assert sum(looked) <= sum(map(len, lines))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PAR1\x15\x04", "this is Parquet: its name must end in .parquet"),
        (gzip.compress(b"a,b\n1,2\n"), "this is packed by gzip: its name must end in .gz"),
        (b"PK\x03\x04rest", "a workbook of Excel: save that as CSV"),
        ("a,b\n1,2\n".encode("utf-16"), "this is text in UTF-16; write the file as UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "bytes of zero, as text in UTF-16 has; .* `iconv -f utf-16le -t utf-8`"),
        ("stra\xdfe,b\n1,2\n".encode("latin-1"), "its first line is not UTF-8 text; .* `iconv -f latin1 -t utf-8`"),
        (b"sep=;\na;b\n1;2\n", "its first line is for Excel alone: delete it"),
        (b"a,b\r1,2\r", r"its lines end with \\r alone: write \\n"),
        (b"\n", "is empty"),
    ],
)
def test_a_file_that_is_no_csv_in_utf8_is_told_with_what_to_do(content, says):
    with pytest.raises(DataError, match=f"^some.csv.*{says}"):
        read_header(io.BytesIO(content), "some.csv")


@pytest.mark.parametrize("row", ['5" pipe,1', '"q" rest,1', '1,5" pipe'])
def test_the_row_with_a_quotation_mark_inside_a_cell_is_named(row):
    texts = [Column("pipe", "text"), Column("size", "text")]
    with pytest.raises(DataError, match=r'row 5 .* has a quotation mark inside a cell: .* twice, as in "5"" pipe"'):
        read(f'"one, ""two""\n",2\r\nx,"3"\n"",\n{row}\n4,"5"\n', texts, first_row=2)
