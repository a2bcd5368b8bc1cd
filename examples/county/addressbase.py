"""The county's addresses in AddressBase Plus columns, a subset, as a partner would hold them."""

from pathlib import Path

import numpy as np

from examples.county.addresses import Use, coordinates
from examples.county.model import Population, stream
from examples.county.writers import write_csv

COLUMNS = (
    "UPRN", "UDPRN", "CHANGE_TYPE", "STATE", "CLASS", "PARENT_UPRN", "X_COORDINATE",
    "Y_COORDINATE", "LOCAL_CUSTODIAN_CODE", "COUNTRY", "LA_ORGANISATION", "SUB_BUILDING_NAME",
    "BUILDING_NAME", "BUILDING_NUMBER", "SAO_START_NUMBER", "SAO_START_SUFFIX", "SAO_TEXT",
    "PAO_START_NUMBER", "PAO_START_SUFFIX", "PAO_TEXT", "USRN", "STREET_DESCRIPTION",
    "THOROUGHFARE", "TOWN_NAME", "ADMINISTRATIVE_AREA", "POST_TOWN", "POSTCODE",
    "POSTCODE_LOCATOR", "WARD_CODE",
)  # fmt: skip
COUNTY = "INVENTED COUNTY"
CUSTODIAN = "9999"
_CLASSES = {
    Use.HOUSE: "RD04",
    Use.FLAT: "RD06",
    Use.CARE_HOME: "RI01",
    Use.HOSTEL: "RI02",
    Use.STUDENT_HOUSE: "RH01",
    Use.SHOP: "CR08",
}


def write_addressbase(path: Path, population: Population, seed: int) -> None:
    """Every dwelling of the county, lived in or not; a heading row first."""
    homes = population.dwellings
    east, north = coordinates(stream(seed, "coordinates"), homes)
    _, usrn = np.unique((homes.street + "|" + homes.town).astype(str), return_inverse=True)
    _, ward = np.unique(homes.town.astype(str), return_inverse=True)
    write_csv(
        path,
        COLUMNS,
        (
            _row(population, i, east=east[i], north=north[i], usrn=int(usrn[i]), ward=int(ward[i]))
            for i in range(len(homes))
        ),
    )


def _row(
    population: Population, i: int, *, east: float, north: float, usrn: int, ward: int
) -> list[str]:
    homes = population.dwellings
    flat, building = homes.flat[i].upper(), homes.building[i].upper()
    number, street, town = homes.number[i], homes.street[i].upper(), homes.town[i].upper()
    sub_number = flat.removeprefix("FLAT ") if flat else ""
    suffix = number[-1:] if number[-1:].isalpha() else ""
    plain = number.removesuffix(suffix)
    return [
        homes.uprn[i],
        str(90_000_000 + i),
        "I",
        "2",
        _CLASSES[Use(int(homes.use[i]))],
        "",
        f"{east:.2f}",
        f"{north:.2f}",
        CUSTODIAN,
        "E",
        building if homes.use[i] in (Use.CARE_HOME, Use.HOSTEL) else "",
        flat,
        building or (number if suffix else ""),
        "" if suffix else number,
        sub_number if sub_number.isdigit() else "",
        "",
        "" if sub_number.isdigit() else flat,
        plain,
        suffix,
        building,
        str(99_000_000 + usrn),
        street,
        street,
        town,
        COUNTY,
        town,
        homes.postcode[i],
        homes.postcode[i],
        f"E99{ward:06d}",
    ]
