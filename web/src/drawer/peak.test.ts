import { expect, it } from "vitest";
import { around, clockName, type Peaks } from "./peak";

const table = {
  ids: ["region:US-HI", "region:US-NY", "region:US-ME"],
  peak: [13.66, 0.1, 23.95],
  peak_low: [13.2, -0.4, 23.4],
  peak_high: [14.1, 0.6, 24.5],
  shift: [-2.04, 0.1, 1],
  low: [-2.6, -0.2, 0.7],
  high: [-1.5, 0.4, 1.3],
  found: [true, false, true],
} as unknown as Peaks;

it("tells the hour with its interval, through midnight, to ten minutes", () => {
  expect(around(table, "region:US-NY", "en")).toBe("On average at 12:10 AM (11:40 PM to 12:40 AM)");
  expect(clockName(24, "en")).toBe("12:00 AM");
  expect(clockName(15.66, "de")).toBe("15:40");
});

it("tells how much earlier or later than elsewhere only where that is beyond chance", () => {
  expect(around(table, "region:US-HI", "en")).toBe(
    "On average at 1:40 PM (1:10 PM to 2:10 PM), 2 hours earlier than elsewhere (1.5 to 2.6)",
  );
  expect(around(table, "region:US-ME", "en")).toContain("1 hour later than elsewhere (0.7 to 1.3)");
});

it("says nothing of areas that the table has not", () => {
  expect(around(table, "region:US-RI", "en")).toBeNull();
  expect(around(null, "region:US-HI", "en")).toBeNull();
});
