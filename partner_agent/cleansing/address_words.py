"""Words of British addresses: abbreviations, kinds of street and of building, parts of a home."""

ABBREVIATIONS = {
    "rd": "road",
    "ave": "avenue",
    "av": "avenue",
    "ln": "lane",
    "dr": "drive",
    "drv": "drive",
    "cl": "close",
    "clo": "close",
    "ct": "court",
    "crt": "court",
    "cres": "crescent",
    "cresc": "crescent",
    "crs": "crescent",
    "cr": "crescent",
    "gdns": "gardens",
    "gdn": "gardens",
    "garden": "gardens",
    "pl": "place",
    "sq": "square",
    "ter": "terrace",
    "terr": "terrace",
    "tce": "terrace",
    "pk": "park",
    "wy": "way",
    "blvd": "boulevard",
    "hse": "house",
    "ho": "house",
    "bldg": "building",
    "bldgs": "buildings",
    "cott": "cottage",
    "cotts": "cottages",
    "apt": "flat",
    "apartment": "flat",
    "flt": "flat",
    "maisonette": "flat",
    "grn": "green",
    "gro": "grove",
    "grv": "grove",
    "hts": "heights",
    "mans": "mansions",
    "mt": "mount",
    "str": "street",
    "strt": "street",
    "saint": "st",
    "fm": "farm",
    "nth": "north",
    "sth": "south",
    "upr": "upper",
    "lwr": "lower",
    "gt": "great",
    "lt": "little",
    "ltl": "little",
    "grd": "ground",
    "gnd": "ground",
    "flr": "floor",
    "bsmt": "basement",
}

STREETS = frozenset(
    """road street avenue lane drive close crescent terrace place square way boulevard grove walk
    mews row rise parade broadway highway bypass embankment hill vale path passage alley
    esplanade promenade circus wharf quay cul causeway approach link loop ride drove wynd
    brae""".split()  # noqa: SIM905 - a table of words
)
BUILDINGS = frozenset(
    """court house lodge mansions building buildings tower towers heights hall manor villa villas
    cottage cottages farm gardens green park view block point apartments flats barn mill hostel
    hotel rectory vicarage""".split()  # noqa: SIM905 - a table of words
)
RELATIVE = frozenset({"upper", "lower"})
DIRECTIONS = RELATIVE | {"north", "south", "east", "west"}
UNITS = frozenset({"flat", "unit", "room", "suite", "studio", "bedsit"})
FLOORS = frozenset({"ground", "first", "second", "third", "fourth", "top", "basement", "garden"})
SAINTS = frozenset(
    """agnes alban albans aldhelm aldhelms andrew andrews anne annes anns anthony anthonys aubyn
    aubyns augustine augustines barnabas bartholomew bede bedes benedict benedicts catherine
    catherines chad chads christopher christophers clement clements columba cuthbert cuthberts
    david davids dunstan dunstans edmund edmunds edward edwards faith faiths francis gabriel
    gabriels george georges giles helen helens helier heliers hilda hildas james jameses john
    johns joseph josephs jude judes katherine katherines lawrence leonard leonards luke lukes
    margaret margarets mark marks martin martins mary marys matthew matthews michael michaels
    nicholas ninian ninians oswald oswalds patrick patricks paul pauls peter peters philip philips
    saviour saviours stephen stephens swithin swithins swithun swithuns thomas vincent vincents
    wilfrid wilfrids winifred winifreds""".split()  # noqa: SIM905 - a table of words
)
COUNTRIES = frozenset(
    {"uk", "gb", "england", "wales", "scotland", "united kingdom", "great britain"}
)
