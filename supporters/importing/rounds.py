from collections.abc import Mapping

from supporters.importing.parsing import StagedSupporter


def in_rounds(rows: list[StagedSupporter], decided: Mapping[int, int | None] | None = None) -> list[StagedSupporter]:
    """Rows about the same person go one after the other: each later one into a round of its own.

    `decided` are the people whom staff said some rows to be about, by the number of the row.
    """
    met: dict[tuple[str, object], int] = {}
    ordered = []
    for row in rows:
        names: list[tuple[str, object]] = [("email", row.email)] if row.email else []
        names += [("reference", row.reference)] if row.reference else []
        if decided and (person := decided.get(row.number)):
            names.append(("person", person))
        current = max((met.get(name, 0) for name in names), default=0)
        for name in names:
            met[name] = current + 1
        ordered.append(row._replace(round=current) if current else row)
    return ordered
