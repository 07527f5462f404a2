"""Promises of the set-up: the wheel is complete, a station installs without the server, and set-up explains itself."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
import venv
import zipfile
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest
import requests
import segno
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cylinder_trace.stage import free_port, stop

CHECKOUT = Path(__file__).parent.parent
SERVER_ONLY = ["sqlalchemy", "flask", "alembic", "networkx", "apscheduler", "granian", "flask_openapi3"]
# What a base install may bring; a name that is not here was not meant for the smallest station.
OF_THE_CONTRACT = {
    "annotated-types",
    "biip",
    "pydantic",
    "pydantic-core",
    "typing-extensions",
    "typing-inspection",
}
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
    assert "cylinder-trace = cylinder_trace.__main__:main" in declared
    assert "cylinder-scan = scanner.__main__:main" in declared
    assert [name for name in wheel.root.namelist() if name.endswith("/licenses/LICENSE")]


def test_a_station_needs_nothing_of_the_server() -> None:
    done = imports_without("scanner", SERVER_ONLY)
    assert done.returncode == 0, done.stderr
    assert "scanner.cli" in done.stdout


def test_the_contract_needs_pydantic_and_biip_only() -> None:
    beyond = [*SERVER_ONLY, "cv2", "numpy", "pyzbar", "zxingcpp", "requests", "psycopg", "tqdm"]
    done = imports_without("cylinder_trace.contract", beyond)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def packed(wheel: zipfile.Path) -> PathDistribution:
    """The wheel's metadata."""
    [folder] = [path for path in wheel.iterdir() if path.name.endswith(".dist-info")]
    return PathDistribution(folder)


def brought_by(packed: Distribution, extra: str) -> dict[str, Distribution]:
    """Everything that pip would install with the wheel and one of its extras, by name; "" for none."""
    brought: dict[str, Distribution] = {}
    seen = set()
    waiting = [("cylinder-trace", extra)]
    while waiting:
        name, wanted = waiting.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        if name != "cylinder-trace":
            brought[name] = distribution(name)
        for line in (packed if name == "cylinder-trace" else brought[name]).requires or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": wanted}):
                waiting += [(canonicalize_name(need.name), one) for one in (*need.extras, "")]
    return brought


def test_the_base_brings_what_the_contract_needs_and_nothing_else(packed: PathDistribution) -> None:
    assert set(brought_by(packed, "")) == OF_THE_CONTRACT


def test_a_station_brings_nothing_of_the_server(packed: PathDistribution) -> None:
    brought = set(brought_by(packed, "station"))
    assert brought >= {"opencv-python-headless", "pyzbar", "zxing-cpp", "cryptography"}
    assert not brought & {canonicalize_name(name) for name in SERVER_ONLY}


def installed(wheel: zipfile.Path, brought: dict[str, Distribution], place: Path) -> Path:
    """The commands of a venv with the wheel and with these distributions only, which are linked, not fetched."""
    venv.create(place, with_pip=False, symlinks=True)
    [packages] = place.glob("lib/python*/site-packages")
    for one in brought.values():
        for top in {path.parts[0] for path in one.files or [] if path.parts[0] not in {"..", "__pycache__"}}:
            if not (packages / top).exists():
                (packages / top).symlink_to(Path(str(one.locate_file(top))).absolute())
    command = [sys.executable, "-m", "pip", "--python", str(place / "bin" / "python"), "install", "--quiet"]
    command += ["--no-deps", "--no-index", str(wheel.root.filename)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return place / "bin"


def away_from_the_checkout(place: Path, **more: str) -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(place), "LANG": "C.UTF-8"} | more


def test_an_installed_station_reads_a_picture(
    wheel: zipfile.Path, packed: PathDistribution, tmp_path: Path
) -> None:
    commands = installed(wheel, brought_by(packed, "station"), tmp_path / "station")
    segno.make("https://qp.example.cn/b?c=3310000900001").save(str(tmp_path / "label.png"), scale=6)
    done = subprocess.run(
        [commands / "cylinder-scan", "images", "label.png"],
        cwd=tmp_path,
        env=away_from_the_checkout(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert '"code": "3310000900001"' in done.stdout


def test_an_installed_server_makes_its_database_and_serves(
    wheel: zipfile.Path, packed: PathDistribution, tmp_path: Path
) -> None:
    commands = installed(wheel, brought_by(packed, "server"), tmp_path / "server")
    port = free_port()
    environment = away_from_the_checkout(tmp_path, CYLINDER_TRACE_PORT=str(port))
    command = commands / "cylinder-trace"
    upgrade = subprocess.run(
        [command, "db", "upgrade"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert upgrade.returncode == 0, upgrade.stderr
    assert (tmp_path / "cylinder-trace.sqlite3").is_file()
    log = tmp_path / "serve.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [command, "serve"], cwd=tmp_path, env=environment, stdout=output, stderr=output
        )
    try:
        assert answers(f"http://127.0.0.1:{port}/sign-in", process), log.read_text()
    finally:
        stop(process)


def answers(address: str, process: "subprocess.Popen[bytes]") -> bool:
    """Whether a page comes within 30 s, and from a process that still runs."""
    deadline_s = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            return requests.get(address, timeout=5).status_code == 200
        except requests.ConnectionError:
            time.sleep(0.1)
    return False


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


def interpreter(tree: Path, pip: str) -> Path:
    """A stand-in for Python whose venvs have a pip that does this."""
    return stand_in(
        tree / "python",
        f"""case "$*" in
*"-m venv"*) mkdir -p .venv/bin; cp "$0" .venv/bin/python; echo "#!$(pwd -P)/.venv/bin/python" >.venv/bin/pip ;;
*"-m pip"*) {pip} ;;
esac""",
    )


def test_set_up_says_what_to_do_without_a_network(bare_tree: Path) -> None:
    done = set_up(bare_tree, interpreter(bare_tree, 'echo "Failed to resolve: name resolution"; exit 1'))
    assert done.returncode == 1
    assert "no network" in done.stderr
    assert "PIP_INDEX_URL" in done.stderr


def test_set_up_makes_a_venv_anew_whose_pip_was_killed(bare_tree: Path) -> None:
    killed = set_up(bare_tree, interpreter(bare_tree, "kill -9 $$"))
    assert killed.returncode == 1
    assert "pip was killed" in killed.stderr
    again = set_up(bare_tree, interpreter(bare_tree, "exit 0"))
    assert again.returncode == 0
    assert "making .venv anew" in again.stdout
    assert "installing" not in set_up(bare_tree, bare_tree / "python").stdout


def test_set_up_makes_a_venv_anew_that_came_from_another_place(bare_tree: Path, tmp_path: Path) -> None:
    python = interpreter(bare_tree, "exit 0")
    assert set_up(bare_tree, python).returncode == 0
    moved = tmp_path / "自 moved"
    shutil.copytree(bare_tree, moved, ignore=shutil.ignore_patterns(moved.name))
    assert "making .venv anew" in set_up(moved, python).stdout
