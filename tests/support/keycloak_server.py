"""A real identity provider of the tests' own: Keycloak with an invented organisation, on loopback, ended with the tests."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import subprocess
import time
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx2
from joserfc.jwk import ECKey, KeySet

from signal_exchange.participants.kafka_files import free_ports
from signal_exchange_demo.die_with_parent import die_with_parent

OWN = Path(__file__).parent / "keycloak"
DIST = OWN / "dist"
START_SECONDS = 240.0
STOP_SECONDS = 20.0
BOUNDED = ("-Xms64m", "-Xmx320m", "-XX:MaxMetaspaceSize=256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
OPENED = ("java.base/java.util", "java.base/java.util.concurrent", "java.base/java.security")
REDIRECT, LOGGED_OUT = "http://127.0.0.1:8123/aanmelden/terug", "http://127.0.0.1:8123/afgemeld"
LOW, SUBSTANTIAL = "http://eidas.europa.eu/LoA/low", "http://eidas.europa.eu/LoA/substantial"


class Keycloak:
    """One Keycloak, and what its only person and its two clients prove themselves with: new in each run."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, next(iter(free_ports()))
        self.issuer = f"http://127.0.0.1:{self._port}/realms/regio"
        self.client_key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"})
        self.other_secret, self.password, self._otp = (secrets.token_hex(16) for _ in range(3))
        self.subject = ""
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        (home,) = DIST.glob("keycloak-*")
        self._lay_out(home)
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(die_with_parent(self._command()), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError((self._folder / "log").read_text(encoding="utf-8")[-2000:])
            time.sleep(0.2)

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def one_time_code(self) -> str:
        """Return what the person's app shows now (RFC 6238)."""
        digest = hmac.digest(self._otp.encode(), int(time.time() // 30).to_bytes(8, "big"), "sha1")
        start = digest[-1] & 15
        return f"{(int.from_bytes(digest[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"

    def _answers(self) -> bool:
        try:
            return httpx2.get(f"{self.issuer}/.well-known/openid-configuration", verify=False, trust_env=False).is_success
        except httpx2.HTTPError:
            return False

    def _lay_out(self, home: Path) -> None:
        """Make a home of its own, which shares the programs: what it keeps goes with the tests."""
        (self._folder / "data" / "import").mkdir(parents=True)
        for each in ("conf", "lib", "providers", "themes"):
            (self._folder / each).symlink_to(home / each)
        realm = json.loads((OWN / "realm.json").read_text(encoding="utf-8"))
        client, other = realm["clients"]
        client["attributes"]["jwks.string"] = json.dumps(KeySet([self.client_key]).as_dict(private=False))
        other["secret"] = self.other_secret
        (person,) = realm["users"]
        password, app = person["credentials"]
        password["value"], app["secretData"] = self.password, json.dumps({"value": self._otp})
        self.subject = person["id"]
        (self._folder / "data" / "import" / "realm.json").write_text(json.dumps(realm), encoding="utf-8")

    def _command(self) -> list[str]:
        opened = [f"--add-opens={each}=ALL-UNNAMED" for each in OPENED]
        own = [f"-Dkc.home.dir={self._folder}", "-Djava.util.logging.manager=org.jboss.logmanager.LogManager"]
        main = ["-cp", str(self._folder / "lib" / "quarkus-run.jar"), "io.quarkus.bootstrap.runner.QuarkusEntryPoint"]
        listens = ["--http-enabled=true", "--http-host=127.0.0.1", f"--http-port={self._port}", "--hostname-strict=false"]
        start = ["start", "--optimized", "--import-realm", "--cache=local", *listens]
        return ["java", *BOUNDED, *opened, *own, "-Dpicocli.disable.closures=true", *main, *start]


class Person(httpx2.Client):
    """The person's browser, without script: it fills in the forms of Keycloak."""

    def __init__(self, keycloak: Keycloak) -> None:
        super().__init__(verify=False, trust_env=False, event_hooks={"response": [self._trust_this_machine]})
        self._keycloak = keycloak
        self.asked: list[str] = []

    def log_in(self, url: str) -> dict[str, str]:
        """Prove who one is, as far as Keycloak asks; return what the browser brings back. `asked` tells for what it asked."""
        self.asked, answer = [], self.get(url)
        while answer.status_code == 200:
            answer = self.post(_action(answer.text), data=self._filled_in(answer.text))
        assert answer.headers.get("Location", "").startswith(REDIRECT), answer.text or answer.headers["Location"]
        return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))

    def _trust_this_machine(self, _response: httpx2.Response) -> None:
        """Send cookies that are for https only to this machine too, as browsers do."""
        for cookie in self.cookies.jar:
            cookie.secure = False

    def _filled_in(self, page: str) -> dict[str, str]:
        assert len(self.asked) < 3, page
        if 'name="password"' in page:
            self.asked.append("password")
            return {"username": "officer", "password": self._keycloak.password}
        assert 'name="otp"' in page, page
        self.asked.append("code")
        return {"otp": self._keycloak.one_time_code()}


def _action(page: str) -> str:
    found = re.search(r'<form[^>]*\saction="([^"]+)"', page)
    assert found, page
    return unescape(found[1])
