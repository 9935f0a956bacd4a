/**
 * The film of clicks on the map: a MapLibre layer that draws every point of every frame from buffers that were
 * filled once.
 *
 * Points add up in an offscreen texture, which is then coloured by the heat's own ramp: the same idea as MapLibre's
 * heat map, so it reads the same in light and dark. One draw call for the points (all copies of the world in it)
 * and one for the colours; a frame changes nothing but uniforms.
 */

import type { CustomLayerInterface, CustomRenderMethodInput, Map as MapLibre } from "maplibre-gl";
import { between, RADIUS, RAMP } from "../map/ramp";
import type { Shade } from "../state/theme.svelte";
import { Brightness, type Frames } from "./frames";
import { COLOUR_FRAGMENT, COLOUR_VERTEX, POINT_FRAGMENT, POINT_VERTEX } from "./shaders";

/** The density texture is this much of the map's size in CSS px: glows are soft, and it costs a quarter. */
const SCALE = 0.5;
const EMBER_PX = 2.2;
/** How far past "the fullest spot just reaches the last colour" the ramp is turned up. */
const GAIN = 1.5;
const RAMP_SIZE = 256;

/** Smaller than the heat's spots: what is new must stand out from what was. */
const radius = (zoom: number) => 0.66 * between(RADIUS, zoom);

export class Glow implements CustomLayerInterface {
  readonly id = "time-glow";
  readonly type = "custom";
  readonly renderingMode = "2d";
  /** The time shown, in frames. */
  at = 0;
  /** How many frames a click glows before it is an ember. */
  fade = 3;
  /** Milliseconds that the last frame took to be told to the GPU (not to be drawn by it). */
  cost = 0;

  readonly #brightness: Brightness;
  #shade: Shade;
  #map: MapLibre | null = null;
  #points: Program | null = null;
  #colours: Program | null = null;
  #array: WebGLVertexArrayObject | null = null;
  #buffers: WebGLBuffer[] = [];
  #density: Target | null = null;
  #ramp: WebGLTexture | null = null;
  #rampShade: Shade | null = null;

  constructor(
    private readonly frames: Frames,
    shade: Shade,
  ) {
    this.#shade = shade;
    this.#brightness = new Brightness(frames, radius);
  }

  set shade(shade: Shade) {
    this.#shade = shade;
    this.#map?.triggerRepaint();
  }

