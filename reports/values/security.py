"""The computed fields of section 14."""

from __future__ import annotations

from reports.language import _, ngettext, recorded
from reports.material import Material
from reports.values.registry import Value, value


@value("security.weights")
def weights(material: Material) -> Value:
    """Where the hash stands; it is printed once, in section 1."""
    found = material.results.model.sha256
    if not found:
        return None
    return ngettext(
        "{n} file, hash in section 1; its first digits stand on every page. Another hash is "
        "another model.",
        "{n} files, hashes in section 1; the first digits of one stand on every page. Another "
        "hash is another model.",
        len(found),
    ).format(n=len(found))


@value("model.loading")
def loading(material: Material) -> Value:
    model = material.results.model
    words = (
        _("{container}; the file was allowed to run code, for this exact hash.")
        if model.trusted_code
        else _("{container}; read as weights only, no code in the file was run.")
    )
    return words.format(container=recorded(model.container))


@value("security.packages")
def packages(material: Material) -> Value:
    """How many libraries, and where the list is."""
    count = len(material.results.provenance.packages)
    if not count:
        return None
    return ngettext(
        "{n} library with its version, in environment.txt, attached to the PDF.",
        "{n} libraries with their versions, in environment.txt, attached to the PDF.",
        count,
    ).format(n=count)
