import { describe, expect, it } from "vitest";
import type { Change } from "./answers";
import { inWords, percent } from "./change";

const period = (clicks: number) => ({ from: "", to: "", clicks });
const change = (part: Partial<Change>): Change => ({
  now: period(120),
  before: period(100),
  ratio: 1.2,
  interval: [0.9, 1.6],
  beyond_chance: false,
  spread: 1,
  whole: true,
  ...part,
});

describe("a change", () => {
  it("is a percentage, or so many times", () => {
    expect([1.12, 0.4, 7.54, 1.004, 1].map(percent)).toEqual([
      "+12%",
      "−60%",
      "7.5 times",
      "+0.4%",
      "no change",
    ]);
  });

  it("within chance is called that", () => {
    expect(inWords(change({}))).toEqual({
      what: "+20%",
      sure: "within chance: between −10% and +60%, from 100",
      tone: "chance",
    });
  });

  it("beyond chance has a direction", () => {
    expect(inWords(change({ interval: [1.1, 1.3], beyond_chance: true })).tone).toBe("more");
    expect(inWords(change({ ratio: 0.5, interval: [0.4, 0.6], beyond_chance: true })).tone).toBe(
      "fewer",
    );
  });

  it("is none where nothing was before", () => {
    expect(inWords(change({ whole: false, ratio: null, interval: null })).what).toBe("New");
    expect(inWords(change({ ratio: null, interval: null })).what).toBe("None before");
  });
});
