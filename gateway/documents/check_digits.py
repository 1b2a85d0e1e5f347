"""Check digits: one small function an algorithm, each with the clause it comes from.

Each takes a text that already has the right shape and returns the ending that the text should have (most often one
character), or None where the text needs none. What the shapes are and how bad a wrong ending is: identifiers.py.
"""

from __future__ import annotations


def _letter_values() -> dict[str, int]:
    """ISO 6346 table: digits as they are, A = 10 and on, leaving out the multiples of 11."""
    numbers = [number for number in range(10, 39) if number % 11]
    return {
        **{digit: int(digit) for digit in "0123456789"},
        **dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", numbers, strict=True)),
    }


_ISO_6346 = _letter_values()
_USCI_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015 table 3: no I, O, S, V, Z
_USCI_VALUES = {character: value for value, character in enumerate(_USCI_ALPHABET)}
_BASE_36 = {character: int(character, 36) for character in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def container_digit(text: str) -> str:
    """ISO 6346:2022 annex A: values weighted 1, 2, 4 ... 512, sum modulo 11, 10 counts as 0."""
    return str(sum(_ISO_6346[character] << place for place, character in enumerate(text[:10])) % 11 % 10)


def mrn_digit(text: str) -> str:
    """The ISO 6346 sum over the first 17 characters; Implementing Regulation (EU) 2015/2447, annex B, on the MRN."""
    return str(sum(_ISO_6346[character] << place for place, character in enumerate(text[:17])) % 11 % 10)


def usci_digit(text: str) -> str:
    """GB 32100-2015, 4.5: values weighted 3^i modulo 31, the last makes the sum divisible by 31."""
    total = sum(_USCI_VALUES[character] * pow(3, place, 31) for place, character in enumerate(text[:17]))
    return _USCI_ALPHABET[-total % 31]


def organisation_digit(text: str) -> str:
    """GB 11714-1997: eight values weighted 3 7 9 10 5 8 4 2; 11 minus the remainder by 11, where 10 is X and 11 is 0."""
    total = sum(
        _BASE_36[character] * weight for character, weight in zip(text[:8], (3, 7, 9, 10, 5, 8, 4, 2), strict=True)
    )
    return "0123456789X0"[11 - total % 11]


def alternating_digit(text: str) -> str:
    """Weights 2 1 2 1 ... from the left over all but the last, digits of the products added, up to the next ten.

    UIC leaflet 438-2 for twelve-digit wagon numbers; eight-digit numbers on 1520 mm use the same sum.
    """
    total = sum(sum(divmod(int(digit) * (2 - place % 2), 10)) for place, digit in enumerate(text[:-1]))
    return str(-total % 10)


def wagon_digit(text: str) -> str | None:
    """Twelve digits (UIC) and eight (1520 mm) end in a check digit; the seven of a Chinese wagon do not."""
    return None if len(text) == 7 else alternating_digit(text)


def air_waybill_digit(text: str) -> str:
    """IATA Cargo Services Conference resolution 600a: the seven digits after the airline prefix modulo 7."""
    return str(int(text[-8:-1]) % 7)


def mod_97_digits(text: str) -> str:
    """ISO/IEC 7064 MOD 97-10 with the two check digits at the end (LEI, ISO 17442)."""
    return f"{98 - int(''.join(str(_BASE_36[character]) for character in text[:-2] + '00')) % 97:02d}"


def iban_whole(text: str) -> str:
    """ISO 13616: country and 00 moved to the end, letters as 10 to 35; 98 minus the remainder by 97 are the check digits.

    The whole number with these digits: 02 to 98, so that 00, 01 and 99, which leave the same remainder, do not pass.
    """
    digits = 98 - int("".join(str(_BASE_36[character]) for character in text[4:] + text[:2] + "00")) % 97
    return f"{text[:2]}{digits:02d}{text[4:]}"


def imo_digit(text: str) -> str:
    """IMO resolution A.1117(30): six digits weighted 7 to 2, the last digit of the sum."""
    digits = text[-7:-1]
    return str(sum(int(digit) * weight for digit, weight in zip(digits, range(7, 1, -1), strict=True)) % 10)


def gln_digit(text: str) -> str:
    """GS1 General Specifications 7.9: weights 3 and 1 by turns from the right, up to the next ten."""
    return str(-sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(text[:-1])) % 10)


def postal_item_digit(text: str) -> str | None:
    """UPU S10: eight digits weighted 8 6 4 2 3 5 9 7; 11 minus the remainder by 11, where 10 is 0 and 11 is 5."""
    total = sum(int(digit) * weight for digit, weight in zip(text[2:10], (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    return "0123456789"[(11 - total % 11) % 10] + text[11:] if total % 11 else "5" + text[11:]


def taxpayer_digits_ru(text: str) -> str:
    """INN: ten digits end in one check digit, twelve in two; weights of the Federal Tax Service, modulo 11 modulo 10."""
    weights = (3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8)

    def digit(head: str) -> str:
        return str(sum(int(d) * w for d, w in zip(head, weights[-len(head) :], strict=True)) % 11 % 10)

    if len(text) == 10:
        return digit(text[:9])
    tenth = digit(text[:10])
    return tenth + digit(text[:10] + tenth)


def registration_digit_ru(text: str) -> str:
    """OGRN (13) and OGRNIP (15): the number before the last digit modulo 11 or 13, last digit of that."""
    return str(int(text[:-1]) % (len(text) - 2) % 10)


def business_number_digit_kz(text: str) -> str | None:
    """BIN and IIN: weights 1 to 11 modulo 11; where that is 10, weights 3 to 11, 1, 2; a second 10 is never given out."""
    for weights in (tuple(range(1, 12)), (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)):
        rest = sum(int(digit) * weight for digit, weight in zip(text[:11], weights, strict=True)) % 11
        if rest < 10:
            return str(rest)
    return "(no such number)"
