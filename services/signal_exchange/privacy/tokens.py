"""Link tokens: made of both keepers' outputs, so that neither keeper, nor a thief of one key, can try out values.

A token that cannot be made now follows later (TokensRenewed): help is never late for the sake of a link.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import httpx2

from signal_exchange.privacy.evaluating import POINTS
from signal_exchange.privacy.framing import framed
from signal_exchange.privacy.keeper_client import KeeperClient, NoTokens
from signal_exchange.privacy.normalising import LinkValue
from signal_exchange.privacy.register import Register, RegisterInvalidError
from signal_exchange.privacy.sealing import TOKEN_BYTES, LinkToken

DOMAIN = b"signal-exchange/token/v2"
KEEPERS = 2
_Item = TypeVar("_Item")
_Wanted = tuple[str, str]
_Outputs = list[bytes]


def token_input(kind: str, value: str) -> bytes:
    """Return the bytes that are blinded for a value: its type, 0x1F and the normalised value, as UTF-8."""
    return f"{kind}\x1f{value}".encode()


def token(kind: str, epoch: str, out_a: bytes, out_b: bytes) -> bytes:
    """Return the link token, of 16 bytes: the start of a SHA-256 over type, epoch and both keepers' outputs.

    Each part stands after its length in 2 bytes, big endian; the first part says what this hash is for.
    """
    return hashlib.sha256(framed(DOMAIN, kind.encode(), epoch.encode(), out_a, out_b)).digest()[:TOKEN_BYTES]


def keeper_clients(register: Register, bearers: Mapping[str, str], http: httpx2.Client) -> tuple[KeeperClient, KeeperClient]:
    """Return a client for each of the two keepers of the register, in the order of their names.

    `bearers` holds this municipality's bearer token per keeper name; `http` is shared and carries the time-out.

    Raises:
        RegisterInvalidError: there are not exactly two keepers, or they share an address or a key; then trust is not split.
    """
    keepers = sorted(register.registered_keepers, key=lambda keeper: keeper.name)
    keys = [key.public_key for keeper in keepers for key in keeper.keys]
    if len(keepers) != KEEPERS or len({keeper.url for keeper in keepers}) != KEEPERS or len(set(keys)) != len(keys):
        raise RegisterInvalidError("REGISTER_WITHOUT_TWO_KEEPERS")
    first, second = (
        KeeperClient(
            keeper.name,
            keeper.url,
            bearer=bearers.get(keeper.name, ""),
            public_keys={key.epoch: key.public_key for key in keeper.keys},
            http=http,
        )
        for keeper in keepers
    )
    return first, second


@dataclass(frozen=True, slots=True)
class TokenMaker:
    """Makes link tokens with both keepers. `in_flight` is how many requests each keeper gets at a time."""

    keeper_a: KeeperClient
    keeper_b: KeeperClient
    in_flight: int = 4

    def tokens_for_many(self, records: Sequence[Sequence[LinkValue]], *, epoch: str) -> list[tuple[LinkToken, ...] | NoTokens]:
        """Return the tokens of each record, or why a record has none.

        Values of all records travel together in full requests of 16; a value that occurs more than once is asked once. After
        a refusal nothing more is asked: records whose values were all made before it have their tokens, the others none.
        """
        wanted = list(dict.fromkeys((value.type, value.value) for values in records for value in values))
        made, refusal = self._make(wanted, epoch)
        return [_tokens_of(values, made, refusal, epoch) for values in records]

    def _make(self, wanted: Sequence[_Wanted], epoch: str) -> tuple[dict[_Wanted, bytes], NoTokens | None]:
        made: dict[_Wanted, bytes] = {}
        with ThreadPoolExecutor(max_workers=KEEPERS * self.in_flight) as pool:
            for wave in _chunks(list(_chunks(wanted, POINTS)), self.in_flight):
                asked = [(batch, self._ask_both(pool, batch, epoch)) for batch in wave]
                refusals = [_keep(made, batch, answers, epoch) for batch, answers in asked]
                if any(refusals):
                    return made, next(refusal for refusal in refusals if refusal)
        return made, None

    def _ask_both(
        self, pool: ThreadPoolExecutor, batch: Sequence[_Wanted], epoch: str
    ) -> tuple[Future[_Outputs | NoTokens], Future[_Outputs | NoTokens]]:
        inputs = [token_input(kind, value) for kind, value in batch]
        return pool.submit(self.keeper_a.evaluate, epoch, inputs), pool.submit(self.keeper_b.evaluate, epoch, inputs)


def _keep(
    made: dict[_Wanted, bytes],
    batch: Sequence[_Wanted],
    answers: tuple[Future[_Outputs | NoTokens], Future[_Outputs | NoTokens]],
    epoch: str,
) -> NoTokens | None:
    a, b = (answer.result() for answer in answers)
    if isinstance(a, NoTokens):
        return a
    if isinstance(b, NoTokens):
        return b
    for (kind, value), out_a, out_b in zip(batch, a, b, strict=True):
        made[kind, value] = token(kind, epoch, out_a, out_b)
    return None


def _tokens_of(
    values: Sequence[LinkValue], made: Mapping[_Wanted, bytes], refusal: NoTokens | None, epoch: str
) -> tuple[LinkToken, ...] | NoTokens:
    tokens = [
        LinkToken(value.carrier, value.type, epoch, made[value.type, value.value])
        for value in values
        if (value.type, value.value) in made
    ]
    return refusal if refusal and len(tokens) < len(values) else tuple(tokens)


def _chunks(items: Sequence[_Item], size: int) -> Iterator[list[_Item]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk
