"""The parts of one node put together, for the running process and for every command alike."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from signal_exchange.contracts.cloud_events import source_of
from signal_exchange.contracts.reference import load_code_lists, load_members
from signal_exchange.domain.policy import Policy
from signal_exchange.municipality.barred import read_barred
from signal_exchange.municipality.checking import Rulebook
from signal_exchange.municipality.envelopes import Signer
from signal_exchange.municipality.erasing import Certificates, Eraser
from signal_exchange.municipality.inbox import InboxHandler
from signal_exchange.municipality.keepers import keeper_tokens, read_bearers, require_private
from signal_exchange.municipality.outbox import RUNS
from signal_exchange.municipality.preparing import Preparer, Tokens
from signal_exchange.municipality.publishing import Publisher
from signal_exchange.municipality.questions import Officers
from signal_exchange.municipality.recording import Recorder
from signal_exchange.municipality.relay import Relay
from signal_exchange.municipality.renewing import Renewer
from signal_exchange.municipality.sending import KafkaSender, quiet_client
from signal_exchange.municipality.store import TABLES
from signal_exchange.municipality.tracing import Tracer
from signal_exchange.municipality.withdrawing import Withdrawer
from signal_exchange.privacy.keys import UnusableKey
from signal_exchange.privacy.leak_guard import GUARD_VERSION, check_text
from signal_exchange.privacy.register import Register, RegisterInvalid
from signal_exchange.privacy.register_entries import registered_members
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.faults import Refused
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.runtime.private_files import private_folder
from signal_exchange.runtime.refusals import refuse_plain_addresses
from signal_exchange.runtime.settings import MunicipalitySettings
from signal_exchange.stream.identity import Identity, load_identity

SERVICE = "municipality"
TABLES_OF_NODE = RUNS.metadata
"""Every table of a node: of the vault, the inbox and the outbox."""


@dataclass(frozen=True, slots=True)
class Node:
    """One municipality's node. Its parts share one database and one set of metrics."""

    settings: MunicipalitySettings
    identity: Identity
    vault_key: VaultKey = field(repr=False)
    database: Database
    metrics: Metrics

    @contextmanager
    def publishing(self) -> Iterator[Publisher]:
        """Give what publishes records, with a connection to the keepers.

        Raises:
            Refused: as for `keepers`, or the list of barred values is not right.
        """
        with self.keepers() as tokens:
            yield self._publisher(tokens)

    @contextmanager
    def keepers(self) -> Iterator[Tokens]:
        """Give what makes link tokens with both keepers.

        Raises:
            Refused: the participants' register does not name two keepers, or one that production mode would ask in plain text, or
                the file with our tokens there is not right.
        """
        register = self.identity.register
        refuse_plain_addresses(self.settings, (keeper.url for keeper in register.registered_keepers))
        bearers = read_bearers(self.settings.keeper_token_file)
        with ExitStack() as opened:
            try:
                seconds, trusted = self.settings.keeper_seconds, self.settings.keeper_ca_file
                asking = keeper_tokens(register, bearers, seconds=seconds, now=clock.now, ca_file=trusted)
                tokens = opened.enter_context(asking)
            except RegisterInvalid:
                raise Refused("Het deelnemersregister noemt geen twee sleutelbewaarders met eigen adres en sleutel.") from None
            yield tokens

    def renewer(self, tokens: Tokens) -> Renewer:
        """Return what renews link tokens with these keepers.

        Raises:
            Refused: the list of barred values is not right.
        """
        return Renewer(self.settings.municipality, self.vault_key, self.database, self._preparer(tokens), clock.now)

    def officers(self) -> Officers:
        """Return what the attention officers may do with questions about links."""
        return Officers(self.settings.municipality, self.database, self.identity, Policy())

    def _publisher(self, tokens: Tokens) -> Publisher:
        rules = rulebook(self.settings.municipality, self.identity.register)
        recorder = Recorder(self.database, self.vault_key)
        return Publisher(rules, self._preparer(tokens), self.vault_key, recorder, self.metrics, clock.now)

    def _preparer(self, tokens: Tokens) -> Preparer:
        return Preparer(self.identity, tokens, read_barred(self.settings.barred_values_file))

    def relay(self, delivery_seconds: float = 10.0) -> Relay:
        """Return what sends, with a producer of its own that gives up on a batch after so many seconds.

        Raises:
            Refused: the participants' register does not know this node's signing key as its municipality's.
        """
        quiet_client()
        self.signer()
        code, sender = self.settings.municipality, KafkaSender(self.settings.kafka, delivery_seconds)
        return Relay(code, self.database, self.signer, sender, self.metrics, clock.now, self.settings.resend_seconds)

    def signer(self) -> Signer:
        """Return what signs now: with the key that was asked for last, once the register names it.

        Raises:
            Refused: the participants' register does not know this node's signing key as its municipality's.
        """
        participant = self.identity.register.municipality(self.settings.municipality)
        return Signer(self._signing_key(), source_of(participant.oin if participant else ""))

    def withdrawer(self) -> Withdrawer:
        """Return what withdraws signals."""
        return Withdrawer(self.settings.municipality, load_code_lists(), self.vault_key, self.database)

    def eraser(self) -> Eraser:
        """Return what erases signals."""
        return Eraser(self.settings.municipality, self.vault_key, self.database)

    def certificates(self) -> Certificates:
        """Return what tells how far erasures are."""
        return Certificates(self.database, self.identity)

    def inbox(self) -> InboxHandler:
        """Return what takes what the exchange tells of this municipality's signals."""
        return InboxHandler(self.settings.municipality, self.vault_key, self.identity.current_register)

    def tracer(self) -> Tracer:
        """Return what tells where a signal is."""
        return Tracer(self.vault_key, self.database, self.identity)

    def _signing_key(self) -> SigningKey:
        held = (key for key in (self.identity.keys.next_signing, self.identity.keys.signing) if key is not None)
        key = next(filter(self._is_ours, held), None)
        if key is None:
            raise Refused("Het deelnemersregister kent de ondertekensleutel van dit knooppunt niet als die van deze gemeente.")
        return key

    def _is_ours(self, key: SigningKey) -> bool:
        known = self.identity.register.signing_key(key.key_id, clock.now())
        return known is not None and known[0] == self.settings.municipality and known[1].raw == key.public.raw


