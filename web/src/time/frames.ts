/** The frames of a film of clicks, as /api/heat/frames sends them: one answer holds them all. */

import { between } from "../map/ramp";
import { after, moment, type Bucket } from "./buckets";

export interface Frames {
  bucket: Bucket;
  /** Start of each frame on the reader's clock, in ms; clicks of it; clicks before it. */
  starts: number[];
  clicks: number[];
  before: number[];
  total: number;
  /** x and y are cells of the mercator square, 2 ** depth to a side, y from the north. */
  depth: number;
  points: number;
  x: Uint16Array<ArrayBuffer>;
  y: Uint16Array<ArrayBuffer>;
  frame: Uint16Array<ArrayBuffer>;
  weight: Uint32Array<ArrayBuffer>;
  /** Number of the first point of each frame, and the number of points at the end. */
  offsets: Uint32Array;
}

interface Header {
  frames: { time: string; clicks: number }[];
  points: number;
  depth: number;
  bucket: Bucket;
}

const LENGTH_BYTES = 4;

/** Raises an Error where the bytes are not what the header says. */
export function decodeFrames(bytes: ArrayBuffer): Frames {
  if (bytes.byteLength < LENGTH_BYTES) throw new Error("The frames are cut short.");
  const size = new DataView(bytes).getUint32(0, true);
  if (LENGTH_BYTES + size > bytes.byteLength) throw new Error("The frames are cut short.");
  const text = new TextDecoder().decode(new Uint8Array(bytes, LENGTH_BYTES, size));
  const header = JSON.parse(text) as Header;
  const { points } = header;
  const at = LENGTH_BYTES + size;
  const weightsAt = at + Math.ceil((6 * points) / 4) * 4;
  if (weightsAt + 4 * points > bytes.byteLength) throw new Error("The frames are cut short.");
  const frame = new Uint16Array(bytes, at + 4 * points, points);
  const clicks = header.frames.map((one) => one.clicks);
  let total = 0;
  const before = clicks.map((n) => (total += n) - n);
  return {
    bucket: header.bucket,
    starts: header.frames.map(({ time }) => moment(time)),
    clicks,
    before,
    total,
    depth: header.depth,
    points,
    x: new Uint16Array(bytes, at, points),
    y: new Uint16Array(bytes, at + 2 * points, points),
    frame,
    weight: new Uint32Array(bytes, weightsAt, points),
    offsets: offsets(frame, clicks.length),
  };
}

/** Points are sorted by frame: where each frame begins. */
function offsets(frame: Uint16Array, frames: number): Uint32Array {
  const result = new Uint32Array(frames + 1);
  for (const number of frame) result[number + 1]! += 1;
  for (let index = 0; index < frames; index++) result[index + 1]! += result[index]!;
  return result;
}

/** The frame that is being shown at a time, 0..frames: at whole times the one that has just ended. */
export function frameAt(time: number, frames: Frames): number {
  return Math.max(0, Math.min(frames.clicks.length - 1, Math.ceil(time) - 1));
}

/** Clicks up to a time. */
export function clicksUntil(time: number, frames: Frames): number {
  const index = frameAt(time, frames);
  const part = Math.max(0, Math.min(1, time - index));
  return (frames.before[index] ?? 0) + Math.round((frames.clicks[index] ?? 0) * part);
}

/** The clock's moment at a time of the film. */
export function filmMoment(time: number, frames: Frames): number {
  const index = Math.max(0, Math.min(frames.starts.length - 1, Math.floor(time)));
  const start = frames.starts[index] ?? 0;
  return start + (endOf(index, frames) - start) * Math.min(1, time - index);
}

/** The film's time at a moment; before its first frame 0, after its last its end. */
export function filmTime(moment: number, frames: Frames): number {
  const index = Math.max(
    0,
    frames.starts.findLastIndex((start) => start <= moment),
  );
  const start = frames.starts[index];
  if (start === undefined) return 0;
  const part = (moment - start) / Math.max(1, endOf(index, frames) - start);
  return index + Math.max(0, Math.min(1, part));
}

const endOf = (index: number, { starts, bucket }: Frames) =>
  starts[index + 1] ?? after(starts[index] ?? 0, bucket);

/**
 * Clicks of one frame in the fullest square as large as a glow of `radius` px, at a zoom: what the brightest
 * colour stands for. Of the frames, one in fifty may be brighter, so that a single burst does not darken the rest.
 * Costs a pass over all points per whole zoom, kept afterwards.
 */
export class Brightness {
  #kept = new Map<number, number>();

  constructor(
    private readonly frames: Frames,
    private readonly radius: (zoom: number) => number,
  ) {}

  at(zoom: number): number {
    const low = Math.max(0, Math.floor(zoom));
    const stops = [low, low + 1].map((z): [number, number] => [z, Math.log(this.#whole(z))]);
    return Math.exp(between(stops, zoom));
  }

  #whole(zoom: number): number {
    let peak = this.#kept.get(zoom);
    if (peak === undefined) this.#kept.set(zoom, (peak = this.#fullest(zoom)));
    return peak;
  }

  #fullest(zoom: number): number {
    const { x, y, weight, offsets, depth } = this.frames;
    // A Gaussian of σ = radius / 3 holds as much as a square of √(2π) σ; the world is 512 px wide at zoom 0.
    const side = (Math.sqrt(2 * Math.PI) * this.radius(zoom)) / 3;
    const bits = Math.max(0, Math.min(depth, Math.round(Math.log2(512 / side) + zoom)));
    const shift = depth - bits;
    const peaks: number[] = [];
    const cells = new Map<number, number>();
    for (let frame = 0; frame < offsets.length - 1; frame++) {
      cells.clear();
      let most = 0;
      for (let point = offsets[frame]!; point < offsets[frame + 1]!; point++) {
        const cell = (x[point]! >> shift) * 65_536 + (y[point]! >> shift);
        const clicks = (cells.get(cell) ?? 0) + weight[point]!;
        cells.set(cell, clicks);
        if (clicks > most) most = clicks;
      }
      if (most) peaks.push(most);
    }
    peaks.sort((a, b) => a - b);
    return Math.max(2, peaks[Math.floor((peaks.length - 1) * 0.98)] ?? 2);
  }
}
