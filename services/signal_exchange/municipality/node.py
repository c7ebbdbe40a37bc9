"""The parts of one node put together, for the running process and for every command alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from signal_exchange.contracts.cloud_events import source_of
from signal_exchange.contracts.topics import feedback_topic, municipality_principal
from signal_exchange.domain.policy import Policy
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.municipality.inbox.handler import InboxHandler, ParkInVault
from signal_exchange.municipality.publishing.barred_values import read_barred
from signal_exchange.municipality.publishing.checking import Rulebook
from signal_exchange.municipality.publishing.keepers import keeper_tokens, read_bearers
from signal_exchange.municipality.publishing.preparing import Preparer, Tokens
from signal_exchange.municipality.publishing.publisher import Publisher
from signal_exchange.municipality.publishing.recording import Recorder
from signal_exchange.municipality.publishing.renewing import Renewer
from signal_exchange.municipality.sending.envelopes import Signer
from signal_exchange.municipality.sending.outbox import RUNS
from signal_exchange.municipality.sending.producer import KafkaSender
from signal_exchange.municipality.sending.relay import Relay
from signal_exchange.municipality.service import SERVICE
from signal_exchange.municipality.store import OUTBOX_OF_CONSUMER, TABLES
from signal_exchange.privacy.keys import UnusableKeyError
from signal_exchange.privacy.leak_guard import GUARD_VERSION, check_text
from signal_exchange.privacy.register import Register
from signal_exchange.privacy.register_entries import registered_members
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.reference.loading import load_code_lists, load_members
from signal_exchange.runtime import clock
from signal_exchange.runtime.database import Database
from signal_exchange.runtime.kafka import quiet_client
from signal_exchange.runtime.metrics import Metrics
from signal_exchange.runtime.private_files import private_folder, require_private
from signal_exchange.runtime.production_checks import refuse_plain_addresses
from signal_exchange.runtime.settings import MunicipalitySettings
from signal_exchange.stream.consumer import ConsumerSpec
from signal_exchange.stream.identity import Identity, load_identity

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
    def keepers(self) -> Iterator[Tokens]:
        """Connect with both keepers, and give the maker of link tokens.

        Raises:
            RefusedError: the participants' register does not name two keepers, or one that production mode would ask in plain
                text, or the file with our tokens there is not right.
        """
        register = self.identity.register
        refuse_plain_addresses(self.settings, (keeper.url for keeper in register.registered_keepers))
        bearers = read_bearers(self.settings.keeper_token_file)
        seconds, trusted = self.settings.keeper_seconds, self.settings.keeper_ca_file
        with keeper_tokens(register, bearers, seconds=seconds, now=clock.now, ca_file=trusted) as tokens:
            yield tokens

    def renewer(self, tokens: Tokens) -> Renewer:
        """Return the renewer of link tokens with these keepers.

        Raises:
            RefusedError: the list of barred values is not right.
        """
        return Renewer(self.settings.municipality, self.vault_key, self.database, self._preparer(tokens), clock.now)

    def publisher(self, tokens: Tokens) -> Publisher:
        """Return the publisher of records, which makes link tokens with these keepers.

        Raises:
            RefusedError: the list of barred values is not right.
        """
        rules = rulebook(self.settings.municipality, self.identity.register)
        recorder = Recorder(self.database, self.vault_key)
        return Publisher(rules, self._preparer(tokens), self.vault_key, recorder, self.metrics, clock.now)

    def _preparer(self, tokens: Tokens) -> Preparer:
        return Preparer(self.identity.sealed_part, tokens, read_barred(self.settings.barred_values_file))

    def relay(self, delivery_seconds: float = 10.0) -> Relay:
        """Return a relay with a producer of its own, which gives up on a batch after so many seconds.

        Raises:
            RefusedError: the participants' register does not know this node's signing key as its municipality's.
        """
        quiet_client()
        self.signer()
        code, sender = self.settings.municipality, KafkaSender(self.settings.kafka, delivery_seconds)
        return Relay(code, self.database, self.signer, sender, self.metrics, clock.now, self.settings.resend_seconds)

    def signer(self) -> Signer:
        """Return the signer of now: with the key that was asked for last, once the register names it.

        Raises:
            RefusedError: the participants' register does not know this node's signing key as its municipality's.
        """
        participant = self.identity.register.municipality(self.settings.municipality)
        return Signer(self._signing_key(), source_of(participant.oin if participant else ""))

    def inbox(self) -> InboxHandler:
        """Return the handler of the views that the exchange sends of this municipality's signals."""
        return InboxHandler(self.settings.municipality, self.vault_key, self.identity.current_register)

    def inbox_consumer(self) -> ConsumerSpec:
        """Return the declaration by which the common consumer reads those views, and nothing beside it."""
        code = self.settings.municipality
        return ConsumerSpec(
            name=municipality_principal(code),
            reader=SERVICE,
            sources=(feedback_topic(code),),
            database=self.database,
            outbox=OUTBOX_OF_CONSUMER,
            handle=self.inbox(),
            seal=self.identity.parking_seal(SERVICE),
            park=ParkInVault(self.vault_key),
            parks_on_topic=False,
        )

    def _signing_key(self) -> SigningKey:
        held = (key for key in (self.identity.keys.next_signing, self.identity.keys.signing) if key is not None)
        key = next(filter(self._is_ours, held), None)
        if key is None:
            raise RefusedError("SIGNING_KEY_NOT_REGISTERED")
        return key

    def _is_ours(self, key: SigningKey) -> bool:
        known = self.identity.register.signing_key(key.key_id, clock.now())
        return known is not None and known[0] == self.settings.municipality and known[1].raw == key.public.raw


def node_of(settings: MunicipalitySettings) -> Node:
    """Return the node of these settings, with its tables made.

    Raises:
        RefusedError: a key file can be read by others or holds no key.
    """
    private_folder(settings.data_dir)
    database = Database(settings.database(SERVICE), TABLES)
    identity = load_identity(settings, settings.keys_file, database)
    return Node(settings, identity, read_vault_key(settings), database, Metrics())


def read_vault_key(settings: MunicipalitySettings) -> VaultKey:
    """Return the key of the vault.

    Raises:
        RefusedError: others may read its file, or it is no key.
    """
    path = settings.vault_key_file
    require_private(path)
    try:
        return VaultKey.from_bytes(bytes.fromhex(path.read_text(encoding="utf-8").strip()))
    except (UnusableKeyError, ValueError):
        raise RefusedError("NO_VAULT_KEY", file=path.name) from None


def rulebook(municipality: str, register: Register | None = None) -> Rulebook:
    """Return the rules in force for a municipality: the package's reference data, the register's members and the leak guard."""
    members = registered_members(load_members(), register.municipalities if register else ())
    return Rulebook(municipality, members, load_code_lists(), Policy(), check_text, GUARD_VERSION)
