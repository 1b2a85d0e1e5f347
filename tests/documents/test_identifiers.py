"""Identifiers against numbers that others published or use, and against a second way to compute each check digit."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.documents.identifiers import CHECK_DIGIT, IDENTIFIERS, SHAPE
from gateway.errors import Severity

# Each with where it is published or in use.
GOOD = {
    "container": ["CSQU3054383", "MSKU9070323"],  # the worked example of ISO 6346; a container seen in public samples
    "cn-usci": ["91330100799655058B", "914403001922038216"],  # registers: Alibaba (China), Huawei
    "cn-organisation": ["799655058", "192203821"],  # characters 9 to 17 of the codes above are organisation codes
    "cn-customs": ["1501960004"],
    "cn-ciq": ["1500600123"],
    "cn-ic-card": ["8930000012345"],
    "cn-declaration-number": ["070220231000000001"],
    "cn-seq-no": ["I20230000000000001", "Z20180000000000001"],
    "cn-dxp": ["DXPENT0000012345", "DXPEDCDEC0000001", "EPORT"],
    "plate": ["蒙H12345", "1234УНА", "А123ВС 75"],
    "vin": ["LFV2A21K7A3123456"],
    "wagon-1520": ["97835334", "61586830"],
    "wagon-uic": ["338849610583", "372006360831"],
    "wagon": ["338849610583", "97835334", "1623456"],
    "air-waybill": ["057-12345675", "78496228300"],
    "iban": ["GB82WEST12345698765432", "DE89370400440532013000", "KZ86125KZT5004100100", "NO9386011117947"],  # the examples of the ISO 13616 registry
    "mrn": ["21DE330243450436E8", "19GBCKKCQSXV2FGVA8"],  # public samples of declarations
    "eori": ["GB427168118378", "DE1234567"],
    "aeo": ["SG123456789012", "AEOCN0123456789"],  # examples of GACC
    "aeo-cn": ["AEOCN0123456789", "CN0123456789"],
    "tir-carnet": ["XA12345678"],
    "imo-number": ["9074729", "IMO9074729"],  # the worked example of the IMO scheme
    "un-locode": ["CNERC", "CNMLX"],
    "postal-item": ["RR473124829GB", "EE043419259CN"],
    "lei": ["5299G802DVAY2QCN6D88"],
    "gln": ["4006381333931"],
    "duns": ["150483782"],
    "ru-inn": ["7707083893", "500100732259"],  # Sberbank; the worked example for twelve digits
    "ru-ogrn": ["1027700132195"],  # Sberbank
    "kz-bin": ["020540003431"],
}  # fmt: skip
VECTORS = {
    "uic_wagon_12": "wagon-uic", "cis_wagon_8": "wagon-1520", "iso6346": "container", "awb": "air-waybill",
    "upu_s10": "postal-item", "iban_mod97": "iban", "lei_mod97": "lei", "uscc_gb32100": "cn-usci",
}  # fmt: skip


def test_every_identifier_has_a_good_example_here() -> None:
    assert set(GOOD) == set(IDENTIFIERS)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_a_good_identifier_has_no_fault(name: str, value: Any) -> None:
    assert IDENTIFIERS[name].check(value) is None


# Each with what is wrong with it.
BAD: dict[str, dict[str, str]] = {
    "container": {"CSQU3054384": CHECK_DIGIT, "CSQ3054383": SHAPE, "CSQX3054383": SHAPE, "csqu3054383": SHAPE},
    "wagon": {"338849610584": CHECK_DIGIT, "97835335": CHECK_DIGIT, "978353341": SHAPE},
    "air-waybill": {"057-12345676": CHECK_DIGIT, "057 12345675": SHAPE, "57-12345675": SHAPE},
    "cn-usci": {"91330100799655058A": CHECK_DIGIT, "9133010079965505OB": SHAPE, "91330100799655058": SHAPE},
    "tir-carnet": {"12345678": SHAPE, "XA1234567": SHAPE, "xa12345678": SHAPE},
    "iban": {
        "GB82WEST12345698765433": CHECK_DIGIT,
        "DE8937040044053201300": SHAPE,  # 21 characters, Germany has 22
        "KZ86125KZT50041001000": SHAPE,
        "GB8WEST12345698765432": SHAPE,
    },
    "mrn": {"21DE330243450436E9": CHECK_DIGIT, "21DE330243450436E": SHAPE, "DE21330243450436E8": SHAPE},
    "aeo": {"SG12345678901": SHAPE, "MO12345678": SHAPE, "AEOCN012345678": SHAPE, "1501960004": SHAPE},
    "aeo-cn": {"AEOCN012345678": SHAPE, "AEOSG0123456789": SHAPE},
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_identifier_is_a_fault_of_its_kind(name: str, value: Any) -> None:
    fault = IDENTIFIERS[name].check(value)
    assert fault is not None
    assert fault.code == BAD[name][value]


@pytest.mark.parametrize("digits", ["00", "01", "99"])
def test_an_iban_has_no_check_digits_that_only_leave_the_right_remainder(digits: str) -> None:
    """99 leaves the remainder of 02, 01 that of 98, 00 that of 97."""
    twin = {"00": "97", "01": "98", "99": "02"}[digits]
    number = next(
        body
        for body in (f"WEST{count:014d}" for count in range(1000))
        if IDENTIFIERS["iban"].check(f"GB{twin}{body}") is None
    )
    fault = IDENTIFIERS["iban"].check(f"GB{digits}{number}")
    assert fault is not None
    assert fault.code == CHECK_DIGIT


def test_codes_of_authorised_operators_fit_the_forms_that_are_kept(reference: Path) -> None:
    rows = csv.DictReader((reference / "customs-intl/aeo/aeo_code_formats.csv").read_text("utf-8").splitlines())
    forms = {row["issuer"].split()[0]: row["regex"] for row in rows if row["regex"]}
    for issuer, value in {"SG": "SG123456789012", "MO": "MO123456789", "MN": "MN12345", "CN": "CN0123456789"}.items():
        assert re.fullmatch(forms[issuer], value), issuer
        assert IDENTIFIERS["aeo"].check(value) is None


@pytest.mark.parametrize("name", IDENTIFIERS)
@given(junk=st.text(max_size=40))
def test_no_text_raises_and_an_odd_one_is_a_fault(name: str, junk: Any) -> None:
    fault = IDENTIFIERS[name].check(junk)
    assert fault is None or (fault.code in {SHAPE, CHECK_DIGIT} and fault.expected)


@pytest.mark.parametrize("name", [name for name, identifier in IDENTIFIERS.items() if identifier.check_digit])
def test_every_slip_of_the_last_key_is_found(name: str) -> None:
    value = GOOD[name][0]
    place = max(match.start() for match in re.finditer("[0-9]", value)) if name != "cn-usci" else len(value) - 1
    if name == "postal-item":
        place = 10
    slips = [value[:place] + digit + value[place + 1 :] for digit in "0123456789" if digit != value[place]]
    assert all((fault := IDENTIFIERS[name].check(slip)) and fault.code == CHECK_DIGIT for slip in slips)


@pytest.mark.parametrize("group", VECTORS)
def test_the_kept_vectors_pass_and_fail_as_they_say(reference: Path, group: str) -> None:
    vectors = json.loads((reference / "partners/rail/check_digit_vectors.json").read_text())[group]
    identifier = IDENTIFIERS[VECTORS[group]]
    assert [value for value in vectors["valid"] if identifier.check(value)] == []
    assert [value for value in vectors["invalid"] if not identifier.check(value)] == []


def test_movement_reference_numbers_of_public_british_samples_stop_nothing(reference: Path) -> None:
    samples = (reference / "customs-intl/wco-dm/samples").rglob("*.xml")
    numbers = {
        n
        for file in samples
        for n in re.findall(r">([0-9]{2}GB[A-Z0-9]{13}[0-9])<", file.read_text("utf-8", "replace"))
    }
    assert numbers
    faults = [IDENTIFIERS["mrn"].check(number) for number in numbers]
    assert all(fault is None or fault.severity is Severity.WARNING for fault in faults)
    assert sum(fault is None for fault in faults) > len(faults) / 2


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17))
def test_a_social_credit_code_is_divisible_by_31_when_its_sum_is_taken_whole(head: str) -> None:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    accepted = [last for last in alphabet if IDENTIFIERS["cn-usci"].check(head + last) is None]
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28, 1)  # the table printed in GB 32100-2015
    sums = [sum(alphabet.index(c) * w for c, w in zip(head + last, weights, strict=True)) for last in accepted]
    assert [total % 31 for total in sums] == [0]


@given(st.from_regex(r"[A-Z]{3}U[0-9]{6}", fullmatch=True))
def test_a_container_digit_agrees_with_the_table_of_letter_values(head: str) -> None:
    table = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", (
        10, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 34, 35, 36, 37, 38,
    ), strict=True))  # fmt: skip
    total = sum((table[c] if c in table else int(c)) * 2**place for place, c in enumerate(head))
    expected = total - (total // 11) * 11
    accepted = [digit for digit in "0123456789" if IDENTIFIERS["container"].check(head + digit) is None]
    assert accepted == [str(expected)[-1]]


@given(st.from_regex(r"[0-9]{11}", fullmatch=True))
def test_a_uic_wagon_number_passes_the_luhn_sum(head: str) -> None:
    def luhn(number: str) -> bool:
        doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(number))]
        return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0

    accepted = [digit for digit in "0123456789" if IDENTIFIERS["wagon-uic"].check(head + digit) is None]
    assert [luhn(head + digit) for digit in accepted] == [True]


def test_a_fault_says_what_the_ending_should_be() -> None:
    fault = IDENTIFIERS["cn-usci"].check("91150135MA92563410")
    assert fault is not None
    assert (fault.found, fault.expected, fault.severity) == ("91150135MA92563410", "…5", Severity.ERROR)
