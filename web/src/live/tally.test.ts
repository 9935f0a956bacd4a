import { expect, it } from "vitest";
import { Tally } from "./tally";

it("counts the clicks of the last seconds and forgets older ones", () => {
  const tally = new Tally(60);
  for (let second = 0; second < 120; second++) tally.add(10, second * 1000);
  expect(tally.last(1, 119_000)).toBe(10);
  expect(tally.last(10, 119_999)).toBe(100);
  expect(tally.last(600, 119_000)).toBe(600);
  expect(tally.last(60, 400_000)).toBe(0);
});

it("tells the rate from its first seconds on", () => {
  const tally = new Tally(60);
  expect(tally.rate(10, 5_000)).toBe(0);
  for (let second = 100; second < 104; second++) tally.add(1000, second * 1000 + 300);
  expect(tally.rate(10, 100_900)).toBe(0); // its first second is not over
  expect(tally.rate(10, 104_100)).toBe(1000);
  expect(tally.rate(10, 108_100)).toBe(500);
});
