"""A list of the staff site as somebody has filtered, searched and sorted it."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import SuspiciousOperation, ValidationError
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext

from supporters.exporting.listings import Asked, Extent, NothingThere

_PAGING = ("p", "all", "e", "_changelist_filters", "_popup")
CHOSEN = "pk__in"
"""The parameter that names rows one by one."""


class _Operator:
    """Whoever runs the system: everything is theirs to see."""

    pk = None
    is_active = is_staff = is_superuser = is_authenticated = True

    def has_perm(self, _permission: str, _record: object = None) -> bool:
        return True

    has_perms = has_perm


def of(model: type[Model]) -> dict[str, Any]:
    """What a listing declares that is a list of the staff site."""
    return {"extent": extent_of(model), "back": back_to(model)}


def extent_of(model: type[Model]):  # noqa: ANN201 - a function of Asked
    """What the list of these records shows for a query. Works in a worker too, which has no request."""

    def extent(asked: Asked) -> Extent:
        found = _change_list(model, asked)
        return Extent(
            rows=found.queryset,
            count=found.result_count,
            what=capfirst(str(model._meta.verbose_name_plural)),
            filters=_in_words(found),
        )

    return extent


def back_to(model: type[Model]):  # noqa: ANN201 - a function of Asked
    """The address of that list."""

    def address(asked: Asked) -> str:
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        return f"{path}?{asked.query}" if asked.query else path

    return address


def _change_list(model: type[Model], asked: Asked) -> ChangeList:
    admin.autodiscover()
    model_admin = admin.site.get_model_admin(model)
    request = HttpRequest()
    request.method = "GET"
    request.user = asked.by or _Operator()
    request.GET = asked.params.copy()
    for name in _PAGING:
        request.GET.pop(name, None)
    try:
        found = model_admin.get_changelist_instance(request)
    except (IncorrectLookupParameters, SuspiciousOperation, ValidationError):
        raise NothingThere(asked.query) from None
    found.params_asked = request.GET
    return found


def _in_words(found: ChangeList) -> str:
    """The search and the filters, as the list shows them."""
    left = {name: value for name, value in found.params_asked.items() if value and name not in {"o", "q"}}
    said = [gettext("search: “%(words)s”") % {"words": found.query}] if found.query else []
    if CHOSEN in left:
        number = len(left.pop(CHOSEN).split(","))
        said.append(ngettext("%(number)d chosen row", "%(number)d chosen rows", number) % {"number": number})
    for spec in found.filter_specs:
        for name in spec.expected_parameters():
            if name in left:
                said.append(f"{spec.title}{_bound(name)}: {_choice(spec, left.pop(name))}")
    said += [f"{name} = {value}" for name, value in left.items()]
    return "; ".join(said)


def _bound(name: str) -> str:
    if name.endswith("_from"):
        return " " + gettext("from")
    return " " + gettext("to") if name.endswith("_to") else ""


def _choice(spec: Any, value: str) -> str:
    """What the filter calls this value."""
    field = getattr(spec, "field", None)
    if field is not None and field.related_model:
        record = field.related_model._default_manager.filter(pk=value).first() if value.isdigit() else None
        return str(record or value)
    choices = getattr(spec, "lookup_choices", None) or getattr(field, "flatchoices", None) or ()
    return str(dict(choices).get(value, value))
