"""The gateway for application servers: ``wsgi:asgi`` for ASGI (uvicorn), ``wsgi:application`` for WSGI.

Connexion's contract checks live in the ASGI application; the WSGI one wraps it whole, so that neither skips them.
"""

from a2wsgi import ASGIMiddleware

from gateway import app, settings

asgi = app.create(settings.load())
application = ASGIMiddleware(asgi)  # type: ignore[arg-type]
