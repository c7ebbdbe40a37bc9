"""A log-in at a real identity provider: Keycloak, through its own forms."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from keycloak_server import LOGGED_OUT, LOW, REDIRECT, SUBSTANTIAL, Keycloak, Person

from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime import clock
from signal_exchange.web.oidc.id_tokens import Expected, proven
from signal_exchange.web.oidc.provider import Provider

pytestmark = [pytest.mark.provider, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def keycloak(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keycloak]:
    running = Keycloak(tmp_path_factory.mktemp("keycloak"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


def private(file: Path, content: str | bytes) -> Path:
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    file.chmod(0o600)
    return file


@pytest.fixture
def signaalpunt(keycloak: Keycloak, tmp_path: Path) -> Provider:
    key = private(tmp_path / "key.pem", keycloak.client_key.as_pem(private=True))
    return Provider(keycloak.issuer, "signaalpunt", acr_values=[SUBSTANTIAL], now=clock.now, key_file=key)


@pytest.fixture
def another_service(keycloak: Keycloak, tmp_path: Path) -> Provider:
    secret = private(tmp_path / "secret", keycloak.other_secret)
    return Provider(keycloak.issuer, "another-service", acr_values=[LOW], now=clock.now, secret_file=secret)


@pytest.fixture
def person(keycloak: Keycloak) -> Iterator[Person]:
    with Person(keycloak) as browser:
        yield browser


def claims_of(id_token: str) -> dict[str, Any]:
    part = id_token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def test_a_person_logs_in_with_a_second_step_and_out_again(keycloak: Keycloak, signaalpunt: Provider, person: Person) -> None:
    started = signaalpunt.begin(REDIRECT)
    proof = signaalpunt.finish(started, person.log_in(started.url))
    assert (proof.issuer, proof.subject, proof.acr) == (keycloak.issuer, keycloak.subject, SUBSTANTIAL)
    assert proof.auth_time is not None
    assert person.asked == ["password", "code"]
    assert not claims_of(proof.id_token).keys() & {"name", "given_name", "family_name", "preferred_username", "email"}

    person.log_in(signaalpunt.begin(REDIRECT).url)
    assert person.asked == []  # still logged in there
    left = person.get(signaalpunt.end(proof.id_token, LOGGED_OUT))
    assert (left.status_code, left.headers["Location"]) == (302, LOGGED_OUT)  # and no question whether one is sure
    person.log_in(signaalpunt.begin(REDIRECT).url)
    assert person.asked[:1] == ["password"]


def test_a_code_of_a_log_in_counts_once(signaalpunt: Provider, person: Person) -> None:
    started = signaalpunt.begin(REDIRECT)
    answer = person.log_in(started.url)
    signaalpunt.finish(started, answer)
    with pytest.raises(RefusedError, match="LOGIN_CODE_SPENT"):
        signaalpunt.finish(started, answer)


def test_what_another_service_was_given_is_refused(signaalpunt: Provider, another_service: Provider, person: Person) -> None:
    started = another_service.begin(REDIRECT)
    answer = person.log_in(started.url)
    with pytest.raises(RefusedError, match="LOGIN_CODE_SPENT"):
        signaalpunt.finish(started, answer)

    started = another_service.begin(REDIRECT)
    token = another_service.finish(started, person.log_in(started.url)).id_token
    keys = signaalpunt._publication.current().keys
    expected = Expected(started.issuer, "signaalpunt", [LOW], started.nonce)
    with pytest.raises(RefusedError, match="LOGIN_FOR_ANOTHER_SERVICE"):
        proven({"id_token": token}, keys, expected, clock.now())


def test_who_takes_the_wanted_level_out_of_the_address_is_refused(signaalpunt: Provider, person: Person) -> None:
    started = signaalpunt.begin(REDIRECT)
    weakened = started.url.replace(quote(SUBSTANTIAL, safe=""), quote(LOW, safe=""))
    answer = person.log_in(weakened)
    assert person.asked == ["password"]
    with pytest.raises(RefusedError, match="LOGIN_TOO_WEAK"):
        signaalpunt.finish(started, answer)


def test_who_logged_in_with_a_password_is_asked_for_the_second_step_alone(
    signaalpunt: Provider, another_service: Provider, person: Person
) -> None:
    started = another_service.begin(REDIRECT)
    assert another_service.finish(started, person.log_in(started.url)).acr == LOW
    started = signaalpunt.begin(REDIRECT)
    assert signaalpunt.finish(started, person.log_in(started.url)).acr == SUBSTANTIAL
    assert person.asked == ["code"]
