"""Nested fields as Stripe's clients encode them: a[b]=1, a[0][c]=2."""

import re
from urllib.parse import parse_qsl


def decoded(text):
    found = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        keys = [re.match(r"[^\[]*", name)[0], *re.findall(r"\[([^\]]*)\]", name)]
        place = found
        for key in keys[:-1]:
            place = place.setdefault(key, {})
        place[keys[-1]] = value
    return _lists(found)


def _lists(value):
    if not isinstance(value, dict):
        return value
    inner = {key: _lists(each) for key, each in value.items()}
    if inner and all(key.isdigit() for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
