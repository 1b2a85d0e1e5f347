"""Connexion's FlaskApp, set up for speed and with the gateway's own refusals.

Connexion reads the contract, finds handlers, routes, and asks who is calling. Request validation stands in its usual place
but is ours (contract.py), and so is the WSGI bridge (bridge.py). Errors are answered by the Front (front.py). What nobody
needs here is left out: exception handlers, Swagger UI, response validation, context variables. The console's pages run in
the same Flask application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import flask
from connexion import FlaskApp
from connexion.apps.flask import FlaskOperation
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.security import SecurityMiddleware

from gateway.api import bundle, finding_pages
from gateway.api.accounts import Accounts, note_page
from gateway.api.batch_filing import BatchFiling
from gateway.api.bridge import BufferedBridge
from gateway.api.contract import CONTEXT, ContractMiddleware, asked_of
from gateway.api.events import Events
from gateway.api.filing import Filings, is_filing
from gateway.api.front import Closes, Front
from gateway.api.intake import Intake
from gateway.api.metrics import Scrapes
from gateway.api.native import Natives
from gateway.api.partners import Deliveries
from gateway.api.parts import EXTENSION, Parts
from gateway.api.payloads import Payloads
from gateway.api.security import HANDLERS


class ExactRouting(RoutingMiddleware):  # type: ignore[misc]
    """Routing that answers an address or does not: no redirect for a slash too many, whose target a Host header names."""

    def add_api(self, *arguments: Any, **options: Any) -> None:
        super().add_api(*arguments, **options)
        self.router.redirect_slashes = False
        for route in self.router.routes:
            route.app.redirect_slashes = False


MIDDLEWARES: list[Any] = [ExactRouting, SecurityMiddleware, ContractMiddleware]


class Handler:
    """A handler as Flask calls it: with those things that were read of the request and that it names."""

    def __init__(self, function: Callable[..., flask.Response]) -> None:
        self._asked = asked_of(function)

    def __call__(self, **_: Any) -> flask.Response:
        answered: flask.Response = self._asked(flask.request.environ["asgi.scope"]["extensions"][CONTEXT])
        return answered


def build(parts: Parts, blueprints: Iterable[flask.Blueprint] = ()) -> Front:
    """The whole ASGI application of one gateway. A contract without a handler fails here, not at the first request."""
    connexion = FlaskApp("gateway.api", middlewares=list(MIDDLEWARES), server_args={"static_folder": None})
    connexion.app.url_map.merge_slashes = False
    connexion.add_api(bundle.contract(parts.settings.specs), security_map=HANDLERS)
    bridge, intake = BufferedBridge(connexion.app.wsgi_app), Intake(parts.submitter)
    filings = Filings(bridge, parts, intake)
    connexion._middleware_app.asgi_app = filings
    stack = connexion.middleware
    stack.app, stack.middleware_stack = stack._build_middleware_stack()
    # Connexion wraps a handler anew for each call, to read the request again; ContractMiddleware has read it already.
    operations = {name: view for name, view in connexion.app.view_functions.items() if isinstance(view, FlaskOperation)}
    connexion.app.view_functions.update({name: Handler(view._fn) for name, view in operations.items()})
    filings.answers({view.operation_id: view._fn for view in operations.values() if is_filing(view._fn)})
    connexion.app.extensions[EXTENSION] = parts
    for blueprint in blueprints:
        blueprint.before_request(note_page)
        connexion.app.register_blueprint(blueprint)
    contract = bundle.written(parts.settings.specs)
    deliveries, events, payloads, scrapes = Deliveries(parts), Events(parts), Payloads(parts), Scrapes(parts)
    batch = BatchFiling(parts, filings, intake, contract["components"]["schemas"]["BatchLine"])
    handlers = {
        "gateway.api.partners.deliver": deliveries.deliver,
        "gateway.api.events.listen": events.listen,
        "gateway.api.batch_filing.file": batch.file,
        "gateway.api.finding_pages.show": finding_pages.show,
        "gateway.api.metrics.scrape": scrapes.scrape,
        "gateway.api.payloads.put": payloads.put,
        "gateway.api.payloads.get": payloads.get,
        "gateway.api.payloads.head": payloads.get,
    }
    natives = Natives(contract, handlers)
    behind: list[Closes] = [deliveries, events, payloads, scrapes, intake, bridge]
    return Front(stack, parts, natives, Accounts(contract), behind)
