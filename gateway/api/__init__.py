"""The HTTP face: one module per OpenAPI tag, one place that makes problems, and the bridge between ASGI and Flask.

The contract is specs/openapi/openapi.yaml; an operation's id names its function here. Handlers look at the contract's
arguments, call the pipeline, and shape what it answers (views.py); they know no SQL, no file and no partner.
"""

import sys
from types import ModuleType

# Connexion imports these for its test client and for asking other servers about tokens, neither of which is for us, and with them
# an HTTP client and what that draws progress bars with: a quarter of our start. Module -> the names that it takes from there.
UNWANTED = {"starlette.testclient": ("TestClient",), "httpx": ("AsyncClient",)}

_stand_ins = {name: ModuleType(name) for name in UNWANTED if name not in sys.modules}
for _name, _module in _stand_ins.items():
    _module.__dict__.update(dict.fromkeys(UNWANTED[_name], object))
sys.modules.update(_stand_ins)
try:
    import connexion  # noqa: F401
finally:
    # Whoever wants them later gets the true ones.
    for _name in _stand_ins:
        del sys.modules[_name]
