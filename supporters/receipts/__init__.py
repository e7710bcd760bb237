"""Receipts of consent: for each grant and withdrawal one record that proves that the ledger still says what it said then.

    ledger ──seal (every five minutes)──▶ Receipt ──day over──▶ ReceiptDay, to be published or kept elsewhere
                                             └─ the line is lawfully deleted ─▶ contents taken away, hashes stay

`sealing` adds receipts, `days` makes the digest of each day, `checking` holds both against the ledger, `giving` makes what a person
or an authority is given, and `reading` checks that, with nothing but the file. How things are hashed:

- **Record**: a JSON object in the canonical form of RFC 8785, in UTF-8 (`record`).
- **Commitment**: SHA-256 over the 16 octets of the salt and the record. Without salt and record, nobody learns from it what it was.
- **Hash**: SHA-256 over the hash before in the same chain (32 octets; zeros for the first), the chain (16), the number in the chain
  (8, the highest first) and the commitment (32).
- **Root of a day**: the Merkle tree hash of RFC 9162, 2.1.1, whose entries are the hashes of the day's receipts in their order.
- **Digest of a day**: SHA-256 over the digest before (32 octets; zeros for the first), the day as YYYY-MM-DD (10), how many
  receipts were sealed (8) and how many lost their contents since the digest before (8), and the root (32).

A chain is of one person, by a key made of their public uuid, so that merging and its undoing change nothing about it: what was recorded
of either record stays in the chain of that record, and which chains are of somebody is known from their merges.
"""
