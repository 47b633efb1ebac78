"""The composition root: builds the stages from settings and runs one job. The only file that knows all of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import msgspec

from anonymizer import __version__, quiet
from anonymizer.adapters.safe_write import check_target
from anonymizer.faces import PlannedFace
from anonymizer.frames import Frame
from anonymizer.generate.background import ClearBackground
from anonymizer.offline import OnProgress, VideoOptions, VideoReport, anonymize_video
from anonymizer.perceive.clip import ClipPlanner, ClipSettings, plan_still
from anonymizer.perceive.finder import Finder, FinderSettings
from anonymizer.perceive.hands import HandFinder
from anonymizer.perceive.hands_in_time import with_hands
from anonymizer.persona.bank import load_bank
from anonymizer.persona.face_model import load_face_model
from anonymizer.persona.persona import Persona, draw_persona
from anonymizer.photo_jobs import PhotoJob, photo_jobs, photos_of
from anonymizer.photo_run import PhotosReport, run_jobs
from anonymizer.photos import ImageReport, PhotoOptions, PhotoStages, anonymize_image
from anonymizer.pipeline import Anonymizer
from anonymizer.resume import WorkFolder, fingerprint_of
from anonymizer.secret import load_or_create_key, session_secret
from anonymizer.settings import Settings
from anonymizer.signing import Sign, signer
from anonymizer.stages import FaceGenerator
from anonymizer.warm import WARM_UP, warm_renderer
from anonymizer.weights.locate import registry

GENERATOR, GENERATOR_INT8 = "generator_face192", "generator_face192_int8"  # of the usual size
GENERATORS = {("float32", 192): GENERATOR, ("int8", 192): GENERATOR_INT8, ("int8", 128): "generator_face128_int8"}


def run_video(source: Path, target: Path, settings: Settings, overwrite: bool, on_progress: OnProgress) -> VideoReport:
    """Anonymize a video file; one that a killed run was at goes on there. Raises InputError, SinkError, WeightsError,
    PersonaKeyError, ConfigError."""
    from anonymizer.adapters.video_reader import VideoReader

    real = check_target(target, [source], overwrite)
    reader = VideoReader(source, 1, exact_colour=False)
    fps_hz = reader.fps_hz
    reader.close()
    options = video_options(settings, overwrite)
    key = None if settings.persona_key is None else load_or_create_key(settings.persona_key)
    work = WorkFolder(real, fingerprint_of(source, fingerprint_words(settings), key))
    try:
        secret = key or (work.plan.secret if work.plan is not None else None) or session_secret()
        anonymizer = build_anonymizer(settings, secret)
        with build_finder(settings) as finder:
            planner = build_planner(settings, finder, fps_hz)
            kept = None if key else secret
            with ThreadPoolExecutor(1, WARM_UP) as beside:  # while the first pass looks
                beside.submit(warm_renderer, anonymizer.apart())
                return anonymize_video(source, target, planner, anonymizer, options, on_progress, work, kept)
    finally:
        work.remove()


def video_options(settings: Settings, overwrite: bool) -> VideoOptions:
    return VideoOptions(
        overwrite=overwrite,
        crf=settings.encoder.crf,
        preset=settings.encoder.preset,
        threads=settings.threads,
        exact_colour=settings.preset != "fast",
        codec=settings.codec,
        audio=settings.audio,
        mark=settings.mark,
        keep_dates=settings.keep_dates,
        sign=sign_of(settings),
        segment_frames=settings.encoder.segment_frames,
    )


def fingerprint_words(settings: Settings) -> str:
    """Names the version, the models and every choice; results with the same words may be joined."""
    models = " ".join(sorted(str(entry) for entry in registry().items()))
    return f"{__version__} {msgspec.json.encode(settings, enc_hook=str).decode()} {models}"


def run_images(
    sources: Sequence[Path], target: Path, settings: Settings, overwrite: bool, on_progress: OnProgress
) -> PhotosReport:
    """Anonymize photos into the folder or file `target`; a new person in every photo unless a key file is used.

    Several photos go on where a broken-off run stopped, and what is refused among them is reported, not raised.
    """
    return run_jobs(
        photo_jobs(sources, target),
        partial(PhotoDesk, settings, overwrite),
        partial(PhotoDesk, msgspec.structs.replace(settings, threads=1), overwrite),
        processes=settings.threads or os.cpu_count() or 1,
        fingerprint=fingerprint_words(settings),
        overwrite=overwrite,
        on_progress=on_progress,
    )


class PhotoDesk:
    """Does photo after photo with one set of networks."""

    def __init__(self, settings: Settings, overwrite: bool) -> None:
        self._settings = settings
        self._options = PhotoOptions(overwrite, settings.mark, settings.keep_dates, sign_of(settings))
        self._anonymizer, self._model = build_anonymizer(settings), load_face_model()
        self._finder, self._hands = build_finder(settings), build_hands(settings)

    def __call__(self, job: PhotoJob) -> ImageReport:
        stages = PhotoStages(
            plan=self._plan,
            watch=self._watch,
            renderer=self._anonymizer,
            renew=self._renew,
        )
        options = replace(self._options, overwrite=self._options.overwrite or job.ours)
        return anonymize_image(job.source, job.target, stages, options)

    def close(self) -> None:
        self._finder.__exit__(None, None, None)

    def _watch(self, fps_hz: float) -> ClipPlanner:
        self._finder.reset()
        return build_planner(self._settings, self._finder, fps_hz)

    def _plan(self, frame: Frame) -> tuple[PlannedFace, ...]:
        planned = plan_still(frame, self._finder, self._model)
        return planned if self._hands is None else with_hands(planned, frame.rgb, self._hands)

    def _renew(self) -> None:
        self._anonymizer.reset()
        if self._settings.persona_key is None:
            self._anonymizer.draw_persona = persona_drawer(self._settings)  # photos of one run are not linked either


def sign_of(settings: Settings) -> Sign | None:
    return None if settings.sign_with is None else signer(settings.sign_with)


def clip_settings(settings: Settings, fps_hz: float) -> ClipSettings:
    detector = settings.detector
    return ClipSettings(detector.every_frames, settings.smoothing.window_s, fps_hz, detector.turned_every_frames)


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


def build_anonymizer(settings: Settings, secret: bytes | None = None) -> Anonymizer:
    """The renderer: generator, personas, face model and the choices. secret: of the personas; None = the key file's or
    a new one."""
    quiet.silence()
    cv2.setNumThreads(1)  # pools bigger than the free cores slow each other down
    return Anonymizer(
        generator=before_background(build_generator(settings)),
        draw_persona=persona_drawer(settings) if secret is None else PersonaDrawer(secret, settings),
        model=load_face_model(),
        tones_rgb=load_bank().tones,
        tone_weights=load_bank().tone_weights,
        coverage=settings.coverage,
        fallback=settings.fallback,
        tone=_tone_step(settings),
        badge=settings.badge,
        max_personas=settings.landmarks.max_faces,
    )


def build_generator(settings: Settings) -> FaceGenerator:
    if settings.generator == "classic":
        from anonymizer.generate.classic import ClassicGenerator

        return ClassicGenerator()
    from anonymizer.generate.onnx_generator import OnnxGenerator

    # one thread: the encoder and the decoder run beside it, and two threads took 15 ms where one takes 11
    name = GENERATORS[settings.precision, settings.network_px]
    return OnnxGenerator(name, threads=max(1, _threads(settings) // 2))


def before_background(generator: FaceGenerator) -> FaceGenerator:
    """The same, with clear surroundings; what needs no network goes without."""
    from anonymizer.generate.classic import ClassicGenerator
    from anonymizer.perceive.person import PersonMasker

    return generator if isinstance(generator, ClassicGenerator) else ClearBackground(generator, PersonMasker().share)


def build_planner(settings: Settings, finder: Finder, fps_hz: float) -> ClipPlanner:
    clip = clip_settings(settings, fps_hz)
    return ClipPlanner(finder, load_face_model(), clip, hands=build_hands(settings))


def build_hands(settings: Settings) -> HandFinder | None:
    """Looks for hands that stay in front of faces; None where nothing does."""
    return HandFinder(_threads(settings)) if settings.occluders == "hands" else None


def build_finder(settings: Settings) -> Finder:
    return Finder(
        FinderSettings(
            side_px=settings.detector.long_side_px,
            threads=_threads(settings),
            min_score=settings.detector.min_confidence,
            presence=settings.landmarks.min_confidence,
            agreed=settings.preset == "strict",
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
