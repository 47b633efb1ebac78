"""Photos keep pixels, transparency and colour profile, and nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from anonymizer.adapters.image_file import read_image, write_image
from anonymizer.errors import InputError, SinkError
from anonymizer.frames import Frame, RgbImage
from tests.clips import gradient, psnr_db, quadrants
from tests.fakes import safe

SIZE_PX = (48, 32)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def rewrite(source: Path, target: Path) -> RgbImage:
    still = read_image(source)
    write_image(target, safe(Frame(still.rgb)), still.alpha, still.icc_profile)
    return read_image(target).rgb


@pytest.mark.parametrize("suffix", [".jpg", ".jpeg", ".png", ".webp", ".PNG"])
def test_pixels_survive(tmp_path: Path, suffix: str) -> None:
    """Each format gives back what was written, PNG exactly."""
    Image.fromarray(gradient(SIZE_PX)).save(tmp_path / "in.png")
    got = rewrite(tmp_path / "in.png", tmp_path / f"out{suffix}")
    assert psnr_db(got, gradient(SIZE_PX)) > (98 if suffix.lower() == ".png" else 40)


def test_jpeg_colour_edges_are_not_halved(tmp_path: Path) -> None:
    """4:4:4: a one-pixel colour pattern survives."""
    rgb = np.zeros((32, 32, 3), np.uint8)
    rgb[:, ::2, 0], rgb[:, 1::2, 2] = 200, 200
    write_image(tmp_path / "out.jpg", safe(Frame(rgb)))
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


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
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
    assert b"Exif" not in written
    with Image.open(target) as image:
        assert image.info["icc_profile"] == ICC
        assert not image.getexif()


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
    write_image(tmp_path / "out.jpg", safe(Frame(quadrants(SIZE_PX))), alpha)
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


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_animations_are_refused(tmp_path: Path, suffix: str) -> None:
    """They belong to the video command, and the message says so."""
    frames = [Image.fromarray(quadrants(SIZE_PX, step)) for step in (0, 40)]
    frames[0].save(tmp_path / f"in{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match="anonymizer video"):
        read_image(tmp_path / f"in{suffix}")


def test_pictures_behind_a_photo_are_ignored(tmp_path: Path) -> None:
    """A phone's multi-picture JPEG is read as its first picture."""
    frames = [Image.fromarray(quadrants(SIZE_PX, step)) for step in (0, 40)]
    frames[0].save(tmp_path / "in.jpg", format="MPO", save_all=True, append_images=frames[1:])
    assert psnr_db(read_image(tmp_path / "in.jpg").rgb, quadrants(SIZE_PX)) > 20


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "cut", "gif", "folder"])
def test_unreadable_photos_are_refused_in_words(tmp_path: Path, kind: str) -> None:
    """Every kind of damage is an InputError that names the file."""
    path = tmp_path / "in.jpg"
    Image.fromarray(gradient((200, 200))).save(path)
    content = path.read_bytes()
    path.unlink()
    if kind == "folder":
        path.mkdir()
    elif kind == "gif":
        Image.fromarray(gradient(SIZE_PX)).save(path, format="GIF")
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
        write_image(tmp_path / "out.png", Frame(quadrants(SIZE_PX)))  # type: ignore[arg-type]  # the point
    assert not list(tmp_path.iterdir())


def test_unknown_endings_are_refused(tmp_path: Path) -> None:
    """The message lists what can be written."""
    with pytest.raises(SinkError, match=r"\.png"):
        write_image(tmp_path / "out.bmp", safe(Frame(quadrants(SIZE_PX))))
