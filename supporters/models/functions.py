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


# By what somebody is found at the door: supporters.matching.door.


class PhoneKey(Func):
    function = "supporters_phone_key"
    arity = 1
    output_field = TextField()


class PostcodeKey(Func):
    function = "supporters_postcode_key"
    arity = 1
    output_field = TextField()


class EmailKey(Func):
    function = "supporters_email_key"
    arity = 1
    output_field = TextField()


class NameKey(Func):
    function = "supporters_name_key"
    arity = 2
    output_field = TextField()
