from supporters.importing.parsing import StagedSupporter


def in_rounds(rows: list[StagedSupporter]) -> list[StagedSupporter]:
    """Rows about the same person go one after the other: each later one into a round of its own."""
    met: dict[tuple[str, str], int] = {}
    ordered = []
    for row in rows:
        names = [("email", row.email)] if row.email else []
        names += [("reference", row.reference)] if row.reference else []
        current = max((met.get(name, 0) for name in names), default=0)
        for name in names:
            met[name] = current + 1
        ordered.append(row._replace(round=current) if current else row)
    return ordered
