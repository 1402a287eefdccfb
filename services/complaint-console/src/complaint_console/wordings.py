"""Ways to put a complaint, for a writer without words of its own: sentences with places for the facts of an order.

Places: {ref} how the customer calls the order, {this} the same at the beginning of a sentence, {item} and {second}
dishes of it, {stranger} a dish that was not ordered, {location}, {placed} and {delivered} times of day, {minutes} from
one to the other.
"""

from collections.abc import Mapping

from complaint_console.complaint_mix import Category, Variant

_DELAY = (
    "I placed {ref} at {placed} and it only reached me at {delivered}. That is {minutes} minutes for a meal, far too late.",
    "Very slow delivery: {ref} took {minutes} minutes. The {item} was no longer worth waiting for.",
    "We waited {minutes} minutes for {ref}. Your site promised something quite different. Please look into this delay.",
    "{this} from {location} arrived late again. Placed {placed}, delivered {delivered}. What went wrong?",
    "Dinner was planned for half an hour after {placed}. The driver came at {delivered} with {ref}. Much too late!",
    "Why does a {item} take {minutes} minutes to get here? I am talking about {ref}. The delay spoilt our evening.",
    "Hello, {ref} was delayed. I was told it was on its way and it still took until {delivered}. I expect more.",
    "Late, late, late. I sat here for {minutes} minutes for {ref}, hungry, with two kids.",
    "The delivery of {ref} took forever: from {placed} to {delivered}. I would like something back for the wait.",
    "I ordered in my lunch break and got {ref} at {delivered}, {minutes} minutes after ordering. Too slow for me.",
)
_NEVER_THAT_SLOW = (
    "I waited more than two hours for {ref}! Nobody can tell me that this is normal. Far too late.",
    "{this} took an eternity, three hours at least. I want compensation for this delay.",
    "Your driver was over 90 minutes late with {ref}. Unacceptable slow delivery.",
    "It felt like half a day until {ref} came. Everybody else delivers faster. That was a terrible delay.",
)
_MISSING = (
    "The {item} was missing from {ref}. I paid for it and would like my money back.",
    "I opened the bag of {ref} and there was no {item}. Please fix this.",
    "You forgot the {item} in {ref}. The rest was fine.",
    "{this} came without the {item}. I checked twice, it is missing.",
    "Hi, {ref} is incomplete: the {item} is missing. It is on the receipt.",
    "Where is my {item}? It was not in the bag when {ref} was handed to me at {delivered}.",
    "The kitchen in {location} left out the {item} of {ref}. This is the second time something is missing.",
    "Everything arrived except the {item}. This is about {ref}. I would like the missing dish refunded.",
    "My daughter cried because the {item} was missing. {this} was delivered at {delivered}.",
    "No {item} in the box of {ref}. Please refund the missing item, I do not want it sent any more.",
)
_NEVER_ORDERED = (
    "The {stranger} was missing from {ref}. I want the money for it.",
    "I ordered {stranger} and did not get it with {ref}. It is missing and I was charged, I am sure.",
    "Where is the {stranger}? Not in the bag of {ref}. Missing!",
    "{this} came without the {stranger}. Please refund the missing dish.",
)
_FOOD = (
    "The {item} of {ref} was cold and soggy. Not what I expect.",
    "The {item} of {ref} tasted stale. I threw half of it away.",
    "{this}: the {item} was burnt on one side. Disappointing quality.",
    "The food of {ref} was lukewarm and the {item} far too salty.",
    "The {item} was overcooked and dry. I ordered it many times and it never was like in {ref}.",
    "Soggy, cold, bland: that was the {item} in {ref}.",
    "The {item} in {ref} was undercooked, raw in the middle. Nobody could eat that.",
    "There was mould on the {item} of {ref}. I am disgusted, the dish was mouldy.",
    "I found a hair and a piece of plastic in the {item}. {this} came from {location}.",
    "The {item} was inedible and went straight into the bin. {this} was delivered at {delivered}.",
)
_HARM = (
    "After eating the {item} of {ref} I was sick all night, it must have been food poisoning.",
    "I am allergic to nuts and said so. The {item} in {ref} had nuts in it, I had an allergic reaction.",
    "There was a shard of glass in the {item} of {ref}. I cut my mouth and had to see a doctor.",
    "My son had to go to hospital after the {item} of {ref}: vomiting and fever. What was in it?",
)
_SERVICE = (
    "Your driver was rude when he brought {ref}. He did not even say hello.",
    "The courier left {ref} on the street in the rain and drove off. That is no service.",
    "I called {location} three times about {ref} and nobody picked up.",
    "The driver refused to come up to the door with {ref}. I had to walk down and search for him.",
    "Your support was unfriendly when I asked about {ref}. I was hung up on.",
    "The driver of {ref} rang at the wrong house and shouted at my neighbour.",
    "{this}: the bag was handed over open and the driver was on the phone all the time. Unprofessional service.",
    "I asked for a call on arrival with {ref}. Nobody called. The note was ignored again by your staff.",
)
_BILLING = (
    "I was charged twice for {ref}. Please check my card.",
    "My voucher was not taken off the bill of {ref}.",
    "The amount on my card is not what {ref} said at checkout. Please send me an invoice.",
    "I need a proper invoice for {ref} for my company.",
)
_VAGUE = (
    "Not happy. Do something about it.",
    "This was not good at all, I mean {ref}.",
    "I expected more. You know what I mean.",
    "Never again. {this} was the last one.",
)
_QUESTION = (
    "Do you have gluten free dishes in {location}? Asking because of {ref}, which was fine.",
    "How do I change my address for the next time? {this} came to the old one, my mistake.",
    "Can I order the {item} without onions next time? Just a question about {ref}.",
    "Until when does {location} deliver on Sundays?",
)
_PRAISE = (
    "No complaint at all: {ref} was delicious, above all the {item}. Thank you!",
    "Best {item} in {location}. {this} was perfect, tell the kitchen.",
    "Just wanted to say thanks for {ref}. Great driver, great food.",
    "{this} was wonderful as always. Keep it up!",
)

