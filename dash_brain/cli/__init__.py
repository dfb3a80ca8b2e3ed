"""The command ``dash-brain``: what the stores hold, whether all is well, and how to clear up.

:mod:`command` has the commands, and imports nothing but click until one of them runs. What a command shows is
computed as plain data (:mod:`survey`, :mod:`reports`, :mod:`doctor`), which ``--json`` prints; :mod:`tables`
makes lines for people of the same data.
"""
