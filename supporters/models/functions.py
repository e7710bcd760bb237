"""The database functions that migration 0001_functions makes."""

from django.db.models import BinaryField, Func, TextField


class AddressHash(Func):
    """The salted hash under which a suppression keeps an address; each installation has its own salt."""

    function = "supporters_address_hash"
    arity = 1
    output_field = BinaryField()


class Fold(Func):
    """Text as search compares it: lower case, without accents."""

    function = "supporters_fold"
    arity = 1
    output_field = TextField()
