"""AliExpress from the zips of the processed files."""

import zipfile
from pathlib import Path

import pytest
import yaml
from processed_zips import write_zip
from sample_data import all_rows

from mtbalance.config.datasets import RawFile
from mtbalance.data import DataError
from mtbalance.data.adapters.aliexpress import AliExpress
from mtbalance.data.files.checksums import sha256_of
from mtbalance.data.ranking.schema import RankingSchema

PARAMS = Path(__file__).parents[3] / "params.yaml"
SPLITS = ("train", "valid", "test")


def zipped(path: Path, country: str = "NL") -> AliExpress:
    absent = RawFile(path=str(path.parent / "absent"))
    files = {"train_csv": absent, "test_csv": absent, "archive": absent}
    packed = RawFile(path=str(path))
    return AliExpress(adapter="aliexpress", country=country, processed_zip=packed, **files)


def pack(raw: Path, path: Path, members: dict[str, str]) -> Path:
    """A zip with these members; each has the content of a file in ``raw``."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, name in members.items():
            archive.write(raw / name, member)
    return path


def both(inside: str = "AliExpress_NL/") -> dict[str, str]:
    return {f"{inside}{side}.csv": f"{side}.csv" for side in ("test", "train")}


LAYOUTS = {
    "as published": both(),
    "no folder": both(""),
    "packed on another system": both("a/b/")
    | {"__MACOSX/a/b/._train.csv": "truth.csv", "__MACOSX/train.csv": "truth.csv"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_zip_gives_what_its_files_give(raw, prepared, tmp_path, layout):
    path = pack(raw, tmp_path / "AliExpress_NL.zip", LAYOUTS[layout])
    schema = zipped(path).prepare("small", tmp_path / "out")
    for split in SPLITS:
        assert sha256_of(tmp_path / f"out/{split}.parquet") == sha256_of(prepared / f"{split}.parquet")
    assert schema.raw == {path.name: sha256_of(path)} and not schema.synthetic
    assert schema.model_dump(exclude={"raw"}) == RankingSchema.read(prepared).model_dump(exclude={"raw"})


def test_generated_rows_of_a_large_zip_are_labeled_synthetic(tmp_path, monkeypatch):
    monkeypatch.setattr("processed_zips.DIFFERENT", 1000)  # more rows are these again, as other searches
    write_zip(tmp_path / "AliExpress_NL.zip", (2500, 1200), click_rate=0.2, conversion_rate=0.05)
    schema = zipped(tmp_path / "AliExpress_NL.zip").prepare("small", tmp_path / "out")
    assert schema.synthetic
    train, official_test = all_rows(tmp_path / "out", "train"), all_rows(tmp_path / "out", "valid", "test")
    assert (train.height, official_test.height) == (2500, 1200)
    assert train[:1000].drop("search_id").equals(train[1000:2000].drop("search_id"))
    assert not set(train["search_id"][:1000]) & set(train["search_id"][1000:])


def cut(content: bytes) -> bytes:
    return content[:-1000]


def damaged(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes(100) + content[middle + 100 :]


def encrypted(content: bytes) -> bytes:
    """Set the flag of encryption of the second member, in its own head and in the list at the end."""
    own, listed = content.index(b"PK\x03\x04", 30), content.rindex(b"PK\x01\x02")
    flagged = bytearray(content)
    flagged[own + 6] |= 1
    flagged[listed + 8] |= 1
    return bytes(flagged)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (cut, "not a complete zip file"),
        (damaged, r"AliExpress_NL/t\w+.csv cannot be read to its end|is not CSV|row \d+"),
        (encrypted, "AliExpress_NL/train.csv cannot be opened .*password"),
        (lambda content: b"<html>log in</html>", "not a complete zip file"),
    ],
)
def test_a_broken_zip_is_said_in_one_line(raw, tmp_path, change, says):
    path = pack(raw, tmp_path / "AliExpress_NL.zip", both())
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=rf"AliExpress_NL.zip.*({says})") as error:
        zipped(path).prepare("broken", tmp_path / "out")
    assert "\n" not in str(error.value) and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"AliExpress_NL/train.csv": "train.csv"}, r"expected one test.csv in it, found \['AliExpress_NL/train.csv'\]"),
        (both() | {"old/train.csv": "train.csv"}, r"expected one train.csv in it, found \['Ali.*', 'old/train.csv'\]"),
    ],
)
def test_each_file_must_be_there_once(raw, tmp_path, members, says):
    path = pack(raw, tmp_path / "AliExpress_NL.zip", members)
    with pytest.raises(DataError, match=says):
        zipped(path).prepare("broken", tmp_path / "out")


def test_a_zip_of_another_country_is_refused(raw, tmp_path):
    path = pack(raw, tmp_path / "AliExpress_ES.zip", both())
    with pytest.raises(DataError, match=r"AliExpress_ES.zip holds AliExpress_NL/train.csv, another country than ES"):
        zipped(path, "ES").prepare("small", tmp_path / "out")


def test_a_bad_cell_is_named_with_its_zip_and_member(raw, tmp_path):
    lines = (raw / "test.csv").read_text().split("\n")
    lines[76] = lines[76].replace(",", ",x", 1)
    (tmp_path / "test.csv").write_text("\n".join(lines))
    (tmp_path / "train.csv").symlink_to(raw / "train.csv")
    path = pack(tmp_path, tmp_path / "AliExpress_NL.zip", both())
    with pytest.raises(DataError, match=r"AliExpress_NL.zip > AliExpress_NL/test.csv: row 77 .*categorical_1.*'x"):
        zipped(path).prepare("broken", tmp_path / "out")


def test_a_number_of_rows_that_is_not_the_known_one_is_said(raw, tmp_path):
    path = pack(raw, tmp_path / "AliExpress.zip", both(""))
    said = {}
    for country in ("NL", "ES", "FR"):
        zipped(path, country).prepare(country, tmp_path / country)
        lines = RankingSchema.read(tmp_path / country).lines()
        said[country] = [line for line in lines if "warning" in line]
    assert [len(found) for found in said.values()] == [2, 1, 0]
    assert "3,000 official training rows, but 12,157,894 are known" in said["NL"][0]
    assert "2,000 official test rows, but 5,559,301 are known" in said["NL"][1]
    assert "22,326,719" in said["ES"][0] and "PUB paper" in said["ES"][0]
    schema = RankingSchema.read(tmp_path / "NL")
    right = schema.known_rows.model_copy(update={"train": 3000, "test": 2000})
    assert not [line for line in schema.model_copy(update={"known_rows": right}).lines() if "warning" in line]


def test_the_zip_is_fetched_unless_another_form_is_placed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = yaml.safe_load(PARAMS.read_text())["datasets"]
    config = AliExpress.model_validate(blocks["aliexpress_es"])
    (file,) = config.needed()
    assert file.path == "data/raw/aliexpress/AliExpress_ES.zip"
    assert file.urls == ["gdrive:1F0TqvMJvv-2pIeOKUw9deEtUxyYqXK6Y/AliExpress_ES.zip"]
    for form in (config.forms()[1], config.forms()[0]):  # the later one wins
        for placed in form:
            Path(placed.path).parent.mkdir(parents=True, exist_ok=True)
            Path(placed.path).touch()
        assert config.needed() == form


@pytest.mark.parametrize("there", ["train", "test"])
def test_of_two_files_the_one_that_is_missing_is_named(raw, tmp_path, there):
    files = {f"{side}_csv": RawFile(path=str(tmp_path / f"{side}.csv")) for side in ("train", "test")}
    absent = RawFile(path=str(tmp_path / "absent"))
    alone = AliExpress(adapter="aliexpress", country="NL", archive=absent, processed_zip=absent, **files)
    (tmp_path / f"{there}.csv").write_bytes((raw / f"{there}.csv").read_bytes())
    other = {"train": "test", "test": "train"}[there]
    with pytest.raises(DataError, match=rf"^\S+{there}.csv is there, and \S+{other}.csv is not\. AliExpress NL is not"):
        alone.prepare("small", tmp_path / "out")
