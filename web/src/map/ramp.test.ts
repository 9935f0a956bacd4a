import { describe, expect, it } from "vitest";
import { between, clicksAt, intensities, RAMP } from "./ramp";

const HEAT_MAX = Object.fromEntries(Array.from({ length: 15 }, (_, z) => [z, 10_000 / (z + 1)]));

describe("the heat ramp", () => {
  it.each(["light", "dark"] as const)(
    "has lightness that runs one way, and starts clear (%s)",
    (shade) => {
      const ramp = RAMP[shade];
      expect(ramp[0]![1]).toMatch(/, 0\)$/);
      const lightness = ramp.map(([, colour]) => luma(colour));
      const sorted = [...lightness].sort((a, b) => (shade === "light" ? b - a : a - b));
      expect(lightness).toEqual(sorted);
    },
  );

  it("turns heat down where a cell holds more", () => {
    const twice = Object.fromEntries(Object.entries(HEAT_MAX).map(([z, n]) => [z, n * 2]));
    expect(intensities(twice)[5]![1]).toBeCloseTo(intensities(HEAT_MAX)[5]![1] / 2);
  });

  it("tells the clicks behind a colour: twice the density, twice the clicks", () => {
    expect(clicksAt(0.5, HEAT_MAX, 3.4)).toBeCloseTo(clicksAt(1, HEAT_MAX, 3.4) / 2);
  });

  it("sums over neighbours: the same clicks spread over more cells glow no hotter", () => {
    const oneSpot = Object.fromEntries(Array.from({ length: 15 }, (_, z) => [z, 1_000]));
    const manySpots = Object.fromEntries(
      Array.from({ length: 15 }, (_, z) => [z, 1_000 / (z + 1)]),
    );
    const [lone, spread] = [oneSpot, manySpots].map((heatMax) => intensities(heatMax)[6]![1]);
    expect(spread! / lone!).toBeLessThan(7);
    expect(spread! / lone!).toBeGreaterThan(1);
  });

  it("survives a map without clicks", () => {
    expect(intensities({}).every(([, intensity]) => Number.isFinite(intensity))).toBe(true);
  });
});

describe("between", () => {
  it("interpolates inside and is flat outside", () => {
    const stops: [number, number][] = [
      [0, 10],
      [2, 20],
    ];
    expect([-1, 0, 1, 2, 9].map((x) => between(stops, x))).toEqual([10, 10, 15, 20, 20]);
  });
});

function luma(colour: string): number {
  const [r, g, b] = colour.match(/\d+/g)!.map(Number) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
