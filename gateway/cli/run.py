"""``swgate serve | work | migrate | sim | demo``: the commands that start something and stay with it."""

from __future__ import annotations

import inspect
import os
import signal
import threading
from pathlib import Path
from typing import Any

import click

from gateway.cli.shell import EXIT_REFUSED, Shell
from gateway.errors import Finding, NotFound

# TLS 1.2 as RFC 9325, section 4.2, wants it: forward secrecy and authenticated encryption. TLS 1.3 has nothing else.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
pem_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--host", help="Address to listen on; otherwise SWGATE_HOST.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; otherwise SWGATE_PORT.")
@click.option("--processes", type=click.IntRange(1, 64), default=min(2, os.cpu_count() or 1), show_default=True)
@click.option("--tls-cert", type=pem_file, help="Speak HTTPS with this certificate: PEM, leaf first, then its issuers.")
@click.option("--tls-key", type=pem_file, help="The certificate's private key in PEM.")
@click.option("--tls-client-ca", type=pem_file, help="Answer only clients with a certificate of this authority.")
@click.pass_obj
def serve(
    shell: Shell,
    host: str | None,
    port: int | None,
    processes: int,
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_client_ca: Path | None,
) -> int:
    """Serve the API and the console until told to stop."""
    import uvicorn

    from gateway import app

    settings = shell.settings
    tls = _tls(tls_cert, tls_key, tls_client_ca)
    if processes == 1:
        target: Any = app.create(settings)
    else:
        app.build(settings).store.close()  # what is wrong with settings, keys or database is told here and once
        target = "gateway.app:from_environment"
    uvicorn.run(
        target,
        factory=processes > 1,
        workers=processes,
        host=host or settings.host,
        port=port or settings.port,
        access_log=False,
        server_header=False,
        log_config=None,
        **tls,
    )
    return 0


def _tls(certificate: Path | None, key: Path | None, client_ca: Path | None) -> dict[str, Any]:
    """What uvicorn wants to know of TLS, tried here, where a fault can be told; nothing where no TLS is asked for."""
    import ssl

    if certificate is None or key is None:
        if certificate or key or client_ca:
            raise click.UsageError("HTTPS needs --tls-cert and --tls-key")
        return {}
    probe = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tried = certificate
    try:
        # The empty password keeps OpenSSL from asking at the terminal.
        probe.load_cert_chain(certificate, key, password="")
        if client_ca is not None:
            tried = client_ca
            probe.load_verify_locations(client_ca)
    except OSError as problem:
        raise click.UsageError(f"{tried} cannot be used: {problem}") from problem
    settings: dict[str, Any] = {"ssl_certfile": certificate, "ssl_keyfile": key, "ssl_ciphers": CIPHERS}
    if client_ca is not None:
        settings |= {"ssl_ca_certs": str(client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return settings


@click.command()
@click.pass_obj
def work(shell: Shell) -> int:
    """Send and collect messages until SIGTERM or SIGINT; what is on the wire then is finished first."""
    from gateway.cli import wiring

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    wiring.run_engine(shell, stop)
    return 0


@click.command()
@click.pass_obj
def migrate(shell: Shell) -> int:
    """Bring the database to this version. Run it once, with no older process left running."""
    from gateway.storage import migrations

    url = shell.settings.database_url
    before = migrations.current(url)
    migrations.upgrade(url)
    shell.say(f"{before or '-'} -> {migrations.current(url)}")
    return 0


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("adapter_id", metavar="ADAPTER")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def sim(shell: Shell, adapter_id: str, arguments: tuple[str, ...]) -> int:
    """Run the simulated partner of ADAPTER; everything behind it is the simulator's own (try --help)."""
    entry = shell.catalogue.entry(adapter_id)
    if not (entry.root / "simulator.py").is_file():
        finding = Finding("catalogue.simulator.none", found=adapter_id, params={"adapter": adapter_id})
        raise NotFound(f"{adapter_id} has no simulator", [finding], code=finding.code)
    main = entry.module("simulator").main
    offered: dict[str, Any] = {}
    if "security" in inspect.signature(main).parameters:
        from gateway.testing.signing import signing_pair

        offered["security"] = signing_pair
    result = main(list(arguments), **offered)
    return result if isinstance(result, int) else 0


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def demo(shell: Shell, arguments: tuple[str, ...]) -> int:
    """Show the whole gateway at work, with simulated partners."""
    import importlib

    try:
        module = importlib.import_module("gateway.cli.demo")
    except ModuleNotFoundError as problem:
        if problem.name != "gateway.cli.demo":
            raise
        shell.say("this installation has no demonstration")
        return EXIT_REFUSED
    result = module.run(list(arguments))
    return result if isinstance(result, int) else 0
