"""Founds a region for a demo or a test: keys, participants' register and the settings of every process, in one folder.

Everything here is made anew for this folder and is worth nothing outside it. A real region makes each key where it is used.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType

from signal_exchange.contracts.topics import CONSUMERS, Catalogue, catalogue, municipality_principal
from signal_exchange.domain.destinations import GROUP_OF
from signal_exchange.domain.ids import parse_municipality_code
from signal_exchange.domain.links.epochs import epoch_of, next_epoch
from signal_exchange.domain.refusals import RefusedError
from signal_exchange.participants.kafka_files import free_ports
from signal_exchange.privacy.backup_keys import new_backup_keys
from signal_exchange.privacy.register import Register, sign_register
from signal_exchange.privacy.register_entries import GroupKey, KeeperKey, MemberKey, Participant, Period, RegisteredKeeper
from signal_exchange.privacy.sealing import SealingPrivateKey
from signal_exchange.privacy.signing import SigningKey
from signal_exchange.privacy.vault import VaultKey
from signal_exchange.pseudonyms.epoch_keys import make_epoch_key
from signal_exchange.pseudonyms.keys import write_bearers
from signal_exchange.reference.loading import load_members
from signal_exchange.runtime.private_files import private_folder, write_private, write_public

SIX = ("GM0983", "GM1507", "GM0957", "GM0988", "GM1894", "GM0984")
"""The municipalities of the six examples, with which a region begins when no others are asked for."""
KEEPERS = ("keeper-a", "keeper-b")
OFFLINE = "offline"
"""Folder of what no process may hold."""
BEGIN = datetime(2022, 1, 1, tzinfo=UTC)
ALWAYS = Period(BEGIN)


@dataclass(frozen=True, slots=True)
class Region:
    """A region in a folder: its place, who takes part, and the secrets of all principals."""

    folder: Path
    municipalities: tuple[str, ...]
    passwords: Mapping[str, str] = field(repr=False)
    ports: Mapping[str, int]

    @property
    def members(self) -> tuple[str, ...]:
        """Return the municipalities that take part; a PENDING one has keys but no access."""
        return tuple(code for code in self.municipalities if _status(code) == "ACCEDED")

    @property
    def processes(self) -> tuple[str, ...]:
        """Return the name of every process that may run: services, nodes and keepers."""
        return (*self.passwords, *KEEPERS)

    @property
    def catalogue(self) -> Catalogue:
        """Return the topics and principals of this region."""
        return catalogue(self.members)

    def process_folder(self, name: str) -> Path:
        """Return the folder of one process: its keys, password and data."""
        return self.folder / name

    def environment(self, name: str, bootstrap: str, metrics_port: int = 0) -> dict[str, str]:
        """Return the settings of one process, as environment variables."""
        folder = self.process_folder(name)
        settings = {"mode": "demo", "data_dir": folder / "data", "register_file": self.folder / "register.json"}
        settings |= {"region_key_file": self.folder / "region-key.json", "keys_file": folder / "keys.json"}
        if name in KEEPERS:
            settings |= {"keeper": name, "tokens_file": folder / "bearers.json", "port": self.ports[name]}
            settings |= {"requests_per_day": 100_000, "requests_per_month": 1_000_000}
        else:
            settings |= {"kafka_bootstrap": bootstrap, "kafka_user": name, "kafka_password_file": folder / "password"}
            settings |= {"metrics_port": metrics_port, "backup_key_file": folder / "backup-key.json"}
        if name.startswith("municipality-"):
            settings |= self._node_settings(name)
        return {f"SIGNAL_EXCHANGE_{setting.upper()}": str(value) for setting, value in settings.items()}

    def _node_settings(self, name: str) -> dict[str, object]:
        folder = self.process_folder(name)
        return {
            "municipality": name.removeprefix("municipality-").upper(),
            "vault_key_file": folder / "vault-key",
            "keeper_token_file": folder / "keeper-tokens.json",
            "api_token_file": folder / "api-token",
            "api_port": self.ports[name],
        }


def init_region(
    folder: Path, municipalities: Iterable[str], today: date, keeper_urls: Mapping[str, str] = MappingProxyType({})
) -> Region:
    """Make a region in a folder, or return the one that was made there before.

    `keeper_urls` says where the register tells municipalities to find a keeper, by its name; else it is on this machine.
    """
    remembered = folder / "founded.json"
    if remembered.exists():
        facts = json.loads(remembered.read_text(encoding="utf-8"))
        return Region(folder, tuple(facts["municipalities"]), facts["passwords"], facts["ports"])
    folder.mkdir(parents=True, exist_ok=True)
    codes = tuple(sorted(municipalities))
    names = (*CONSUMERS, *map(municipality_principal, codes), *KEEPERS)
    passwords = {name: secrets.token_urlsafe(24) for name in names if name not in KEEPERS}
    ports = dict(zip((*KEEPERS, *map(municipality_principal, codes)), free_ports(), strict=False))
    region = Region(folder, codes, passwords, ports)
    _make_keys(region, today, keeper_urls)
    write_private(remembered, json.dumps({"municipalities": codes, "passwords": passwords, "ports": ports}))
    return region


def _status(code: str) -> str:
    member = load_members().get(code)
    return member.accession_status if member else "UNKNOWN"


def _make_keys(region: Region, today: date, keeper_urls: Mapping[str, str]) -> None:
    for name, password in region.passwords.items():
        region.process_folder(name).mkdir(parents=True, exist_ok=True)
        write_private(region.process_folder(name) / "password", password)
    _make_backup_keys(region)
    groups = tuple(key for name in CONSUMERS for key in _service_keys(region, name))
    members = tuple(_join(region, code) for code in region.municipalities)
    keepers = _make_keepers(region, (epoch_of(today), next_epoch(today)), keeper_urls)
    keys = (*groups, *(key for _, key in members))
    register = Register(1, tuple(member for member, _ in members), tuple(GroupKey(key.public, ALWAYS) for key in keys), keepers)
    _sign(region.folder, register)


def _sign(folder: Path, register: Register) -> None:
    region_key = SigningKey.generate("region-2026-1")
    write_private(folder / "region-secret.json", json.dumps(region_key.to_mapping()))
    public = {"key_id": region_key.key_id, "public_key": region_key.public.raw.hex()}
    write_public(folder / "region-key.json", json.dumps(public).encode())
    write_public(folder / "register.json", sign_register(register, region_key))


def _make_backup_keys(region: Region) -> None:
    """Give each service what makes back-ups; what opens them goes to a folder of its own, which a real owner keeps elsewhere."""
    offline = private_folder(region.folder / OFFLINE)
    owners = {"region": CONSUMERS, **{each: (each,) for each in map(municipality_principal, region.municipalities)}}
    for owner, processes in owners.items():
        makes, opens = new_backup_keys(f"{owner}-2026-1")
        write_private(offline / f"{owner}-restore-key.json", json.dumps(opens.to_mapping()))
        for process in processes:
            write_private(region.process_folder(process) / "backup-key.json", json.dumps(makes.to_mapping()))


def _service_keys(region: Region, name: str) -> list[SealingPrivateKey]:
    groups = [group for group in (GROUP_OF.get(name), f"parking:{name}") if group]
    keys = [SealingPrivateKey.generate(f"{group}-2026-1", group) for group in groups]
    _write_keys(region.process_folder(name), keys)
    return keys


def _join(region: Region, code: str) -> tuple[Participant, SealingPrivateKey]:
    member = load_members().get(code)
    if member is None:
        raise RefusedError("MUNICIPALITY_UNKNOWN", municipality=code)
    name = municipality_principal(code)
    folder = region.process_folder(name)
    signing = SigningKey.generate(f"{code.lower()}-2026-1")
    sealing = SealingPrivateKey.generate(f"gm:{code}-2026-1", f"gm:{code}")
    _write_keys(folder, [sealing], signing)
    write_private(folder / "vault-key", VaultKey.generate_bytes().hex())
    write_private(folder / "api-token", secrets.token_urlsafe(24))
    keys = (MemberKey(signing.public, ALWAYS),)
    status, since, until = member.accession_status, member.accession_date, member.left_date
    return Participant(parse_municipality_code(code), status, since, until, member.oin, keys), sealing


def _make_keepers(region: Region, epochs: Sequence[str], urls: Mapping[str, str]) -> tuple[RegisteredKeeper, ...]:
    bearers = {name: {code: secrets.token_urlsafe(24) for code in region.municipalities} for name in KEEPERS}
    for code in region.municipalities:
        own = {name: bearers[name][code] for name in KEEPERS}
        write_private(region.process_folder(municipality_principal(code)) / "keeper-tokens.json", json.dumps(own))
    here = {name: f"http://127.0.0.1:{region.ports[name]}" for name in KEEPERS}
    return tuple(_make_keeper(region, name, epochs, bearers[name], {**here, **urls}[name]) for name in KEEPERS)


def _make_keeper(region: Region, name: str, epochs: Sequence[str], bearers: Mapping[str, str], url: str) -> RegisteredKeeper:
    folder = region.process_folder(name)
    folder.mkdir(parents=True, exist_ok=True)
    held = [make_epoch_key(folder / "keys.json", epoch) for epoch in epochs]
    write_bearers(folder / "bearers.json", {parse_municipality_code(code): bearer for code, bearer in bearers.items()})
    keys = (KeeperKey(each.key.epoch, each.key.public_key, ALWAYS) for each in held)
    return RegisteredKeeper(name, url, tuple(keys))


def _write_keys(folder: Path, sealing: Iterable[SealingPrivateKey], signing: SigningKey | None = None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    keys = {"sealing": [key.to_mapping() for key in sealing], "signing": signing.to_mapping() if signing else None}
    write_private(folder / "keys.json", json.dumps(keys))