#: How complaints of a category are put, as a rule.
WORDINGS: Mapping[Category, tuple[str, ...]] = {
    Category.DELIVERY_DELAY: _DELAY,
    Category.MISSING_ITEMS: _MISSING,
    Category.FOOD_QUALITY: _FOOD,
    Category.SERVICE_ISSUE: _SERVICE,
    Category.OTHER: _BILLING,
}

#: How they are put instead when something is special about them.
OF_THEIR_OWN: Mapping[tuple[Category, Variant], tuple[str, ...]] = {
    (Category.DELIVERY_DELAY, Variant.UNFOUNDED): _NEVER_THAT_SLOW,
    (Category.MISSING_ITEMS, Variant.UNFOUNDED): _NEVER_ORDERED,
    (Category.FOOD_QUALITY, Variant.HEALTH): _HARM,
    (Category.OTHER, Variant.VAGUE): _VAGUE,
    (Category.OTHER, Variant.QUESTION): _QUESTION,
    (Category.OTHER, Variant.PRAISE): _PRAISE,
}

#: What is said after the rest.
LAST_WORDS: Mapping[Variant, tuple[str, ...]] = {
    Variant.LEGAL: (
        "My lawyer will contact you.",
        "I am going to sue you if I hear nothing by Friday.",
        "I will report this to consumer protection and take legal action.",
    ),
    Variant.ABUSE: (
        "You are all idiots.",
        "Useless morons, the whole lot of you.",
        "I will come by and smash your windows.",
    ),
}

#: The second trouble of a complaint of several.
SECOND_TROUBLES: Mapping[Category, tuple[str, ...]] = {
    Category.DELIVERY_DELAY: (
        "On top of that the {item} was missing.",
        "And the {item} was stone cold by then.",
    ),
    Category.MISSING_ITEMS: ("And it took {minutes} minutes, far too late.", "The {second} was cold, too."),
    Category.FOOD_QUALITY: (
        "And the delivery was late: {minutes} minutes.",
        "The {second} was missing as well.",
    ),
    Category.SERVICE_ISSUE: ("And the {item} was cold.", "It was also late, {minutes} minutes."),
}
