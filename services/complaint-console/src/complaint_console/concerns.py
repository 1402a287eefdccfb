"""What a complaint's text speaks of, told by its words, and which of an order's items it names.

Pure. The patterns are regular expressions of RE2 and of Python alike, any case; the agent's prompt holds the same ones. A
text is a stranger's: whatever it says, it only ever sets marks here.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Any


class Concern(StrEnum):
    """Something that a complaint can speak of; a text may speak of several."""

    LEGAL = "legal"
    HEALTH = "health"
    ABUSE = "abuse"
    BILLING = "billing"
    DELAY = "delay"
    MISSING = "missing"
    SPOILT = "spoilt"
    QUALITY = "quality"
    SERVICE = "service"
    PRAISE = "praise"
    QUESTION = "question"


#: No apostrophes: "didn.t" finds both kinds.
PATTERNS = {
    Concern.LEGAL: (
        r"\b(lawyers?|attorneys?|solicitors?|lawsuits?|litigation|legal (action|steps|advice|consequences)|(in|to|small claims) court"
        r"|sue|suing|consumer protection|health department|trading standards|food safety (agency|authority))\b"
    ),
    Concern.HEALTH: (
        r"\b(food.?poison\w*|poisoned|allerg\w+|anaphyla\w+|hospital\w*|emergency room|ambulance|doctors?|vomit\w*"
        r"|threw up|throwing up|diarrh?o?ea|fever|injur\w+|chok(ed|ing)|bleeding|nause\w+|stomach (ache|pain|cramps)"
        r"|(cut|burn(ed|t)|broke|chipped) (my|his|her|our) (mouth|lip|tongue|tooth|gum|throat|hand)s?)\b"
        r"|\b(got|get|getting|fell|made (me|us|my \w+)|am|was|were|is|been|feel(ing)?|felt) (\w+ly |so |very )?(sick|ill)"
        r"([.,;!?]|$| (all|after|from|since|for|the|and)\b)"
    ),
    Concern.ABUSE: (
        r"\b(idiots?|morons?|imbeciles?|scum|fuck\w*|shit\w*|bastards?|bitch\w*|assholes?|arseholes?|cunts?"
        r"|(kill|hurt|beat|punch|smash|burn down) (you|your|him|her|them|the driver|that driver)|watch your back)\b"
    ),
    Concern.BILLING: (
        r"\b((charged|billed|debited|paid) (me |us |my card )?(twice|double|two times|three times|again|too much|more than)"
        r"|double.?(charged?|billed)|overcharged?|(voucher|coupon|(promo|promotion|discount) code)s? (was|were|is|are|did|didn.t|does|doesn.t|has|could|would|not)|invoices?"
        r"|receipts? (is|was|shows) wrong|(on|to|from|off) my (credit |debit )?card|my (credit |debit |bank )?(card|account) was"
        r"|payments?|wrong (amount|price|total)|the tip|subscription)\b"
    ),
    Concern.DELAY: (
        r"\b(late|later than|delay(s|ed)?|slow(ly|er)?|overdue|wait(ed|ing)?|an eternity|took (so |too |very )?(long|ages|forever)"
        r"|too long|tak(e|es|ing) (so |too )?(long|ages|forever)|minutes? (after|behind)|hours? (after|until|behind)"
        r"|half a day|(take|took|taken) (over |about |more than |at least |almost |nearly )?([0-9]+|an|one|two|three) (minutes|hours?))\b"
    ),
    Concern.MISSING: (
        r"\b(missing|forgot(ten)?|left out|incomplete|without (the|my|our|any)|(not|wasn.t|weren.t|isn.t) (in the (bag|box)|included|there)"
        r"|(did not|didn.t|never) (get|got|receive[ds]?|come|came|arrive[ds]?)|there (was|were) no|where (is|are) (my|the|our)|absent"
        r"|no [\w ]{2,40} in the (bag|box)|only (got|received)|short of)\b"
    ),
    Concern.SPOILT: (
        r"\b(inedible|uneatable|undercooked|raw|mou?ldy?|rotten|rancid|spoil(ed|t) (meat|fish|food|milk)|gone off|hairs?|insects?|bugs?"
        r"|cockroach(es)?|fl(y|ies) in|worms?|maggots?|plastic|metal|(shard|piece|bit)s? of (glass|wood|bone)|foreign (object|body)"
        r"|pink (inside|in the middle)|nobody could eat)\b"
    ),
    Concern.QUALITY: (
        r"\b(cold|lukewarm|soggy|stale|bland|tasteless|burn(t|ed)|charred|overcooked|dry|greasy|oily|mushy|rubbery|watery|chewy|tough"
        r"|salty|too spicy|too sweet|spill(ed|t)|leak(ed|ing)|squashed|crushed|melted|disgusting|gross|awful taste|tasted|not fresh|wilted"
        r"|poor quality|(bad|disappointing|terrible|low) quality|unappetizing)\b"
    ),
    Concern.SERVICE: (
        r"\b(rude(ly|ness)?|unfriendly|impolite|unprofessional|arrogant|attitude|shout(ed|ing)|yell(ed|ing)|swore|hung up|ignored|refused to"
        r"|nobody (called|answered|picked up|helped|cared)|no one (called|answered|picked up|helped)|wrong (address|house|door|building|flat|apartment)"
        r"|(left|dumped|dropped|threw) (it|the (bag|food|order)|my (bag|food|order)|order \S+) (\w+ )?(on|at|in|outside|by|over)"
        r"|(customer )?(service|support) (was|is|team)|no service|handed over open|drove off|harass\w*|smelled of)\b"
    ),
    Concern.PRAISE: (
        r"\b(thank(s| you)|delicious|perfect(ly)?|wonderful|excellent|amazing|great|best|loved?|fantastic|well done|keep it up|no complaints?)\b"
    ),
    Concern.QUESTION: r"\?",
}

#: What stands around the id of an order where a text names it.
BEFORE_ID, BEHIND_ID = "(^|[^a-z0-9_-])", "($|[^a-z0-9_-])"

_COMPILED = {concern: re.compile(pattern, re.IGNORECASE | re.ASCII) for concern, pattern in PATTERNS.items()}
_SENTENCE = re.compile(r"[^.!?\n]+")
_PART = re.compile(r"[,;:]|\b(?:and|but|while)\b", re.IGNORECASE)
_OTHERWISE = frozenset({Concern.DELAY, Concern.SPOILT, Concern.QUALITY, Concern.PRAISE})
_CAME = re.compile(
    r"\b(came|arrived|(was|were) (there|fine|ok|okay|in the (bag|box))|made it|got delivered|was delivered|were delivered)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[a-z0-9]+")
_BRACKETS = re.compile(r"\([^)]*\)")
#: A dish is named by its last word alone only right behind one of these: "the burger" is no "veggie burger".
_POINTERS = frozenset({"the", "my", "our", "no", "a", "one"})
#: Letters of a last word that can stand for a dish.
_SHORTEST_NOUN = 4


def concerns_of(text: str) -> frozenset[Concern]:
    """Everything that a text speaks of."""
    return frozenset(concern for concern, pattern in _COMPILED.items() if pattern.search(text))


def names_order(text: str, order_id: str) -> bool:
    """Whether a text names this order by its id, which is letters, digits, hyphens and underscores."""
    return bool(re.search(f"{BEFORE_ID}{order_id}{BEHIND_ID}", text, re.IGNORECASE))


def said_missing(text: str, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items that a text names where it says that something is missing, or else anywhere."""
    sentences = [_lacking_parts(sentence) for sentence in _SENTENCE.findall(text) if _lacks(sentence)]
    return named(" . ".join(sentences), items) or named(text, items)


