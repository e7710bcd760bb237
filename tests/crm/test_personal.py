import pytest
from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from crm.disclosing import explaining
from crm.personal import HOLDINGS, NOT_PERSONAL
from supporters.models import Supporter

ROOMY = (models.CharField, models.TextField, models.JSONField, models.BinaryField, ArrayField)
"""Fields with room for something personal."""
DECLARED = {holding.model: holding for holding in HOLDINGS}


def roomy(model) -> set[str]:
    """What may hold something personal: free text, not what is chosen from a list."""
    return {
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, ROOMY) and not getattr(field, "choices", None)
    }


def points_at_supporters(model) -> bool:
    return any(field.related_model is Supporter for field in model._meta.concrete_fields)


def covered(holding) -> set[str]:
    paths = {path.split("__")[0] for path in holding.columns.values() if isinstance(path, str)}
    return paths | set(holding.unshown)


MODELS = [model for model in apps.get_models(include_auto_created=True) if model._meta.managed]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_table_says_whether_it_holds_something_of_people(model):
    label = model._meta.label
    if points_at_supporters(model):
        assert label in DECLARED, "It points at supporters: add a Holding for it to `personal` of its app."
    if not roomy(model):
        return
    assert label in DECLARED or label in NOT_PERSONAL, (
        f"It has room for something personal ({', '.join(sorted(roomy(model)))}): add a Holding for it to `personal` of its"
        " app, or say in NOT_PERSONAL why there is nothing of a supporter in it."
    )
    if label in DECLARED:
        assert roomy(model) <= covered(DECLARED[label]), "Show it in `columns`, or say in `unshown` why not."


def test_every_declaration_is_of_a_table_and_of_its_fields():
    labels = {model._meta.label for model in MODELS}
    assert set(NOT_PERSONAL) <= labels
    assert set(DECLARED) <= labels
    assert not set(DECLARED) & set(NOT_PERSONAL)
    assert len(DECLARED) == len(HOLDINGS) == len({holding.name for holding in HOLDINGS})
    for holding in HOLDINGS:
        fields = {field.name for field in holding.table._meta.get_fields()}
        assert covered(holding) <= fields, holding.name
        assert set(holding.labels) <= set(holding.columns), holding.name


@pytest.mark.parametrize("holding", [holding.name for holding in HOLDINGS])
def test_everything_that_is_held_is_explained(holding):
    assert all(explaining.as_dict(holding).values())


def test_a_table_that_is_not_declared_is_found():
    class Note(models.Model):
        supporter = models.ForeignKey(Supporter, on_delete=models.CASCADE)
        text = models.TextField()

        class Meta:
            app_label = "supporters"
            managed = False
            apps = type(apps)()

        def __str__(self):
            return self.text

    with pytest.raises(AssertionError, match="points at supporters"):
        test_every_table_says_whether_it_holds_something_of_people(Note)
