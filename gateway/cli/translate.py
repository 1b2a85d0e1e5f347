"""``swgate adapters decode | encode | roundtrip``: one adapter at work on files, with no gateway behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.shell import EXIT_DIFFERENT, EXIT_REFUSED, Shell, read_bytes, read_json, write_bytes
from gateway.errors import Finding, SchemaBroken, Severity, errors_only

if TYPE_CHECKING:
    from gateway.catalogue.offline import RoundTripResult
    from gateway.documents import Documents
    from gateway.mapping.report import DecodeReport

PARAMETERS = click.option(
    "--parameters",
    "parameters_file",
    type=click.Path(exists=True, dir_okay=False),
    help="YAML or JSON file with agreement parameters; otherwise the manifest's defaults.",
)


@click.command()
@click.argument("adapter_id", metavar="ID")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--strict", is_flag=True, help="Refuse what the partner's schema refuses, as an agreement may.")
@click.option("--expected", is_flag=True, help="Write the document beside FILE as the expected one, and print nothing.")
@click.pass_obj
def decode(shell: Shell, adapter_id: str, file: str, strict: bool, expected: bool) -> int:
    """Read the partner message FILE and print JSON: kind, message, document, report, findings.

    Where FILE holds several documents, document is the first and documents lists all. Reading is tolerant: what nobody
    knows is reported, not refused. Exit code 1 when the bytes, or one of several documents in them, are refused.
    """
    if expected and file == "-":
        raise click.UsageError("--expected writes beside FILE, and standard input lies nowhere")
    from gateway.catalogue.offline import expected_text, told

    decoded = shell.catalogue.entry(adapter_id).adapter.decode(read_bytes(file), tolerant=not strict)
    if expected:
        from gateway.catalogue.check import expected_beside

        expected_beside(Path(file)).write_text(expected_text(decoded), encoding="utf-8")
        return 0
    report = decoded.report
    refusals = [one.refusal for one in decoded.documents if one.refusal is not None]
    findings = [finding for refusal in refusals for finding in refusal.findings] + report_findings(report)
    shell.show_json(
        {**told(decoded), "report": report.as_dict(), "findings": shell.findings_as_json(findings)},
    )
    return EXIT_REFUSED if refusals else 0


@click.command()
@click.argument("adapter_id", metavar="ID")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--kind", help="Kind of the document, where FILE does not say it.")
@click.option("--message", help="Partner message to write, where a kind may become several.")
@click.option("--roundtrip", is_flag=True, help="Take reserved numbers from the document instead of new ones.")
@PARAMETERS
@click.pass_obj
def encode(
    shell: Shell,
    adapter_id: str,
    file: str,
    kind: str | None,
    message: str | None,
    roundtrip: bool,
    parameters_file: str | None,
) -> int:
    """Write the document in FILE (bare, or as printed by decode) as the partner's message, to standard output.

    Values that the partner cannot carry are named on standard error. Exit code 1 when the document is refused.
    """
    from gateway import documents
    from gateway.catalogue import offline

    content = read_json(file)
    if not isinstance(content, dict):
        raise click.UsageError(f"{file} holds no JSON object")
    entry = shell.catalogue.entry(adapter_id)
    document, *further = offline.documents_of(content)
    library = documents.load(shell.settings.specs, shell.settings.overlay)
    chosen = kind or content.get("kind") or _fitting_kind(library, entry.manifest.files, document)
    for one in (document, *further):
        _refuse_misshapen(library, chosen, one)
    told = message or (content.get("message") if document is not content else None)
    parameters = _parameters(parameters_file)
    context = offline.context(
        entry.manifest, kind=chosen, message=told or "", parameters=parameters, roundtrip=roundtrip
    )
    encoded = offline.encode(entry, [(chosen, one) for one in (document, *further)], context)
    write_bytes(encoded.data)
    lost = [
        Finding("translate.leaf.lost", pointer, severity=Severity.WARNING, params={"adapter": adapter_id})
        for pointer in encoded.report.lost
    ]
    shell.show_findings(lost)
    return 0


@click.command()
@click.argument("adapter_id", metavar="ID")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@PARAMETERS
@click.pass_obj
def roundtrip(shell: Shell, adapter_id: str, files: tuple[str, ...], as_json: bool, parameters_file: str | None) -> int:
    """Decode each FILE, encode it again and compare, under the core's closed list of normalisations.

    One line a file: verdict, coverage, file, first difference or finding. Exit code 0 when all are equal, 2 when any is
    different, else 1 when any was refused.
    """
    from gateway.catalogue import offline
    from gateway.catalogue.offline import Verdict

    entry = shell.catalogue.entry(adapter_id)
    parameters = _parameters(parameters_file)
    verdicts, rows = set(), []
    for file in files:
        result = offline.roundtrip(entry, shell.catalogue.registry, read_bytes(file), parameters)
        verdicts.add(result.verdict)
        if as_json:
            rows.append(_as_json(shell, file, result))
        else:
            click.echo(_line(shell, file, result))
    if as_json:
        shell.show_json(rows)
    if Verdict.DIFFERENT in verdicts:
        return EXIT_DIFFERENT
    return EXIT_REFUSED if Verdict.REFUSED in verdicts else 0


def report_findings(report: DecodeReport) -> list[Finding]:
    """What a tolerant reading has to complain about: what the schema would refuse, leaves nobody knows, unreadable ones."""
    leaves = [("translate.leaf.unmapped", leaf) for leaf in report.unmapped]
    leaves += [("translate.leaf.unreadable", leaf) for leaf in report.lost]
    return [
        *report.findings,
        *(
            Finding(
                code,
                found=leaf.value[:80],
                expected=leaf.reason or None,
                partner_place=leaf.place + (f" (line {leaf.line})" if leaf.line else ""),
                severity=Severity.WARNING,
            )
            for code, leaf in leaves
        ),
    ]


def _line(shell: Shell, file: str, result: RoundTripResult) -> str:
    coverage = "     -" if result.coverage is None else f"{result.coverage:6.1%}"
    line = f"{result.verdict:9} {coverage} {file}"
    if result.findings:
        first, more = result.findings[0], len(result.findings) - 1
        place = first.partner_place or first.pointer or ""
        why = f"{first.code} {place}: {shell.words(first)['text']}" + (f" (+{more})" if more else "")
        line += f"  {' '.join(why.split())}"
    return line


def _as_json(shell: Shell, file: str, result: RoundTripResult) -> dict[str, Any]:
    return {
        "file": file,
        "verdict": result.verdict.value,
        "coverage": result.coverage,
        "findings": shell.findings_as_json(result.findings),
    }


def _fitting_kind(library: Documents, kinds: Sequence[str], document: Any) -> str:
    """The first of the adapter's kinds whose shape the document has; the first of all where it has none, to be told why."""
    known = [kind for kind in kinds if kind in library.kinds()]
    if not known:
        raise click.UsageError(f"FILE names no kind: use --kind with one of {', '.join(kinds) or 'none'}")
    return next((kind for kind in known if library.fits(kind, document)), known[0])


def _refuse_misshapen(library: Documents, kind: str, document: Any) -> None:
    """Adapters write what keeps its document's schema. What is missing they may tell themselves: a received message lacks it, too."""
    if kind not in library.kinds():
        return
    findings = library.check(kind, document, on=datetime.now(UTC).date(), partner_data=True)
    wrong = [
        finding
        for finding in errors_only(findings)
        if finding.code.startswith(("document.schema", "document.shape")) and finding.code != "document.schema.required"
    ]
    if wrong:
        raise SchemaBroken(f"this is no {kind}", wrong)


def _parameters(file: str | None) -> Mapping[str, Any] | None:
    if file is None:
        return None
    import yaml

    content = yaml.safe_load(Path(file).read_bytes())
    if not isinstance(content, dict):
        raise click.UsageError(f"{file} holds no mapping of parameters")
    return content
