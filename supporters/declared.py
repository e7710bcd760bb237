"""What the apps say of their own tables to those below them, which import nothing from above."""

from importlib import import_module

from django.apps import apps
from django.db.models import ForeignKey, Model
from django.utils.module_loading import module_has_submodule


def declared(module: str, name: str) -> list:
    """The entries of the list of this name in the module of this name, of every app that has one."""
    return [
        entry
        for app in apps.get_app_configs()
        if module_has_submodule(app.module, module)
        for entry in getattr(import_module(f"{app.name}.{module}"), name)
    ]


def pointing_at(model: type[Model]) -> list[str]:
    """Every foreign key to this table, as model:field."""
    return [
        f"{other._meta.label}:{field.name}"
        for other in apps.get_models(include_auto_created=True)
        if other._meta.managed
        for field in other._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.related_model is model
    ]
