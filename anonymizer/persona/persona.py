"""Personas: people who do not exist, drawn from a secret, a slot and a tone step, never from a face.

Three portraits of the bank, of one sex, are put together: one gives the skin and most of the fine detail, the second
eyes and brows, so that no contour is drawn twice (another's mouth and chin looked wrong on most); all three mix in
shape and in low frequencies, and a random identity offset is added to the shape. Nostrils are a fourth's. Every skin
tone has the same pool: with portraits near the wearer's own tone a recogniser told more of who it was (.04 of area
under the curve, docs/evaluation.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from anonymizer.faces import Floats
from anonymizer.geometry import rotation_from_vector
from anonymizer.persona import atlas
from anonymizer.persona.atlas import FACE_ROWS
from anonymizer.persona.bank import PersonaBank, decode_rgb
from anonymizer.persona.even_sides import with_even_sides
from anonymizer.persona.face_model import LID_REACH, LIDS, FaceModel, lid_top
from anonymizer.persona.lip_line import with_lip_line
from anonymizer.persona.shades import without_shades
from anonymizer.persona.sockets import with_light_sockets
from anonymizer.persona.temples import with_light_temples
from anonymizer.secret import derive

LOOKS = ("any", "feminine", "masculine")
SHAPE_WEIGHTS = (0.5, 0.28, 0.22)
LOW_WEIGHTS = (0.7, 0.17, 0.13)  # of the texture's low frequencies: a face's own light and blush make it one face
SHAPE_GAIN = 1.25  # a mix of three is flatter than one; this gives a single face's spread back
OFFSET_SIGMA = 0.35  # of the population's spread, added so that no mix repeats its portraits' shape
# Of the detail's log brightness: unwrapped and lit by the network, portraits have less than a photo's contrast on the
# face. More is nearer to photos by the kernel distance (× 1000, 160 composites: 11.2 with 1.35, 10.7 with 1.5), and
# 265 of 282 pictures are alike to judges of pairs, each time; with low frequencies likewise cheeks stand out.
CONTRAST = 1.5
HUE = 1.2  # of what its channels differ by: within faces hues ranged over half of what they do in photos (98 scenes)
# Unwrapped portraits have no pores left, and looked airbrushed beside sharp hair: FINE of what a blur of FINE_PX takes
# away, and grain of that log brightness (standard deviation) between two blurs, px of the atlas. By eye on 8 scenes;
# with twice as much small faces are speckled.
FINE, FINE_PX = 1.3, 1.6
PORES, PORE_PX, PORES_DARK = 0.035, (1.0, 3.0), 0.35
# Of the blue that lit skin has over a face's usual hue, taken away: on dark portraits' cheeks it was lavender. Of 24
# pictures that differ 15 looked better to a judge of pairs, 3 worse.
COLD_SHINE, COLD, LIT = 0.8, 0.05, (-0.05, 0.1)  # log blue and log brightness, from and to which it is taken
SHINE_POWER = 2.0  # of a portrait's skin over the wanted one; judged by eye on 48 personas of the lightest tone
# Around the left eye and its brow, px of the 512 × 440 atlas; the right eye's is its mirror image. The nose's bridge is
# not in it: another's light there made two noses of one.
EYE_OUTLINE = ((106, 140), (106, 100), (132, 62), (222, 70), (233, 110), (224, 150), (198, 172), (142, 172))
# Around a nose's lower half, px likewise. Of most portraits no nostrils are seen from the front, or they were
# unwrapped onto the tip: of 102 pictures that differ 83 looked better with another's to a judge of pairs, 16 worse.
NOSE_OUTLINE = (
    *((236, 216), (276, 216), (294, 216), (310, 224), (318, 242), (312, 260), (288, 270)),
    *((256, 274), (224, 270), (200, 260), (194, 242), (202, 224), (218, 216)),
)
NOSE_LIGHTEST = 0.1  # log detail: bright rims below nostrils were pale lines
BANDS, BAND_JOIN_PX = 5, 2.0  # octaves that are joined each by itself, and how softly, in px of each
LID_LIGHTER, LID_LIGHT_FROM = 0.12, 0.3  # of the way to the skin below the eye; of a lid's way down, from where on
DARK_TINT = 0.6  # of a tone: skin in sight is no darker (`tone.TINT_RANGE`), what is lower tells of the dark
IRIS_RGB = ((70, 44, 28), (92, 62, 36), (116, 86, 50), (98, 104, 72), (88, 108, 124), (54, 36, 26))
IRIS_WEIGHTS_DARK = (0.5, 0.2, 0.0, 0.0, 0.0, 0.3)  # tones 0 to 3
IRIS_WEIGHTS_LIGHT = (0.3, 0.26, 0.18, 0.07, 0.07, 0.12)  # most heads have dark hair
IRIS_RADIUS = 0.46  # of half an eye's width; median of 129 portraits, both eyes


@dataclass(frozen=True, slots=True, eq=False)
class Persona:
    """shape_cm (468, 3) identity offsets. texture_rgb (576, 512, 3) uint8 atlas. portraits: which of the bank it
    was mixed from, the dominating one first. tone: 0 (dark) to 5 (light). look (2, 2): by how much its eyes are read to
    look beside, in half eye widths."""

    shape_cm: Floats
    texture_rgb: npt.NDArray[np.uint8]
    portraits: tuple[int, int, int]
    tone: int
    look: Floats


def draw_persona(secret: bytes, slot: int, tone: int, look: str, bank: PersonaBank, model: FaceModel) -> Persona:
    """The persona of a slot under a secret; tone step 0 to 5 recolours it, and does not change who it is.

    ValueError for a wrong tone or look.
    """
    if tone not in range(len(bank.tones)) or look not in LOOKS:
        raise ValueError(f"tone must be 0 to {len(bank.tones) - 1} and look one of {LOOKS}, got {tone} and {look!r}")
    rng = _random(derive(secret, slot, "persona", 32))
    order = _random(derive(secret, 0, "order", 32))  # one for all slots: people side by side differ
    portraits = _choose(order, secret, slot, look, bank)
    own = rng.normal(0, OFFSET_SIGMA, len(model.identity_basis_cm))
    shape = mixed_shape(portraits, bank, model) + np.tensordot(own, model.identity_basis_cm, 1)
    tilt = bank.tilt_rad[range(3), portraits].sum(0) + own @ bank.tilt_of_offset_rad
    look = bank.look[range(3), portraits].sum(0) + np.tensordot(own, bank.look_of_offset, 1)
    nose = int(_random(derive(secret, slot, "nose", 32)).integers(len(bank.noses_webp)))
    skin = _skin(portraits, nose, tone, bank, model, _random(derive(secret, slot, "pores", 32)))
    weights = IRIS_WEIGHTS_DARK if tone < 4 else IRIS_WEIGHTS_LIGHT
    iris = np.array(IRIS_RGB, np.float32)[rng.choice(len(IRIS_RGB), p=weights)] * rng.uniform(0.7, 1.1)
    mouth = decode_rgb(bank.teeth_webp[int(rng.integers(len(bank.teeth_webp)))])
    texture = np.zeros((atlas.HEIGHT_PX, atlas.WIDTH_PX, 3), np.uint8)
    texture[:FACE_ROWS] = skin
    for patch in (atlas.EYE_LEFT, atlas.EYE_RIGHT):
        texture[patch.y0 : patch.y1, patch.x0 : patch.x1] = eyeball(iris)
    for columns, (ring, rows) in zip(atlas.LID_COLUMNS, LIDS, strict=True):
        top, end = (lid_top(model.uv, ring, rows, share) for share in (0, LID_REACH))
        texture[FACE_ROWS:, columns] = lid(skin, top, end, model.uv[list(ring)])
    texture[atlas.MOUTH.y0 : atlas.MOUTH.y1, atlas.MOUTH.x0 : atlas.MOUTH.x1] = mouth
    return Persona(_read_straight(shape, tilt, model), texture, portraits, tone, np.asarray(look, np.float32))


def mixed_shape(portraits: tuple[int, int, int], bank: PersonaBank, model: FaceModel) -> Floats:
    """The portraits' identity offsets (468, 3) in cm, mixed.

    What moves the whole head is pose, not shape; left in, a turned persona stands beside the head it should cover.
    """
    shape = sum(w * bank.shapes_cm[i] for w, i in zip(SHAPE_WEIGHTS, portraits, strict=True)) * SHAPE_GAIN
    return np.asarray(shape - np.average(shape, axis=0, weights=model.alignment_weights), np.float32)


def _read_straight(shape_cm: Floats, tilt_rad: Floats, model: FaceModel) -> Floats:
    """The shape (468, 3), turned so that the landmark network, which reads it tilted by (2,), reads it straight."""
    head = model.neutral_cm + shape_cm
    turned = head @ rotation_from_vector(np.array([-tilt_rad[0], -tilt_rad[1], 0], np.float64)).T
    moved = turned - model.neutral_cm
    return np.asarray(moved - np.average(moved - shape_cm, axis=0, weights=model.alignment_weights), np.float32)


def tinted(texture_rgb: npt.NDArray[np.uint8], tint: Floats) -> npt.NDArray[np.uint8]:
    """The atlas with its skin's colours multiplied by tint (3,), lids too; eyes and mouth stay, but in the dark, where
    they glowed."""
    out = texture_rgb.copy()
    dimmed = min(float(tint.mean()) / DARK_TINT, 1.0)
    if dimmed < 1:
        out[FACE_ROWS:] = (out[FACE_ROWS:] * np.float32(dimmed)).astype(np.uint8)
    everywhere = slice(0, atlas.WIDTH_PX)
    for part in ((slice(0, FACE_ROWS), everywhere), *((slice(FACE_ROWS, None), each) for each in atlas.LID_COLUMNS)):
        colour = np.asarray(texture_rgb[part] / np.float32(255) * tint, np.float32)
        out[part] = (_shoulder(colour) * 255).astype(np.uint8)
    return out


def _random(seed: bytes) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))


def _choose(order: np.random.Generator, secret: bytes, slot: int, look: str, bank: PersonaBank) -> tuple[int, int, int]:
    """A dominating portrait of the look, and two others of its sex, the first with brows to give; `any` has both sexes,
    and no beard.

    Slots take the dominating one in turn from the secret's own order, so that none comes twice before all came once;
    when it does, it has other partners.
    """
    fits = {"any": ~bank.bearded, "feminine": bank.feminine, "masculine": ~bank.feminine}[look]
    pool = np.flatnonzero(fits)
    turn, at = divmod(slot, len(pool))
    first = int(order.permutation(pool)[at])
    partners = _random(derive(secret, first, "partners", 32)).permutation(
        pool[(pool != first) & (bank.feminine[pool] == bank.feminine[first])]
    )
    giving = partners[~bank.sparse_brows[partners]]
    second = int(giving[turn % len(giving)])
    others = partners[partners != second]
    return first, second, int(others[turn % len(others)])


def _skin(
    portraits: tuple[int, int, int], nose: int, tone: int, bank: PersonaBank, model: FaceModel, rng: np.random.Generator
) -> npt.NDArray[np.uint8]:
    import cv2

    first, second, _ = portraits
    wanted, features = float(np.log(bank.tones[tone]).mean()), eyes_and_brows()
    share = [_share(bank.brightness[i], wanted) for i in portraits]
    details = {i: _recoloured(bank.detail(i), each) for i, each in zip((first, second), share, strict=False)}
    detail = joined(details[first], details[second], features)
    detail = joined(detail, _nose(nose, _share(bank.nose_brightness[nose], wanted), bank), inside(NOSE_OUTLINE))
    low = bank.light.copy()
    for weight, i, k in zip(LOW_WEIGHTS, portraits, share, strict=True):
        low += weight * _recoloured(bank.low[i], k)
    log = detail + cv2.resize(low, (atlas.WIDTH_PX, FACE_ROWS), interpolation=cv2.INTER_CUBIC)
    log += (HUE - 1) * (log - log.mean(2, keepdims=True)) + (CONTRAST - 1) * detail.mean(2, keepdims=True)
    log = with_even_sides(_no_cold_shine(log), features)
    log = with_light_sockets(with_light_temples(log, features), features)
    log = with_lip_line(log, model)
    if not bank.bearded[first]:
        log = without_shades(log, features, model)
    log += (FINE - 1) * (detail - cv2.GaussianBlur(detail, (0, 0), FINE_PX)) + _pores(rng)
    return (_shoulder(np.exp(log + np.log(bank.tones[tone]))) * 255).astype(np.uint8)


def _share(brightness: float, wanted: float) -> float:
    """How dark a portrait's skin is beside the wanted one, both mean log luminance: what `_recoloured` asks for."""
    return float(np.exp(brightness - wanted) ** SHINE_POWER)


