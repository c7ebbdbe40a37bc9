from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs
from typer.testing import CliRunner

from signal_exchange.domain.ids import MunicipalityCode
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.privacy.evaluating import EpochKey
from signal_exchange.privacy.register import Register, sign_register
from signal_exchange.privacy.register_entries import KeeperKey, Period, RegisteredKeeper
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.pseudonyms import composition
from signal_exchange.pseudonyms.commands import app
from signal_exchange.pseudonyms.composition import keeper_of, main, serve
from signal_exchange.pseudonyms.epoch_keys import destroy_epoch_key, epoch_days, make_epoch_key
from signal_exchange.pseudonyms.keys import HeldKey, read_bearers, read_keys, write_bearers, write_keys
from signal_exchange.runtime.settings import KeeperSettings

VENLO = MunicipalityCode("GM0983")
AFTER = date(2027, 1, 31)
"""The day after the last on which keys of 2026H2 are asked for."""
REGION = SigningKey.generate("region-2026-1")


def write_register(folder: Path, *keys: KeeperKey) -> None:
    register = Register(1, registered_keepers=(RegisteredKeeper("keeper-a", "https://a.example.nl", keys),))
    (folder / "register.json").write_bytes(sign_register(register, REGION))
    region = {"key_id": REGION.key_id, "public_key": REGION.public.raw.hex()}
    (folder / "region.json").write_text(json.dumps(region), encoding="utf-8")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeeperSettings:
    names = {"data_dir": ".", "register_file": "register.json", "region_key_file": "region.json"}
    names |= {"keys_file": "keys.json", "tokens_file": "tokens.json"}
    for name, file in names.items():
        monkeypatch.setenv(f"SIGNAL_EXCHANGE_{name.upper()}", str(tmp_path / file))
    monkeypatch.setenv("SIGNAL_EXCHANGE_KEEPER", "keeper-a")
    monkeypatch.setenv("COLUMNS", "200")
    write_register(tmp_path)
    write_bearers(tmp_path / "tokens.json", {VENLO: "venlo's token"})
    return KeeperSettings()


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


@pytest.mark.parametrize(
    ("epoch", "first", "last"),
    [("2026H1", date(2026, 1, 1), date(2026, 7, 30)), ("2026H2", date(2026, 7, 1), date(2027, 1, 30))],
)
def test_r_val_14_a_key_is_used_in_its_half_year_and_30_days_more(epoch: str, first: date, last: date) -> None:
    assert epoch_days(epoch) == (first, last)


@pytest.mark.parametrize("epoch", ["", "2026", "2026H3", "H2", "20XXH1", "2026H12"])
def test_what_is_no_epoch_is_refused(epoch: str) -> None:
    with pytest.raises(RefusedError):
        epoch_days(epoch)


def test_a_new_key_is_added_once_and_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    first, second = make_epoch_key(path, "2026H2"), make_epoch_key(path, "2027H1")
    assert read_keys(path) == (first, second)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(RefusedError):
        make_epoch_key(path, "2026H2")


def test_a_destroyed_key_is_gone_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    first, second = make_epoch_key(path, "2026H2"), make_epoch_key(path, "2027H1")
    destroy_epoch_key(path, "2026H2", AFTER)
    assert read_keys(path) == (second,)
    assert first.key.seed.hex() not in "".join(file.read_text(encoding="utf-8") for file in tmp_path.iterdir())
    with pytest.raises(RefusedError):
        destroy_epoch_key(path, "2026H2", AFTER)


