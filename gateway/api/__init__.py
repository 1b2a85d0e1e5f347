"""The HTTP face: one module per OpenAPI tag, one place that makes problems, and the bridge between ASGI and Flask.

The contract is specs/openapi/openapi.yaml; an operation's id names its function here. Handlers look at the contract's
arguments, call the pipeline, and shape what it answers (views.py); they know no SQL, no file and no partner.
"""

import warnings

with warnings.catch_warnings():
    # Connexion imports Starlette's test client, which then speaks of a package that only tests of others would need.
    warnings.filterwarnings("ignore", message="Using `httpx` with `starlette.testclient`")
    import connexion  # noqa: F401
