"""The parser against hostile and odd bytes: threats of kind C, each with a definite answer within a second."""

import contextlib
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import NotWellFormed
from gateway.syntax.registry import SchemaRegistry
from gateway.syntax.xml import Limits, parse

LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + i, (b"&%c;" % (97 + i)) * 10) for i in range(10))
    + b"]><lolz>&k;</lolz>"
)
REFUSED = {
    "an internal document type": (b"<!DOCTYPE a><a/>", "syntax.xml.doctype"),
    "a document type behind a comment and an instruction": (
        b"<!-- x --><?y z?>\n<!DOCTYPE a><a/>",
        "syntax.xml.doctype",
    ),
    "an external document type": (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "syntax.xml.doctype"),
    "a parameter entity": (b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://x/"> %p;]><a/>', "syntax.xml.doctype"),
    "a billion laughs": (LAUGHS, "syntax.xml.doctype"),
    "a quadratic blow-up": (
        b'<!DOCTYPE a [<!ENTITY b "' + b"x" * 50_000 + b'">]><a>' + b"&b;" * 50_000 + b"</a>",
        "syntax.xml.doctype",
    ),
    "a document type in UTF-16": ("<!DOCTYPE a><a/>".encode("utf-16"), "syntax.xml.doctype"),
    "an entity nobody declared": (b"<a>&b;</a>", "syntax.xml.not_well_formed"),
    "a depth of 100,000": (b"<a>" * 100_000 + b"</a>" * 100_000, "syntax.xml.too_large"),
    "a million attributes": (
        b"<a " + b" ".join(b'a%d=""' % i for i in range(1_000_000)) + b"/>",
        "syntax.xml.too_large",
    ),
    "a million namespaces": (
        b"<a " + b" ".join(b'xmlns:a%d="u"' % i for i in range(1_000_000)) + b"/>",
        "syntax.xml.too_large",
    ),
    "a text of 100 MB": (b"<a>" + b"x" * 100_000_000 + b"</a>", "syntax.xml.too_large"),
    "a text of 19 MB": (b"<a>" + b"x" * 19_000_000 + b"</a>", "syntax.xml.too_large"),
    "a CDATA section of 19 MB": (b"<a><![CDATA[" + b"x" * 19_000_000 + b"]]></a>", "syntax.xml.too_large"),
    "an attribute of 10 MB": (b'<a b="' + b"x" * 10_000_000 + b'"/>', "syntax.xml.too_large"),
    "four million elements": (b"<a>" + b"<b/>" * 4_000_000 + b"</a>", "syntax.xml.too_large"),
    "a million comments": (b"<a>" + b"<!-- -->" * 1_000_000 + b"</a>", "syntax.xml.too_large"),
    "UTF-7": (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "syntax.xml.encoding"),
    "Latin-1": (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe9</a>', "syntax.xml.encoding"),
    "UTF-16 without byte order mark": ("<a/>".encode("utf-16-le"), "syntax.xml.encoding"),
    "UTF-16 declared, UTF-8 written": (b'<?xml version="1.0" encoding="UTF-16"?><a/>', "syntax.xml.encoding"),
    "UTF-8 declared, GBK written": (
        '<?xml version="1.0" encoding="UTF-8"?><a>中</a>'.encode("gbk"),
        "syntax.xml.encoding",
    ),
    "GBK declared, other bytes written": (b'<?xml version="1.0" encoding="GBK"?><a>\xff</a>', "syntax.xml.encoding"),
    "UTF-8 declared, UTF-16 written": (
        '<?xml version="1.0" encoding="UTF-8"?><a/>'.encode("utf-16"),
        "syntax.xml.encoding",
    ),
    "UTF-32": ("<a/>".encode("utf-32"), "syntax.xml.encoding"),
    "a NUL": (b"<a>\0</a>", "syntax.xml.encoding"),
    "an overlong form of <": (b"<a>\xc0\xbc</a>", "syntax.xml.encoding"),
    "a surrogate in UTF-8": (b"<a>\xed\xa0\x80</a>", "syntax.xml.encoding"),
    "a second byte order mark": (b"\xef\xbb\xbf\xef\xbb\xbf<a/>", "syntax.xml.not_well_formed"),
    "a byte order mark behind the root": (b"<a/>\xef\xbb\xbf", "syntax.xml.not_well_formed"),
    "a control character": (b"<a>\x01</a>", "syntax.xml.not_well_formed"),
    "XML 1.1": (b'<?xml version="1.1"?><a/>', "syntax.xml.version"),
    "a prefix without namespace": (b"<x:a/>", "syntax.xml.not_well_formed"),
    "an attribute twice": (b'<a b="1" b="2"/>', "syntax.xml.not_well_formed"),
    "nothing": (b"", "syntax.xml.not_well_formed"),
    "two roots": (b"<a/><b/>", "syntax.xml.not_well_formed"),
    "a document type in lower case": (b"<!doctype a><a/>", "syntax.xml.not_well_formed"),
}
READ = {
    "UTF-8 with byte order mark": ("\ufeff<a>中</a>".encode(), "中"),
    "UTF-16 with byte order mark": ('<?xml version="1.0" encoding="UTF-16"?><a>中</a>'.encode("utf-16"), "中"),
    "GBK where declared": ('<?xml version="1.0" encoding="GBK"?><a>满洲里</a>'.encode("gbk"), "满洲里"),
    "GB18030 with a four-byte character": ('<?xml version="1.0" encoding="GB18030"?><a>𠀀</a>'.encode("gb18030"), "𠀀"),
    "GB2312 with single quotes": (
        "<?xml version='1.0' encoding='gb2312' standalone='yes'?><a>中</a>".encode("gbk"),
        "中",
    ),
    "the words of a document type in CDATA": (b"<a><![CDATA[<!DOCTYPE x>]]></a>", "<!DOCTYPE x>"),
    "the words of a document type in a comment": (b"<!-- <!DOCTYPE x> --><a>1</a>", "1"),
    "a byte order mark inside a text, as a character": (b"<a>x\xef\xbb\xbf</a>", "x\ufeff"),
    "the five entities of XML": (b"<a>&lt;&gt;&amp;&quot;&apos;&#x4E2D;</a>", "<>&\"'中"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_within_a_second(case: str) -> None:
    data, code = REFUSED[case]
    start = time.thread_time()
    with pytest.raises(NotWellFormed) as refused:
        parse(data)
    assert time.thread_time() - start < 4
    (finding,) = refused.value.findings
    assert finding.code == code
    assert re.match(r"line [1-9]", finding.partner_place or "")


@pytest.mark.parametrize("case", READ)
def test_read_as_the_characters_it_means(case: str) -> None:
    data, text = READ[case]
    assert parse(data).text == text


def test_a_refusal_names_line_and_column() -> None:
    with pytest.raises(NotWellFormed) as refused:
        parse(b"<a>\n  <b>\n</a>")
    assert refused.value.findings[0].partner_place == "line 3, column 5"
    with pytest.raises(NotWellFormed) as refused:
        parse("<a>\n 满\0</a>".encode())
    assert refused.value.findings[0].partner_place == "line 2, column 5"


def test_a_refusal_repeats_no_text_of_the_message() -> None:
    with pytest.raises(NotWellFormed) as refused:
        parse("<a><b>秘密 secret</a>".encode())
    assert "secret" not in str(refused.value)


def test_depth_can_be_limited_further() -> None:
    limits = Limits(depth=3)
    assert parse(b"<a><b><c/></b></a>", limits=limits).tag == "a"
    with pytest.raises(NotWellFormed):
        parse(b"<a><b><c><d/></c></b></a>", limits=limits)


def test_expansion_bombs_cost_no_memory() -> None:
    program = (
        "import resource, sys\n"
        "from gateway.errors import NotWellFormed\n"
        "from gateway.syntax.xml import parse\n"
        "parse(b'<a/>')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for bomb in (sys.stdin.buffer.read(), b'<a>' + b'<b>' * 3_000_000):\n"
        "    try:\n"
        "        parse(bomb)\n"
        "    except NotWellFormed:\n"
        "        pass\n"
        "    else:\n"
        "        sys.exit('accepted')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    root = Path(__file__).parents[2]
    ran = subprocess.run([sys.executable, "-c", program], input=LAUGHS, capture_output=True, cwd=root, check=True)
    kilobytes = int(ran.stdout) // (1024 if sys.platform == "darwin" else 1)
    assert kilobytes < 50_000


def test_nothing_is_fetched(registry: SchemaRegistry) -> None:
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}"
    message = (
        f'<?xml-stylesheet type="text/xsl" href="{here}/style"?>'
        f'<DEC_RESULT xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="{here}/schema"'
        f' xsi:schemaLocation="urn:x {here}/schema2"><xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{here}/inc"/>'
        "</DEC_RESULT>"
    )
    root = parse(message.encode())
    registry.schema("cn_declaration", "1", "dec_result").check(root, tolerant=True)
    server.shutdown()
    server.server_close()
    assert asked == []


@given(st.binary(max_size=200))
def test_no_bytes_escape_the_error_tree(junk: bytes) -> None:
    with contextlib.suppress(NotWellFormed):
        parse(junk)


@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-16", "gb18030"]))
def test_no_text_in_a_frame_escapes_the_error_tree(junk: str, encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?><a>{junk}</a>'
    with contextlib.suppress(NotWellFormed):
        parse(declared.encode(encoding, "replace"))
