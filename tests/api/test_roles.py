"""Who may operate: only a key of the tenant that the partners file names as operator."""

from __future__ import annotations

import pytest

from gateway.api.security import caller_of
from gateway.errors import NeedsOperator
from gateway.testing.directory import PartnersFile


def test_no_tenant_but_the_operator_has_a_key_that_opens_all_tenants() -> None:
    file = PartnersFile(operator="port").add_tenant("port", key="key-of-the-port", roles=("filer", "operator"))
    caller = caller_of(file.directory(), "key-of-the-port")
    assert caller is not None
    assert caller.is_operator
    file.add_tenant("trader", key="key-of-the-trader", roles=("filer", "operator")).add_tenant(
        "other", key="key-of-other"
    )
    with pytest.raises(NeedsOperator) as refusal:
        file.directory()
    (finding,) = refusal.value.findings
    assert (finding.code, finding.pointer) == ("partners.operator_key", "/tenants/1/api_keys/0/roles")
    assert (finding.found, finding.expected) == ("trader", "port")
