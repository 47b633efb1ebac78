"""The composition root: builds the stages from settings and runs one job. The only file that knows all of them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import cv2

from anonymizer import quiet
from anonymizer.errors import InputError
from anonymizer.offline import ImageReport, OnProgress, VideoOptions, VideoReport, anonymize_image, anonymize_video
from anonymizer.perceive.clip import ClipPlanner, ClipSettings, plan_still
from anonymizer.perceive.finder import Finder, FinderSettings
from anonymizer.persona.bank import load_bank
from anonymizer.persona.face_model import load_face_model
from anonymizer.persona.persona import Persona, draw_persona
from anonymizer.pipeline import Anonymizer
from anonymizer.progress import progress_after
from anonymizer.secret import load_or_create_key, session_secret
from anonymizer.settings import Settings
from anonymizer.stages import FaceGenerator

GENERATOR = "generator_face128"
GENERATOR_INT8 = "generator_face128_int8"
PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def run_video(source: Path, target: Path, settings: Settings, overwrite: bool, on_progress: OnProgress) -> VideoReport:
    """Anonymize a video file. Raises InputError, SinkError, WeightsError, PersonaKeyError."""
    from anonymizer.adapters.video_reader import VideoReader

    anonymizer = build_anonymizer(settings)
    reader = VideoReader(source, 1, exact_colour=False)
    fps_hz = reader.fps_hz
    reader.close()
    clip = ClipSettings(settings.detector.every_frames, settings.smoothing.window_s, fps_hz)
    options = VideoOptions(
        overwrite=overwrite,
        crf=settings.encoder.crf,
        preset=settings.encoder.preset,
        threads=settings.threads,
        exact_colour=settings.preset != "fast",
    )
    with build_finder(settings) as finder:
        planner = ClipPlanner(finder, load_face_model(), clip)
        return anonymize_video(source, target, planner, anonymizer, options, on_progress)


def run_images(
    sources: Sequence[Path], target: Path, settings: Settings, overwrite: bool, on_progress: OnProgress
) -> list[ImageReport]:
    """Anonymize photos into the folder or file `target`; a new person in every photo unless a key file is used."""
    files = photos_of(sources)
    to_folder = target.is_dir() or len(files) > 1 or not target.suffix
    if to_folder:
        target.mkdir(parents=True, exist_ok=True)
    anonymizer, model = build_anonymizer(settings), load_face_model()
    reports, started_s = [], time.perf_counter()
    with build_finder(settings) as finder:
        for done, source in enumerate(files):
            anonymizer.reset()
            if settings.persona_key is None:
                anonymizer.draw_persona = persona_drawer(settings)  # photos of one run are not linked either
            out = target / source.name if to_folder else target
            reports.append(anonymize_image(source, out, lambda f: plan_still(f, finder, model), anonymizer, overwrite))
            on_progress(progress_after("render", done + 1, len(files), time.perf_counter() - started_s))
    return reports


def persona_sheet(target: Path, count: int, settings: Settings) -> None:
    """A PNG with `count` personas of the session's secret (or the key file's), in rows."""
    from anonymizer.sheet import save_rgb, sheet_of_personas

    draw = persona_drawer(settings)
    tones = [_tone_step(settings)] * count if settings.tone != "auto" else [slot % 6 for slot in range(count)]
    personas = [draw(slot, int(tone or 0)) for slot, tone in zip(range(count), tones, strict=True)]
    save_rgb(target, sheet_of_personas(personas, load_face_model()))


def run_demo(out_dir: Path, settings: Settings, on_progress: OnProgress) -> VideoReport:
    """Anonymize the sample clip that comes with the package; writes demo.mp4 and demo.png with six moments."""
    from anonymizer.sheet import before_and_after, save_rgb

    out_dir.mkdir(parents=True, exist_ok=True)
    report = run_video(SAMPLE, out_dir / "demo.mp4", settings, True, on_progress)
    save_rgb(out_dir / "demo.png", before_and_after(SAMPLE, report.output, moments=6))
    return report


SAMPLE = Path(__file__).with_name("sample") / "talking_head.mp4"


def photos_of(sources: Sequence[Path]) -> list[Path]:
    """Files as given, folders as the photos in them, by name. InputError when nothing is left."""
    files: list[Path] = []
    for source in sources:
        if source.is_dir():
            files += sorted(p for p in source.iterdir() if p.suffix.lower() in PHOTO_SUFFIXES)
        else:
            files.append(source)
    if not files:
        wanted = ", ".join(sorted(PHOTO_SUFFIXES))
        raise InputError(f"no photo in {', '.join(map(str, sources))}; files ending in {wanted} are taken")
    return files


def build_anonymizer(settings: Settings) -> Anonymizer:
    """The renderer: generator, personas, face model and the choices."""
    quiet.silence()
    cv2.setNumThreads(1)  # pools bigger than the free cores slow each other down
    return Anonymizer(
        generator=build_generator(settings),
        draw_persona=persona_drawer(settings),
        model=load_face_model(),
        tones_rgb=load_bank().tones,
        coverage=settings.coverage,
        fallback=settings.fallback,
        tone=_tone_step(settings),
        max_personas=settings.landmarks.max_faces,
    )


def build_generator(settings: Settings) -> FaceGenerator:
    if settings.generator == "classic":
        from anonymizer.generate.classic import ClassicGenerator

        return ClassicGenerator()
    from anonymizer.generate.onnx_generator import OnnxGenerator

    # one thread: the encoder and the decoder run beside it, and two threads took 15 ms where one takes 11
    name = GENERATOR_INT8 if settings.precision == "int8" else GENERATOR
    return OnnxGenerator(name, threads=max(1, _threads(settings) // 2))


def build_finder(settings: Settings) -> Finder:
    return Finder(
        FinderSettings(
            detector_side_px=settings.detector.long_side_px,
            threads=_threads(settings),
            min_score=settings.detector.min_confidence,
            presence=settings.landmarks.min_confidence,
        )
    )


def persona_drawer(settings: Settings) -> PersonaDrawer:
    key = settings.persona_key
    return PersonaDrawer(session_secret() if key is None else load_or_create_key(key), settings)


class PersonaDrawer:
    """slot, tone step -> Persona, under one secret that nobody can read back."""

    __slots__ = ("_look", "_secret")

    def __init__(self, secret: bytes, settings: Settings) -> None:
        self._secret, self._look = secret, settings.look

    def __call__(self, slot: int, tone: int) -> Persona:
        return draw_persona(self._secret, slot, tone, self._look, load_bank(), load_face_model())

    def __repr__(self) -> str:
        return "PersonaDrawer(...)"


def _tone_step(settings: Settings) -> int | None:
    """1 (lightest) to 6 (darkest) as users count -> 5 to 0 as the bank does; None = auto."""
    return None if settings.tone == "auto" else 6 - int(settings.tone)


def _threads(settings: Settings) -> int:
    return settings.threads or min(2, os.cpu_count() or 1)


__all__ = ["build_anonymizer", "persona_sheet", "photos_of", "run_demo", "run_images", "run_video"]
