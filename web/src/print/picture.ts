import { api } from "../api/client";
import { BASEMAP_ATTRIBUTION } from "../basemap/style";
import type { Explorer } from "../state/explorer.svelte";
import { caption } from "./caption";
import { elementImage } from "./element";

const HEAD = 76;
const LINE = 15;
const SMALL = 10.5;
const LEGENDS = "[data-testid=legend], [data-testid=difference-legend]";
const FONT = '"Instrument Sans Variable", system-ui, sans-serif';

/** The map as it stands, drawn this moment: WebGL keeps no picture between two frames. */
export function mapImage(explorer: Explorer): HTMLCanvasElement | null {
  const map = explorer.chart?.map;
  if (!map) return null;
  map.redraw();
  const source = map.getCanvas();
  const copy = document.createElement("canvas");
  copy.width = source.width;
  copy.height = source.height;
  copy.getContext("2d")!.drawImage(source, 0, 0);
  return copy;
}

/** The map with its title above, its legend in the corner and its sources below, as a PNG. */
export async function picture(explorer: Explorer): Promise<Blob | null> {
  const map = mapImage(explorer);
  if (!map || !explorer.chart) return null;
  await document.fonts.ready;
  const scale = map.width / explorer.chart.map.getCanvas().clientWidth;
  const [width, height] = [map.width / scale, map.height / scale];
  const words = caption(explorer);
  const canvas = document.createElement("canvas");
  const ink = canvas.getContext("2d")!;
  ink.font = `450 ${SMALL}px ${FONT}`;
  const fits = (text: string) => ink.measureText(text).width <= width - 40;
  const foot = [words.counted, await sourcesInWords(explorer)].flatMap((text) =>
    wrapped(text, fits),
  );
  const below = 14 + foot.length * LINE;
  canvas.width = map.width;
  canvas.height = map.height + (HEAD + below) * scale;
  ink.scale(scale, scale);
  const colour = (name: string) => resolved(`var(--${name})`);
  ink.fillStyle = colour("surface");
  ink.fillRect(0, 0, width, height + HEAD + below);
  ink.drawImage(map, 0, HEAD, width, height);

  const legend = document.querySelector<HTMLElement>(LEGENDS);
  const image = legend && (await elementImage(legend));
  if (image) {
    const [x, y] = [width - image.width - 20, HEAD + height - image.height - 20];
    ink.drawImage(image, x, y, image.width, image.height);
  }

  write(ink, words.title, {
    x: 20,
    y: 34,
    width: width - 160,
    size: 21,
    weight: 650,
    fill: colour("ink"),
  });
  write(ink, words.filter, {
    x: 20,
    y: 58,
    width: width - 160,
    size: 13,
    weight: 450,
    fill: colour("ink-2"),
  });
  ink.textAlign = "right";
  write(ink, "clickatlas", {
    x: width - 20,
    y: 34,
    width: 120,
    size: 16,
    weight: 650,
    fill: colour("accent"),
  });
  ink.textAlign = "left";
  foot.forEach((text, i) =>
    write(ink, text, {
      x: 20,
      y: HEAD + height + 19 + i * LINE,
      width: width - 40,
      size: SMALL,
      weight: 450,
      fill: colour("ink-3"),
    }),
  );
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

export async function savePicture(explorer: Explorer): Promise<void> {
  const blob = await picture(explorer);
  if (!blob) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `clickatlas-${new Date().toISOString().slice(0, 10)}.png`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

interface Line {
  x: number;
  y: number;
  width: number;
  size: number;
  weight: number;
  fill: string;
}

/** One line of text, cut with an ellipsis where it does not fit. */
function write(ink: CanvasRenderingContext2D, text: string, line: Line): void {
  ink.font = `${line.weight} ${line.size}px ${FONT}`;
  ink.fillStyle = line.fill;
  let shown = text;
  while (shown.length > 1 && ink.measureText(shown).width > line.width)
    shown = `${shown.replace(/…$/, "").slice(0, -1).trimEnd()}…`;
  ink.fillText(shown, line.x, line.y);
}

/** A text in lines that fit, broken between words. */
export function wrapped(text: string, fits: (line: string) => boolean): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ").filter(Boolean)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && fits(longer)) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** A CSS colour as this theme has it: a canvas knows nothing of light-dark(). */
function resolved(css: string): string {
  const probe = document.createElement("i");
  probe.style.color = css;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** Whom to thank: without it no picture may go round. */
export async function sourcesInWords(explorer: Explorer): Promise<string> {
  const sources = await api.atlas().then(
    (atlas) => atlas.sources.map(({ attribution }) => attribution),
    () => [],
  );
  const basemap = `Basemap: ${BASEMAP_ATTRIBUTION.replace(/<[^>]+>/g, "")}`;
  return [...sources, basemap, explorer.streetsBy].filter(Boolean).join(" · ");
}
