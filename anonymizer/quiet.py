"""One place where libraries are kept from reporting, chattering and writing into HOME.

Import onnxruntime, LiteRT, OpenVINO and numba through this file. Decided per library, by tracing its system calls:
  onnxruntime >= 1.29   reports usage and writes a device id under HOME: its variable is set, and its own switch called
  OpenVINO              its telemetry package is made unimportable; OpenVINO then uses its built-in stand-in
  LiteRT                opens no socket; one line on stderr a network, muted while the network is made
  numba                 writes its cache beside the source or into HOME: sent to our cache folder
  OpenCV                reports nothing; level set; its Qt paths, which break other Qt windows, may be dropped
  MediaPipe >= 0.10.30  sends usage to play.googleapis.com and has no switch: it is not used. Its published networks
                        run on LiteRT instead (anonymizer.perceive), and `mediapipe` is no dependency.
"""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType

_ALWAYS = {"ORT_DISABLE_TELEMETRY": "1"}
_UNLESS_CHOSEN = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "GLOG_minloglevel": "3",
    "OPENCV_LOG_LEVEL": "ERROR",
    "OPENCV_VIDEOIO_DEBUG": "0",
}
_CV2_QT_VARIABLES = ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")

_stderr_lock = threading.Lock()


def silence() -> None:
    """Set every variable that must be there before a library is imported. Cheap, and harmless when repeated."""
    os.environ.update(_ALWAYS)
    for name, value in _UNLESS_CHOSEN.items():
        os.environ.setdefault(name, value)
    if "NUMBA_CACHE_DIR" not in os.environ:
        os.environ["NUMBA_CACHE_DIR"] = str(cache_folder() / "numba")


@cache
def cache_folder() -> Path:
    """The one folder the package writes to on its own: compiled code, no picture, nothing of a face.

    `anonymizer` under the user's cache folder; a private temporary one, gone at exit, where that cannot be written.
    """
    folder = _user_cache_folder() / "anonymizer"
    if _can_be_written(folder):
        return folder
    temporary = Path(
        tempfile.mkdtemp(prefix="anonymizer-")
    )  # mode 0700: compiled code is run, so nobody else may write
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return temporary


def _user_cache_folder() -> Path:
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    if chosen and Path(chosen).is_absolute():
        return Path(chosen)
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    return home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"


def _can_be_written(folder: Path) -> bool:
    nearest = next((each for each in (folder, *folder.parents) if each.exists()), None)
    return folder.is_absolute() and nearest is not None and nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


@cache
def onnxruntime() -> ModuleType:
    """onnxruntime with its reporting off and its warnings silent."""
    silence()
    module = importlib.import_module("onnxruntime")
    module.disable_telemetry_events()
    module.set_default_logger_severity(3)
    return module


@cache
def openvino() -> ModuleType:
    """OpenVINO with its telemetry package out of reach. Raises ImportError where OpenVINO is not installed."""
    silence()
    for name in ("openvino_telemetry", "openvino_telemetry.backend"):
        sys.modules[name] = None  # type: ignore[assignment] # "None" makes `import` raise ImportError
    return importlib.import_module("openvino")


@cache
def litert() -> ModuleType:
    """LiteRT's interpreter module, which runs .tflite networks."""
    silence()
    return importlib.import_module("ai_edge_litert.interpreter")


@cache
def numba() -> ModuleType:
    """numba, caching compiled code in our own folder."""
    silence()
    return importlib.import_module("numba")


def forget_cv2_qt_paths() -> None:
    """Drop the Qt paths that importing cv2 leaves in the environment; call before opening a window of another Qt."""
    for name in _CV2_QT_VARIABLES:
        if "cv2" in os.environ.get(name, ""):
            del os.environ[name]


@contextmanager
def muted_stderr() -> Iterator[None]:
    """Send file descriptor 2 to nowhere for a moment: some lines are written by C++ code that has no switch."""
    with _stderr_lock:
        sys.stderr.flush()
        try:
            kept = os.dup(2)
        except OSError:  # started without a stderr
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)
