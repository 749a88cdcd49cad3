// Figures and goals as text, the same in every kind of report.

/** Every label of some rows, in order of appearance. */
export function labelsOf(rows) {
  return [...new Set(rows.flatMap(({ figures = {} }) => Object.keys(figures)))];
}

/** A number rounded to its significant digits. */
export function figureText(figure) {
  if (figure === undefined) return "";
  if (Number.isInteger(figure) && figure < 1_000) return String(figure);
  if (Math.abs(figure) >= 100) return Math.round(figure).toLocaleString("en-US");
  return figure.toFixed(Math.abs(figure) >= 10 ? 1 : 2);
}

export function goalText({ figure, atMost, atLeast }) {
  return atMost === undefined ? `${figure} >= ${atLeast}` : `${figure} <= ${atMost}`;
}

export function isMet({ goal, figures }) {
  const figure = figures[goal.figure];
  return goal.atMost === undefined ? figure >= goal.atLeast : figure <= goal.atMost;
}
