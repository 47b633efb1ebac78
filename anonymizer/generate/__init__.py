"""What comes between the guide and the frame: the generator, its crop and the composite."""
