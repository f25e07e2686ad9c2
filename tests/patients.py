"""A node as its doctor sees it, and what the doctor finds."""

from collections.abc import Iterable

from memory_ui.appliance.findings import Finding, Level

NOBODY = "http://127.0.0.1:9"
"""Where nobody answers: the discard port."""


def only(findings: Iterable[Finding]) -> Finding:
    """The one there is."""
    (finding,) = findings
    return finding


def is_well(findings: list[Finding]) -> bool:
    """Whether something was looked at, and is well."""
    return bool(findings) and {finding.level for finding in findings} == {Level.PASS}
