/** Shaders of the glow. Red is light that fades, green is embers: that somebody clicked here before. */

export const POINT_VERTEX = `#version 300 es
in float a_x;
in float a_y;
in float a_frame;
in float a_clicks;
uniform vec2 u_centre;
uniform vec2 u_clip;
uniform float u_cells;
uniform float u_first;
uniform float u_now;
uniform float u_fade;
uniform float u_glow;
uniform float u_ember;
uniform float u_full;
flat out vec3 v_light; // glow, ember, and the ember's share of the sprite

void main() {
  // Within its frame a click's own moment is not known: spread by place, so that frames do not flash.
  float spread = fract(sin(dot(vec2(a_x, a_y), vec2(12.9898, 78.233))) * 43758.5453);
  float age = u_now - a_frame - 0.85 * spread;
  float life = clamp(1.0 - age / u_fade, 0.0, 1.0);
  float glow = a_clicks / u_full * life * life * smoothstep(0.0, 0.12, age);
  float ember = age > 0.0 ? log2(1.0 + a_clicks) / 16.0 : 0.0;
  float size = life > 0.0 ? u_glow : u_ember;
  v_light = vec3(glow, ember, size / u_ember);
  vec2 cell = vec2(a_x + 0.5 + (u_first + float(gl_InstanceID)) * u_cells, a_y + 0.5);
  gl_Position = age > 0.0 ? vec4((cell - u_centre) * u_clip, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = size;
}`;

export const POINT_FRAGMENT = `#version 300 es
precision highp float;
flat in vec3 v_light;
out vec4 o_sum;

void main() {
  vec2 p = gl_PointCoord * 2.0 - 1.0;
  float d = dot(p, p);
  // The heat map's kernel: a Gaussian whose third standard deviation is the radius.
  float ember = v_light.y * exp(-2.0 * d * v_light.z * v_light.z);
  o_sum = vec4(v_light.x * exp(-4.5 * d), ember, 0.0, 0.0);
}`;

/** One triangle over the whole map. */
export const COLOUR_VERTEX = `#version 300 es
out vec2 v_at;

void main() {
  v_at = vec2(float(gl_VertexID & 1) * 2.0, float(gl_VertexID >> 1) * 2.0);
  gl_Position = vec4(v_at * 2.0 - 1.0, 0.0, 1.0);
}`;

export const COLOUR_FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D u_density;
uniform sampler2D u_ramp;
in vec2 v_at;
out vec4 o_colour;

void main() {
  vec2 sum = texture(u_density, v_at).rg;
  if (sum.r + sum.g < 0.0005) discard; // most of the map, most of the time
  // The ramp is spread by the square root already: the power lifts lone clicks out of the dark.
  float glow = pow(min(sum.r, 1.0), 0.4);
  vec4 light = texture(u_ramp, vec2(glow, 0.5));
  float warmth = 1.0 - exp(-1.2 * sum.g);
  vec4 ember = texture(u_ramp, vec2(0.1 + 0.4 * warmth, 0.5)) * min(1.0, sum.g * 12.0) * 0.6;
  o_colour = light + ember * (1.0 - light.a);
}`;
