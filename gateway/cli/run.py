"""``swgate serve | work | migrate | sim | demo``: the commands that start something and stay with it."""

from __future__ import annotations

import errno
import inspect
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from gateway.cli.shell import EXIT_REFUSED, Shell
from gateway.errors import Finding, NeedsOperator, NotFound

# TLS 1.2 as RFC 9325, section 4.2, wants it: forward secrecy and authenticated encryption. TLS 1.3 has nothing else.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
pem_file = click.Path(exists=True, dir_okay=False, path_type=Path)
WORDS = {
    "en": {
        "ready": "swgate serve: ready at {place}; Ctrl-C or SIGTERM ends it",
        "stopped": "swgate serve: stopped",
        "working": "swgate work: working; Ctrl-C or SIGTERM ends it",
        "stopping": "swgate work: stopping; what is on the wire is finished first",
        "no_demo": "this installation has no demonstration",
    },
    "zh": {
        "ready": "swgate serve：已就绪，地址 {place}；按 Ctrl-C 或发送 SIGTERM 停止",
        "stopped": "swgate serve：已停止",
        "working": "swgate work：正在运行；按 Ctrl-C 或发送 SIGTERM 停止",
        "stopping": "swgate work：正在停止，先完成传输中的报文",
        "no_demo": "本系统未安装演示程序",
    },
}
ASK_AGAIN_S = 0.1


@click.command()
@click.option("--host", help="Address to listen on; otherwise SWGATE_HOST.")
@click.option("--port", type=click.IntRange(1, 65535), help="Port to listen on; otherwise SWGATE_PORT.")
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=min(2, os.cpu_count() or 1),
    show_default=True,
    help="How many processes answer.",
)
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
    host, port = host or settings.host, port or settings.port
    _must_be_free(host, port)
    _open_as_many_files_as_allowed()
    app.watch(settings, "serve")
    if processes == 1:
        target: Any = app.create(settings)
    else:
        app.build(settings).store.close()  # what is wrong with settings, keys or database is told here and once
        target = "gateway.app:from_environment"
    with _told_of(shell, host, port, "https" if tls else "http"):
        uvicorn.run(
            target,
            factory=processes > 1,
            workers=processes,
            host=host,
            port=port,
            access_log=False,
            server_header=False,
            log_config=None,
            **tls,
        )
    return 0


def _open_as_many_files_as_allowed() -> None:
    """Every listener to the events is an open file, and the usual limit for those who ask for no more is 1,024."""
    _, allowed = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))


def _must_be_free(host: str, port: int) -> None:
    """NeedsOperator where nobody can listen there: told here in words, before anything starts."""
    try:
        with socket.socket(_family(host)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as problem:
        in_use = problem.errno == errno.EADDRINUSE
        code = "settings.address.in_use" if in_use else "settings.address.unusable"
        # What the system calls it, in its own words: permission denied, no such address, unknown name.
        finding = Finding(code, found=_shown(host, port), params={"reason": problem.strerror or ""})
        raise NeedsOperator(f"cannot listen on {finding.found}", [finding], code=code) from None


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


@contextmanager
def _told_of(shell: Shell, host: str, port: int, scheme: str) -> Iterator[None]:
    """Says when the address answers, and when serving has ended; a SIGTERM then is an orderly end."""
    words, over = WORDS[shell.lang], threading.Event()

    def wait() -> None:
        while not over.wait(ASK_AGAIN_S):
            if _answers(host, port):
                shell.tell(words["ready"].format(place=f"{scheme}://{_shown(host, port)}"))
                return

    # uvicorn raises the signal again that ended it, and the default would end us before the last word.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=wait, name="ready", daemon=True).start()
    try:
        yield
    finally:
        over.set()
        shell.tell(words["stopped"])


def _answers(host: str, port: int) -> bool:
    """Whether somebody accepts connections there. Connecting to the address that stands for all of them reaches the nearest."""
    try:
        with socket.socket(_family(host)) as asking:
            asking.settimeout(1)
            asking.connect((host, port))
    except OSError:
        return False
    return True


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
    words = WORDS[shell.lang]
    wiring.run_engine(shell, stop, ready=words["working"], ending=words["stopping"])
    return 0


@click.command()
@click.pass_obj
def migrate(shell: Shell) -> int:
    """Bring the database to this version. Run it once, with no older process left running."""
    from gateway.storage import migrations

    shell.settings.make_home()
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
    if adapter_id in ("-h", "--help"):
        context = click.get_current_context()
        click.echo(context.get_help())
        return 0
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


@click.command()
@click.option("--once", is_flag=True, help="End when every document reached its end.")
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Work in this folder and keep it; otherwise in one that is removed.",
)
@click.pass_obj
def demo(shell: Shell, once: bool, home: Path | None) -> int:
    """Show the whole gateway at work, with simulated partners."""
    import importlib

    try:
        module = importlib.import_module("gateway.cli.demo")
    except ModuleNotFoundError as problem:
        if problem.name != "gateway.cli.demo":
            raise
        shell.say(WORDS[shell.lang]["no_demo"])
        return EXIT_REFUSED
    result: int = module.run(home, once=once)
    return result
