"""Which source of customers a setting means."""

from pathlib import Path

from assist.errors import SettingsError
from assist.storage.customer_database import DatabaseSource
from assist.storage.customer_endpoint import EndpointSource
from assist.storage.customer_folder import FolderSource
from assist.storage.customers import Customers, CustomerSource, Parse


def open_customers(
    location: str, *, parse: Parse, timeout_s: float, queries: str = "", token: str = ""
) -> Customers | None:
    """The customers of a folder, a database (`sqlite:///…`, `postgresql://…`) or an `http(s)://` address.

    Args:
        location: where they are; empty for none.
        parse: makes a customer of a profile.
        timeout_s: longest wait for an answer, in seconds.
        queries: file of the SQL statements, for a database.
        token: sent as `Authorization: Bearer`, for an address.

    Raises:
        SettingsError: the location cannot be used, or the statements cannot be read.
    """
    if not location:
        return None
    source: CustomerSource
    if location.startswith(("http://", "https://")):
        source = EndpointSource(location, parse=parse, timeout_s=timeout_s, token=token)
    elif "://" in location:
        source = DatabaseSource(location, Path(queries), parse=parse, timeout_s=timeout_s)
    elif Path(location).is_dir():
        try:
            source = FolderSource(Path(location), parse=parse)
        except OSError as error:
            raise SettingsError(f"the customers in {location!r} cannot be read") from error
    else:
        raise SettingsError(f"the customer source {location!r} is neither a folder nor an address")
    return Customers(source, timeout_s=timeout_s)
