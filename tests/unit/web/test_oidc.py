"""A log-in through an identity provider: what is asked, what is believed, and what is refused (OIDC NL GOV 1.0.1)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey, RSAKey
from small_provider import (
    CLIENT,
    LOW,
    REDIRECT,
    SECRET,
    SUBJECT,
    SUBSTANTIAL,
    Answer,
    SmallProvider,
    rsa_key,
    signed_by,
    signed_with_text,
    small_provider,
    unsigned,
)

from signal_exchange import words
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.runtime import clock
from signal_exchange.web.oidc.id_tokens import ProvenPerson
from signal_exchange.web.oidc.provider import Provider
from signal_exchange.web.oidc.published import READ_AGAIN_AFTER

NOT_OURS = "https://elsewhere.example"


@pytest.fixture
def there() -> Iterator[SmallProvider]:
    with small_provider() as running:
        yield running


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(SECRET + "\n", encoding="utf-8")
    file.chmod(0o600)
    return file


@pytest.fixture
def ours(there: SmallProvider, secret_file: Path) -> Provider:
    return Provider(there.issuer, CLIENT, acr_values=[SUBSTANTIAL], now=clock.now, secret_file=secret_file)


def log_in(ours: Provider, there: SmallProvider) -> ProvenPerson:
    started = ours.begin(REDIRECT)
    return ours.finish(started, there.log_in(started.url))


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(RefusedError) as refused:
        act()
    error = refused.value
    assert SUBJECT not in f"{error} {words.sentence(error)}"
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None  # what a library says may hold anything
    return error.code


def test_the_provider_is_asked_for_nothing_but_who_it_is_and_how_surely(ours: Provider) -> None:
    url = ours.begin(REDIRECT).url
    asked = parse_qs(urlsplit(url).query)
    assert asked["scope"] == ["openid"]
    assert asked["acr_values"] == [SUBSTANTIAL]
    assert asked["redirect_uri"] == [REDIRECT]
    assert (asked["response_type"], asked["code_challenge_method"], asked["client_id"]) == (["code"], ["S256"], [CLIENT])


def test_state_nonce_and_verifier_are_new_each_time_and_cannot_be_guessed(ours: Provider) -> None:
    one, other = ours.begin(REDIRECT), ours.begin(REDIRECT)
    drawn = [getattr(each, name) for each in (one, other) for name in ("state", "nonce", "verifier")]
    assert len(set(drawn)) == 6
    assert min(map(len, drawn)) * 6 >= 128
    assert one.verifier not in one.url


def test_a_log_in_proves_a_person_by_issuer_and_subject(ours: Provider, there: SmallProvider) -> None:
    person = log_in(ours, there)
    assert (person.issuer, person.subject, person.acr) == (there.issuer, SUBJECT, SUBSTANTIAL)
    assert person.auth_time is not None
    assert abs(person.auth_time - clock.now()) < timedelta(minutes=1)


def test_several_log_ins_go_on_at_once(ours: Provider, there: SmallProvider) -> None:
    one, other = ours.begin(REDIRECT), ours.begin(REDIRECT)
    answer = there.log_in(one.url)
    assert ours.finish(other, there.log_in(other.url)).subject == SUBJECT
    assert ours.finish(one, answer).subject == SUBJECT


@pytest.mark.parametrize("change", [{"state": "another"}, {"state": ""}, {"state": None}])
def test_an_answer_with_another_state_is_refused_before_anything_is_asked(
    ours: Provider, there: SmallProvider, change: dict[str, str | None]
) -> None:
    started = ours.begin(REDIRECT)
    answer = {name: value for name, value in (there.log_in(started.url) | change).items() if value is not None}
    assert refusal(lambda: ours.finish(started, answer)) == "LOGIN_ANSWER_OF_ANOTHER"
    assert "/token" not in there.asked


def test_the_answer_of_another_log_in_is_refused(ours: Provider, there: SmallProvider) -> None:
    one, other = ours.begin(REDIRECT), ours.begin(REDIRECT)
    answer = there.log_in(one.url)
    assert refusal(lambda: ours.finish(other, answer)) == "LOGIN_ANSWER_OF_ANOTHER"
    stolen = answer | {"state": other.state}
    assert refusal(lambda: ours.finish(other, stolen)) == "LOGIN_CODE_SPENT"  # its verifier is not that of this code


def test_an_answer_in_the_name_of_another_issuer_is_refused(ours: Provider, there: SmallProvider) -> None:
    """RFC 9207."""
    started = ours.begin(REDIRECT)
    answer = there.log_in(started.url)
    assert refusal(lambda: ours.finish(started, answer | {"iss": NOT_OURS})) == "LOGIN_OTHER_ISSUER"
    assert ours.finish(started, answer | {"iss": there.issuer}).subject == SUBJECT


def test_a_provider_that_promises_its_name_in_the_answer_must_give_it(ours: Provider, there: SmallProvider) -> None:
    there.metadata = {"authorization_response_iss_parameter_supported": True}
    assert refusal(lambda: log_in(ours, there)) == "LOGIN_OTHER_ISSUER"


def test_a_log_in_that_began_at_another_provider_is_refused(ours: Provider, there: SmallProvider, secret_file: Path) -> None:
    started = ours.begin(REDIRECT)
    answer = there.log_in(started.url)
    with small_provider() as elsewhere:
        other = Provider(elsewhere.issuer, CLIENT, acr_values=[SUBSTANTIAL], now=clock.now, secret_file=secret_file)
        assert refusal(lambda: other.finish(started, answer)) == "LOGIN_OTHER_ISSUER"
        assert "/token" not in elsewhere.asked


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("access_denied", "LOGIN_UNFINISHED"),
        ("login_required", "LOGIN_UNFINISHED"),
        ("unmet_authentication_requirements", "LOGIN_TOO_WEAK"),
        ("temporarily_unavailable", "PROVIDER_SILENT"),
        ("invalid_scope", "PROVIDER_REFUSES_US"),
        (f"mail {SUBJECT}", "PROVIDER_REFUSES_US"),
    ],
)
def test_why_the_provider_sent_somebody_back_is_told_in_our_own_words(ours: Provider, error: str, code: str) -> None:
    started = ours.begin(REDIRECT)
    answer = {"state": started.state, "error": error, "error_description": SUBJECT}
    assert refusal(lambda: ours.finish(started, answer)) == code


def test_an_answer_without_a_code_is_refused(ours: Provider) -> None:
    started = ours.begin(REDIRECT)
    assert refusal(lambda: ours.finish(started, {"state": started.state})) == "LOGIN_INCOMPLETE"


def test_a_code_works_once(ours: Provider, there: SmallProvider) -> None:
    started = ours.begin(REDIRECT)
    answer = there.log_in(started.url)
    ours.finish(started, answer)
    assert refusal(lambda: ours.finish(started, answer)) == "LOGIN_CODE_SPENT"


@dataclass(frozen=True)
class Seconds:
    """A moment so many seconds from when it is asked for: a long run collects its tests many minutes before."""

    away: float

    def moment(self) -> int:
        return int(time.time() + self.away)


def at_once(claims: dict[str, Any]) -> dict[str, Any]:
    return {name: claim.moment() if isinstance(claim, Seconds) else claim for name, claim in claims.items()}


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iss": NOT_OURS}, "LOGIN_OTHER_ISSUER"),
        ({"aud": "another-service"}, "LOGIN_FOR_ANOTHER_SERVICE"),
        ({"aud": [CLIENT, "another-service"]}, "LOGIN_FOR_ANOTHER_SERVICE"),
        ({"aud": []}, "LOGIN_FOR_ANOTHER_SERVICE"),
        ({"azp": "another-service"}, "LOGIN_FOR_ANOTHER_SERVICE"),
        ({"nonce": "of-another"}, "LOGIN_ANSWER_OF_ANOTHER"),
        ({"exp": Seconds(-120)}, "LOGIN_OUT_OF_TIME"),
        ({"iat": Seconds(600), "exp": Seconds(900)}, "LOGIN_OUT_OF_TIME"),
        ({"iat": Seconds(-3600)}, "LOGIN_OUT_OF_TIME"),
        ({"nbf": Seconds(600)}, "LOGIN_OUT_OF_TIME"),
        ({"exp": "soon"}, "LOGIN_OUT_OF_TIME"),
        ({"auth_time": Seconds(86400)}, "LOGIN_OUT_OF_TIME"),
        ({"auth_time": 10**30}, "LOGIN_OUT_OF_TIME"),
        ({"acr": LOW}, "LOGIN_TOO_WEAK"),
        ({"acr": None}, "LOGIN_TOO_WEAK"),
        ({"acr": [SUBSTANTIAL]}, "LOGIN_TOO_WEAK"),
        ({"represents": {"sub": "other", "iss": NOT_OURS}}, "LOGIN_FOR_ANOTHER_PERSON"),
        ({"at_hash": "of-another-token"}, "LOGIN_INCOMPLETE"),
        ({"sub": None}, "LOGIN_INCOMPLETE"),
        ({"sub": ""}, "LOGIN_INCOMPLETE"),
        ({"sub": 7}, "LOGIN_INCOMPLETE"),
        ({"nonce": None}, "LOGIN_ANSWER_OF_ANOTHER"),
        ({"iss": None, "nonce": None}, "LOGIN_INCOMPLETE"),
    ],
)
def test_a_token_that_says_something_else_is_refused(
    ours: Provider, there: SmallProvider, claims: dict[str, Any], code: str
) -> None:
    there.claims = at_once(claims)
    assert refusal(lambda: log_in(ours, there)) == code


@pytest.mark.parametrize("claims", [{"aud": [CLIENT]}, {"azp": CLIENT}, {"auth_time": None}, {"iat": Seconds(45)}])
def test_a_token_that_says_the_same_otherwise_is_believed(ours: Provider, there: SmallProvider, claims: dict[str, Any]) -> None:
    there.claims = at_once(claims)
    assert log_in(ours, there).subject == SUBJECT


@pytest.mark.parametrize(
    "signer",
    [
        lambda _: unsigned,
        lambda there: signed_with_text(there.keys[0].as_pem(private=False), "first"),
        lambda _: signed_with_text(SECRET.encode(), "first"),
        lambda there: signed_by(there.keys[0], "RS512"),
        lambda _: signed_by(rsa_key("second"), kid="first"),
        lambda _: signed_by(rsa_key("second")),
        lambda _: lambda _claims: "no.token",
        lambda _: lambda _claims: "",
    ],
    ids=[
        "none",
        "HS256 with the public key",
        "HS256 with our secret",
        "RS512",
        "another key",
        "unknown key",
        "garbage",
        "nothing",
    ],
)
def test_a_token_without_a_right_signature_is_refused(
    ours: Provider, there: SmallProvider, signer: Callable[[SmallProvider], Callable[[dict[str, Any]], str]]
) -> None:
    there.sign = signer(there)
    assert refusal(lambda: log_in(ours, there)) == "LOGIN_NOT_SIGNED"


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256"])
def test_the_signatures_of_the_profile_are_believed(ours: Provider, there: SmallProvider, alg: str) -> None:
    there.keys = [ECKey.generate_key("P-256", {"kid": "curve"}) if alg == "ES256" else rsa_key("second")]
    there.sign = signed_by(there.keys[0], alg)
    assert log_in(ours, there).subject == SUBJECT


def test_a_provider_may_change_its_keys_at_any_moment(ours: Provider, there: SmallProvider) -> None:
    log_in(ours, there)
    there.rotate()
    assert log_in(ours, there).subject == SUBJECT


def test_what_a_provider_publishes_is_read_once_and_again_after_an_hour(there: SmallProvider, secret_file: Path) -> None:
    now = [clock.now()]
    ours = Provider(there.issuer, CLIENT, acr_values=[SUBSTANTIAL], now=lambda: now[0], secret_file=secret_file)
    for _ in range(3):
        log_in(ours, there)
    assert there.asked.count("/keys") == 1
    now[0] += READ_AGAIN_AFTER
    ours.begin(REDIRECT)
    assert there.asked.count("/keys") == 2


def test_a_key_that_is_published_no_longer_ends_within_the_hour(there: SmallProvider, secret_file: Path) -> None:
    now = [clock.now() - READ_AGAIN_AFTER]
    ours = Provider(there.issuer, CLIENT, acr_values=[SUBSTANTIAL], now=lambda: now[0], secret_file=secret_file)
    ours.begin(REDIRECT)
    there.sign = signed_by(there.keys[0])
    there.rotate()
    now[0] = clock.now()
    assert refusal(lambda: log_in(ours, there)) == "LOGIN_NOT_SIGNED"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((500, {}, b""), "PROVIDER_SILENT"),
        ((404, {}, b""), "PROVIDER_SILENT"),
        ((302, {"Location": f"{NOT_OURS}/x"}, b""), "PROVIDER_SILENT"),
        ((200, {}, b"<html>"), "PROVIDER_UNREADABLE"),
        ((200, {}, b"[]"), "PROVIDER_UNREADABLE"),
    ],
)
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
def test_a_provider_that_answers_something_else_is_refused(
    ours: Provider, there: SmallProvider, path: str, answer: Answer, code: str
) -> None:
    there.answers = {path: answer}
    assert refusal(lambda: log_in(ours, there)) == code


def test_no_redirect_is_followed_where_keys_or_tokens_are_fetched(ours: Provider, there: SmallProvider) -> None:
    """Nor one to an address that would answer as it should: the next may lead anywhere."""
    there.answers = {"/.well-known/openid-configuration": (302, {"Location": f"{there.issuer}/moved"}, b"")}
    assert refusal(lambda: log_in(ours, there)) == "PROVIDER_SILENT"
    assert "/moved" not in there.asked


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"issuer": NOT_OURS}, "PROVIDER_OTHER_ISSUER"),
        ({"jwks_uri": "http://elsewhere.example/keys"}, "PROVIDER_UNREADABLE"),
        ({"token_endpoint": "http://elsewhere.example/token"}, "PROVIDER_UNREADABLE"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "PROVIDER_UNREADABLE"),
        ({"end_session_endpoint": "http://elsewhere.example/end"}, "PROVIDER_UNREADABLE"),
        ({"token_endpoint": None}, "PROVIDER_UNREADABLE"),
    ],
)
def test_addresses_that_others_can_listen_to_are_refused(
    ours: Provider, there: SmallProvider, metadata: dict[str, Any], code: str
) -> None:
    there.metadata = metadata
    assert refusal(lambda: ours.begin(REDIRECT)) == code


def test_a_provider_that_is_away_is_told() -> None:
    with small_provider() as there:
        issuer = there.issuer
    away = Provider(issuer, CLIENT, acr_values=[SUBSTANTIAL], now=clock.now)
    assert refusal(lambda: away.begin(REDIRECT)) == "PROVIDER_SILENT"


@pytest.mark.parametrize("issuer", ["http://login.example", "ftp://127.0.0.1", "login.example", "http://127.0.0.1.example"])
def test_an_issuer_in_plain_text_is_refused_at_once(issuer: str) -> None:
    assert refusal(lambda: Provider(issuer, CLIENT, acr_values=[SUBSTANTIAL], now=clock.now)) == "PROVIDER_IN_PLAIN_TEXT"


def test_a_wrong_secret_is_a_matter_for_the_operator(ours: Provider, there: SmallProvider, secret_file: Path) -> None:
    secret_file.write_text("old", encoding="utf-8")
    assert refusal(lambda: log_in(ours, there)) == "PROVIDER_REFUSES_US"
    secret_file.write_text(SECRET, encoding="utf-8")  # a new one is taken over without a restart
    assert log_in(ours, there).subject == SUBJECT


def test_a_secret_that_others_can_read_is_not_used(ours: Provider, there: SmallProvider, secret_file: Path) -> None:
    secret_file.chmod(0o644)
    assert refusal(lambda: log_in(ours, there)) == "FILE_OPEN_TO_OTHERS"


@pytest.mark.parametrize("methods", [["client_secret_post"], ["client_secret_basic", "client_secret_post"]])
def test_the_secret_goes_as_the_provider_takes_it(ours: Provider, there: SmallProvider, methods: list[str]) -> None:
    there.metadata = {"token_endpoint_auth_methods_supported": methods}
    assert log_in(ours, there).subject == SUBJECT


@pytest.mark.parametrize("key", [rsa_key("second"), ECKey.generate_key("P-256")], ids=["RSA", "EC"])
def test_the_service_proves_itself_with_a_private_key(there: SmallProvider, tmp_path: Path, key: RSAKey | ECKey) -> None:
    """OIDC NL GOV: private_key_jwt."""
    file = tmp_path / "key.pem"
    file.write_bytes(key.as_pem(private=True))
    file.chmod(0o600)
    there.client_key = key
    ours = Provider(there.issuer, CLIENT, acr_values=[SUBSTANTIAL], now=clock.now, key_file=file)
    assert log_in(ours, there).subject == SUBJECT


def test_a_log_out_is_told_to_the_provider_with_the_token_that_it_gave(ours: Provider, there: SmallProvider) -> None:
    url = urlsplit(ours.end("the.id.token", "http://127.0.0.1:8123/aanmelden"))
    assert f"{url.scheme}://{url.netloc}{url.path}" == there.issuer + "/end"
    told = {
        "id_token_hint": ["the.id.token"],
        "client_id": [CLIENT],
        "post_logout_redirect_uri": ["http://127.0.0.1:8123/aanmelden"],
    }
    assert parse_qs(url.query) == told


def test_a_provider_without_a_log_out_leaves_the_browser_here(ours: Provider, there: SmallProvider) -> None:
    there.metadata = {"end_session_endpoint": None}
    assert ours.end("the.id.token", REDIRECT) == REDIRECT


def test_nothing_of_a_log_in_is_shown_or_logged(ours: Provider, there: SmallProvider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    started = ours.begin(REDIRECT)
    answer: Mapping[str, str] = there.log_in(started.url)
    caplog.clear()
    person = ours.finish(started, answer)
    hidden = (started.state, started.nonce, started.verifier, answer["code"], person.id_token)
    told = f"{started!r} {person!r} {caplog.text}"
    assert [each for each in hidden if each in told] == []
