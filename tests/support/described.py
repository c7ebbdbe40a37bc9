"""Holds every real answer of an API against its own OpenAPI description: status, media type and schema."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx2
from fastapi import FastAPI
from jsonschema import Draft202012Validator


def as_described(app: FastAPI, seen: set[tuple[str, str, int]] | None = None) -> Callable[[httpx2.Response], None]:
    """Return a hook for httpx2 that fails when an answer is not described; `seen` gets method, path and status of each."""
    paths: dict[str, dict[str, Any]] = app.openapi()["paths"]

    def check(response: httpx2.Response) -> None:
        response.read()
        path, method = path_of(response.request.url.path, list(paths)), response.request.method.lower()
        if path is None or method not in paths[path]:
            assert response.status_code in (200, 401, 404, 405), (
                f"{method} of a path that is not described: {response.status_code}"
            )
            return
        described = paths[path][method]["responses"]
        assert str(response.status_code) in described, f"{method} {path} gives {response.status_code}, which is not described"
        content = described[str(response.status_code)]["content"]
        media_type = response.headers["content-type"].partition(";")[0]
        assert media_type in content, f"{method} {path} gives {media_type} with {response.status_code}"
        Draft202012Validator(content[media_type]["schema"]).validate(response.json())
        if seen is not None:
            seen.add((method, path, response.status_code))

    return check


def path_of(asked: str, paths: list[str]) -> str | None:
    """Return the described path that a request meant: the one with the longest fixed text."""
    fitting = [path for path in paths if re.fullmatch(re.sub(r"\\{[^}]*\\}", ".+", re.escape(path)), asked)]
    return max(fitting, key=lambda path: len(re.sub(r"\{[^}]*\}", "", path)), default=None)
