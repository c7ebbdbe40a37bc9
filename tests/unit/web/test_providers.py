"""The file of identity providers: what it must hold, and that what is wrong is named without any value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from signal_exchange import words
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime import clock
from signal_exchange.web.oidc.providers import providers_of

HIDDEN = "a-value-of-tests"
VENLO = {
    "name": "venlo",
    "title": "Gemeente Venlo",
    "issuer": "https://login.venlo.example",
    "client_id": HIDDEN,
    "acr_values": ["x"],
}


def written(folder: Path, content: Any) -> Path:
    file = folder / "providers.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    file.chmod(0o600)
    return file


def refused(file: Path) -> RefusedError:
    with pytest.raises(RefusedError) as refusal:
        providers_of(file, clock.now)
    assert HIDDEN not in f"{refusal.value} {words.sentence(refusal.value)}"
    return refusal.value


def test_providers_keep_the_order_of_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, {"providers": [VENLO, VENLO | {"name": "politie", "title": "Politie"}]})
    assert [(name, each.title) for name, each in providers_of(file, clock.now).items()] == [
        ("venlo", "Gemeente Venlo"),
        ("politie", "Politie"),
    ]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("{", "JSON"),
        ("[]", "JSON"),
        ({"providers": []}, "providers"),
        ({"providers": [VENLO | {"acr_values": []}]}, "providers.0.acr_values"),
        ({"providers": [VENLO | {"name": "Gemeente Venlo"}]}, "providers.0.name"),
        ({"providers": [VENLO, VENLO | {"issuer": ""}]}, "providers.1.issuer"),
        ({"providers": [VENLO | {"secret": HIDDEN}]}, "providers.0.secret"),
        ({"providers": [{key: value for key, value in VENLO.items() if key != "client_id"}]}, "providers.0.client_id"),
        ({"providers": [VENLO, VENLO]}, "name"),
        ({"providers": [VENLO | {"name": "terug"}]}, "name"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(tmp_path: Path, content: Any, place: str) -> None:
    refusal = refused(written(tmp_path, content))
    assert (refusal.code, refusal.facts["places"]) == ("PROVIDERS_WRONG", [place])


def test_an_issuer_in_plain_text_is_refused(tmp_path: Path) -> None:
    assert (
        refused(written(tmp_path, {"providers": [VENLO | {"issuer": "http://login.venlo.example"}]})).code
        == "PROVIDER_IN_PLAIN_TEXT"
    )


@pytest.mark.parametrize("kind", ["secret_file", "key_file"])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "own").write_bytes(ECKey.generate_key("P-256").as_pem(private=True))
    (tmp_path / "own").chmod(0o640)
    file = written(tmp_path, {"providers": [VENLO | {kind: "own"}]})
    assert refused(file).code == "FILE_OPEN_TO_OTHERS"
    (tmp_path / "own").chmod(0o600)
    providers_of(file, clock.now)
    file.chmod(0o644)
    assert refused(file).code == "FILE_OPEN_TO_OTHERS"


@pytest.mark.parametrize(
    "pem",
    [HIDDEN.encode(), b"", ECKey.generate_key("P-256").as_pem(private=False), ECKey.generate_key("P-384").as_pem(private=True)],
    ids=["text", "nothing", "public", "another curve"],
)
def test_a_key_that_cannot_prove_us_is_refused_at_the_start(tmp_path: Path, pem: bytes) -> None:
    (tmp_path / "own").write_bytes(pem)
    (tmp_path / "own").chmod(0o600)
    assert refused(written(tmp_path, {"providers": [VENLO | {"key_file": "own"}]})).code == "CLIENT_KEY_UNREADABLE"


@pytest.mark.parametrize("kind", ["secret_file", "key_file", "ca_file"])
def test_a_file_that_is_not_there_stops_the_start(tmp_path: Path, kind: str) -> None:
    with pytest.raises(OSError, match="No such file"):
        providers_of(written(tmp_path, {"providers": [VENLO | {kind: "away"}]}), clock.now)
