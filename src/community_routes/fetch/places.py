"""Which extract of streets and which region of timetables an authority of England lies in."""

from __future__ import annotations

import difflib
import re

# Region of the bus timetables -> county of the street extracts -> its authorities (from April 2023). One that lies in two
# counties stands in both.
_AUTHORITIES: dict[str, dict[str, str]] = {
    "north_west": {
        "lancashire": "Blackburn with Darwen|Blackpool|Burnley|Chorley|Fylde|Hyndburn|Lancaster|Pendle|Preston|Ribble Valley"
        "|Rossendale|South Ribble|West Lancashire|Wyre",
        "greater-manchester": "Bolton|Bury|Manchester|Oldham|Rochdale|Salford|Stockport|Tameside|Trafford|Wigan",
        "merseyside": "Knowsley|Liverpool|Sefton|St. Helens|Wirral",
        "cheshire": "Cheshire East|Cheshire West and Chester|Halton|Warrington",
        "cumbria": "Cumberland|Westmorland and Furness",
    },
    "north_east": {
        "durham": "County Durham|Darlington|Hartlepool|Stockton-on-Tees",
        "north-yorkshire": "Middlesbrough|Redcar and Cleveland|Stockton-on-Tees",
        "northumberland": "Northumberland",
        "tyne-and-wear": "Gateshead|Newcastle upon Tyne|North Tyneside|South Tyneside|Sunderland",
    },
    "yorkshire": {
        "east-yorkshire-with-hull": "East Riding of Yorkshire|Kingston upon Hull, City of",
        "lincolnshire": "North East Lincolnshire|North Lincolnshire",
        "north-yorkshire": "North Yorkshire|York",
        "south-yorkshire": "Barnsley|Doncaster|Rotherham|Sheffield",
        "west-yorkshire": "Bradford|Calderdale|Kirklees|Leeds|Wakefield",
    },
    "east_midlands": {
        "derbyshire": "Amber Valley|Bolsover|Chesterfield|Derby|Derbyshire Dales|Erewash|High Peak|North East Derbyshire"
        "|South Derbyshire",
        "leicestershire": "Blaby|Charnwood|Harborough|Hinckley and Bosworth|Leicester|Melton|North West Leicestershire"
        "|Oadby and Wigston",
        "lincolnshire": "Boston|East Lindsey|Lincoln|North Kesteven|South Holland|South Kesteven|West Lindsey",
        "northamptonshire": "North Northamptonshire|West Northamptonshire",
        "nottinghamshire": "Ashfield|Bassetlaw|Broxtowe|Gedling|Mansfield|Newark and Sherwood|Nottingham|Rushcliffe",
        "rutland": "Rutland",
    },
    "west_midlands": {
        "herefordshire": "Herefordshire, County of",
        "shropshire": "Shropshire|Telford and Wrekin",
        "staffordshire": "Cannock Chase|East Staffordshire|Lichfield|Newcastle-under-Lyme|South Staffordshire|Stafford"
        "|Staffordshire Moorlands|Stoke-on-Trent|Tamworth",
        "warwickshire": "North Warwickshire|Nuneaton and Bedworth|Rugby|Stratford-on-Avon|Warwick",
        "west-midlands": "Birmingham|Coventry|Dudley|Sandwell|Solihull|Walsall|Wolverhampton",
        "worcestershire": "Bromsgrove|Malvern Hills|Redditch|Worcester|Wychavon|Wyre Forest",
    },
    "east_anglia": {
        "bedfordshire": "Bedford|Central Bedfordshire|Luton",
        "cambridgeshire": "Cambridge|East Cambridgeshire|Fenland|Huntingdonshire|Peterborough|South Cambridgeshire",
        "essex": "Basildon|Braintree|Brentwood|Castle Point|Chelmsford|Colchester|Epping Forest|Harlow|Maldon|Rochford"
        "|Southend-on-Sea|Tendring|Thurrock|Uttlesford",
        "hertfordshire": "Broxbourne|Dacorum|East Hertfordshire|Hertsmere|North Hertfordshire|St Albans|Stevenage"
        "|Three Rivers|Watford|Welwyn Hatfield",
        "norfolk": "Breckland|Broadland|Great Yarmouth|King's Lynn and West Norfolk|North Norfolk|Norwich|South Norfolk",
        "suffolk": "Babergh|East Suffolk|Ipswich|Mid Suffolk|West Suffolk",
    },
    "london": {
        "greater-london": "Barking and Dagenham|Barnet|Bexley|Brent|Bromley|Camden|City of London|Croydon|Ealing|Enfield"
        "|Greenwich|Hackney|Hammersmith and Fulham|Haringey|Harrow|Havering|Hillingdon|Hounslow|Islington"
        "|Kensington and Chelsea|Kingston upon Thames|Lambeth|Lewisham|Merton|Newham|Redbridge|Richmond upon Thames"
        "|Southwark|Sutton|Tower Hamlets|Waltham Forest|Wandsworth|Westminster",
    },
    "south_east": {
        "berkshire": "Bracknell Forest|Reading|Slough|West Berkshire|Windsor and Maidenhead|Wokingham",
        "buckinghamshire": "Buckinghamshire|Milton Keynes",
        "east-sussex": "Brighton and Hove|Eastbourne|Hastings|Lewes|Rother|Wealden",
        "hampshire": "Basingstoke and Deane|East Hampshire|Eastleigh|Fareham|Gosport|Hart|Havant|New Forest|Portsmouth"
        "|Rushmoor|Southampton|Test Valley|Winchester",
        "isle-of-wight": "Isle of Wight",
        "kent": "Ashford|Canterbury|Dartford|Dover|Folkestone and Hythe|Gravesham|Maidstone|Medway|Sevenoaks|Swale|Thanet"
        "|Tonbridge and Malling|Tunbridge Wells",
        "oxfordshire": "Cherwell|Oxford|South Oxfordshire|Vale of White Horse|West Oxfordshire",
        "surrey": "Elmbridge|Epsom and Ewell|Guildford|Mole Valley|Reigate and Banstead|Runnymede|Spelthorne|Surrey Heath"
        "|Tandridge|Waverley|Woking",
        "west-sussex": "Adur|Arun|Chichester|Crawley|Horsham|Mid Sussex|Worthing",
    },
    "south_west": {
        "bristol": "Bristol, City of",
        "cornwall": "Cornwall|Isles of Scilly",
        "devon": "East Devon|Exeter|Mid Devon|North Devon|Plymouth|South Hams|Teignbridge|Torbay|Torridge|West Devon",
        "dorset": "Bournemouth, Christchurch and Poole|Dorset",
        "gloucestershire": "Cheltenham|Cotswold|Forest of Dean|Gloucester|South Gloucestershire|Stroud|Tewkesbury",
        "somerset": "Bath and North East Somerset|North Somerset|Somerset",
        "wiltshire": "Swindon|Wiltshire",
    },
}

