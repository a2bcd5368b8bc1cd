"""What ``pip check`` may report, and that every package of the application imports.

Packages are installed with ``--no-deps``, since clkhash 0.18.3 caps three packages that newer
releases replace safely; these three complaints are expected and no more, beside one where
``make dp`` has been run: dp-accounting 0.6.0 caps attrs.
"""

import importlib
import subprocess
import sys

CAPPED = ("dp-accounting 0.6.0 has requirement attrs", "dp-accounting 0.6.0 requires attrs")
EXPECTED = {"bitarray", "cryptography", "mypy_extensions"}

MODULES = (
    "alembic",
    "altair",
    "anonlink",
    "anyascii",
    "authlib",
    "charset_normalizer",
    "clkhash.clk",
    "clkhash.schema",
    "cryptography",
    "fastapi",
    "ftfy",
    "govuk_frontend_jinja",
    "http_message_signatures",
    "httpcore",
    "httpx",
    "jinja2",
    "joserfc",
    "keyring",
    "numba",
    "numpy",
    "openpyxl",
    "pandas",
    "phonenumbers",
    "platformdirs",
    "psycopg",
    "pyarrow",
    "pydantic",
    "pydantic_settings",
    "python_multipart",
    "dateutil",
    "stdnum.gb.nhs",
    "yaml",
    "rapidfuzz",
    "rfc8785",
    "rich",
    "scipy",
    "sklearn",
    "sqlalchemy",
    "typer",
    "uvicorn",
    "vl_convert",
    "webauthn",
)


def complaints() -> list[str]:
    """The lines of ``pip check``."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    return [
        line
        for line in done.stdout.splitlines()
        if " has requirement " in line or " requires " in line
    ]


def unexpected(lines: list[str]) -> list[str]:
    """Complaints other than clkhash's three caps."""
    return [
        line
        for line in lines
        if not (
            line.startswith("clkhash 0.18.3 has requirement ")
            and any(line.split(" has requirement ")[1].startswith(name) for name in EXPECTED)
        )
    ]


def main() -> int:
    """Print what is wrong; 0 when nothing is."""
    lines = [line for line in complaints() if not line.startswith(CAPPED)]
    wrong = unexpected(lines)
    if len(lines) - len(wrong) != len(EXPECTED):
        wrong.append(f"expected clkhash's {len(EXPECTED)} caps, found {len(lines) - len(wrong)}")
    for module in MODULES:
        try:
            importlib.import_module(module)
        except ImportError as error:
            wrong.append(f"{module} does not import: {error}")
    print("\n".join(wrong) or "packages: as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
