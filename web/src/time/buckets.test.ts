import { describe, expect, it } from "vitest";
import {
  bucketFor,
  bucketInWords,
  DAY,
  datesOf,
  HOUR,
  moment,
  positionOf,
  series,
  spanOf,
  surrounding,
  wallClock,
} from "./buckets";

const NOW = moment("2026-11-22T14:30");
const FIRST = moment("2026-01-05");

describe("the reader's clock", () => {
  it("reads days, minutes and hours with an offset as what the clock shows", () => {
    expect(moment("2026-11-22")).toBe(Date.UTC(2026, 10, 22));
    expect(moment("2026-11-22T14:00")).toBe(Date.UTC(2026, 10, 22, 14));
    expect(moment("2026-11-22T14:00:00+01:00")).toBe(Date.UTC(2026, 10, 22, 14));
  });
  it("is the zone's", () => {
    const now = new Date("2026-11-22T23:30:00Z");
    expect(wallClock(now, "Europe/Berlin")).toBe(moment("2026-11-23T00:30"));
    expect(wallClock(now, "America/New_York")).toBe(moment("2026-11-22T18:30"));
  });
});

describe("spans", () => {
  it("of presets end with today, of 24 h now", () => {
    expect(spanOf({ preset: "7d" }, NOW, FIRST)).toEqual({
      from: moment("2026-11-16"),
      to: moment("2026-11-23"),
    });
    expect(spanOf({ preset: "24h" }, NOW, FIRST)).toEqual({ from: NOW - DAY, to: NOW });
    expect(spanOf({ preset: "all" }, NOW, FIRST).from).toBe(FIRST);
  });
  it("include the last day, but not the last minute", () => {
    expect(spanOf({ from: "2026-11-01", to: "2026-11-03" }, NOW, FIRST).to).toBe(
      moment("2026-11-04"),
    );
    expect(spanOf({ from: "2026-11-01", to: "2026-11-03T10:00" }, NOW, FIRST).to).toBe(
      moment("2026-11-03T10:00"),
    );
  });
  it("come back as the dates they were", () => {
    for (const dates of [
      { from: "2026-11-01", to: "2026-11-03" },
      { from: "2026-11-01T09:00", to: "2026-11-01T12:00" },
    ])
      expect(datesOf(spanOf(dates, NOW, FIRST))).toEqual(dates);
  });
  it("are cut into hours, days, weeks or months, a few hundred bars at most", () => {
    const of = (days: number) => bucketFor({ from: NOW - days * DAY, to: NOW });
    expect([1, 7, 30, 90, 365, 3000].map(of)).toEqual([
      "hour",
      "hour",
      "day",
      "day",
      "week",
      "month",
    ]);
  });
  it("without context are shown within a preset, or thrice as long", () => {
    expect(surrounding({ from: "2026-11-18", to: "2026-11-19" }, NOW, FIRST)).toEqual({
      preset: "7d",
    });
    expect(surrounding({ from: "2026-10-01", to: "2026-10-31" }, NOW, FIRST)).toEqual({
      preset: "90d",
    });
    expect(surrounding({ from: "2025-03-10", to: "2025-03-19" }, NOW, FIRST)).toEqual({
      from: "2025-02-28",
      to: "2025-03-29",
    });
    expect(surrounding({ preset: "30d" }, NOW, FIRST)).toEqual({ preset: "30d" });
  });
});

describe("a series", () => {
  const days = series({
    bucket: "day",
    total: 6,
    rows: [
      { time: "2026-11-01", clicks: 1 },
      { time: "2026-11-02", clicks: 2 },
      { time: "2026-11-03", clicks: 3 },
    ],
  });
  it("has one edge more than buckets", () => {
    expect(days.edges.map((at) => (at - days.edges[0]!) / DAY)).toEqual([0, 1, 2, 3]);
    expect(series({ bucket: "day", total: 0, rows: [] }).edges).toEqual([]);
  });
  it("places moments among its buckets, held within its ends", () => {
    const at = (text: string) => positionOf(moment(text), days.edges);
    expect(at("2026-11-02")).toBe(1);
    expect(at("2026-11-02T12:00")).toBe(1.5);
    expect(at("2026-10-01")).toBe(0);
    expect(at("2026-12-01")).toBe(3);
    expect(positionOf(0, [])).toBe(0);
  });
  it("survives the hour that comes twice", () => {
    const two = moment("2026-10-25T02:00");
    const place = positionOf(two + HOUR / 2, [two - HOUR, two, two, two + HOUR]);
    expect(place).toBe(2.5);
  });
  it("names its buckets", () => {
    expect(bucketInWords(moment("2026-11-02"), "week", "en-GB")).toBe("Week of 2 Nov 2026");
    expect(bucketInWords(moment("2026-11-02T09:00"), "hour", "en-GB")).toContain("09:00");
    expect(bucketInWords(moment("2026-11-01"), "month", "en-GB")).toBe("November 2026");
  });
});