_WALES = (
    "Blaenau Gwent|Bridgend|Caerphilly|Cardiff|Carmarthenshire|Ceredigion|Conwy|Denbighshire|Flintshire|Gwynedd"
    "|Isle of Anglesey|Merthyr Tydfil|Monmouthshire|Neath Port Talbot|Newport|Pembrokeshire|Powys|Rhondda Cynon Taf|Swansea"
    "|Torfaen|Vale of Glamorgan|Wrexham"
)
_ELSEWHERE = {
    "Scotland": "Aberdeen City|Aberdeenshire|Angus|Argyll and Bute|City of Edinburgh|Clackmannanshire|Dumfries and Galloway"
    "|Dundee City|East Ayrshire|East Dunbartonshire|East Lothian|East Renfrewshire|Falkirk|Fife|Glasgow City|Highland"
    "|Inverclyde|Midlothian|Moray|Na h-Eileanan Siar|North Ayrshire|North Lanarkshire|Orkney Islands|Perth and Kinross"
    "|Renfrewshire|Scottish Borders|Shetland Islands|South Ayrshire|South Lanarkshire|Stirling|West Dunbartonshire"
    "|West Lothian",
    "Northern Ireland": "Antrim and Newtownabbey|Ards and North Down|Armagh City, Banbridge and Craigavon|Belfast"
    "|Causeway Coast and Glens|Derry City and Strabane|Fermanagh and Omagh|Lisburn and Castlereagh|Mid and East Antrim"
    "|Mid Ulster|Newry, Mourne and Down",
}
_CODE = re.compile(r"[EWSN]\d{8}")

REGIONS = (*sorted(_AUTHORITIES), "scotland", "wales")
COUNTIES = tuple(sorted({county for counties in _AUTHORITIES.values() for county in counties}))


def region_of(name: str) -> str:
    """The region of the bus timetables that an authority lies in, or nothing where it is not known."""
    for region, counties in _AUTHORITIES.items():
        if any(name in names.split("|") for names in counties.values()):
            return region
    return ""


def counties_of(name: str) -> tuple[str, ...]:
    """The counties of the street extracts that an authority lies in; none where it is not known."""
    return tuple(
        county for counties in _AUTHORITIES.values() for county, names in counties.items() if name in names.split("|")
    )


def known_name(text: str) -> str:
    """The name of an authority as it is written officially, whatever the case; the text itself where it is not known."""
    wanted = " ".join(text.split()).casefold()
    return next((name for name in _names() if name.casefold() == wanted), " ".join(text.split()))


def near_names(text: str) -> list[str]:
    """Names of authorities that look alike."""
    folded = {name.casefold(): name for name in _names()}
    wanted = " ".join(text.split()).casefold()
    inside = [name for key, name in folded.items() if len(wanted) > 3 and wanted in key]
    close = [folded[key] for key in difflib.get_close_matches(wanted, list(folded), n=3)]
    return list(dict.fromkeys([*inside, *close]))[:4]


def why_not_covered(text: str) -> str:
    """Why nothing can be fetched for a name or code, known without a connection; empty where nothing speaks against it.

    A code of England or Wales always passes, and so does a name that is like no other: the table of names is of one date.
    """
    wanted = " ".join(text.split())
    by_code = {"S": "Scotland", "N": "Northern Ireland"}
    if _CODE.fullmatch(wanted.upper()):
        country = by_code.get(wanted[0].upper(), "")
    elif known_name(wanted) in _names():
        return ""
    else:
        country = next((country for country, names in _ELSEWHERE.items() if _is_one_of(wanted, names.split("|"))), "")
    if country:
        return (
            f"{text!r} lies in {country}, and `fetch` covers England and Wales: download streets, timetables and areas by hand, "
            "and let `community-routes init` write the study"
        )
    near = near_names(wanted)
    if not near or _CODE.fullmatch(wanted.upper()):
        return ""
    return (
        f"no authority of England or Wales is called {text!r}; did you mean {' or '.join(near)}? Write its name as the Office "
        "for National Statistics does, or its code, such as E06000008"
    )


def _is_one_of(text: str, names: list[str]) -> bool:
    """Whether a text is a name, or words of one."""
    return any(re.search(rf"\b{re.escape(text.casefold())}\b", name.casefold()) for name in names)


def _names() -> list[str]:
    english = [name for counties in _AUTHORITIES.values() for names in counties.values() for name in names.split("|")]
    return [*english, *_WALES.split("|")]
