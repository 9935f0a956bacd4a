// Codes and names that the shape packages leave out, and seas, which no package here has.

/** State FIPS code → postal code, the second half of ISO 3166-2. */
export const STATES = {
  "01": "AL", "02": "AK", "04": "AZ", "05": "AR", "06": "CA", "08": "CO", "09": "CT", "10": "DE",
  "11": "DC", "12": "FL", "13": "GA", "15": "HI", "16": "ID", "17": "IL", "18": "IN", "19": "IA",
  "20": "KS", "21": "KY", "22": "LA", "23": "ME", "24": "MD", "25": "MA", "26": "MI", "27": "MN",
  "28": "MS", "29": "MO", "30": "MT", "31": "NE", "32": "NV", "33": "NH", "34": "NJ", "35": "NM",
  "36": "NY", "37": "NC", "38": "ND", "39": "OH", "40": "OK", "41": "OR", "42": "PA", "44": "RI",
  "45": "SC", "46": "SD", "47": "TN", "48": "TX", "49": "UT", "50": "VT", "51": "VA", "53": "WA",
  "54": "WV", "55": "WI", "56": "WY", "60": "AS", "66": "GU", "69": "MP", "72": "PR", "78": "VI",
};

const BRAZIL = {
  AC: "Acre", AL: "Alagoas", AM: "Amazonas", AP: "Amapá", BA: "Bahia", CE: "Ceará",
  DF: "Distrito Federal", ES: "Espírito Santo", GO: "Goiás", MA: "Maranhão", MG: "Minas Gerais",
  MS: "Mato Grosso do Sul", MT: "Mato Grosso", PA: "Pará", PB: "Paraíba", PE: "Pernambuco",
  PI: "Piauí", PR: "Paraná", RJ: "Rio de Janeiro", RN: "Rio Grande do Norte", RO: "Rondônia",
  RR: "Roraima", RS: "Rio Grande do Sul", SC: "Santa Catarina", SE: "Sergipe", SP: "São Paulo",
  TO: "Tocantins",
};

const CANADA = {
  AB: "Alberta", BC: "British Columbia", MB: "Manitoba", NB: "New Brunswick",
  NL: "Newfoundland and Labrador", NS: "Nova Scotia", NT: "Northwest Territories", NU: "Nunavut",
  ON: "Ontario", PE: "Prince Edward Island", QC: "Quebec", SK: "Saskatchewan", YT: "Yukon",
};

const own = (names) => Object.fromEntries(Object.entries(names).map(([id, name]) => [id, [id, name]]));

/** Country → id in the shape file → [second half of ISO 3166-2, name]. */
export const ABROAD = {
  CA: own(CANADA),
  BR: own(BRAZIL),
  AU: {
    WA: ["WA", "Western Australia"],
    NT: ["NT", "Northern Territory"],
    SA: ["SA", "South Australia"],
    QL: ["QLD", "Queensland"],
    TS: ["TAS", "Tasmania"],
    VI: ["VIC", "Victoria"],
    NS: ["NSW", "New South Wales"],
    CT: ["ACT", "Australian Capital Territory"],
    JB: ["ACT", "Australian Capital Territory"], // Jervis Bay: no code of its own
  },
};

/** Seas: [name, longitude, latitude, importance (0 oceans first), zoom from which it is named]. */
export const SEAS = [
  ["Pacific Ocean", -140, 5, 0, 1],
  ["Pacific Ocean", 165, 30, 0, 2],
  ["Atlantic Ocean", -38, 32, 0, 1],
  ["Atlantic Ocean", -18, -22, 0, 2],
  ["Indian Ocean", 78, -24, 0, 1],
  ["Arctic Ocean", -5, 81, 0, 2],
  ["Southern Ocean", 90, -59, 0, 2],
  ["Gulf of Mexico", -90.5, 25, 1, 3],
  ["Caribbean Sea", -75.5, 14.8, 1, 3],
  ["Hudson Bay", -85.5, 60, 1, 3],
  ["Labrador Sea", -53, 58.5, 1, 3],
  ["Gulf of Alaska", -145, 57, 1, 3],
  ["Bering Sea", -178, 58, 1, 3],
  ["Mediterranean Sea", 18.2, 34.6, 1, 3],
  ["Black Sea", 34, 43.3, 2, 4],
  ["North Sea", 3, 56.3, 1, 3],
  ["Norwegian Sea", 3, 67.5, 1, 3],
  ["Barents Sea", 40, 74, 1, 3],
  ["Baltic Sea", 19.3, 57.6, 2, 4],
  ["Caspian Sea", 50.6, 41.8, 2, 4],
  ["Bay of Biscay", -4.5, 45.3, 2, 4],
  ["Red Sea", 38.2, 20.4, 2, 4],
  ["Arabian Sea", 64, 15, 1, 3],
  ["Bay of Bengal", 88.5, 14.5, 1, 3],
  ["South China Sea", 114, 14, 1, 3],
  ["East China Sea", 125, 29, 2, 4],
  ["Philippine Sea", 134, 19, 1, 3],
  ["Sea of Japan", 134.5, 40, 2, 4],
  ["Sea of Okhotsk", 150, 54.5, 1, 3],
  ["Coral Sea", 156, -17, 1, 3],
  ["Tasman Sea", 160, -38, 1, 3],
  ["Great Australian Bight", 130, -34.5, 2, 4],
  ["Gulf of Guinea", 2, 1.5, 2, 4],
  ["Weddell Sea", -45, -72, 2, 4],
];
