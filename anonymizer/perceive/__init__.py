"""From a frame to what is known of its faces: detectors, landmarks, tracks, and the motion code that outlives them."""
