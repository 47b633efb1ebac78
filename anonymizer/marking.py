"""The mark that says how a file came to be: IPTC's digital source type, as XMP.

http://cv.iptc.org/newscodes/digitalsourcetype/: "composite with trained algorithmic media" is a picture of which a
part was made by a trained algorithm. The packet holds that and nothing else: no date, no name, no program version.
"""

from __future__ import annotations

import struct

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # XMP specification, part 3: ISO base media files
_GIF_BLOCK = b"\x21\xff\x0bXMP DataXMP"
# XMP specification, part 3: readers that know only GIF's sub-blocks are led out of the packet by this trailer.
_GIF_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\x00"
_GIF_END = b"\x3b"


def xmp_packet() -> bytes:
    """The XMP packet, UTF-8."""
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
        f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"/>'
        '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    ).encode()


def xmp_box() -> bytes:
    """The packet as a box to stand at the end of an MP4 or MOV file."""
    packet = xmp_packet()
    return struct.pack(">I4s", 8 + len(_XMP_UUID) + len(packet), b"uuid") + _XMP_UUID + packet


def gif_with_xmp(gif: bytes) -> bytes:
    """The GIF with the packet before its end. ValueError when it has no end."""
    if not gif.endswith(_GIF_END):
        raise ValueError("expected a complete GIF")
    return gif[:-1] + _GIF_BLOCK + xmp_packet() + _GIF_TRAILER + _GIF_END
