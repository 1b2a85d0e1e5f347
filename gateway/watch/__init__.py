"""How a running gateway is watched: logs, metrics and traces, none of which ever repeats a payload or a secret.

Any room may use this one, which knows none of them. What is switched off costs a look at a variable and imports nothing.
"""
