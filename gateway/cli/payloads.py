"""``swgate payloads put | get``: attachments to a gateway and back, streamed, and measured against their digest."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli import LazyGroup
from gateway.cli.shell import EXIT_REFUSED, Shell
from gateway.cli.submit import answered, key_text

if TYPE_CHECKING:
    from requests import Response

PART_BYTES = 1024 * 1024
TIMEOUT_S = 60
COMMANDS = {
    "put": ("gateway.cli.payloads:put", "Upload an attachment."),
    "get": ("gateway.cli.payloads:get", "Download an attachment."),
}
WORDS = {
    "en": {"silent": "no answer from {url}: {kind}", "differs": "what came is not {digest}; nothing is kept"},
    "zh": {"silent": "{url} 没有应答：{kind}", "differs": "收到的内容与 {digest} 不符，未保存"},
}

at_gateway = [
    click.option("--url", required=True, help="Address of a gateway, e.g. http://localhost:8080."),
    click.option(
        "--key",
        required=True,
        help="Where the API key for --url is: env:NAME or file:PATH. Others on this machine can read a command line.",
    ),
]


def _of_gateway(command: Any) -> Any:
    for option in reversed(at_gateway):
        command = option(command)
    return command


@click.group(cls=LazyGroup, commands_by_name=COMMANDS)
def payloads() -> None:
    """Upload attachments to a gateway, and download them."""


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--type", "media_type", help="Media type of FILE; otherwise as its name ends.")
@_of_gateway
@click.pass_obj
def put(shell: Shell, file: Path, media_type: str | None, url: str, key: str) -> int:
    """Upload FILE, and print the digest by which it is known from then on."""
    chosen = media_type or mimetypes.guess_type(file.name)[0]
    if chosen is None:
        raise click.UsageError(f"what {file.name} is cannot be told by its name: say so with --type")
    with file.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").digest()
        data.seek(0)
        headers = {"Content-Type": chosen, "Repr-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:"}
        response = _asked(shell, "POST", url, "", key, headers, params={"name": file.name}, data=data)
    return EXIT_REFUSED if response is None else answered(shell, response)


@click.command()
@click.argument("digest")
@click.option(
    "-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write it to."
)
@_of_gateway
@click.pass_obj
def get(shell: Shell, digest: str, output: Path, url: str, key: str) -> int:
    """Download the attachment with this DIGEST. FILE is written when all of it is there and is what the digest says."""
    response = _asked(shell, "GET", url, f"/{digest}", key, {}, stream=True)
    if response is None:
        return EXIT_REFUSED
    if not response.ok:
        return answered(shell, response)
    measured = hashlib.sha256()
    descriptor, temporary = tempfile.mkstemp(dir=output.parent, prefix=".download-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            for part in response.iter_content(PART_BYTES):
                measured.update(part)
                file.write(part)
        if f"sha256:{measured.hexdigest()}" != digest:
            shell.say(WORDS[shell.lang]["differs"].format(digest=digest))
            return EXIT_REFUSED
        Path(temporary).replace(output)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return 0


def _asked(
    shell: Shell, method: str, url: str, path: str, key: str, headers: dict[str, str], **more: Any
) -> Response | None:
    """The answer of the gateway; None, and said so, where none came."""
    import requests

    said = {"X-API-Key": key_text(key), "Accept-Language": shell.lang, **headers}
    address = f"{url.rstrip('/')}/v1/payloads{path}"
    try:
        return requests.request(method, address, headers=said, timeout=TIMEOUT_S, **more)
    except requests.RequestException as problem:
        shell.say(WORDS[shell.lang]["silent"].format(url=url, kind=type(problem).__name__))
        return None