  onAdd(map: MapLibre, gl: WebGL2RenderingContext): void {
    this.#map = map;
    this.#points = new Program(gl, POINT_VERTEX, POINT_FRAGMENT);
    this.#colours = new Program(gl, COLOUR_VERTEX, COLOUR_FRAGMENT);
    this.#array = gl.createVertexArray();
    gl.bindVertexArray(this.#array);
    const { x, y, frame, weight } = this.frames;
    this.#attribute(gl, "a_x", x, gl.UNSIGNED_SHORT);
    this.#attribute(gl, "a_y", y, gl.UNSIGNED_SHORT);
    this.#attribute(gl, "a_frame", frame, gl.UNSIGNED_SHORT);
    this.#attribute(gl, "a_clicks", weight, gl.UNSIGNED_INT);
    gl.bindVertexArray(null);
    this.#density = target(gl);
    this.#ramp = gl.createTexture();
    this.#rampShade = null;
  }

  onRemove(_map: MapLibre, gl: WebGL2RenderingContext): void {
    for (const buffer of this.#buffers) gl.deleteBuffer(buffer);
    this.#buffers = [];
    gl.deleteVertexArray(this.#array);
    gl.deleteTexture(this.#ramp);
    if (this.#density) {
      gl.deleteTexture(this.#density.texture);
      gl.deleteFramebuffer(this.#density.framebuffer);
    }
    this.#points?.remove(gl);
    this.#colours?.remove(gl);
    this.#map = this.#points = this.#colours = null;
  }

  /** Adds up the points up to now in the density texture. */
  prerender(gl: WebGL2RenderingContext, _input: CustomRenderMethodInput): void {
    const [map, points, density] = [this.#map, this.#points, this.#density];
    if (!map || !points || !density) return;
    const began = performance.now();
    const { clientWidth: width, clientHeight: height } = map.getCanvas();
    resize(gl, density, Math.ceil(width * SCALE), Math.ceil(height * SCALE));
    gl.bindFramebuffer(gl.FRAMEBUFFER, density.framebuffer);
    gl.viewport(0, 0, density.width, density.height);
    gl.colorMask(true, true, true, true);
    gl.disable(gl.SCISSOR_TEST);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const shown = Math.min(this.frames.offsets.length - 1, Math.floor(this.at) + 1);
    const count = this.frames.offsets[Math.max(0, shown)]!;
    if (count) {
      gl.enable(gl.BLEND);
      gl.blendEquation(gl.FUNC_ADD);
      gl.blendFunc(gl.ONE, gl.ONE);
      gl.useProgram(points.program);
      const zoom = map.getZoom();
      const { centre, cellPx, first, copies } = worldIn(map, width, height, this.frames.depth);
      const px = radius(zoom);
      gl.uniform2f(points.at("u_centre"), centre.x, centre.y);
      gl.uniform2f(points.at("u_clip"), (2 * cellPx) / width, (-2 * cellPx) / height);
      gl.uniform1f(points.at("u_cells"), 2 ** this.frames.depth);
      gl.uniform1f(points.at("u_first"), first);
      gl.uniform1f(points.at("u_now"), this.at);
      gl.uniform1f(points.at("u_fade"), this.fade);
      gl.uniform1f(points.at("u_glow"), 2 * px * SCALE);
      gl.uniform1f(points.at("u_ember"), 2 * Math.max(1.5, EMBER_PX * (0.6 + zoom / 8)) * SCALE);
      // A square root falls to a third on average over a glow's life: so many frames add up at a spot.
      const together = Math.max(1, this.fade / 3);
      gl.uniform1f(points.at("u_full"), (this.#brightness.at(zoom) * together) / GAIN);
      gl.bindVertexArray(this.#array);
      gl.drawArraysInstanced(gl.POINTS, 0, count, copies);
      gl.bindVertexArray(null);
    }
    this.cost = performance.now() - began;
  }

  /** Colours the density over the map. */
  render(gl: WebGL2RenderingContext, _input: CustomRenderMethodInput): void {
    const [colours, density] = [this.#colours, this.#density];
    if (!colours || !density) return;
    const began = performance.now();
    gl.useProgram(colours.program);
    gl.activeTexture(gl.TEXTURE1);
    this.#useRamp(gl);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, density.texture);
    gl.uniform1i(colours.at("u_density"), 0);
    gl.uniform1i(colours.at("u_ramp"), 1);
    gl.bindVertexArray(null);
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.CULL_FACE);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    this.cost += performance.now() - began;
  }

  #attribute(gl: WebGL2RenderingContext, name: string, data: ArrayBufferView, type: number): void {
    const at = this.#points!.attribute(gl, name);
    const buffer = gl.createBuffer();
    this.#buffers.push(buffer);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data as ArrayBufferView<ArrayBuffer>, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, 1, type, false, 0, 0);
  }

  #useRamp(gl: WebGL2RenderingContext): void {
    gl.bindTexture(gl.TEXTURE_2D, this.#ramp);
    if (this.#rampShade === this.#shade) return;
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 4);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.texImage2D(
      gl.TEXTURE_2D,
      0,
      gl.RGBA,
      RAMP_SIZE,
      1,
      0,
      gl.RGBA,
      gl.UNSIGNED_BYTE,
      texels(RAMP[this.#shade], RAMP_SIZE),
    );
    smooth(gl);
    this.#rampShade = this.#shade;
  }
}

/**
 * Where the world lies under the map: the cell at the map's middle, the width of a cell in px, and the copies of
 * the world in sight. In doubles here, because a shader's floats are too coarse for a whole world at street zooms.
 */
function worldIn(map: MapLibre, width: number, height: number, depth: number) {
  const worldPx = 512 * 2 ** map.getZoom();
  const cellPx = worldPx / 2 ** depth;
  const origin = map.project([0, 0]);
  const [west, north] = [origin.x - worldPx / 2, origin.y - worldPx / 2];
  const first = Math.floor(-west / worldPx);
  return {
    cellPx,
    centre: { x: (width / 2 - west) / cellPx, y: (height / 2 - north) / cellPx },
    first,
    copies: Math.floor((width - west) / worldPx) - first + 1,
  };
}

/** The ramp as RGBA bytes, alpha premultiplied; spread by the square root, which gives the faint end its room. */
export function texels(
  stops: [density: number, colour: string][],
  size: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size * 4);
  const channels = stops.map(([density, colour]) => {
    const [r, g, b, a] = (colour.match(/[\d.]+/g) ?? []).map(Number) as [
      number,
      number,
      number,
      number,
    ];
    return { density, rgba: [r * a, g * a, b * a, 255 * a] };
  });
  for (let index = 0; index < size; index++) {
    const density = (index / (size - 1)) ** 2;
    for (let channel = 0; channel < 4; channel++) {
      const curve = channels.map(({ density: at, rgba }): [number, number] => [at, rgba[channel]!]);
      bytes[index * 4 + channel] = Math.round(between(curve, density));
    }
  }
  return bytes;
}

interface Target {
  framebuffer: WebGLFramebuffer;
  texture: WebGLTexture;
  width: number;
  height: number;
  float: boolean;
}

function target(gl: WebGL2RenderingContext): Target {
  // Bytes would do where half floats can't be drawn to: the faintest glows are lost there.
  const float = !!(
    gl.getExtension("EXT_color_buffer_float") ?? gl.getExtension("EXT_color_buffer_half_float")
  );
  const made = { framebuffer: gl.createFramebuffer(), texture: gl.createTexture(), float };
  return { ...made, width: 0, height: 0 };
}

function resize(gl: WebGL2RenderingContext, it: Target, width: number, height: number): void {
  if (it.width === width && it.height === height) return;
  Object.assign(it, { width, height });
  gl.activeTexture(gl.TEXTURE0);
  gl.bindTexture(gl.TEXTURE_2D, it.texture);
  const [inner, type] = it.float ? [gl.RGBA16F, gl.HALF_FLOAT] : [gl.RGBA, gl.UNSIGNED_BYTE];
  gl.texImage2D(gl.TEXTURE_2D, 0, inner, width, height, 0, gl.RGBA, type, null);
  smooth(gl);
  gl.bindFramebuffer(gl.FRAMEBUFFER, it.framebuffer);
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, it.texture, 0);
}

function smooth(gl: WebGL2RenderingContext): void {
  for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T])
    gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
  for (const filter of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER])
    gl.texParameteri(gl.TEXTURE_2D, filter, gl.LINEAR);
}

class Program {
  readonly program: WebGLProgram;
  readonly #uniforms = new Map<string, WebGLUniformLocation | null>();
  readonly #gl: WebGL2RenderingContext;

  constructor(gl: WebGL2RenderingContext, vertex: string, fragment: string) {
    this.#gl = gl;
    this.program = gl.createProgram();
    const parts: [number, string][] = [
      [gl.VERTEX_SHADER, vertex],
      [gl.FRAGMENT_SHADER, fragment],
    ];
    for (const [kind, source] of parts) {
      const shader = gl.createShader(kind)!;
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(this.program, shader);
      gl.deleteShader(shader);
    }
    gl.linkProgram(this.program);
    if (!gl.getProgramParameter(this.program, gl.LINK_STATUS) && !gl.isContextLost())
      throw new Error(gl.getProgramInfoLog(this.program) ?? "The glow can’t be drawn here.");
  }

  at(uniform: string): WebGLUniformLocation | null {
    let location = this.#uniforms.get(uniform);
    if (location === undefined) {
      location = this.#gl.getUniformLocation(this.program, uniform);
      this.#uniforms.set(uniform, location);
    }
    return location;
  }

  attribute(gl: WebGL2RenderingContext, name: string): number {
    return gl.getAttribLocation(this.program, name);
  }

  remove(gl: WebGL2RenderingContext): void {
    gl.deleteProgram(this.program);
  }
}