def node_of(settings: MunicipalitySettings) -> Node:
    """Return the node of these settings, with its tables made.

    Raises:
        Refused: a key file can be read by others or holds no key.
    """
    private_folder(settings.data_dir)
    database = Database(settings.database(SERVICE), TABLES)
    identity = load_identity(settings, settings.keys_file, database)
    return Node(settings, identity, read_vault_key(settings), database, Metrics())


def read_vault_key(settings: MunicipalitySettings) -> VaultKey:
    """Return the key of the vault.

    Raises:
        Refused: others may read its file, or it is no key.
    """
    path = settings.vault_key_file
    require_private(path)
    try:
        return VaultKey.from_bytes(bytes.fromhex(path.read_text(encoding="utf-8").strip()))
    except (UnusableKey, ValueError):
        raise Refused(f"Het bestand {path.name} bevat geen kluissleutel van 32 bytes.") from None


def rulebook(municipality: str, register: Register | None = None) -> Rulebook:
    """Return the rules in force for a municipality: the package's reference data, the register's members and the leak guard."""
    members = registered_members(load_members(), register.municipalities if register else ())
    return Rulebook(municipality, members, load_code_lists(), Policy(), types_found, GUARD_VERSION)


def types_found(text: str, record: Mapping[str, Any]) -> list[str]:
    """Return the types that the leak guard finds in a text of this record."""
    return [finding.type for finding in check_text(text, record)]
