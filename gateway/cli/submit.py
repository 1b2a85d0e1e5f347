"""``swgate submit``: file a document, into the database of the settings or at a gateway elsewhere.

Both ways end the same: the ids that the gateway gave it, or every finding that speaks against it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.shell import EXIT_REFUSED, Shell, read_bytes, read_json
from gateway.errors import Finding, GatewayError, OutcomeUnknown, PartnerUnavailable

if TYPE_CHECKING:
    from requests import Response

DECLARATION = "declaration"
# Kind -> where it is posted below /v1/declarations, and what {of} there is.
PATHS = {
    "declaration": "",
    "declaration_amendment": "/{of}/amendments",
    "declaration_cancellation": "/{of}/cancellation",
    "goods_presentation": "/{of}/presentation",
}
TIMEOUT_S = 30


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--kind", type=click.Choice(list(PATHS)), help="Kind of the document; otherwise as FILE says, or declaration."
)
@click.option(
    "--of", default="", help="Id of the declaration that an amendment, cancellation or presentation speaks of."
)
@click.option("--batch", is_flag=True, help="FILE holds a batch, one line of JSON a document. Only with --url.")
@click.option("--dry-run", is_flag=True, help="Check and translate only; nothing is stored or sent.")
@click.option("--tenant", help="Whose document it is; otherwise the operator's. Only without --url.")
@click.option("--url", help="Address of a gateway, e.g. http://localhost:8080; otherwise the database here is used.")
@click.option(
    "--key",
    help="Where the API key for --url is: env:NAME or file:PATH. Others on this machine can read a command line.",
)
@click.option("--idempotency-key", default="", help="The same key and the same document are filed once only.")
@click.pass_obj
def submit(
    shell: Shell,
    file: str,
    kind: str | None,
    of: str,
    batch: bool,
    dry_run: bool,
    tenant: str | None,
    url: str | None,
    key: str | None,
    idempotency_key: str,
) -> int:
    """File the document in FILE, or on standard input for -.

    FILE holds the bare document, or what ``adapters decode`` printed. Exit code 1 when it is refused.
    """
    if batch:
        if not url or not key:
            raise click.UsageError("--batch needs --url and --key")
        if kind or of or dry_run or idempotency_key or file == "-":
            raise click.UsageError(
                "of a batch each line says itself what it is: --batch takes a file, --url and --key only"
            )
        return _file_batch(shell, url, key_text(key), Path(file))
    content = read_json(file)
    if not isinstance(content, dict):
        raise click.UsageError(f"{file} holds no JSON object")
    document = content["document"] if isinstance(content.get("document"), dict) and "kind" in content else content
    told = content.get("kind") if document is not content else None
    chosen = kind or (told if told in PATHS else DECLARATION)
    if chosen != DECLARATION and not of:
        raise click.UsageError(f"a {chosen} speaks of a declaration: name it with --of")
    if url:
        if not key:
            raise click.UsageError("--url needs --key")
        return _post(shell, url.rstrip("/"), key_text(key), chosen, of, document, dry_run, idempotency_key)
    return _store(shell, chosen, of, document, dry_run, tenant, idempotency_key)


def key_text(place: str) -> str:
    """The API key at env:NAME or file:PATH. A usage error names what is wrong with the place, never the key."""
    scheme, _, rest = place.partition(":")
    if scheme == "env":
        key = os.environ.get(rest, "").strip()
        if not key:
            raise click.UsageError(
                f"--key names the environment variable {rest}, which is not set or empty: export {rest}=..."
            )
    elif scheme == "file":
        key = read_bytes(rest).decode("utf-8", "replace").strip()
        if not key:
            raise click.UsageError(f"--key names the file {rest}, which is empty")
    else:
        raise click.UsageError("--key takes no key, but where one is: env:NAME or file:PATH")
    if not key.isascii() or not key.isprintable():
        raise click.UsageError(f"what stands at --key {scheme}: is no key: it has characters that no key has")
    return key


def _post(
    shell: Shell, url: str, key: str, kind: str, of: str, document: dict[str, Any], dry_run: bool, idempotency_key: str
) -> int:
    import requests

    headers = {"x-api-key": key, "accept-language": shell.lang}
    if idempotency_key:
        headers["idempotency-key"] = idempotency_key
    address = f"{url}/v1/declarations{PATHS[kind].format(of=of)}"
    query = {"dry_run": "true"} if dry_run else {}
    try:
        response = requests.post(address, params=query, json=document, headers=headers, timeout=TIMEOUT_S)
    except requests.RequestException as problem:
        raise _silence(url, idempotency_key, dry_run, problem) from None
    return answered(shell, response)


def _file_batch(shell: Shell, url: str, key: str, file: Path) -> int:
    """Print the answer to each line as it comes; how far it is goes to standard error."""
    from collections import Counter

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    from gateway.cli.batch import NoBatch, file_lines
    from gateway.cli.shell import console_for

    with file.open("rb") as lines:
        count = sum(1 for line in lines if line.strip())
    statuses: Counter[int] = Counter()
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console_for(sys.stderr), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=count)

        def told(answer: dict[str, Any]) -> None:
            statuses[int(answer["status"])] += 1
            click.echo(json.dumps(answer, ensure_ascii=False))
            progress.advance(task)

        try:
            asyncio.run(file_lines(url, key, shell.lang, file, told))
        except NoBatch as refusal:
            return _refused(shell, refusal.status, json.loads(refusal.body or b"{}"))
        except (OSError, EOFError) as problem:
            raise _silence(url, "", False, problem) from None
    shell.say(", ".join(f"{status}: {number}" for status, number in sorted(statuses.items())))
    return 0 if all(status < 300 for status in statuses) else EXIT_REFUSED


def _silence(url: str, idempotency_key: str, dry_run: bool, problem: Exception) -> GatewayError:
    """What it means that no answer came: a trial stored nothing; of a filing nobody knows. Only the kind of problem is told."""
    params = {"reason": type(problem).__name__}
    if dry_run:
        return PartnerUnavailable(
            "no answer", [Finding("submit.trial_unanswered", found=url, params=params)], code="submit.trial_unanswered"
        )
    code = "submit.unanswered" if idempotency_key else "submit.unanswered_without_key"
    finding = Finding(code, found=url, params=params | {"key": idempotency_key})
    return OutcomeUnknown("no answer", [finding], code=code)


def answered(shell: Shell, response: Response) -> int:
    try:
        body = response.json()
    except ValueError:
        raise click.ClickException(f"answer {response.status_code} is not JSON: {response.url}") from None
    if response.ok:
        shell.show_json(body)
        return 0
    return _refused(shell, response.status_code, body)


def _refused(shell: Shell, status: int, body: dict[str, Any]) -> int:
    """Tell a problem as the gateway told it."""
    shell.say(f"{status} {body.get('title', '')}: {body.get('detail', '')}")
    for row in body.get("findings", []):
        # The words of the gateway that refused it: it knows more than its findings carry.
        shell.say(f"{row.get('severity', 'error')} {row.get('pointer') or '/'}: {row.get('text', row.get('code', ''))}")
        if row.get("action"):
            shell.say(f"    {row['action']}")
    return EXIT_REFUSED


def _store(
    shell: Shell, kind: str, of: str, document: dict[str, Any], dry_run: bool, tenant: str | None, idempotency_key: str
) -> int:
    from gateway.cli.wiring import actor, filing
    from gateway.pipeline.submit import Submission, body_digest, canonical_bytes

    with filing(shell) as (submitter, operator):
        submission = Submission(
            kind=kind,
            document=document,
            tenant=tenant or operator,
            actor=actor(),
            root_id=of,
            idempotency_key=idempotency_key,
            request_digest=body_digest(canonical_bytes(document)) if idempotency_key else "",
        )
        prepared = submitter.prepare(submission)
        shell.show_findings(prepared.warnings)
        if dry_run:
            messages = [_translation(agreement, encoded) for agreement, encoded in prepared.encoded.items()]
            shell.show_json({"dry_run": True, "messages": messages})
            return 0
        accepted = submitter.accept(prepared)
    shell.show_json(
        {
            "id": accepted.document_id,
            "declaration_id": accepted.root_id,
            "message_ids": list(accepted.message_ids),
        }
    )
    return 0


def _translation(agreement: str, encoded: Any) -> dict[str, Any]:
    return {
        "agreement": agreement,
        "message": f"{encoded.standard} {encoded.version} {encoded.message}",
        "name": encoded.name,
        "content": encoded.data.decode("utf-8", "replace"),
        "report": encoded.report.as_dict(),
    }