def _nose(index: int, share: float, bank: PersonaBank) -> Floats:
    """(440, 512, 3) log detail: one of the bank's noses where it lies, 0 elsewhere."""
    detail = np.zeros((FACE_ROWS, atlas.WIDTH_PX, 3), np.float32)
    patch = atlas.NOSE
    nose = np.minimum(_recoloured(bank.nose(index), share), np.float32(NOSE_LIGHTEST))
    detail[patch.y0 : patch.y1, patch.x0 : patch.x1] = nose
    return detail


def _no_cold_shine(log: Floats) -> Floats:
    """Log colour (H, W, 3) over a face's usual, with less hue where it is bright and blue."""
    grey = log.mean(2, keepdims=True)
    hue = log - grey
    lit = np.clip((grey - LIT[0]) / (LIT[1] - LIT[0]), 0, 1)
    return np.asarray(grey + hue * (1 - COLD_SHINE * lit * np.clip(hue[..., 2:] / COLD, 0, 1)), np.float32)


def _pores(rng: np.random.Generator) -> Floats:
    """(440, 512, 1) log brightness: skin's grain, more dark than bright."""
    import cv2

    noise = rng.standard_normal((FACE_ROWS, atlas.WIDTH_PX), np.float32)
    small, large = (cv2.GaussianBlur(noise, (0, 0), size) for size in PORE_PX)
    grain = (small - large) / np.std(small - large)
    return np.asarray(PORES * (grain - PORES_DARK * np.maximum(grain, 0)), np.float32)[..., None]


