"""The parts of `python -m training evaluate`: each module measures one thing of a generator file, with intervals."""
