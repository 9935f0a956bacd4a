import { describe, expect, it } from "vitest";
import { Brightness, clicksUntil, decodeFrames, filmMoment, filmTime, frameAt } from "./frames";

interface Point {
  x: number;
  y: number;
  frame: number;
  clicks: number;
}
const POINTS: Point[] = [
  { x: 5, y: 9, frame: 0, clicks: 3 },
  { x: 6, y: 9, frame: 0, clicks: 70_000 },
  { x: 65_535, y: 0, frame: 2, clicks: 1 },
];

/** Bytes as the server packs them. */
function packed(points: Point[], frames: number[], depth = 16): ArrayBuffer {
  const header = {
    frames: frames.map((clicks, day) => ({ time: `2026-11-0${day + 1}`, clicks })),
    points: points.length,
    depth,
    bucket: "day",
    tz: "Europe/Berlin",
    largest: 1,
  };
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 4) * 4));
  const n = points.length;
  const at = 4 + text.length;
  const weights = at + Math.ceil((6 * n) / 4) * 4;
  const bytes = new ArrayBuffer(weights + 4 * n);
  new DataView(bytes).setUint32(0, text.length, true);
  new Uint8Array(bytes).set(text, 4);
  new Uint16Array(bytes, at, n).set(points.map(({ x }) => x));
  new Uint16Array(bytes, at + 2 * n, n).set(points.map(({ y }) => y));
  new Uint16Array(bytes, at + 4 * n, n).set(points.map(({ frame }) => frame));
  new Uint32Array(bytes, weights, n).set(points.map(({ clicks }) => clicks));
  return bytes;
}

describe("frames", () => {
  const frames = decodeFrames(packed(POINTS, [70_003, 0, 1]));

  it("are read as they were packed", () => {
    expect([...frames.x]).toEqual([5, 6, 65_535]);
    expect([...frames.y]).toEqual([9, 9, 0]);
    expect([...frames.frame]).toEqual([0, 0, 2]);
    expect([...frames.weight]).toEqual([3, 70_000, 1]);
    expect(frames.starts[1]).toBe(Date.UTC(2026, 10, 2));
    expect(frames.total).toBe(70_004);
  });
  it("know where each begins, empty ones too", () => {
    expect([...frames.offsets]).toEqual([0, 2, 2, 3]);
  });
  it("may be none", () => {
    const none = decodeFrames(packed([], []));
    expect([none.points, none.total, [...none.offsets]]).toEqual([0, 0, [0]]);
  });
  it("that are cut short are refused", () => {
    const bytes = packed(POINTS, [70_003, 0, 1]);
    expect(() => decodeFrames(bytes.slice(0, -4))).toThrow("cut short");
    expect(() => decodeFrames(bytes.slice(0, 20))).toThrow("cut short");
    expect(() => decodeFrames(new ArrayBuffer(0))).toThrow("cut short");
  });
  it("have a clock, and are found by it", () => {
    expect(filmMoment(1.5, frames)).toBe(Date.UTC(2026, 10, 2, 12));
    expect(filmMoment(3, frames)).toBe(Date.UTC(2026, 10, 4));
    for (const time of [0, 0.25, 1, 2.75, 3])
      expect(filmTime(filmMoment(time, frames), frames)).toBeCloseTo(time);
    expect(filmTime(0, frames)).toBe(0);
    expect(filmTime(Date.UTC(2027, 0), frames)).toBe(3);
  });
  it("add up while they are shown", () => {
    expect([0, 1, 1.5, 2, 3].map((at) => frameAt(at, frames))).toEqual([0, 0, 1, 1, 2]);
    expect([0, 1, 2, 3].map((at) => clicksUntil(at, frames))).toEqual([0, 70_003, 70_003, 70_004]);
    expect(clicksUntil(0.5, frames)).toBe(35_002);
  });
});

it("takes the fullest square of a glow's size for the brightest, smaller when looked at closely", () => {
  const near: Point[] = [
    { x: 0, y: 0, frame: 0, clicks: 10 },
    { x: 40_000, y: 0, frame: 0, clicks: 30 },
  ];
  const frames = decodeFrames(packed(near, [40]));
  const brightness = new Brightness(frames, () => 10);
  expect(brightness.at(12)).toBeCloseTo(30);
  expect(new Brightness(frames, () => 10_000).at(0)).toBeCloseTo(40);
});
