"""The main job from end to end: real Chromium against the real processes, on a small day on the real road network.

`day.py` makes the day, `processes.py` runs it, `office.py` looks into its database from a process of its own,
`shopper.py` is what a person does with a page.
"""
