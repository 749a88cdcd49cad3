// The scale rows as plots: one SVG a group, the abscissa logarithmic.
import { figureText } from "./figures.mjs";

const WIDTH = 640;
const HEIGHT = 360;
const LEFT = 80;
const RIGHT = 24;
const TOP = 48;
const BOTTOM = 56;

/** @returns `[file name, SVG]` for each group of the rows that has a plot */
export function plotsOf(rows) {
  const names = [...new Set(rows.flatMap(({ plot }) => plot?.name ?? []))];
  return names.map((name) => [
    name,
    plotOf(rows.filter(({ plot, skipped }) => plot?.name === name && skipped === undefined)),
  ]);
}

function plotOf(rows) {
  if (rows.length === 0) return svg([]);
  const { group } = rows[0];
  const { x: label, figure } = rows[0].plot;
  const points = rows.map(({ plot, figures }) => [plot.at, figures[figure]]);
  const top = niceAbove(Math.max(...points.map(([, y]) => y)));
  const [first, last] = [points[0][0], points.at(-1)[0]];
  const across = (x) =>
    LEFT + ((WIDTH - LEFT - RIGHT) * Math.log(x / first)) / Math.max(Math.log(last / first), Number.EPSILON);
  const up = (y) => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * y) / top;
  return svg([
    text(WIDTH / 2, 24, group, "middle", 15),
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((part) => [
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${up(part * top)}" y2="${up(part * top)}" stroke="#ddd"/>`,
      text(LEFT - 8, up(part * top) + 4, figureText(part * top), "end"),
    ]),
    ...points.map(([x]) => text(across(x), HEIGHT - BOTTOM + 20, x.toLocaleString("en-US"), "middle")),
    text(WIDTH / 2, HEIGHT - 12, label, "middle"),
    text(LEFT, TOP - 10, figure, "end"),
    `<polyline fill="none" stroke="#0b6bcb" stroke-width="2" points="${points.map(([x, y]) => `${round(across(x))},${round(up(y))}`).join(" ")}"/>`,
    ...points.map(([x, y]) => `<circle cx="${round(across(x))}" cy="${round(up(y))}" r="4" fill="#0b6bcb"/>`),
  ]);
}

function svg(content) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif">
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
${content.join("\n")}
</svg>
`;
}

function text(x, y, content, anchor, size = 12) {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}" fill="#333">${content}</text>`;
}

/** A round number at or above `value`, for the upper end of the ordinate. */
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 4, 5, 8, 10].find((step) => step * power >= value) ?? 10);
}

function round(value) {
  return Math.round(value * 10) / 10;
}
