"""Countries as a panel may show them: by code in any case, or by name. The API's description does not say which.

The names are the Polish and English ones of Europe and of the countries that Polish shops commonly send to. A country
by another name counts as not shown.
"""

from __future__ import annotations

from typing import Any

_NAMES = """
AD Andora|Andorra
AE Zjednoczone Emiraty Arabskie|United Arab Emirates
AL Albania
AM Armenia
AR Argentyna|Argentina
AT Austria
AU Australia
AZ Azerbejdżan|Azerbaijan
BA Bośnia i Hercegowina|Bosnia and Herzegovina
BE Belgia|Belgium
BG Bułgaria|Bulgaria
BR Brazylia|Brazil
BY Białoruś|Belarus
CA Kanada|Canada
CH Szwajcaria|Switzerland
CL Chile
CN Chiny|Chińska Republika Ludowa|China
CY Cypr|Cyprus
CZ Czechy|Republika Czeska|Czechia|Czech Republic
DE Niemcy|Germany
DK Dania|Denmark
EE Estonia
EG Egipt|Egypt
ES Hiszpania|Spain
FI Finlandia|Finland
FO Wyspy Owcze|Faroe Islands
FR Francja|France
GB Wielka Brytania|Zjednoczone Królestwo|United Kingdom|Great Britain
GE Gruzja|Georgia
GI Gibraltar
GR Grecja|Greece
HK Hongkong|Hong Kong
HR Chorwacja|Croatia
HU Węgry|Hungary
IE Irlandia|Ireland
IL Izrael|Israel
IN Indie|India
IS Islandia|Iceland
IT Włochy|Italy
JP Japonia|Japan
KR Korea Południowa|Republika Korei|South Korea
KZ Kazachstan|Kazakhstan
LI Liechtenstein
LT Litwa|Lithuania
LU Luksemburg|Luxembourg
LV Łotwa|Latvia
MC Monako|Monaco
MD Mołdawia|Mołdowa|Moldova
ME Czarnogóra|Montenegro
MK Macedonia Północna|Macedonia|North Macedonia
MT Malta
MX Meksyk|Mexico
NL Holandia|Niderlandy|Netherlands|The Netherlands
NO Norwegia|Norway
NZ Nowa Zelandia|New Zealand
PL Polska|Poland
PT Portugalia|Portugal
RO Rumunia|Romania
RS Serbia
RU Rosja|Federacja Rosyjska|Russia
SA Arabia Saudyjska|Saudi Arabia
SE Szwecja|Sweden
SG Singapur|Singapore
SI Słowenia|Slovenia
SK Słowacja|Slovakia
SM San Marino
TH Tajlandia|Thailand
TR Turcja|Turkey|Türkiye
TW Tajwan|Taiwan
UA Ukraina|Ukraine
US Stany Zjednoczone|Stany Zjednoczone Ameryki|USA|United States|United States of America
VA Watykan|Vatican City
VN Wietnam|Vietnam
XK Kosowo|Kosovo
ZA Republika Południowej Afryki|RPA|South Africa
"""

_CODES = {
    name.casefold(): line[:2] for line in _NAMES.strip().splitlines() for name in line.partition(" ")[2].split("|")
}


_CODE_LETTERS = 2


def code(shown: Any) -> Any:
    """Return the code of a country shown by name, None for a name that is not known; all else is returned unchanged."""
    if not isinstance(shown, str):
        return shown
    word = " ".join(shown.split())
    return _CODES.get(word.casefold(), shown if len(word) <= _CODE_LETTERS else None)