@pytest.mark.parametrize("day", [date(2026, 5, 1), date(2026, 12, 31), date(2027, 1, 30)])
def test_a_key_with_which_tokens_are_or_will_be_made_is_destroyed_only_when_somebody_says_so(tmp_path: Path, day: date) -> None:
    path = tmp_path / "keys.json"
    held = make_epoch_key(path, "2026H2")
    with pytest.raises(RefusedError, match="EPOCH_KEY_IN_USE"):
        destroy_epoch_key(path, "2026H2", day)
    assert read_keys(path) == (held,)
    destroy_epoch_key(path, "2026H2", day, early=True)
    assert read_keys(path) == ()


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    make_epoch_key(path, "2026H2")
    path.chmod(0o640)
    with pytest.raises(RefusedError, match=r"^FILE_OPEN_TO_OTHERS"):
        read_keys(path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"epoch_keys": [{"epoch": "2026H2"}]}', '{"epoch_keys": 5}'])
def test_a_file_without_epoch_keys_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys.json"
    write_keys(path, [])
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RefusedError, match=r"keys\.json"):
        read_keys(path)


def test_an_epoch_that_stands_twice_is_refused(tmp_path: Path) -> None:
    keys = [HeldKey(EpochKey.generate("2026H2"), *epoch_days("2026H2")) for _ in range(2)]
    write_keys(tmp_path / "keys.json", keys)
    with pytest.raises(RefusedError, match="EPOCH_TWICE"):
        read_keys(tmp_path / "keys.json")


def test_a_keeper_keeps_digests_of_bearer_tokens_and_never_a_token(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    write_bearers(path, {VENLO: "venlo's token"})
    assert "venlo's token" not in path.read_text(encoding="utf-8")
    assert read_bearers(path).municipality("venlo's token") == VENLO
    assert read_bearers(path).municipality("another token") is None


@pytest.mark.parametrize("text", ["", "[]", '{"Venlo": "00"}', '{"GM0983": "00"}', '{"GM0983": 5}'])
def test_a_file_without_digests_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "tokens.json").write_text(text, encoding="utf-8")
    with pytest.raises(RefusedError):
        read_bearers(tmp_path / "tokens.json")


def test_a_key_that_the_register_does_not_name_stops_the_keeper_at_its_start(settings: KeeperSettings) -> None:
    held = make_epoch_key(settings.keys_file, "2026H2")
    assert keeper_of(settings).keys == (held,)
    period = Period(datetime(2026, 7, 1, tzinfo=UTC))
    write_register(settings.data_dir, KeeperKey("2026H2", held.key.public_key, period))
    assert keeper_of(settings).keys == (held,)
    write_register(settings.data_dir, KeeperKey("2026H2", EpochKey.generate("2026H2").public_key, period))
    with pytest.raises(RefusedError, match="EPOCH_KEY_NOT_REGISTERED"):
        keeper_of(settings)


WEERT = MunicipalityCode("GM0988")


