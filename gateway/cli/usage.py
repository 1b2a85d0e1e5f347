"""A wrong call of swgate, told in the reader's language: click's own sentences, in Chinese where Chinese is read.

What a command of ours says of its words is shown as it is.
"""

from __future__ import annotations

import click


def show(problem: click.UsageError, lang: str) -> None:
    """Usage, where help is, and what is wrong, to standard error."""
    if lang != "zh":
        problem.show()
        return
    if problem.ctx is not None:
        usage = problem.ctx.get_usage().removeprefix("Usage:").strip()
        click.echo(f"用法：{usage}\n运行“{problem.ctx.command_path} --help”查看帮助。\n", err=True)
    click.echo(f"调用有误：{_said(problem)}", err=True)


def _said(problem: click.UsageError) -> str:
    if isinstance(problem, click.MissingParameter):
        return f"缺少 {_named(problem)}"
    if isinstance(problem, click.BadParameter):
        return f"{_named(problem)} 的值无效：{_fault(problem)}"
    if isinstance(problem, click.NoSuchOption):
        near = "、".join(problem.possibilities or ())
        return f"没有选项 {problem.option_name}" + (f"，是否指 {near}？" if near else "")
    if isinstance(problem, click.BadOptionUsage):
        return f"选项 {problem.option_name} 用法有误"
    return problem.format_message()


def _named(problem: click.BadParameter) -> str:
    """The option or argument as it is written on the command line."""
    if problem.param is not None:
        return problem.param.get_error_hint(problem.ctx)
    hint = problem.param_hint
    return hint if isinstance(hint, str) else "、".join(hint or ())


def _fault(problem: click.BadParameter) -> str:
    kind = problem.param.type if problem.param is not None else None
    if isinstance(kind, click.Choice):
        return f"应为 {'、'.join(map(str, kind.choices))} 之一"
    if isinstance(kind, click.IntRange):
        return f"应为 {kind.min} 至 {kind.max} 的整数"
    return problem.message