def joined(first: Floats, second: Floats, share: Floats) -> Floats:
    """(H, W, 3) with that share (H, W) of the second, octave by octave, the coarser the softer: neither a rim nor one's
    shadow on the other (Burt and Adelson, "A multiresolution spline", 1983)."""
    import cv2

    bands = []
    for _ in range(BANDS):
        sizes = first.shape[1::-1]
        coarse = [cv2.pyrDown(image) for image in (first, second, share)]
        first, second = (
            image - cv2.pyrUp(less, dstsize=sizes) for image, less in zip((first, second), coarse, strict=False)
        )
        bands.append(_mixed(first, second, share))
        first, second, share = (np.asarray(each, np.float32) for each in coarse)
    out = _mixed(first, second, share)
    for band in reversed(bands):
        out = band + np.asarray(cv2.pyrUp(out, dstsize=band.shape[1::-1]), np.float32)
    return out


def _mixed(first: Floats, second: Floats, share: Floats) -> Floats:
    import cv2

    soft = cv2.GaussianBlur(share, (0, 0), BAND_JOIN_PX)[..., None]
    return np.asarray(first + (second - first) * soft, np.float32)


def eyes_and_brows() -> Floats:
    """(440, 512): 1 within EYE_OUTLINE on both sides, 0 elsewhere."""
    left = inside(EYE_OUTLINE)
    return np.maximum(left, left[:, ::-1])


