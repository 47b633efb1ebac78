"""Photos keep pixels, transparency and colour profile, and nothing else."""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps, PngImagePlugin

from anonymizer.adapters.image_reader import PhotoReader, read_image
from anonymizer.adapters.image_writer import Page, write_photo
from anonymizer.errors import InputError, SinkError
from anonymizer.frames import Frame, RgbImage, SafeFrame, Verdict, _PipelineToken
from anonymizer.marking import SOURCE_TYPE
from anonymizer.stills.still import StillWriting
from tests.clips import gradient, psnr_db, quadrants
from tests.fakes import safe

SIZE_PX = (48, 32)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def rewrite(source: Path, target: Path) -> RgbImage:
    still = read_image(source)
    page = Page(safe(Frame(still.rgb)), still.alpha, still.grey, 0, still.icc_profile)
    write_photo(target, [page])
    return read_image(target).rgb


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".png", ".webp", ".PNG", ".bmp", ".tif", ".TIFF", ".avif"])
def test_pixels_survive(tmp_path: Path, suffix: str) -> None:
    """Each format gives back what was written, PNG exactly."""
    Image.fromarray(gradient(SIZE_PX)).save(tmp_path / "in.png")
    got = rewrite(tmp_path / "in.png", tmp_path / f"out{suffix}")
    exact = suffix.lower() in (".png", ".bmp", ".tif", ".tiff")
    assert psnr_db(got, gradient(SIZE_PX)) > (98 if exact else 40)


def test_jpeg_colour_edges_are_not_halved(tmp_path: Path) -> None:
    """4:4:4: a one-pixel colour pattern survives."""
    rgb = np.zeros((32, 32, 3), np.uint8)
    rgb[:, ::2, 0], rgb[:, 1::2, 2] = 200, 200
    write_photo(tmp_path / "out.jpg", [Page(safe(Frame(rgb)))])
    assert psnr_db(read_image(tmp_path / "out.jpg").rgb, rgb) > 25


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_come_upright(tmp_path: Path, orientation: int) -> None:
    """Each EXIF orientation gives the same upright picture."""
    rgb = quadrants(SIZE_PX)
    stored = {
        1: rgb,
        2: rgb[:, ::-1],
        3: rgb[::-1, ::-1],
        4: rgb[::-1],
        5: rgb.transpose(1, 0, 2),
        6: np.rot90(rgb),
        7: rgb[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(rgb, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "in.png", exif=exif)
    assert np.array_equal(read_image(tmp_path / "in.png").rgb, rgb)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".avif"])
def test_tags_are_gone_and_the_profile_stays(tmp_path: Path, suffix: str) -> None:
    """Make, place, comments and XMP are nowhere in the bytes of the output."""
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "PLANTEDmake", "PLANTEDmodel"
    exif.get_ifd(0x8825)[29] = "PLANTEDgps"
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "PLANTEDcomment")
    Image.fromarray(gradient(SIZE_PX)).save(
        source, exif=exif, icc_profile=ICC, **({"pnginfo": notes} if suffix == ".png" else {"xmp": b"PLANTEDxmp"})
    )
    assert b"PLANTED" in source.read_bytes()
    rewrite(source, target)
    written = target.read_bytes()
    assert b"PLANTED" not in written
    with Image.open(target) as image:
        assert image.info["icc_profile"] == ICC
        assert not image.getexif().get_ifd(0x8825)
        assert 0x010F not in image.getexif()


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_transparency_is_kept_and_nothing_hides_under_it(tmp_path: Path, suffix: str) -> None:
    """Alpha comes back bit by bit; pixels that cannot be seen are black."""
    alpha = np.full(SIZE_PX[::-1], 255, np.uint8)
    alpha[:, :20] = 0
    Image.fromarray(np.dstack([gradient(SIZE_PX), alpha])).save(tmp_path / "in.png")
    rewrite(tmp_path / "in.png", tmp_path / f"out{suffix}")
    with Image.open(tmp_path / f"out{suffix}") as image:
        got = np.array(image.convert("RGBA"))
    assert np.array_equal(got[..., 3], alpha)
    if suffix == ".png":
        assert not got[:, :20, :3].any()


def test_transparency_becomes_white_in_jpeg(tmp_path: Path) -> None:
    """A format without transparency shows white where nothing was."""
    alpha = np.full(SIZE_PX[::-1], 255, np.uint8)
    alpha[:, :16] = 0
    write_photo(tmp_path / "out.jpg", [Page(safe(Frame(quadrants(SIZE_PX))), alpha)])
    assert (read_image(tmp_path / "out.jpg").rgb[:, :8] > 245).all()