def test_who_is_admitted_may_ask_at_once_and_who_is_removed_no_more(settings: KeeperSettings, tmp_path: Path) -> None:
    make_epoch_key(settings.keys_file, "2026H2")
    running, out = keeper_of(settings), tmp_path / "out.json"
    for _ in range(2):
        assert "GM0988 mag keeper-a vragen" in run("admit", "GM0988", "--token-out", str(out))
    token = json.loads(out.read_text(encoding="utf-8"))["keeper-a"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert (running.municipality(token), running.municipality("venlo's token")) == (WEERT, VENLO)
    assert token not in settings.tokens_file.read_text(encoding="utf-8")
    for _ in range(2):
        assert "niet meer vragen" in run("remove", "GM0988")
    assert (running.municipality(token), running.municipality("venlo's token")) == (None, VENLO)


def test_the_first_municipality_is_admitted_without_a_file_of_tokens(settings: KeeperSettings, tmp_path: Path) -> None:
    settings.tokens_file.unlink()
    run("admit", "GM0988", "--token-out", str(tmp_path / "out.json"))
    assert set(read_bearers(settings.tokens_file).digests) == {WEERT}


def test_the_tokens_of_another_keeper_in_the_file_stay(settings: KeeperSettings, tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text('{"keeper-b": "theirs"}', encoding="utf-8")
    run("admit", "GM0988", "--token-out", str(tmp_path / "out.json"))
    held = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert (sorted(held), held["keeper-b"]) == (["keeper-a", "keeper-b"], "theirs")
    assert settings.keeper == "keeper-a"


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"keeper-b": 5}', '{"keeper-b": ""}'])
def test_a_file_that_holds_something_else_is_not_overwritten(settings: KeeperSettings, tmp_path: Path, text: str) -> None:
    (tmp_path / "out.json").write_text(text, encoding="utf-8")
    with pytest.raises(RefusedError, match="NO_TOKENS_BY_KEEPER"):
        run("admit", "GM0988", "--token-out", str(tmp_path / "out.json"))
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == text
    assert set(read_bearers(settings.tokens_file).digests) == {VENLO}


def test_a_broken_file_of_tokens_is_told_and_those_before_stay_in_force(settings: KeeperSettings) -> None:
    make_epoch_key(settings.keys_file, "2026H2")
    running = keeper_of(settings)
    settings.tokens_file.write_text("no JSON", encoding="utf-8")
    with capture_logs() as logged:
        assert running.municipality("venlo's token") == VENLO
    assert [entry["event"] for entry in logged] == ["tokens_refused"]


class FakeServer:
    """Takes the place of uvicorn: remembers what would be served."""

    served: tuple[FastAPI, dict[str, object]] | None = None

    @classmethod
    def run(cls, application: FastAPI, **options: object) -> None:
        cls.served = application, options


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> type[FakeServer]:
    monkeypatch.setattr(composition, "uvicorn", FakeServer)
    monkeypatch.setattr(composition, "logs", type("Logs", (), {"configure": staticmethod(lambda *_: None)}))
    return FakeServer


@pytest.mark.parametrize("start", [serve, lambda _: main()])
def test_a_keeper_is_served_on_loopback_without_an_access_log(
    settings: KeeperSettings, server: type[FakeServer], start: Callable[[KeeperSettings], object]
) -> None:
    make_epoch_key(settings.keys_file, "2026H2")
    start(settings)
    assert server.served is not None
    _, options = server.served
    assert (options["host"], options["port"], options["access_log"]) == ("127.0.0.1", 0, False)


def test_an_operator_makes_and_destroys_keys_and_sees_public_keys_only(settings: KeeperSettings) -> None:
    printed = run("new-key", "2026H2")
    (held,) = read_keys(settings.keys_file)
    assert printed.strip() == held.key.public_key.hex()
    assert CliRunner().invoke(app, ["destroy-key", "2026H2", "--early"], input="n\n").exit_code == 1
    assert read_keys(settings.keys_file) == (held,)
    assert "vernietigd" in run("destroy-key", "2026H2", "--early", "--yes")
    assert read_keys(settings.keys_file) == ()


def test_an_operator_raises_a_quota_and_sees_the_counts(settings: KeeperSettings) -> None:
    keys = make_epoch_key(settings.keys_file, "2026H2")
    approved = ("--approved-by", "T. Voorbeeld", "--second-approver", "R. Voorbeeld")
    assert "GM0983" in run("raise-quota", "GM0983", "2026-11-20", "2026-11-21", "--a-day", "500", "--a-month", "2000", *approved)
    keeper_of(settings).store.take(VENLO, date(2026, 11, 20), keeper_of(settings).quota)
    assert keys.key.epoch == "2026H2"
    assert "2026-11-20" in run("usage", "2026-11-01", "2026-11-30")


def test_what_is_no_municipality_gets_no_quota(settings: KeeperSettings) -> None:
    arguments = ["raise-quota", "Venlo", "2026-11-20", "2026-11-21", "--a-day", "5", "--a-month", "5"]
    arguments += ["--approved-by", "T. Voorbeeld", "--second-approver", "R. Voorbeeld"]
    assert CliRunner().invoke(app, arguments).exit_code == 2
    assert not list(settings.data_dir.glob("*.sqlite"))
