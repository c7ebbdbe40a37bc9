"""Puts a keeper together: settings in, a running API out."""

from __future__ import annotations

from signal_exchange.pseudonyms.commands import serve
from signal_exchange.runtime.private_files import private_folder
from signal_exchange.runtime.settings import KeeperSettings, loaded


def main() -> None:
    """Run a keeper until it is stopped."""
    settings = loaded(KeeperSettings)
    private_folder(settings.data_dir)
    serve(settings)
