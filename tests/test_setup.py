"""Promises of the set-up: the wheel is complete, a station installs without the server, and set-up explains itself."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent
SERVER_ONLY = ["sqlalchemy", "flask", "alembic", "networkx", "apscheduler", "granian", "flask_openapi3"]
NO_NETWORK = re.compile(
    r"NewConnectionError|ConnectTimeout|name resolution|Network is unreachable", re.IGNORECASE
)
IMPORTS_EVERYTHING = """
import importlib, pkgutil, sys

class Forbid:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in forbidden:
            raise ImportError(f"{name} is not installed at a station")

root, *forbidden = sys.argv[1:]
sys.meta_path.insert(0, Forbid())
package = importlib.import_module(root)
for module in pkgutil.walk_packages(package.__path__, root + "."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
        print(module.name)
"""


def imports_without(root: str, forbidden: list[str]) -> subprocess.CompletedProcess[str]:
    """Import every module of a package in a new interpreter where some distributions are not to be had."""
    command = [sys.executable, "-c", IMPORTS_EVERYTHING, root, *forbidden]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.Path:
    """The contents of a wheel built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", str(CHECKOUT), "--no-deps", "--quiet", "-w", str(folder)]
    if importlib.util.find_spec("hatchling"):
        command.append("--no-build-isolation")
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    if done.returncode and NO_NETWORK.search(done.stdout + done.stderr):
        pytest.skip("no network, and hatchling, which builds the wheel, is not installed")
    assert done.returncode == 0, done.stderr
    [built] = folder.glob("*.whl")
    return zipfile.Path(built)


def test_the_wheel_holds_all_that_runs_and_all_its_data(wheel: zipfile.Path) -> None:
    packed = set(wheel.root.namelist())
    ours = {
        path.relative_to(CHECKOUT).as_posix()
        for room in ("cylinder_trace", "scanner")
        for path in (CHECKOUT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    migrations = {
        f"cylinder_trace/store/{path.relative_to(CHECKOUT).as_posix()}"
        for path in (CHECKOUT / "migrations").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert migrations
    assert {Path(name).suffix for name in ours} >= {".py", ".toml", ".html", ".css"}
    assert not (ours | migrations) - packed
    assert not [name for name in packed if name.startswith(("tests/", "fixtures/"))]


def test_the_wheel_carries_both_commands_and_the_licence(wheel: zipfile.Path) -> None:
    [scripts] = [name for name in wheel.root.namelist() if name.endswith(".dist-info/entry_points.txt")]
    declared = wheel.root.read(scripts).decode()
    assert "cylinder-trace = cylinder_trace.cli:main" in declared
    assert "cylinder-scan = scanner.cli:main" in declared
    assert [name for name in wheel.root.namelist() if name.endswith("/licenses/LICENSE")]


def test_a_station_needs_nothing_of_the_server() -> None:
    done = imports_without("scanner", SERVER_ONLY)
    assert done.returncode == 0, done.stderr
    assert "scanner.cli" in done.stdout


def test_the_contract_needs_pydantic_and_biip_only() -> None:
    beyond = [*SERVER_ONLY, "cv2", "numpy", "pyzbar", "zxingcpp", "requests", "psycopg", "tqdm"]
    done = imports_without("cylinder_trace.contract", beyond)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def bare_tree(tmp_path: Path) -> Path:
    """A folder with what set-up reads and no .venv."""
    (tmp_path / ".ci").mkdir()
    shutil.copy(CHECKOUT / ".ci" / "setup", tmp_path / ".ci" / "setup")
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def set_up(tree: Path, python: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "HOME": str(tree), "NO_APT": "1", "PYTHON": str(python)}
    command = ["sh", str(tree / ".ci" / "setup"), "demo"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def stand_in(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_set_up_says_so_when_python_is_too_old(bare_tree: Path) -> None:
    old = stand_in(bare_tree / "python", '[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1')
    done = set_up(bare_tree, old)
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed; found: Python 3.9.2" in done.stderr


def test_set_up_names_the_package_when_venv_is_missing(bare_tree: Path) -> None:
    bare = stand_in(bare_tree / "python", 'case "$2" in *ensurepip*) exit 1 ;; esac')
    done = set_up(bare_tree, bare)
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not (bare_tree / ".venv").exists()
