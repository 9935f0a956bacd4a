import { expect, it } from "vitest";
import { RAMP } from "../map/ramp";
import { texels } from "./glow";
import { colourOf, neighbour, weekdays } from "./hours";

it("colours the least with the ramp's first colour, the most with its last", () => {
  expect(colourOf(0, RAMP.light)).toBe("rgb(255 196 120 / 0.000)");
  expect(colourOf(1, RAMP.light)).toBe("rgb(74 18 84 / 0.950)");
  expect(colourOf(9, RAMP.dark)).toBe(colourOf(1, RAMP.dark));
});

it("has a ramp for the GPU that begins with nothing and never exceeds its alpha", () => {
  const bytes = texels(RAMP.dark, 64);
  expect([...bytes.slice(0, 4)]).toEqual([0, 0, 0, 0]);
  for (let at = 0; at < bytes.length; at += 4)
    for (let channel = 0; channel < 3; channel++)
      expect(bytes[at + channel]!).toBeLessThanOrEqual(bytes[at + 3]!);
});

it("begins weeks on Monday", () => {
  expect(weekdays("long", "en")[0]).toBe("Monday");
  expect(weekdays("short", "en")[6]).toBe("Sun");
});

it("walks the grid by arrow keys and stays in it", () => {
  expect(neighbour({ day: 0, hour: 0 }, "ArrowLeft")).toEqual({ day: 0, hour: 0 });
  expect(neighbour({ day: 0, hour: 0 }, "ArrowDown")).toEqual({ day: 1, hour: 0 });
  expect(neighbour({ day: 6, hour: 5 }, "End")).toEqual({ day: 6, hour: 23 });
  expect(neighbour({ day: 6, hour: 5 }, "x")).toBeNull();
});
