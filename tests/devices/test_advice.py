"""The right commands for each system, from made-up facts."""

from __future__ import annotations

from pathlib import Path

import pytest

from anonymizer.devices.advice import LOAD, family, os_release, secure_boot_on, virtual_camera_commands


@pytest.mark.parametrize(
    ("release", "name"),
    [
        ({"ID": "debian"}, "debian"),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, "ubuntu"),
        ({"ID": "fedora"}, "fedora"),
        ({"ID": "rocky", "ID_LIKE": "rhel centos fedora"}, "fedora"),
        ({"ID": "manjaro", "ID_LIKE": "arch"}, "arch"),
        ({"ID": "plan9"}, None),
        ({}, None),
    ],
)
def test_distributions_go_by_their_family(release: dict[str, str], name: str | None) -> None:
    """Its own name first, then what it says it is like."""
    assert family(release) == name


def test_commands_name_the_packages_and_load_the_module() -> None:
    """Every family installs first and loads in the end; an installed module is only loaded."""
    for release, word in (("debian", "apt"), ("fedora", "dnf"), ("arch", "pacman"), ("other", "package manager")):
        commands = virtual_camera_commands("linux", {"ID": release})
        assert word in commands[0]
        assert commands[-len(LOAD) :] == LOAD
    assert virtual_camera_commands("linux", {"ID": "debian"}, installed=True) == LOAD
    assert "exclusive_caps=1" in LOAD[0]
    for system in ("win32", "darwin"):
        commands = virtual_camera_commands(system, {})
        assert "OBS" in commands[0]
        assert not any("sudo" in line for line in commands)


def test_os_release_is_read_as_it_is_written(tmp_path: Path) -> None:
    """Quotes off, other lines ignored, nothing where there is no file."""
    path = tmp_path / "os-release"
    path.write_text('ID=ubuntu\nID_LIKE="debian x"\n# a line\n\n')
    assert os_release(path) == {"ID": "ubuntu", "ID_LIKE": "debian x"}
    assert os_release(tmp_path / "none") == {}


@pytest.mark.parametrize(("content", "on"), [(b"\x06\0\0\0\x01", True), (b"\x06\0\0\0\0", False), (None, False)])
def test_secure_boot_is_the_last_byte_of_its_variable(tmp_path: Path, content: bytes | None, on: bool) -> None:
    """Off where the firmware says nothing."""
    if content is not None:
        (tmp_path / "SecureBoot-8be4df61").write_bytes(content)
    assert secure_boot_on(tmp_path) == on
    assert not secure_boot_on(tmp_path / "none")
