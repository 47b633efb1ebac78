"""The commands that bring a virtual camera to this machine. Pure: the facts come in, the commands go out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

OPTIONS = 'options v4l2loopback devices=1 video_nr=10 card_label="Anonymizer" exclusive_caps=1 max_buffers=8'
LOAD = (
    f"echo '{OPTIONS}' | sudo tee /etc/modprobe.d/v4l2loopback.conf",
    "echo v4l2loopback | sudo tee /etc/modules-load.d/v4l2loopback.conf",
    "sudo modprobe v4l2loopback",
)
RPM_FUSION = "https://mirrors.rpmfusion.org/free/fedora"
INSTALL: Mapping[str, tuple[str, ...]] = {
    "debian": ("sudo apt install v4l2loopback-dkms linux-headers-$(dpkg --print-architecture)",),
    "ubuntu": ("sudo apt install v4l2loopback-dkms linux-headers-generic",),
    "fedora": (
        f"sudo dnf install {RPM_FUSION}/rpmfusion-free-release-$(rpm -E %fedora).noarch.rpm",
        "sudo dnf install akmod-v4l2loopback",
    ),
    "arch": ("sudo pacman -S --needed v4l2loopback-dkms linux-headers",),
}
UNKNOWN = (
    "install v4l2loopback with your distribution's package manager, version 0.13.2 or newer if there is a choice",
)
WINDOWS = ("install OBS Studio, start it once, press Start Virtual Camera and Stop Virtual Camera, then close it",)
MACOS = (
    "install OBS Studio 30 or newer, start it once and press Start Virtual Camera",
    "allow its extension in System Settings, General, Login Items & Extensions, Camera Extensions; then close OBS",
)


def os_release(path: Path = Path("/etc/os-release")) -> dict[str, str]:
    """The keys of /etc/os-release; empty where there is none."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {key: value.strip().strip('"') for key, _, value in pairs}


def family(release: Mapping[str, str]) -> str | None:
    """Which of INSTALL's keys a Linux distribution goes by."""
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    known = {"rhel": "fedora", "centos": "fedora"}
    return next((known.get(name, name) for name in names if known.get(name, name) in INSTALL), None)


def virtual_camera_commands(system: str, release: Mapping[str, str], installed: bool = False) -> tuple[str, ...]:
    """What to do for a virtual camera. system: as sys.platform. installed: the Linux module is there, not loaded."""
    if system == "win32":
        return WINDOWS
    if system == "darwin":
        return MACOS
    name = family(release)
    install = INSTALL[name] if name else UNKNOWN
    return LOAD if installed else (*install, *LOAD)


def secure_boot_on(efivars: Path = Path("/sys/firmware/efi/efivars")) -> bool:
    """Does the firmware refuse modules that are not signed? False where it does not say."""
    for variable in efivars.glob("SecureBoot-*") if efivars.is_dir() else ():
        try:
            return variable.read_bytes()[-1:] == b"\x01"
        except OSError:
            return False
    return False


SECURE_BOOT = (
    "Secure Boot is on: modules built here must be signed. `sudo mokutil --import /var/lib/dkms/mok.pub`, restart, "
    "choose Enroll MOK, then `sudo modprobe v4l2loopback`"
)
