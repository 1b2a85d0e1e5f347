"""What the demonstration prints: each step as it happens, a table of ends, one timeline, the addresses."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from gateway import ids, settings
from gateway.cli.demo.scenario import ACCOUNT, Filing, Scenario


class Show:
    def __init__(self, console: Console, scenario: Scenario) -> None:
        self.console = console
        self.scenario = scenario

    def opening(self) -> None:
        self.console.print("[bold]Single Window Gateway[/] - demonstration with simulated partners")
        for line in self.scenario.parties():
            self.console.print(f"  {escape(line)}")

    def step(self, text: str) -> None:
        self.console.print(f"  [green]done[/] {text}")

    def follow(self, changes: Iterable[Filing]) -> bool:
        """Print every change and the table of ends; True when every document reached its expected one."""
        filings = self.scenario.filings
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task("declarations at their end", total=len(filings))
            for filing in changes:
                progress.update(task, completed=sum(one.over for one in filings))
                self.console.print(f"  {escape(filing.title)}: {escape(_standing(filing))}")
        self.console.print(self._table())
        return all(filing.reached for filing in filings)

    def timeline_of_one(self) -> None:
        """The timeline of the filing that went through most."""
        filing = self._told_of()
        if filing is None:
            return
        table = Table(title=f"Timeline of {filing.title}", title_justify="left", expand=False)
        for column in ("time", "what", "code", "text"):
            table.add_column(column, overflow="fold", no_wrap=column == "time")
        zone = settings.load().time_zone
        for entry in self.scenario.timeline(filing):
            said = " ".join(entry[name] for name in ("text", "raw_text") if name in entry)
            at = ids.to_local(ids.from_datetime(datetime.fromisoformat(entry["at"])), zone)
            table.add_row(at, escape(entry["title"]), escape(entry.get("raw_code", "")), escape(said[:160]))
        self.console.print(table)

    def addresses(self) -> None:
        """What the README's commands want to know, to be pasted, and where to look."""
        url, filing = self.scenario.url, self._told_of()
        words = {"URL": url, "KEY": self.scenario.api_key}
        if filing is not None:
            words["ID"] = filing.id
        for name, value in words.items():
            self.console.print(f"  {name}={value}", soft_wrap=True)
        self.console.print(f"  API        {url}/v1/declarations   (header X-API-Key)", soft_wrap=True)
        self.console.print(f"  Reference  {url}/v1/openapi.json", soft_wrap=True)
        self.console.print(f"  Console    {url}/console   (sign in as the account below)", soft_wrap=True)
        self.console.print(f"  Account    {ACCOUNT}   password {self.scenario.password}", soft_wrap=True)
        self.console.print(f"  Partners   {self.scenario.door}   (HTTPS, with a client certificate)", soft_wrap=True)

    def waiting(self) -> None:
        self.console.print(
            f"  Everything stays up until Ctrl-C; files and logs are in {self.scenario.home}", soft_wrap=True
        )

    def ended(self) -> None:
        self.console.print("  All of it is being stopped now; without --once it stays up until Ctrl-C.")

    def _told_of(self) -> Filing | None:
        told = [filing for filing in self.scenario.filings if filing.message_ids]
        return max(told, key=lambda one: one.current_round, default=None)

    def _table(self) -> Table:
        table = Table(title="Where each declaration ended", title_justify="left")
        for column in ("declaration", "round", "state", "as expected"):
            table.add_column(column, overflow="fold")
        for filing in self.scenario.filings:
            verdict = "[green]yes[/]" if filing.reached else f"[red]no[/] {escape(filing.problem or _expected(filing))}"
            table.add_row(escape(filing.title), str(filing.current_round), escape(_standing(filing)), verdict)
        return table


def _standing(filing: Filing) -> str:
    if filing.problem:
        return filing.problem
    if not filing.states:
        return "accepted by the gateway (202)"
    return ", ".join(f"{track} {state}" for track, state in filing.states.items())


def _expected(filing: Filing) -> str:
    return "expected " + ", ".join(f"{track} {state}" for track, state in filing.expect.items())
