"""Nothing reports, chatters or writes where it should not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def _run(code: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter that has an own HOME and nothing that looks like CI."""
    clean = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        **env,
    }
    return subprocess.run(
        [sys.executable, "-c", code], env=clean, capture_output=True, text=True, timeout=60, check=True
    )


def test_onnxruntime_is_imported_with_its_telemetry_off_and_leaves_home_empty(tmp_path: Path) -> None:
    """After the import the opt-out variable is set and HOME holds no device id."""
    done = _run(
        "import os; from anonymizer import quiet; quiet.onnxruntime(); print(os.environ['ORT_DISABLE_TELEMETRY'])",
        tmp_path,
    )
    assert done.stdout.strip() == "1"
    assert done.stderr == ""
    assert list(tmp_path.rglob("*")) == []


def test_importing_quiet_loads_no_heavy_library(tmp_path: Path) -> None:
    """Silencing alone imports neither numpy nor an inference library."""
    done = _run(
        "import sys; from anonymizer import quiet; quiet.silence();"
        "print([m for m in ('numpy', 'cv2', 'onnxruntime', 'numba', 'ai_edge_litert') if m in sys.modules])",
        tmp_path,
    )
    assert done.stdout.strip() == "[]"


def test_the_cache_lies_in_the_users_cache_folder(tmp_path: Path) -> None:
    """XDG_CACHE_HOME is honoured and nothing is created before it is needed."""
    done = _run(
        "import os; from anonymizer import quiet; quiet.silence(); print(os.environ['NUMBA_CACHE_DIR'])",
        tmp_path,
        XDG_CACHE_HOME=str(tmp_path / "c"),
    )
    assert done.stdout.strip() == str(tmp_path / "c" / "anonymizer" / "numba")
    assert not (tmp_path / "c").exists()


def test_without_a_writable_home_the_cache_is_private_and_goes_at_exit(tmp_path: Path) -> None:
    """Where the cache folder cannot be made, a temporary one of mode 0700 serves and is removed."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    code = (
        "from anonymizer import quiet; import stat\n"
        "p = quiet.cache_folder(); print(p, oct(stat.S_IMODE(p.stat().st_mode)))"
    )
    folder, mode = _run(code, tmp_path, XDG_CACHE_HOME=str(blocked)).stdout.split()
    assert mode == "0o700"
    assert not Path(folder).exists()


def test_a_users_own_choice_of_log_level_is_kept(tmp_path: Path) -> None:
    """A log level that the user set is not overwritten, the telemetry switch always is."""
    done = _run(
        "import os; from anonymizer import quiet; quiet.silence();"
        "print(os.environ['OPENCV_LOG_LEVEL'], os.environ['ORT_DISABLE_TELEMETRY'])",
        tmp_path,
        OPENCV_LOG_LEVEL="DEBUG",
        ORT_DISABLE_TELEMETRY="0",
    )
    assert done.stdout.split() == ["DEBUG", "1"]


def test_muted_stderr_hides_what_c_code_writes_and_gives_it_back(capfd: pytest.CaptureFixture[str]) -> None:
    """Lines written to the descriptor inside are lost, lines after it arrive."""
    from anonymizer.quiet import muted_stderr

    with muted_stderr():
        os.write(2, b"hidden")
    os.write(2, b"seen")
    assert capfd.readouterr().err == "seen"


def test_cv2_qt_paths_are_dropped_but_a_users_own_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only paths that point into cv2 go."""
    from anonymizer.quiet import forget_cv2_qt_paths

    monkeypatch.setenv("QT_QPA_PLATFORM_PLUGIN_PATH", "/x/site-packages/cv2/qt/plugins")
    monkeypatch.setenv("QT_QPA_FONTDIR", "/usr/share/fonts")
    forget_cv2_qt_paths()
    assert "QT_QPA_PLATFORM_PLUGIN_PATH" not in os.environ
    assert os.environ["QT_QPA_FONTDIR"] == "/usr/share/fonts"
