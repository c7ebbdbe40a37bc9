"""Holds schemas/tokens/vectors.json to the code, and both to second implementations. Run as a program it writes the file."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import rfc9180
import rfc9497
from voprf.ristretto import Evaluator

from signal_exchange.domain.links.epochs import epoch_of
from signal_exchange.privacy import normal_forms as normalising
from signal_exchange.privacy.blinding import Blinded
from signal_exchange.privacy.evaluating import EpochKey
from signal_exchange.privacy.sealing import (
    LinkToken,
    SealingPrivateKey,
    decode_tokens,
    encode_tokens,
    pad_summary,
)
from signal_exchange.privacy.tokens import token, token_input

ROOT = Path(__file__).parents[3]
VECTORS = ROOT / "schemas" / "tokens" / "vectors.json"
CHECKS = ROOT / "tests" / "data" / "check_values.json"
DAYS = ("2026-01-01", "2026-06-30", "2026-07-01", "2026-12-31", "2027-01-01")
KEYS = {
    (name, epoch): EpochKey(epoch, hashlib.sha256(f"test key of keeper {name}, {epoch}".encode()).digest())
    for epoch in ("2026H2", "2027H1")
    for name in "AB"
}
VALUES = (
    ("BSN", "999990019"),
    ("NAME_DOB", "meer|anna|19990714"),
    ("NAME_DOB_SOFT", "mr|a|19990714"),
    ("PHONE", "+31612345678"),
    ("ADDRESS_PC", "5999ZZ|12|A"),
    ("ADDRESS_BAG", "0983200000123456"),
    ("PLATE", "NL:GX123B"),
    ("KVK", "90000020"),
    ("IBAN", "NL91ABNA0417164300"),
)
TOKENS = (
    LinkToken("subject:s1", "NAME_DOB", "2026H2", bytes(range(16))),
    LinkToken("place:0", "ADDRESS_PC", "2026H2", bytes(range(16, 32))),
    LinkToken("object:1", "IBAN", "2026H2", bytes(range(32, 48))),
)
SEALING = SealingPrivateKey(
    "linking-2026-1", "linking", hashlib.sha512(b"test seed of a sealing key").digest(), hashlib.sha256(b"test").digest()
)
BOUND_TO = "09f6398d-25aa-4a1d-81c3-54f2bcabfdc9.1"
PLAINTEXT = "Alleen voor de test."


def output(key: EpochKey, kind: str, value: str) -> bytes:
    """Return what a keeper alone could compute, knowing the value."""
    return Evaluator.from_seed(key.seed, key.epoch.encode()).evaluate_known_input(token_input(kind, value))


def a_token(epoch: str, kind: str, value: str) -> dict[str, str]:
    out_a, out_b = (output(KEYS[name, epoch], kind, value) for name in "AB")
    made = token(kind, epoch, out_a, out_b)
    hexes = {"input": token_input(kind, value), "out_a": out_a, "out_b": out_b, "token": made}
    return {"epoch": epoch, "type": kind, "value": value, **{name: data.hex() for name, data in hexes.items()}}


def scalars() -> list[int]:
    hashes = (hashlib.sha512(f"test blind {number}".encode()).digest() for number in range(16))
    return [int.from_bytes(each, "little") % rfc9497.ORDER for each in hashes]


def inputs() -> list[bytes]:
    return [token_input(*value) for value in VALUES] + [f"padding {number}".encode() for number in range(7)]


def an_exchange(proof: str) -> dict[str, Any]:
    """Return one request and its answer, of which only the proof is not fixed: any proof that verifies will do."""
    points = [rfc9497.blind(value, scalar) for value, scalar in zip(inputs(), scalars(), strict=True)]
    answer = KEYS["A", "2026H2"].evaluate(b"".join(points))
    return {
        "keeper": "A",
        "inputs": [value.hex() for value in inputs()],
        "scalars": [scalar.to_bytes(32, "little").hex() for scalar in scalars()],
        "request": {"epoch": "2026H2", "punten": [point.hex() for point in points]},
        "answer": {
            "epoch": "2026H2",
            "bewijs": proof or answer[:64].hex(),
            "punten": [answer[start : start + 32].hex() for start in range(64, 576, 32)],
        },
    }


def build(known: dict[str, Any]) -> dict[str, Any]:
    """Return the vectors; a proof and a sealed part, which are random, are kept as they are known."""
    checks = json.loads(CHECKS.read_text(encoding="utf-8"))["normalise"]
    return {
        "about": "Test vectors of README.md beside this file. Every key is a test key and every value is invented.",
        "epochs": [[day, epoch_of(date.fromisoformat(day))] for day in DAYS],
        "keeper_keys": [
            {"keeper": name, "epoch": epoch, "seed": key.seed.hex(), "public_key": key.public_key.hex()}
            for (name, epoch), key in KEYS.items()
        ],
        "tokens": [*(a_token("2026H2", *value) for value in VALUES), a_token("2027H1", "PHONE", "+31612345678")],
        "exchange": an_exchange(known.get("exchange", {}).get("answer", {}).get("bewijs", "")),
        "normalised": checks,
        "slots": {
            "tokens": [[each.carrier, each.type, each.epoch, each.token.hex()] for each in TOKENS],
            "first_192_bytes": encode_tokens(TOKENS)[:192].hex(),
            "sha256_of_all_2048": hashlib.sha256(encode_tokens(TOKENS)).hexdigest(),
        },
        "summaries": [
            {"text": text, "first_32_bytes": pad_summary(text)[:32].hex(), "sha256_of_all_2048": _digest(pad_summary(text))}
            for text in (None, "", PLAINTEXT)
        ],
        "sealed": known.get("sealed") or a_sealed_part(),
    }


def a_sealed_part() -> dict[str, Any]:
    sealed = SEALING.public.encrypt(PLAINTEXT.encode(), bound_to=BOUND_TO)
    public = SEALING.public.raw.hex()
    return {
        "private": SEALING.to_mapping(),
        "public": public,
        "bound_to": BOUND_TO,
        "sealed": sealed.hex(),
        "plaintext": PLAINTEXT,
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def published() -> dict[str, Any]:
    vectors: dict[str, Any] = json.loads(VECTORS.read_text(encoding="utf-8"))
    return vectors


def test_the_published_vectors_are_what_the_code_makes() -> None:
    assert published() == build(published())


def test_another_client_makes_the_published_tokens_from_the_published_text() -> None:
    for vector in published()["tokens"]:
        parts = ("signal-exchange/token/v2", vector["type"], vector["epoch"])
        data = [part.encode() for part in parts] + [bytes.fromhex(vector[name]) for name in ("out_a", "out_b")]
        framed = b"".join(len(part).to_bytes(2, "big") + part for part in data)
        assert hashlib.sha256(framed).digest()[:16].hex() == vector["token"]
        assert bytes.fromhex(vector["input"]) == f"{vector['type']}\x1f{vector['value']}".encode()


def test_another_client_verifies_the_published_exchange_and_gets_the_published_outputs() -> None:
    vectors = published()
    exchange, key = vectors["exchange"], KEYS["A", "2026H2"]
    before, after = ([bytes.fromhex(point) for point in exchange[name]["punten"]] for name in ("request", "answer"))
    proof = bytes.fromhex(exchange["answer"]["bewijs"])
    rfc9497.verify(key.public_key, before, after, proof)
    with pytest.raises(rfc9497.WrongProofError):
        rfc9497.verify(key.public_key, before, after[::-1], proof)
    out_a = [vector["out_a"] for vector in vectors["tokens"] if vector["epoch"] == "2026H2"]
    made = [rfc9497.finalize(*each) for each in zip(inputs(), scalars(), after, strict=True)]
    assert [each.hex() for each in made[: len(out_a)]] == out_a


def test_another_client_and_the_product_get_the_same_outputs_of_a_keeper() -> None:
    key, value, scalar = KEYS["B", "2026H2"], token_input("PLATE", "NL:GX123B"), scalars()[0]
    ours = Blinded.of([value])
    points = [rfc9497.blind(value, scalar), *(ours.request[start : start + 32] for start in range(32, 512, 32))]
    answer = key.evaluate(b"".join(points))
    evaluated = [answer[start : start + 32] for start in range(64, 576, 32)]
    rfc9497.verify(key.public_key, points, evaluated, answer[:64])
    assert [rfc9497.finalize(value, scalar, evaluated[0])] == ours.finish(key.evaluate(ours.request), key.public_key)


def test_rfc_9497_the_second_implementation_fits_the_published_vectors_of_the_rfc() -> None:
    scalar = int.from_bytes(bytes.fromhex("64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706"), "little")
    public_key = bytes.fromhex("c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e")
    before = bytes.fromhex("863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945")
    after = bytes.fromhex("aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e")
    proof = bytes.fromhex(
        "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06"
        "6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d"
    )
    assert rfc9497.blind(b"\0", scalar) == before
    rfc9497.verify(public_key, [before], [after], proof)
    assert rfc9497.finalize(b"\0", scalar, after).hex() == (
        "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d"
        "a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c"
    )
    for no_point in (bytes(31), b"\xff" * 32, b"\x01" + bytes(31), b"\x02" + bytes(31)):
        with pytest.raises(rfc9497.NoPointError):
            rfc9497.decode(no_point)


def test_rfc_9180_another_implementation_opens_what_is_sealed_here() -> None:
    info = b"".join(
        len(part).to_bytes(2, "big") + part
        for part in (b"signal-exchange", b"sealing/v1", b"linking", b"linking-2026-1", BOUND_TO.encode())
    )
    sealed = bytes.fromhex(published()["sealed"]["sealed"])
    assert rfc9180.open_sealed(SEALING.seed, SEALING.x25519, info, sealed).decode() == PLAINTEXT
    assert SEALING.decrypt(sealed, bound_to=BOUND_TO).decode() == PLAINTEXT


def test_the_published_slots_are_read_back() -> None:
    assert decode_tokens(encode_tokens(TOKENS)) == TOKENS


def test_the_published_normal_forms_are_those_of_the_product() -> None:
    forms = published()["normalised"]
    assert normalising.phone(forms["PHONE"][0][0]) == forms["PHONE"][0][1]
    assert set(forms) == {"NAME_DOB", "ADDRESS_PC", "ADDRESS_BAG", "PHONE", "PLATE", "KVK", "IBAN"}


def write() -> None:
    """Write the vectors, keeping the random parts of those that stand there."""
    known = published() if VECTORS.exists() else {}
    VECTORS.write_text(json.dumps(build(known), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write()