def inside(outline: tuple[tuple[int, int], ...]) -> Floats:
    """(440, 512): 1 within an outline, px of the atlas, 0 elsewhere."""
    import cv2

    mask: Floats = np.zeros((FACE_ROWS, atlas.WIDTH_PX), np.float32)
    cv2.fillPoly(mask, [np.array(outline, np.int32)], (1.0,))
    return mask


def _recoloured(log: Floats, share: float) -> Floats:
    """(h, w, 3) log colour relative to a portrait's own skin, as it would be on skin `share` as dark, at most 1.

    Shine is light added to the skin's own: on lighter skin it is the less of the whole. Lips and blotches keep less of
    their hue, too: on light skin those of dark skin are grey and violet.
    """
    if share >= 1:
        return log
    grey = log.mean(2, keepdims=True)
    hue = (log - grey) * share
    grey = np.where(grey > 0, np.log1p(np.expm1(np.maximum(grey, 0)) * share), grey)
    return np.asarray(grey + hue, np.float32)


def _shoulder(rgb: Floats, start: float = 0.72) -> Floats:
    """Bend what is brighter than `start` towards, never past, white."""
    room = 1 - start
    over = np.maximum(rgb - start, 0)
    return np.asarray(np.minimum(rgb, start) + room * (1 - np.exp(-over / room)), np.float32)


