"""The folders of the files that product and vendors share."""

from pathlib import Path


def schemas_folder() -> Path:
    """Return the folder of the schemas: inside the installed package, or at the root of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "schemas"
    return installed if installed.is_dir() else package.parents[1] / "schemas"
