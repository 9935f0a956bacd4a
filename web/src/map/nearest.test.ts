import { describe, expect, it } from "vitest";
import type { AreaRow } from "../api/types";
import { nearestRow } from "./nearest";

const row = (id: string, lat: number | null, lon: number | null) => ({ id, lat, lon }) as AreaRow;
const ROWS = [
  row("boston", 42.36, -71.06),
  row("suva", -18.14, 178.44),
  row("nowhere", null, null),
];

describe("the nearest row", () => {
  it("is found within reach of the pointer", () => {
    expect(nearestRow(ROWS, { lng: -71.1, lat: 42.4 }, 6)?.id).toBe("boston");
  });

  it("is none where the pointer is further away than a finger's width", () => {
    expect(nearestRow(ROWS, { lng: -71.1, lat: 42.4 }, 12)).toBeNull();
  });

  it("is found across the date line", () => {
    expect(nearestRow(ROWS, { lng: -179.5, lat: -18 }, 2)?.id).toBe("suva");
  });
});
