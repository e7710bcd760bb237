import pytest
from django.apps import apps
from django.db import models

from supporters.declared import pointing_at
from supporters.merging.declaring import moves
from supporters.models import Supporter

APPS = ["supporters", "campaigns"]


def declared() -> set[str]:
    from importlib import import_module

    return {move.name for app in APPS for move in import_module(f"{app}.moves").MOVES}


@pytest.mark.parametrize("place", pointing_at(Supporter))
def test_every_table_that_points_at_supporters_says_what_a_merge_does_with_it(place):
    model, _colon, field = place.partition(":")
    assert f"{model}.{field}" in declared(), (
        f"A merge does not know what to do with {model}.{field}: add a Move to `moves` of its app."
    )


def test_what_is_declared_is_there():
    for move in moves():
        assert move.table._meta.get_field(move.field)


def test_a_table_that_nobody_declared_is_found_and_fails_the_test():
    class Note(models.Model):
        supporter = models.ForeignKey(Supporter, on_delete=models.CASCADE)

        class Meta:
            app_label = "supporters"

        def __str__(self):
            return ""

    try:
        assert "supporters.Note:supporter" in pointing_at(Supporter)
        with pytest.raises(AssertionError, match="add a Move"):
            test_every_table_that_points_at_supporters_says_what_a_merge_does_with_it("supporters.Note:supporter")
    finally:
        del apps.all_models["supporters"]["note"]
        apps.clear_cache()
