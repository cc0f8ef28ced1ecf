"""What a package may import and nothing else: `lint-imports` can forbid, it cannot say "alone"."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "engine"

# Beside the standard library and itself; a name allows that module and all below it.
ALONE: dict[Path, frozenset[str]] = {
    ENGINE / "cloudtui_host": frozenset(),
    ENGINE / "cloudtui_features": frozenset({"numpy"}),
    ENGINE / "cloudtui_trainer": frozenset(
        {
            "torch",
            "numpy",
            "safetensors",
            "onnx",
            "google.protobuf",  # what onnx reads with; its exceptions come from it
            "onnxruntime",
            "onnxscript",
            "sklearn",  # and what it brings, inside functions: boosting and the baselines
            "threadpoolctl",
            "cloudtui_features",
            "cloudtui_host.journal",  # what is shipped beside the trainer is this one module
        }
    ),
    ENGINE / "cloudtui_engine": frozenset(
        {
            "numpy",
            "paramiko",
            "cryptography",  # paramiko's own; the keys' exceptions come from it
            "pathspec",
            "platformdirs",
            "sqlite_utils",
            "PIL",  # the extra `data`, inside functions
            "sklearn",
            "polars",
            "cloudtui_features",
            "cloudtui_host.errors",
            "cloudtui_host.frames",
            "cloudtui_host.install_run",  # pip is watched here as there
            "cloudtui_host.journal",
            "cloudtui_host.switch_script",  # carried by the machines that are launched
            "cloudtui_providers.base",  # the fleet alone: the contract in pyproject.toml says where
            "cloudtui_providers.errors",
            "cloudtui_providers.registry",
            "cloudtui_providers.stores",  # the objects alone
            "cloudtui_providers.times",
        }
    ),
    ENGINE / "cloudtui_engine" / "records": frozenset({"cloudtui_engine.errors", "cloudtui_engine.sanitize"}),
    # Each cloud's own library, inside functions.
    ROOT / "providers" / "cloudtui_providers": frozenset(
        {
            "alibabacloud_credentials",
            "alibabacloud_tea_openapi",
            "azure.core",
            "azure.identity",
            "boto3",
            "botocore",
            "darabonba",  # what Alibaba's library is made of; its exceptions and options come from it
            "google.auth",
            "httpx",
            "urllib3",  # what botocore reads with; its exceptions come from it
        }
    ),
    ROOT / "tui" / "cloudtui": frozenset(
        {
            "textual",
            "rich",
            "textual_serve",  # the extra `serve`, and what it is made of
            "aiohttp",
            "numpy",
            "cloudtui_engine.__version__",
            "cloudtui_engine.accounts",
            "cloudtui_engine.backup",
            "cloudtui_engine.bookkeeping",
            "cloudtui_engine.catalog",
            "cloudtui_engine.data",
            "cloudtui_engine.engine",  # `cloudtui watch` alone: the contract in pyproject.toml says where
            "cloudtui_engine.errors",
            "cloudtui_engine.fleet.commands",
            "cloudtui_engine.fleet.due",  # does something rented need an engine
            "cloudtui_engine.fleet.survey",  # what clouds listed of every home
            "cloudtui_engine.fleet.told",  # who knows of a deadline
            "cloudtui_engine.fleet.market",  # which clouds are installed and what they can do; doctor's look
            "cloudtui_engine.forwards",
            "cloudtui_engine.ids",
            "cloudtui_engine.lock",  # Instances alone: is an engine living
            "cloudtui_engine.money",
            "cloudtui_engine.objects.checking",  # doctor's look
            "cloudtui_engine.objects.address",  # what a source is that is typed
            "cloudtui_engine.objects.fetches",
            "cloudtui_engine.operations",
            "cloudtui_engine.paths",
            "cloudtui_engine.records",
            "cloudtui_engine.runs.commands",
            "cloudtui_engine.runs.estimate",
            "cloudtui_engine.runs.follow_up",
            "cloudtui_engine.runs.preparing",
            "cloudtui_engine.runs.upkeep",
            "cloudtui_engine.sanitize",
            "cloudtui_engine.ssh_config",
            "cloudtui_engine.statement",
        }
    ),
}
CATALOG_ALONE = frozenset({"sqlite3", "sqlite_utils"})


def imported(source: str) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import, wherever it stands; `from a import b` counts as `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            # A name made at run time is not seen; the packages' own tables of plugins are such.
            yield from ((node.lineno, str(a.value)) for a in node.args[:1] if isinstance(a, ast.Constant))


def is_below(name: str, allowed: frozenset[str]) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:count]) in allowed for count in range(1, len(parts) + 1))


def strangers(source: str, allowed: frozenset[str]) -> list[str]:
    """The imports that are neither allowed nor of the standard library, as `line: name`."""
    known = allowed | sys.stdlib_module_names
    return [f"{line}: {name}" for line, name in imported(source) if not is_below(name, known)]


@pytest.mark.parametrize("package", ALONE, ids=lambda package: package.name)
def test_a_package_imports_what_is_listed_and_nothing_else(package: Path) -> None:
    itself = ".".join(package.relative_to(ROOT).parts[1:])
    allowed = ALONE[package] | {itself}
    modules = sorted(package.rglob("*.py"))
    assert modules
    found = {
        str(module.relative_to(ROOT)): names
        for module in modules
        if (names := strangers(module.read_text(), allowed))
    }
    assert found == {}


def test_only_the_catalog_speaks_sql() -> None:
    found = [
        f"{module.relative_to(ROOT)}:{line} {name}"
        for package in ALONE
        for module in sorted(package.rglob("*.py"))
        if ENGINE / "cloudtui_engine" / "catalog" not in module.parents
        for line, name in imported(module.read_text())
        if is_below(name, CATALOG_ALONE)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "import pandas",
        "from cloudtui_host import serve",
        "from cloudtui_host.serve import main",
        "import cloudtui_host",
        "def f():\n    import requests",
        "import importlib\nimportlib.import_module('scipy.stats')",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import yaml",
    ],
)
def test_a_stranger_is_seen_wherever_it_stands(line: str) -> None:
    assert strangers(line, ALONE[ENGINE / "cloudtui_trainer"])


@pytest.mark.parametrize(
    "line",
    [
        "from cloudtui_host import journal",
        "from cloudtui_host.journal import plain",
        "import os.path",
        "from torch import nn",
    ],
)
def test_what_is_listed_passes(line: str) -> None:
    assert strangers(line, ALONE[ENGINE / "cloudtui_trainer"]) == []
