import { expect, it } from "vitest";
import { drawn, grabbed, moved, resized, sum } from "./brush";

it("draws over whole buckets, in either direction, at least one", () => {
  expect(drawn(2.2, 4.1, 10)).toEqual({ start: 2, end: 5 });
  expect(drawn(4.1, 2.2, 10)).toEqual({ start: 2, end: 5 });
  expect(drawn(3.5, 3.5, 10)).toEqual({ start: 3, end: 4 });
  expect(drawn(-4, 99, 10)).toEqual({ start: 0, end: 10 });
  expect(drawn(12, 12, 10)).toEqual({ start: 9, end: 10 });
});

it("moves without changing its width, and stops at the ends", () => {
  expect(moved({ start: 2, end: 5 }, 1.6, 10)).toEqual({ start: 4, end: 7 });
  expect(moved({ start: 2, end: 5 }, -9, 10)).toEqual({ start: 0, end: 3 });
  expect(moved({ start: 2, end: 5 }, 9, 10)).toEqual({ start: 7, end: 10 });
});

it("is resized by an edge that never crosses the other", () => {
  const brush = { start: 2, end: 5 };
  expect(resized(brush, "start", 3.4, 10)).toEqual({ start: 3, end: 5 });
  expect(resized(brush, "start", 9, 10)).toEqual({ start: 4, end: 5 });
  expect(resized(brush, "end", 0, 10)).toEqual({ start: 2, end: 3 });
  expect(resized(brush, "end", 99, 10)).toEqual({ start: 2, end: 10 });
});

it("counts what lies under it, parts by their part", () => {
  const clicks = [10, 20, 30, 40];
  expect(sum(clicks, { start: 0, end: 4 })).toBe(100);
  expect(sum(clicks, { start: 1, end: 3 })).toBe(50);
  expect(sum(clicks, { start: 1.5, end: 3 })).toBe(40);
});

it("is caught by its edges, its body, or drawn anew", () => {
  const brush = { start: 2, end: 8 };
  const at = (place: number) => grabbed(brush, place, 1);
  expect([1.2, 2.5, 5, 7.4, 8.9, 10].map(at)).toEqual([
    "start",
    "start",
    "body",
    "end",
    "end",
    "new",
  ]);
  expect(grabbed(null, 5, 1)).toBe("new");
  expect(grabbed({ start: 4, end: 5 }, 4.5, 3)).toBe("body");
});
