import zipfile
from pathlib import Path

import pytest
from original_zips import original_files, pack

from mtbalance.config.datasets import RawFile
from mtbalance.data import DataError
from mtbalance.data.adapters.aliexpress import AliExpress
from mtbalance.data.files.checksums import sha256_of


def config(path: Path) -> AliExpress:
    absent = RawFile(path=str(path.parent / "absent.csv"))
    return AliExpress(
        adapter="aliexpress", country="NL", archive=RawFile(path=str(path)), train_csv=absent, test_csv=absent
    )


@pytest.fixture(scope="module")
def files(raw):
    return original_files(raw)


@pytest.mark.parametrize("inner", [True, False])
@pytest.mark.parametrize("folder", ["aliexpress_NL_datasets", "NL"])
def test_every_layout_gives_the_files_of_the_processed_form(files, prepared, tmp_path, folder, inner):
    path = pack(tmp_path / "nl.zip", files, folder, inner)
    schema = config(path).prepare("small", tmp_path / "out")
    for split in ("train", "valid", "test"):
        assert sha256_of(tmp_path / "out" / f"{split}.parquet") == sha256_of(prepared / f"{split}.parquet")
    assert schema.raw == {"nl.zip": sha256_of(path)}
    assert set(schema.dropped_rows.values()) == {0}


@pytest.mark.parametrize("member", ["aliexpress_US_datasets/user_train.zip", "US/user_train.zip", "us_user_train.zip"])
def test_a_zip_of_another_country_is_refused(tmp_path, member):
    with zipfile.ZipFile(tmp_path / "nl.zip", "w") as archive:
        archive.writestr(member, b"")
    with pytest.raises(DataError, match=rf"nl.zip holds {member}, another country than NL; place the right zip"):
        config(tmp_path / "nl.zip").prepare("small", tmp_path / "out")


def test_items_without_a_search_are_dropped_and_counted(files, tmp_path):
    first, _, rest = files["user_train"].partition(b"\n")
    search = first.split(b",")[0]
    lost = sum(line.split(b",")[0] == search for line in files["item_train"].splitlines())
    path = pack(tmp_path / "nl.zip", files | {"user_train": rest})
    schema = config(path).prepare("small", tmp_path / "out")
    assert schema.splits["train"].rows == 3000 - lost < 3000
    assert [count for file, count in schema.dropped_rows.items() if "item_train" in file] == [lost]


def test_a_search_that_occurs_twice_is_refused(files, tmp_path):
    lines = files["user_train"].splitlines(keepends=True)
    lines.insert(200, lines[50])
    path = pack(tmp_path / "nl.zip", files | {"user_train": b"".join(lines)})
    search = lines[50].split(b",")[0].decode()
    with pytest.raises(DataError, match=rf"user_train.*search id {search} .* row 51 and again in row 201"):
        config(path).prepare("small", tmp_path / "out")


def test_a_label_outside_0_1_2_is_refused(files, tmp_path):
    lines = files["item_test"].splitlines()
    lines[9] = lines[9].rpartition(b",")[0] + b",3"
    path = pack(tmp_path / "nl.zip", files | {"item_test": b"\n".join(lines)})
    with pytest.raises(DataError, match=r"item_test.*row 10 .*column 49 \(label\): '3' is above 2"):
        config(path).prepare("small", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("inner", [True, False])
def test_a_truncated_zip_is_refused(files, tmp_path, inner):
    path = pack(tmp_path / "nl.zip", files, inner=inner)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match=r"nl.zip: not a complete zip"):
        config(path).prepare("small", tmp_path / "out")


def test_a_damaged_member_is_refused(files, tmp_path):
    path = pack(tmp_path / "nl.zip", files, inner=False)
    content = bytearray(path.read_bytes())
    for place in range(len(content) // 4, len(content) // 4 + 64):
        content[place] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"nl.zip > .* fetch it again"):
        config(path).prepare("small", tmp_path / "out")
    assert [p.name for p in tmp_path.iterdir()] == ["nl.zip"]


@pytest.mark.parametrize("place", ["outer", "inner", "stored"])
def test_a_damaged_head_is_refused(files, tmp_path, place):
    """The head of a member, of the file in it, and the data in which its list of files is looked for."""
    path = pack(tmp_path / "nl.zip", files)
    with zipfile.ZipFile(path) as archive:
        member = next(info for info in archive.infolist() if "user_train" in info.filename)
        start = member.header_offset + 30 + len(member.filename)
    content = bytearray(path.read_bytes())
    if place == "outer":
        content[member.header_offset] ^= 0xFF
    elif place == "inner":
        content[start : start + 40] = bytes(40)
    else:
        content[start + member.compress_size // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"nl.zip > .*user_train.* again"):
        config(path).prepare("small", tmp_path / "out")


def test_a_missing_member_is_named(files, tmp_path):
    path = pack(tmp_path / "nl.zip", {role: text for role, text in files.items() if role != "user_test"})
    with pytest.raises(DataError, match=r"nl.zip: expected one member named \.\.\.user_test.zip, found \[\]"):
        config(path).prepare("small", tmp_path / "out")