def test_a_picture_hidden_in_the_transparency_is_brought_to_light(tmp_path: Path) -> None:
    """Black pixels with a picture as their alpha are read as that picture, where faces are looked for."""
    picture = gradient(SIZE_PX)[..., 0]
    Image.fromarray(np.dstack([np.zeros((*picture.shape, 3), np.uint8), picture])).save(tmp_path / "in.png")
    still = read_image(tmp_path / "in.png")
    assert still.alpha is None
    assert np.abs(still.rgb[..., 0].astype(int) - (255 - picture)).max() <= 1


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "CMYK", "I;16"])
def test_other_kinds_of_pixels_are_read(tmp_path: Path, mode: str) -> None:
    """Grey, palette, black and white, print colours and 16 bits become 8-bit RGB."""
    image = Image.fromarray(gradient(SIZE_PX))
    if mode == "I;16":
        image = Image.fromarray(gradient(SIZE_PX)[..., 0].astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    path = tmp_path / ("in.jpg" if mode == "CMYK" else "in.png")
    image.save(path)
    rgb = read_image(path).rgb
    assert rgb.shape == (32, 48, 3)
    assert rgb[:, -4:, 0].mean() > rgb[:, :4, 0].mean() + 40


@pytest.mark.parametrize("suffix", [".png", ".webp", ".gif", ".avif"])
def test_animations_are_read_frame_by_frame(tmp_path: Path, suffix: str) -> None:
    """Each frame comes with its own duration, in order."""
    steps = (0, 20, 40)
    frames = [Image.fromarray(quadrants(SIZE_PX, step)) for step in steps]
    frames[0].save(tmp_path / f"in{suffix}", save_all=True, append_images=frames[1:], duration=[100, 250, 40], loop=0)
    with PhotoReader(tmp_path / f"in{suffix}") as photo:
        assert (photo.animated, photo.pages) == (True, 3)
        stills = [photo.page(number) for number in range(3)]
    assert [still.duration_ms for still in stills] == [100, 250, 40]
    for still, step in zip(stills, steps, strict=True):
        assert psnr_db(still.rgb, quadrants(SIZE_PX, step)) > 28


def test_a_picture_that_only_old_viewers_see_is_left_out(tmp_path: Path) -> None:
    """The still picture in front of an animated PNG is no frame of it, and does not live on."""
    frames = [Image.fromarray(quadrants(SIZE_PX, step)) for step in (0, 20, 40)]
    frames[0].save(tmp_path / "in.png", save_all=True, append_images=frames[1:], default_image=True, duration=100)
    with PhotoReader(tmp_path / "in.png") as photo:
        assert photo.pages == 2
        assert np.array_equal(photo.page(0).rgb, quadrants(SIZE_PX, 20))


def test_pictures_behind_a_photo_are_ignored(tmp_path: Path) -> None:
    """A phone's multi-picture JPEG is read as its first picture."""
    frames = [Image.fromarray(quadrants(SIZE_PX, step)) for step in (0, 40)]
    frames[0].save(tmp_path / "in.jpg", format="MPO", save_all=True, append_images=frames[1:])
    assert psnr_db(read_image(tmp_path / "in.jpg").rgb, quadrants(SIZE_PX)) > 20


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "cut", "icon", "folder"])
def test_unreadable_photos_are_refused_in_words(tmp_path: Path, kind: str) -> None:
    """Every kind of damage is an InputError that names the file."""
    path = tmp_path / "in.jpg"
    Image.fromarray(gradient((200, 200))).save(path)
    content = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "icon":
        Image.fromarray(gradient(SIZE_PX)).save(path, format="ICO")
    elif kind != "missing":
        path.write_bytes({"empty": b"", "text": b"hello " * 50, "cut": content[: len(content) // 2]}[kind])
    with pytest.raises(InputError, match=r"in\.jpg"):
        read_image(path)


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many pixels are refused before they are unpacked."""
    Image.fromarray(gradient(SIZE_PX)).save(tmp_path / "in.png")
    for limit in (1000, 500):  # Pillow warns up to twice its limit and raises above
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(InputError, match="pixels"):
            read_image(tmp_path / "in.png")


def test_only_safe_frames_are_written(tmp_path: Path) -> None:
    """A raw frame is refused at run time and leaves no file."""
    with pytest.raises(TypeError, match="SafeFrame"):
        write_photo(tmp_path / "out.png", [Page(Frame(quadrants(SIZE_PX)))])  # type: ignore[arg-type]  # the point
    assert not list(tmp_path.iterdir())


def test_unknown_endings_are_refused(tmp_path: Path) -> None:
    """The message lists what can be written."""
    with pytest.raises(SinkError, match=r"\.png"):
        write_photo(tmp_path / "out.heic", [Page(safe(Frame(quadrants(SIZE_PX))))])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("kind", ["rgb", "rgba", "grey"])
def test_16_bits_are_kept(tmp_path: Path, suffix: str, kind: str) -> None:
    """A picture with 16 bits comes back bit by bit, with its profile and its mark."""
    rgb16 = np.random.default_rng(0).integers(0, 65536, (32, 48, 3)).astype(np.uint16)
    pixels = rgb16[..., 0] if kind == "grey" else rgb16
    if kind == "rgba":
        pixels = np.dstack([rgb16, np.full((32, 48), 65535, np.uint16)])
        pixels[:, :20, 3] = 0
    path, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    bgr = pixels if kind == "grey" else pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
    assert cv2.imwrite(str(path), bgr)
    still = read_image(path)
    assert still.depth is not None
    assert (still.grey, np.array_equal(still.rgb, still.depth.shown())) == (kind == "grey", True)
    sent = SafeFrame(still.rgb, 0, 0.0, Verdict.REPLACED, 1, _PipelineToken(), still.depth)
    write_photo(target, [Page(sent, still.alpha, still.grey, 0, None)], StillWriting(mark=True))
    assert SOURCE_TYPE.encode() in target.read_bytes()
    got = cv2.imread(str(target), cv2.IMREAD_UNCHANGED)
    assert got is not None
    if kind == "rgba":
        bgr[:, :20, :3] = 0  # what lies under transparent pixels does not live on
    assert np.array_equal(got, bgr)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".tif", ".avif", ".webp", ".jpg"])
def test_every_format_comes_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    """A tag that turns the picture has been obeyed when it is read, in each format."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = Image.fromarray(quadrants(SIZE_PX))
    stored.save(tmp_path / f"in{suffix}", exif=exif, quality=95)
    with Image.open(tmp_path / f"in{suffix}") as image:
        expected = np.array(ImageOps.exif_transpose(stored if orientation == 1 else _tagged(stored, orientation)))
        assert image.size == SIZE_PX or suffix == ".tif"  # which Pillow turns itself
    assert psnr_db(read_image(tmp_path / f"in{suffix}").rgb, expected) > 28


def _tagged(image: Image.Image, orientation: int) -> Image.Image:
    copy = image.copy()
    copy.getexif()[0x0112] = orientation
    return copy


def test_16_bit_photos_come_upright(tmp_path: Path) -> None:
    """The 16-bit values are turned like the 8-bit ones."""
    rgb16 = quadrants(SIZE_PX).astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "in.tif", rgb16, photometric="rgb", metadata=None, extratags=[(274, "H", 1, 6, True)])
    still = read_image(tmp_path / "in.tif")
    assert still.depth is not None
    assert np.array_equal(still.rgb, np.rot90(quadrants(SIZE_PX), -1))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif", ".bmp"])
def test_grey_photos_stay_grey(tmp_path: Path, suffix: str) -> None:
    """One channel goes in and one comes out, where the format can."""
    grey = gradient(SIZE_PX)[..., 0]
    Image.fromarray(grey).save(tmp_path / "in.png")
    rewrite(tmp_path / "in.png", tmp_path / f"out{suffix}")
    with Image.open(tmp_path / f"out{suffix}") as image:
        assert image.mode == ("RGB" if suffix == ".webp" else "L")
    assert psnr_db(read_image(tmp_path / f"out{suffix}").rgb[..., 0], grey) > 40


def test_heic_photos_are_read(tmp_path: Path) -> None:
    """The main picture, upright by its own boxes; thumbnails and further pictures are not looked at."""
    exif = Image.Exif()
    exif[0x0112] = 6
    file = pillow_heif.from_pillow(Image.fromarray(quadrants(SIZE_PX)))
    file.add_from_pillow(Image.fromarray(np.zeros((32, 48, 3), np.uint8)))
    file.save(tmp_path / "in.heic", quality=95, exif=exif.tobytes())
    with PhotoReader(tmp_path / "in.heic") as photo:
        assert photo.pages == 1
        rgb = photo.page(0).rgb
    assert psnr_db(rgb, np.rot90(quadrants(SIZE_PX), -1)) > 25


@pytest.mark.parametrize("kind", ["heic", "png"])
def test_hdr_stills_are_refused(tmp_path: Path, kind: str) -> None:
    """PQ pixels shown as they are would be far too dark; the message says HDR."""
    path = tmp_path / f"in.{kind}"
    if kind == "heic":
        file = pillow_heif.from_pillow(Image.fromarray(quadrants(SIZE_PX)))
        file.save(path, color_primaries=9, transfer_characteristics=16, matrix_coefficients=9, full_range_flag=1)
    else:
        Image.fromarray(quadrants(SIZE_PX)).save(path)
        plain = path.read_bytes()
        chunk = b"cICP" + bytes([9, 16, 0, 1])
        crc = zlib.crc32(chunk).to_bytes(4, "big")
        path.write_bytes(plain[:33] + (4).to_bytes(4, "big") + chunk + crc + plain[33:])
    with pytest.raises(InputError, match="HDR"):
        read_image(path)


def test_camera_raw_files_are_refused(tmp_path: Path) -> None:
    """A DNG would be read as its little preview."""
    tags = [(50706, "B", 4, (1, 4, 0, 0), True)]
    tifffile.imwrite(tmp_path / "in.tif", quadrants(SIZE_PX), photometric="rgb", metadata=None, extratags=tags)
    with pytest.raises(InputError, match="raw"):
        read_image(tmp_path / "in.tif")
