"""A wrong call of swgate, told in the reader's language: click's own sentences and those of our commands.

Whoever refuses a call says so in English; here is what that is in Chinese, a row for each sentence, with its values as in
gateway.phrases. What the system says of a file or of a key is a sentence within a sentence.
"""

from __future__ import annotations

import click

from gateway.phrases import Phrases

IN_CHINESE = {
    # Our commands.
    "'{found}' is no adapter id: use a-z, 0-9 and single _, e.g. mn_rail_manifest": (
        "'{found}' 不能用作适配器编号：请用小写字母、数字和单个下划线，例如 mn_rail_manifest"
    ),
    "'{found}' is no partner's id: {problem}": "'{found}' 不能用作对方编号：{problem}",
    "{file} is not JSON: {problem}": "{file} 不是 JSON：{problem}",
    "{file} is not JSON: {problem}: line {line} column {column} (char {place})": (
        "{file} 不是 JSON：第 {line} 行第 {column} 列有误"
    ),
    "{file} holds no JSON object": "{file} 中没有 JSON 对象",
    "{file} holds no mapping of parameters": "{file} 中没有参数表",
    "cannot read {file}: {problem}": "无法读取 {file}：{problem}",
    "HTTPS needs --tls-cert and --tls-key": "使用 HTTPS 须同时给出 --tls-cert 和 --tls-key",
    "{file} cannot be used: {problem}": "{file} 无法使用：{problem}",
    "a {kind} speaks of a declaration: name it with --of": "{kind} 针对某份报关单：请用 --of 指明",
    "--batch needs --url and --key": "使用 --batch 时须给出 --url 和 --key",
    "of a batch each line says itself what it is: --batch takes a file, --url and --key only": (
        "批量文件中每行自行说明内容：--batch 只与文件、--url 和 --key 一起使用"
    ),
    "what {file} is cannot be told by its name: say so with --type": "无法从文件名判断 {file} 的类型：请用 --type 指明",
    "--url needs --key": "使用 --url 时须给出 --key",
    "--key names the environment variable {name}, which is not set or empty: export {export}=...": (
        "--key 指定的环境变量 {name} 未设置或为空：export {export}=..."
    ),
    "--key names the file {file}, which is empty": "--key 指定的文件 {file} 是空的",
    "--key takes no key, but where one is: env:NAME or file:PATH": (
        "--key 不接受密钥本身，只接受密钥所在之处：env:变量名 或 file:路径"
    ),
    "what stands at --key {scheme}: is no key: it has characters that no key has": (
        "--key {scheme}: 处的内容不是密钥：含有密钥中不会出现的字符"
    ),
    "answer {status} is not JSON: {url}": "{url} 的应答（{status}）不是 JSON",
    "--expected writes beside FILE, and standard input lies nowhere": "--expected 写在 FILE 旁边，而标准输入没有所在位置",
    "FILE names no kind: use --kind with one of {kinds}": "FILE 未说明单证种类：请用 --kind 指定其一：{kinds}",
    # click.
    "'{found}' is not a valid {kind}.": "'{found}' 不是有效的 {kind}",
    "{kind} '{found}' does not exist.": "{kind} '{found}' 不存在",
    "{kind} '{found}' is a file.": "'{found}' 是文件",
    "{kind} '{found}' is a directory.": "'{found}' 是文件夹",
    "{kind} '{found}' is not readable.": "{kind} '{found}' 无法读取",
    "{kind} '{found}' is not writable.": "{kind} '{found}' 无法写入",
    "Missing command.": "缺少命令",
    "No such command '{name}'.": "没有命令 '{name}'",
    "Got unexpected extra argument ({words})": "多余的参数：{words}",
    "Got unexpected extra arguments ({words})": "多余的参数：{words}",
    "Option '{name}' requires an argument.": "选项 '{name}' 须带一个值",
    "Option '{name}' does not take a value.": "选项 '{name}' 不带值",
    "File": "文件",
    "Directory": "文件夹",
    "Path": "路径",
    "integer": "整数",
    # The system, Python and its libraries.
    "No such file or directory": "没有这个文件或文件夹",
    "Permission denied": "没有权限",
    "Is a directory": "是文件夹",
    "Not a directory": "路径中有一段不是文件夹",
    "'{codec}' codec can't decode {rest}": "不是 {codec} 编码的文本",
    "[SSL: {problem}] {rest}": "OpenSSL 报告 {problem}",
    "[SSL] {rest}": "OpenSSL 读不出证书或密钥",
    "[X509: {problem}] {rest}": "OpenSSL 报告 {problem}",
    "[Errno {number}] {problem}": "{problem}",
}
_CHINESE = Phrases({phrase: {"zh": words} for phrase, words in IN_CHINESE.items()})


def show(problem: click.ClickException, lang: str) -> None:
    """What is wrong, to standard error; before it usage and where help is, where the call was wrong."""
    if lang != "zh":
        problem.show()
        return
    if not isinstance(problem, click.UsageError):
        click.echo(f"出错：{_CHINESE.read(problem.message, 'zh')}", err=True)
        return
    if problem.ctx is not None:
        click.echo(f"{problem.ctx.get_usage()}\n运行“{problem.ctx.command_path} --help”查看帮助。\n", err=True)
    click.echo(f"调用有误：{_said(problem)}", err=True)


def _said(problem: click.UsageError) -> str:
    if isinstance(problem, click.MissingParameter):
        return f"缺少 {_named(problem)}"
    if isinstance(problem, click.BadParameter):
        return f"{_named(problem)} 的值无效：{_fault(problem)}"
    if isinstance(problem, click.NoSuchOption):
        return f"没有选项 {problem.option_name}" + _near(problem)
    return _CHINESE.read(problem.message, "zh") + _near(problem)


def _near(problem: click.UsageError) -> str:
    """What may have been meant; click knows it of options and of commands."""
    near = "、".join(getattr(problem, "possibilities", None) or ())
    return f"，是否指 {near}？" if near else ""


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
    return _CHINESE.read(problem.message, "zh")
