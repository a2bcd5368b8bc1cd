"""Names for people who do not exist, and the band of a name's spelling.

The lists were written down for this project from general knowledge, lower-case as cleansing leaves
names. No pair of them stands for anybody. The longest list, of surnames, is completed by place
names put together from their usual parts, so that rare surnames are as common as they are.
"""

import random
import re
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Final

COMMON_LOCAL: Final = "common_local"
OTHER_LATIN: Final = "other_latin"
TRANSLITERATED: Final = "transliterated"


@dataclass(frozen=True)
class NamePool:
    """Names that go together, most frequent first; given names by sex and time of birth."""

    share: float  # of synthetic people
    given: dict[tuple[str, int], tuple[str, ...]]  # sex, 0 to 2: before 1965, 1995, later
    surnames: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_M0 = _words("""john david peter michael brian alan robert william james kenneth anthony roy derek
    ronald george thomas raymond keith barry dennis terence eric arthur norman stanley frank
    geoffrey leonard gordon donald albert reginald douglas trevor malcolm graham ernest harold""")
_F0 = _words("""margaret jean patricia mary sheila maureen joan barbara susan ann pauline dorothy
    christine valerie brenda joyce shirley eileen doreen marjorie audrey beryl sylvia edna hilda
    irene june janet rita elsie vera phyllis gladys iris betty pamela kathleen muriel olive""")
_M1 = _words("""paul andrew mark stephen christopher richard simon steven jonathan matthew daniel
    neil ian kevin gary martin lee craig stuart darren jason nicholas philip adam robert james
    david michael carl wayne benjamin gareth russell dean nigel adrian justin robin shaun karl""")
_F1 = _words("""sarah nicola karen claire emma joanne lisa michelle tracey helen louise samantha
    rachel amanda julie rebecca victoria kelly jane laura catherine zoe natalie donna sharon gemma
    kerry hayley lucy heather melanie angela dawn katherine alison lindsey jennifer anna leanne""")
_M2 = _words("""oliver jack harry george noah charlie jacob alfie freddie oscar thomas joshua archie
    james leo henry theo ethan lucas logan max samuel isaac arthur toby dylan riley callum connor
    kieran jake luke tyler reece kyle finley mason louie rory elliot""")
_F2 = _words("""olivia amelia isla ava emily sophie mia poppy ella lily evie jessica isabella grace
    freya daisy chloe phoebe florence millie alice charlotte megan caitlin bethany jade shannon
    courtney abigail holly molly ruby imogen scarlett matilda rosie eliza erin niamh paige""")
_LOCAL_SURNAMES = _words("""smith jones taylor brown williams wilson johnson davies robinson wright
    thompson evans walker white roberts green hall wood jackson clarke hughes edwards turner hill
    martin cooper ward moore clark king lewis baker harris lee young allen morris davis parker scott
    bennett watson cook bell phillips mitchell shaw richardson collins carter bailey adams price
    marshall murphy cox kelly simpson miller gray richards ellis wilkinson mills knight ford mason
    rogers stevens barker fox chapman russell murray graham powell harvey palmer lloyd dixon holmes
    rose hunt matthews reynolds fisher barnes butler andrews lowe webb walsh gibson payne jenkins
    pearson foster spencer armstrong stewart campbell burton gordon atkinson hart owen grant west
    pritchard hawkins reid kennedy hudson perry woods cole hopkins bates day lane bishop may carr
    sutton rowe frost nash pope marsh sharp bond little norman burke warner dale steele hobbs""")
_STEMS = _words("""ash brad whit hart col lang mar nor stan will wal thorn red black green long
    bur hal kings rush wake hen elm old mil hol pen rad sel thur""")
_ENDS = _words("ford ley ton well by wood worth field ham combe bridge stone bury croft hurst")

_ASIAN_M = _words("""mohammed muhammad ali ahmed imran hassan usman bilal hamza ibrahim tariq adnan
    arjun rohan rahul amit sanjay vikram kiran nikhil ravi anil yusuf zain faisal junaid""")
_ASIAN_F = _words("""fatima aisha maryam zainab khadija sana amina hafsa nadia priya anjali pooja
    meera sunita kavita deepa neha anita rubina shabana farah samina yasmin noor""")
_ASIAN_SURNAMES = _words("""khan patel singh hussain ahmed ali begum kaur akhtar mahmood malik shah
    iqbal rahman chowdhury uddin sharma gupta mehta desai bhatt joshi rashid aziz qureshi siddiqui
    chaudhry mirza raja butt bashir nawaz kumar verma nair reddy rao das banerjee sengupta""")
_EAST_M = _words("""oleksandr dmytro andrii serhii mykola volodymyr vasyl yurii ivan mikhail sergei
    alexei georgios dimitrios konstantinos nikolaos mehmet mustafa ahmad abdullah khalid omar wei
    ming jun chen hao xiang""")
