"""What a build server needs around the gate: inputs, the event, what to compare with, outputs, comments.

Only the commands of :mod:`pytest_perfgate.cli` import it, and nothing here measures or judges.
"""
