"""The planner: pure Python, NumPy and solvers; no Django, no tables, no other app.

`problem` and `solution` are its nouns, `check` is the judge, `insertion`, `new_place` and `slots` answer in
milliseconds, `solve` improves in seconds, `worker` is the long-lived child process that runs the solvers,
`travel*` knows the roads. docs/planner.md tells how it thinks and how to add a constraint.
"""
