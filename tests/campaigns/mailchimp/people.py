from supporters.models import Supporter
from tests.factories import make_supporter


def person(name: str, **fields) -> Supporter:
    """Somebody in Sweden who said yes, at an address made from their first name."""
    return make_supporter(
        **{"first_name": name, "email": f"{name.lower()}@mail.se", "country": "SE", "consent": True, **fields}
    )