def named(text: str, items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The items (rows with a field `item`) that a text names, in full or by a last word that no other item shares."""
    words = _words(text)
    spoken = f" {' '.join(words)} "
    nouns = [_noun(row["item"]) for row in items]
    pointed = {word for before, word in pairwise(words) if before in _POINTERS}
    return [
        row
        for row, noun in zip(items, nouns, strict=True)
        if _in_full(row["item"], spoken) or (noun in pointed and nouns.count(noun) == 1)
    ]


def _lacks(text: str) -> bool:
    return bool(_COMPILED[Concern.MISSING].search(text))


def _lacking_parts(sentence: str) -> str:
    """A sentence without the parts that say something else of what they name: "the soup was cold", "the bread came"."""
    return " and ".join(part for part in _PART.split(sentence) if _lacks(part) or not _says_otherwise(part))


def _says_otherwise(part: str) -> bool:
    return bool(concerns_of(part) & _OTHERWISE or _CAME.search(part))


def _in_full(name: str, spoken: str) -> bool:
    words = _words(_BRACKETS.sub(" ", name)) or _words(name)
    return bool(words) and f" {' '.join(words)} " in spoken


def _noun(name: str) -> str:
    """The word of a name that can stand for it, the last one; empty where that would say little."""
    words = _words(_BRACKETS.sub(" ", name))
    return words[-1] if words and len(words[-1]) >= _SHORTEST_NOUN else ""


def _words(text: str) -> list[str]:
    """The words of a text in lower case, without plurals, apostrophes and "and"."""
    plain = text.casefold().replace("'", "").replace("’", "")
    return [word.rstrip("s") or word for word in _WORD.findall(plain) if word != "and"]
