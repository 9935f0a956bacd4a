import type { ExpressionSpecification } from "maplibre-gl";
import type { Measure } from "../state/address";
import type { Tint } from "./layers";
import { colourExpression, FAINT, FEW, inkOn, UNKNOWN, type Stops } from "./scale";

const CLICKS: ExpressionSpecification = ["get", "clicks"];
const RESIDENTS: ExpressionSpecification = ["coalesce", ["get", "residents"], 0];
// The tiles hold hundredths of clicks.
const EXPECTED: ExpressionSpecification = ["/", ["coalesce", ["get", "expected"], 0], 100];

/** Bubbles coloured by rate or index; faint where too few clicks were counted and expected to say. */
export function tintOf(measure: Exclude<Measure, "clicks">, stops: Stops): Tint {
  const below = measure === "rate" ? RESIDENTS : EXPECTED;
  const value: ExpressionSpecification = [
    "/",
    ["*", CLICKS, measure === "rate" ? 10_000 : 100],
    ["max", below, 0.01],
  ];
  const known: ExpressionSpecification = [">", below, 0];
  const faint: ExpressionSpecification = [
    "any",
    ["!", known],
    ["<", ["max", CLICKS, EXPECTED], FEW],
  ];
  return {
    colour: ["case", known, colourExpression(value, stops), UNKNOWN] as ExpressionSpecification,
    opacity: ["case", faint, FAINT, 0.95],
    ink: ["case", faint, inkOnMap(stops), inkExpression(value, stops)] as ExpressionSpecification,
  };
}

// On a faint bubble the count stands on the map itself.
function inkOnMap(stops: Stops): string {
  return stops.length && inkOn(stops[0]![1]) === "#ffffff" ? "#ffffff" : "#231208";
}

function inkExpression(value: ExpressionSpecification, stops: Stops): ExpressionSpecification {
  const steps: (string | number)[] = [];
  let last = "";
  stops.forEach(([at, colour], i) => {
    const ink = inkOn(colour);
    if (ink !== last) steps.push(...(i ? [(at + stops[i - 1]![0]) / 2, ink] : [ink]));
    last = ink;
  });
  return ["step", value, ...steps] as unknown as ExpressionSpecification;
}
