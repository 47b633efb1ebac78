"""Which of mediapipe's 478 landmarks are eyes, lips and outline.

Source: MediaPipe face mesh topology, `face_mesh_connections.py` in google-ai-edge/mediapipe
(Apache-2.0). "Left" and "right" here are the IMAGE's sides of a person facing the camera.
"""

from __future__ import annotations

EYE_LEFT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
EYE_RIGHT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
# Two rows above the upper lid's edge, vertex by vertex as it stands in a ring read backwards from its end: the lid's
# fold, and the row below the brow.
ABOVE_LID_LEFT = ((247, 30, 29, 27, 28, 56, 190), (113, 225, 224, 223, 222, 221, 189))
ABOVE_LID_RIGHT = ((467, 260, 259, 257, 258, 286, 414), (342, 445, 444, 443, 442, 441, 413))
EYE_CORNERS = ((33, 133), (362, 263))  # of the left and the right eye, from left to right
IRIS_CENTERS = (468, 473)
LIPS_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
LIPS_OUTER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
LIP_UPPER_INNER, LIP_LOWER_INNER = 13, 14
# The mesh ends in the middle of the forehead: its upper rim from temple to temple, and the row below it.
BROW_RIM = (127, 162, 21, 54, 103, 67, 109, 10, 338, 297, 332, 284, 251, 389, 356)
BELOW_BROW_RIM = (34, 139, 71, 68, 104, 69, 108, 151, 337, 299, 333, 298, 301, 368, 264)
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
