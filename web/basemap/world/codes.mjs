// Which of the address database's first-level regions each Natural Earth shape belongs to. Natural
// Earth has departments where GeoLite2 has regions (France), codes since given up (Poland, Iran),
// and a few shapes under a neighbour's name (Guyana). Checked against where the database's own
// places lie: see README.md.
import { MERGED } from "./merged.mjs";

const letterOf = (letters) => (p) => letters[p.region] ?? letters[p.name];
const after = (mark) => (p) => p.region_cod?.split(mark)[1];

const SPAIN = {
  Andalucía: "AN",
  Aragón: "AR",
  Asturias: "AS",
  "Canary Is.": "CN",
  Canarias: "CN",
  Cantabria: "CB",
  "Castilla y León": "CL",
  "Castilla-La Mancha": "CM",
  Cataluña: "CT",
  Ceuta: "CE",
  Extremadura: "EX",
  "Foral de Navarra": "NC",
  Galicia: "GA",
  "Islas Baleares": "IB",
  "La Rioja": "RI",
  Madrid: "MD",
  Melilla: "ML",
  Murcia: "MC",
  "País Vasco": "PV",
  Valenciana: "VC",
};
const ULSTER = ["DL", "CN", "MN"];
const CONNACHT = ["LM", "G", "MO", "SO", "RN"];
const MUNSTER = ["WD", "CO", "KY", "LK", "CE", "TA"];
const CHITIPA_AND_KARONGA = "MW-CT"; // both under one code, without a region
const BURKINA_FASO = {
  "Boucle du Mouhoun": "01",
  Cascades: "02",
  Centre: "03",
  "Centre-Est": "04",
  "Centre-Nord": "05",
  "Centre-Ouest": "06",
  "Centre-Sud": "07",
  Est: "08",
  "Hauts-Bassins": "09",
  Nord: "10",
  "Plateau-Central": "11",
  Sahel: "12",
  "Sud-Ouest": "13",
};

/** Country → the region's half of the code, from a shape's properties; undefined: no region. */
const PARENTS = {
  BE: (p) => ({ V: "VLG", W: "WAL", B: "BRU" })[p.iso_3166_2[3]],
  BF: letterOf(BURKINA_FASO),
  ES: letterOf(SPAIN),
  // Corsica's code has changed; overseas departments are countries of their own in the database.
  FR: (p) => (p.geonunit === "France" ? after("-")(p).replace(/^COR$/, "20R") : undefined),
  GB: (p) =>
    ({ England: "ENG", Scotland: "SCT", Wales: "WLS", "Northern Ireland": "NIR" })[p.geonunit],
  GN: after("."),
  IE: ({ iso_3166_2: code }) => {
    const county = code.slice(3);
    if (ULSTER.includes(county)) return "U";
    if (CONNACHT.includes(county)) return "C";
    return MUNSTER.includes(county) ? "M" : "L";
  },
  IT: after("-"),
  LK: after("-"),
  MW: (p) =>
    p.iso_3166_2 === CHITIPA_AND_KARONGA ? "N" : ({ Northern: "N", Central: "C" }[p.region] ?? "S"),
  PH: after("-"),
  UG: letterOf({ Central: "C", Eastern: "E", Northern: "N", Western: "W" }),
};

/** Shapes of which the code says too little or the wrong thing, by their `adm1_code`. */
const SHAPES = {
  "BIH-3153": "BA-BIH", // Posavina
  "COL-1399": "CO-DC",
  "ECU-1289": "EC-T",
  "ECU-1290": "EC-N",
  "ERI-1561": "ER-MA",
  "ERI-1562": "ER-SK",
  "ERI-1563": "ER-AN",
  "ERI-1564": "ER-DU",
  "GUY-671": "GY-EB",
  "GUY-673": "GY-UD",
  "GUY-674": "GY-UT",
  "GUY-676": "GY-CU",
  "GUY-677": "GY-DE",
  "GUY-678": "GY-ES",
  "GUY-679": "GY-MA",
  "GUY-680": "GY-PM",
  "IRN-3216": "IR-23",
  "IRN-5490": "IR-30",
  "KAB+00?": "KZ-43", // Baikonur
  "KAZ-4829": "KZ-75",
  "LAO-3283": "LA-VT",
  "LVA-1066": "LV-077",
  "LVA-1081": "LV-111",
  "LVA-1084": "LV-041",
  "LVA-934": "LV-106",
  "MDV-5234": "MV-MLE",
  "MOZ-5854": "MZ-MPM",
  "NLD-5147": "BQ-SA",
  "NLD-5148": "BQ-SE",
  "NLD-5149": "BQ-BO",
  "NOR-901": "SJ-21",
  "PER-587": "PE-LMA",
  "RUS-2364": "RU-MOS",
  "RUS-2365": "RU-MOW",
  "SLB-3507": "SB-WE",
  "SDN-5857": "SD-DE",
  "SDN-5859": "SD-DC",
  "VNM-499": "VN-73",
  "VNM-505": "VN-CT",
  "AUS-1932": "AU-ACT", // Jervis Bay
};

// Codes that no longer stand for anything: what came after was cut along other lines.
const GONE = /^(KE-\d00|KE-110|CD-(BN|EQ|KA|KE|KW|OR)|LU-[DGL]|PS-(GZZ|WBK)|GH-BA|NA-OK)$/;

const bySource = new Map(
  Object.entries(MERGED).flatMap(([country, regions]) =>
    regions
      .trim()
      .split(/\s+/)
      .flatMap((entry) => {
        const [region, shapes] = entry.split("=");
        return shapes.split("+").map((shape) => [`${country}-${shape}`, `${country}-${region}`]);
      }),
  ),
);

/** The database's code for a Natural Earth shape ("FR-75" → "FR-IDF"), or null where it has none. */
export function regionCode(properties) {
  const { adm1_code: shape, iso_3166_2: code } = properties;
  if (SHAPES[shape]) return SHAPES[shape];
  const country = code.slice(0, 2);
  if (PARENTS[country]) {
    const region = PARENTS[country](properties);
    return region ? `${country}-${region}` : null;
  }
  const known = bySource.get(code) ?? code;
  return /^[A-Z]{2}-(?!X\d\d)[A-Z0-9]{1,3}$/.test(known) && !GONE.test(known) ? known : null;
}