_EAST_F = _words("""oksana olena iryna natalia tetiana svitlana yulia kateryna anastasia ekaterina
    olga eleni maria vasiliki zeynep fatma layla huda samira mei xiu ling fang jing yan""")
_EAST_SURNAMES = _words(
    """shevchenko kovalenko bondarenko tkachenko kravchenko oliinyk melnyk
    petrenko ivanov petrov sokolov volkov morozov kuznetsov dimitrov georgiev papadopoulos
    nikolaidis georgiou yilmaz ozturk demir hassan haddad khoury wang zhang liu huang zhao xu
    zhou nguyen tran pham""".replace("-", "")
)
_LATIN_M = _words("""piotr krzysztof tomasz marcin pawel jakub mateusz andrei ionut mihai cristian
    jose joao carlos luis pedro marco giuseppe jan pieter sean ciaran padraig kwame kofi tunde
    emeka olumide""")
_LATIN_F = _words("""agnieszka katarzyna malgorzata joanna zofia julia ioana elena andreea mihaela
    ana carmen lucia sofia giulia chiara ines siobhan aoife roisin ama abena folake ngozi adaeze""")
_LATIN_SURNAMES = _words("""nowak kowalski wisniewski wojcik kaminski lewandowski zielinski
    szymanski popescu ionescu dumitru stan radu silva santos ferreira costa rossi ferrari garcia
    lopez muller schmidt dubois laurent jansen devries murphy odonnell oconnor mensah owusu boateng
    asante okafor adeyemi okonkwo eze balogun afolabi""")


@cache
def pools() -> tuple[NamePool, ...]:
    """Every pool."""
    built = tuple(f"{stem}{end}" for stem, end in product(_STEMS, _ENDS))
    mixed = list(built)
    random.Random(20261124).shuffle(mixed)  # the rare ones in no order
    asian = {("m", at): _ASIAN_M for at in range(3)} | {("f", at): _ASIAN_F for at in range(3)}
    east = {("m", at): _EAST_M for at in range(3)} | {("f", at): _EAST_F for at in range(3)}
    latin = {("m", at): _LATIN_M for at in range(3)} | {("f", at): _LATIN_F for at in range(3)}
    local = {
        ("m", 0): _M0, ("m", 1): _M1, ("m", 2): _M2,
        ("f", 0): _F0, ("f", 1): _F1, ("f", 2): _F2,
    }  # fmt: skip
    return (
        NamePool(0.82, local, _LOCAL_SURNAMES + tuple(mixed)),
        NamePool(0.06, asian, _ASIAN_SURNAMES),
        NamePool(0.04, east, _EAST_SURNAMES),
        NamePool(0.08, latin, _LATIN_SURNAMES),
    )


_LOCAL_GIVEN: Final = frozenset((*_M0, *_M1, *_M2, *_F0, *_F1, *_F2))
_LOCAL_FAMILY: Final = frozenset(_LOCAL_SURNAMES)
_OTHER_ALPHABETS: Final = frozenset(
    (*_ASIAN_M, *_ASIAN_F, *_ASIAN_SURNAMES, *_EAST_M, *_EAST_F, *_EAST_SURNAMES)
)
_LOCAL_ENDING: Final = re.compile(rf"[a-z]{{3,}}({'|'.join(_ENDS)}|son|man|shaw|cliffe|brook)$")
_SPELLED_OVER: Final = re.compile(
    r"kh|zh|shch|iy|yy|aa|uu|^(abd|al |el |ibn |bin |mohamm|muhamm)|"
    r"(enko|chuk|yshyn|skyi|skyy|vych|vich|ov|ova|ev|eva|oglu|idis|opoulos|akis|yan|dze|shvili|"
    r"ullah|uddin|deen)$"
)


def name_band(first_name: str, surname: str) -> str | None:
    """How a cleaned name is spelled: one of ``NAME_ORIGINS``; None where no name is known.

    It looks at letters, not at people: ``transliterated`` names come, as far as spelling shows,
    from another alphabet, where one name is written in several ways; ``common_local`` ones are in
    this project's lists of common names of the country or end as its place names do. It tells
    whether linkage works alike for names of all spellings, and is wrong about many a person.
    """
    words = [word for word in (*first_name.split(), *surname.split()) if word]
    if not words:
        return None
    whole = (first_name, surname)
    if any(word in _OTHER_ALPHABETS for word in words) or any(map(_SPELLED_OVER.search, whole)):
        return TRANSLITERATED
    family = surname.split()
    local = any(word in _LOCAL_FAMILY or _LOCAL_ENDING.match(word) for word in family)
    if local or (first_name.split()[:1] or [""])[0] in _LOCAL_GIVEN:
        return COMMON_LOCAL
    return OTHER_LATIN
