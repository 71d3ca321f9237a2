"""What a locale decides: the decimal sign, the order of day and month, the country of a phone number.

Source: CLDR's likely subtags, number symbols and date patterns, for the languages that people here speak to us in.
"""

#: Languages that write 1.200,50 (or 1 200,50).
_DECIMAL_COMMA = frozenset((
    "af", "az", "be", "bg", "bs", "ca", "cs", "da", "de", "el", "es", "et", "eu", "fi", "fr", "gl", "hr", "hu",
    "hy", "id", "is", "it", "ka", "kk", "ky", "lt", "lv", "mk", "nb", "nl", "nn", "no", "pl", "pt", "ro", "ru",
    "sk", "sl", "sq", "sr", "sv", "tr", "uk", "uz", "vi",
))  # fmt: skip
#: Regions that write 1,200.50 although their language has it otherwise, and the other way round.
_DECIMAL_POINT_IN = frozenset((
    "es-MX", "es-US", "es-GT", "es-HN", "es-NI", "es-PA", "es-PE", "es-PR", "es-SV", "es-DO", "de-CH", "de-LI",
    "it-CH",
))  # fmt: skip
_DECIMAL_COMMA_IN = frozenset(("en-ZA",))

#: The month comes before the day.
_MONTH_FIRST = frozenset((
    "US", "PH", "PW", "FM", "GU", "AS", "VI", "UM",
))  # fmt: skip

#: Where a language is most likely spoken; for the others the region is the language's own code.
_HOME = {
    "en": "US", "ar": "EG", "be": "BY", "bs": "BA", "ca": "ES", "cs": "CZ", "da": "DK", "el": "GR", "et": "EE",
    "eu": "ES", "fa": "IR", "gl": "ES", "he": "IL", "hi": "IN", "hy": "AM", "ja": "JP", "ka": "GE", "kk": "KZ",
    "ko": "KR", "nb": "NO", "nn": "NO", "pt": "BR", "sl": "SI", "sq": "AL", "sr": "RS", "sv": "SE", "uk": "UA",
    "vi": "VN", "zh": "CN",
}  # fmt: skip


def language(locale: str) -> str:
    """`de` of `de-CH`."""
    return locale.replace("_", "-").split("-")[0].lower()


def region(locale: str) -> str:
    """`CH` of `de-CH`; the likely one where the locale names none."""
    for part in locale.replace("_", "-").split("-")[1:]:
        if len(part) == 2 and part.isalpha():
            return part.upper()
    spoken = language(locale)
    return _HOME.get(spoken, spoken.upper())


def names_region(locale: str) -> bool:
    """Whether the region is said, not guessed."""
    return any(len(part) == 2 for part in locale.replace("_", "-").split("-")[1:])


def decimal_comma(locale: str) -> bool:
    """Whether 1,5 is one and a half."""
    both = f"{language(locale)}-{region(locale)}"
    return both in _DECIMAL_COMMA_IN or (language(locale) in _DECIMAL_COMMA and both not in _DECIMAL_POINT_IN)


def month_first(locale: str) -> bool:
    """Whether 3/4 is the fourth of March."""
    return language(locale) == "en" and region(locale) in _MONTH_FIRST
