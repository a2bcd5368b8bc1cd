"""Short forms of given names and the full name they usually stand for.

Short forms that stand for several common names (Alex, Chris, Sam, Jo, Pat, Lee, Jackie) are left
out: expanding them would part people instead of joining them.
"""

_SHORT_FORMS = {
    "abigail": "abbie abby abi gail",
    "albert": "bert bertie",
    "alfred": "alf alfie",
    "amanda": "mandy",
    "andrew": "andy drew",
    "anthony": "tony ant",
    "archibald": "archie",
    "arthur": "art",
    "barbara": "barb babs",
    "benjamin": "ben benji benny",
    "bernard": "bernie",
    "catherine": "cath cathy cat kitty",
    "charles": "charlie chas chuck",
    "christina": "tina",
    "clifford": "cliff",
    "daniel": "dan danny",
    "david": "dave davey davy",
    "deborah": "deb debbie debs",
    "derek": "del",
    "donald": "don",
    "dorothy": "dot dottie dolly",
    "douglas": "doug dougie",
    "edward": "ed eddie ned ted teddy",
    "eleanor": "ellie nell nellie",
    "elizabeth": "liz lizzie lizzy beth betty betsy libby liza",
    "francis": "frank frankie",
    "frederick": "fred freddie freddy",
    "geoffrey": "geoff",
    "george": "georgie",
    "gerald": "gerry",
    "gregory": "greg",
    "harold": "hal",
    "henry": "harry hank",
    "isabella": "bella izzy",
    "jacob": "jake",
    "james": "jim jimmy jamie",
    "jennifer": "jen jenny jenni",
    "jessica": "jess jessie",
    "john": "jack johnny johnnie",
    "jonathan": "jon jonny",
    "joseph": "joe joey",
    "joshua": "josh",
    "judith": "judy",
    "katherine": "kath kathy kate katie kat",
    "kenneth": "ken kenny",
    "kimberley": "kim",
    "lawrence": "larry lawrie",
    "leonard": "len lenny",
    "louise": "lou",
    "margaret": "maggie meg peggy marge madge",
    "martin": "marty",
    "matthew": "matt matty",
    "maxwell": "max",
    "michael": "mike mick micky mikey",
    "mohammed": "mo",
    "natalie": "nat",
    "nathaniel": "nathan nate",
    "nicholas": "nick nicky",
    "oliver": "ollie olly",
    "pamela": "pam",
    "peter": "pete",
    "philip": "phil",
    "rachel": "rach",
    "raymond": "ray",
    "rebecca": "becca becky bex",
    "reginald": "reg reggie",
    "richard": "rich richie rick ricky dick",
    "robert": "rob robbie bob bobby bert robby",
    "ronald": "ron ronnie",
    "rosemary": "rosie",
    "samantha": "sammie",
    "sandra": "sandy",
    "sarah": "sally sadie",
    "sidney": "sid",
    "stephen": "steve stevie",
    "stuart": "stu",
    "susan": "sue susie suzie",
    "terence": "terry",
    "theodore": "theo",
    "theresa": "tess tessa",
    "thomas": "tom tommy",
    "timothy": "tim",
    "valerie": "val",
    "victoria": "vicky vicki tori",
    "vincent": "vince vinny",
    "walter": "wally walt",
    "wilfred": "wilf",
    "william": "will willie bill billy liam",
    "zachary": "zach zak zac",
}


def _by_short_form() -> dict[str, str]:
    table: dict[str, str] = {}
    clashing: set[str] = set()
    for full, shorts in _SHORT_FORMS.items():
        for short in shorts.split():
            if short in table:
                clashing.add(short)
            table[short] = full
    return {short: full for short, full in table.items() if short not in clashing}


FULL_NAMES = _by_short_form()
