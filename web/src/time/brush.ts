/** A brushed range among buckets: indices, `end` not included. May be fractional where a URL's dates are. */
export interface Brush {
  start: number;
  end: number;
}

/** The whole buckets touched between two positions. */
export function drawn(a: number, b: number, count: number): Brush {
  const start = Math.min(count - 1, Math.max(0, Math.floor(Math.min(a, b))));
  return { start, end: Math.max(start + 1, Math.min(count, Math.ceil(Math.max(a, b)))) };
}

/** Moved by whole buckets, its width kept, held within the ends. */
export function moved({ start, end }: Brush, by: number, count: number): Brush {
  const held = Math.max(-start, Math.min(count - end, Math.round(by)));
  return { start: start + held, end: end + held };
}

/** With one edge at another bucket's; the edges never cross. */
export function resized(
  { start, end }: Brush,
  edge: "start" | "end",
  to: number,
  count: number,
): Brush {
  const at = Math.round(to);
  return edge === "start"
    ? { start: Math.max(0, Math.min(at, Math.ceil(end) - 1)), end }
    : { start, end: Math.min(count, Math.max(at, Math.floor(start) + 1)) };
}

/** Clicks under the brush. A bucket that is only partly under it counts by its part. */
export function sum(clicks: number[], { start, end }: Brush): number {
  let total = 0;
  for (let index = Math.floor(start); index < Math.ceil(end); index++) {
    const part = Math.min(end, index + 1) - Math.max(start, index);
    total += (clicks[index] ?? 0) * part;
  }
  return Math.round(total);
}

export type Grip = "new" | "body" | "start" | "end";

/** What a press at a position takes hold of; edges are caught from `reach` away. */
export function grabbed(brush: Brush | null, at: number, reach: number): Grip {
  if (!brush) return "new";
  const [start, end] = [Math.abs(at - brush.start), Math.abs(at - brush.end)];
  const inside = at > brush.start && at < brush.end;
  // A narrow brush keeps a middle to be moved by.
  const within = inside ? Math.min(reach, (brush.end - brush.start) / 3) : reach;
  if (Math.min(start, end) <= within) return start < end ? "start" : "end";
  return inside ? "body" : "new";
}