@lru_cache(maxsize=8)
def region(center: tuple[int, int], radii: tuple[int, int], power: int = 2) -> Floats:
    """(440, 512, 1) soft ellipse, nearer to its box with more power: 1 inside, falling to 0 over the outer third."""
    y, x = np.mgrid[0:FACE_ROWS, 0 : atlas.WIDTH_PX].astype(np.float32)
    across, down = np.abs(x - center[0]) / radii[0], np.abs(y - center[1]) / radii[1]
    distance = (across**power + down**power) ** (1 / power)
    t = np.clip((1.15 - distance) / 0.35, 0, 1)
    return np.asarray((t * t * (3 - 2 * t))[..., None], np.float32)


def eyeball(iris_rgb: Floats) -> npt.NDArray[np.uint8]:
    """(128, 128, 3) uint8: sclera, iris of a colour, pupil, a catch light."""
    size = atlas.EYE_LEFT.x1 - atlas.EYE_LEFT.x0
    y, x = (np.mgrid[0:size, 0:size].astype(np.float32) + 0.5) / size * 2 - 1
    radius = np.hypot(x, y) * atlas.EYE_REACH / IRIS_RADIUS  # 1 at the iris's rim
    angle = np.arctan2(y, x)
    sclera = np.array([186, 174, 168], np.float32) - np.clip(radius - 1.2, 0, 2.5)[..., None] * np.array([16, 24, 25])
    streaks = 1 + 0.14 * np.sin(angle * 23) * np.sin(angle * 7 + 1) + 0.25 * (0.7 - radius)
    colour = iris_rgb * np.clip(streaks, 0.5, 1.6)[..., None] * (1 - 0.55 * _step(radius, 0.8, 1.0))[..., None]
    colour = colour * (1 - _step(radius, 0.46, 0.36)[..., None] * 0.88)
    out = colour + (sclera - colour) * _step(radius, 0.94, 1.08)[..., None]
    light = np.hypot(x + 0.09, y + 0.11) / 0.055
    out = out + (np.array([250, 250, 250]) - out) * _step(light, 1.2, 0.6)[..., None] * 0.85
    return np.asarray(np.clip(out, 0, 255), np.uint8)


def lid(skin_rgb: npt.NDArray[np.uint8], top_uv: Floats, end_uv: Floats, eye_uv: Floats) -> npt.NDArray[np.uint8]:
    """(136, 24, 3) uint8: a shut lid, from its top down to the lashes: the skin above it, mirrored, so that no rim is
    seen, and lighter further down, where an open eye's socket lies in shadow.

    skin_rgb (440, 512, 3); atlas uv (9, 2), from corner to corner, of the strip's top and of how far up it shows skin;
    eye_uv (16, 2) of the eye's rim.
    """
    import cv2

    smooth = cv2.blur(skin_rgb, (5, 5)).astype(np.float32)
    below = _below(skin_rgb, eye_uv)
    at = np.linspace(0, 1, atlas.HEIGHT_PX - FACE_ROWS, dtype=np.float32)
    shade = np.interp(at, (0, 0.12, 0.22, 0.45, 0.8, 0.88, 0.94, 1), (1, 0.96, 0.96, 1.03, 0.98, 0.7, 0.32, 0.25))
    rows = []
    for share, darker in zip(at, shade, strict=True):
        x, y = np.rint((top_uv + share * (end_uv - top_uv)) * (atlas.WIDTH_PX, atlas.HEIGHT_PX)).astype(int).T
        above = atlas.lid_columns(smooth[np.clip(y, 0, FACE_ROWS - 1), x])
        lighter = np.maximum(below / np.maximum(above.mean(0), 1), 1) ** (LID_LIGHTER * min(share / LID_LIGHT_FROM, 1))
        rows.append(darker * lighter * above)
    return np.asarray(np.clip(rows, 0, 255), np.uint8)


def _below(skin_rgb: npt.NDArray[np.uint8], eye_uv: Floats) -> Floats:
    """(3,) levels: the skin half an eye's width below an eye."""
    px = eye_uv * (atlas.WIDTH_PX, atlas.HEIGHT_PX)
    (x, y), half = px.mean(0).astype(int), int(np.ptp(px[:, 0]) / 2)
    part = skin_rgb[y + half - 6 : y + half + 6, x - half // 2 : x + half // 2]
    return np.asarray(np.median(part.reshape(-1, 3), axis=0), np.float32)


def _step(value: Floats, start: float, end: float) -> Floats:
    t = np.clip((value - start) / (end - start), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
