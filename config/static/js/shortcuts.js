// One key, one element: data-key="a" on a link or a button. Off in fields, with a modifier, or when
// <body data-shortcuts="off"> says the person does not want them (WCAG 2.1.4). "/" goes to the search field.
// J and K are ordinary keys of the next and previous links; on a plain list they walk [data-row] links.
const typing = (node) => node.closest?.("input, textarea, select, [contenteditable], dialog[open]");

function walk(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const here = rows.indexOf(document.activeElement);
  rows[Math.min(Math.max(here + step, 0), rows.length - 1)]?.focus();
}

// [data-arrows]: the arrow keys walk its [data-row] links, Home and End go to the first and the last. From a search
// field the down arrow goes to the first answer; above the first one, one is back in the field.
function arrow(event) {
  const rows = [...document.querySelectorAll("[data-arrows] [data-row]")];
  const here = rows.indexOf(event.target);
  const places = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: rows.length - 1 };
  const enters = event.key === "ArrowDown" && event.target.matches?.("input[type=search]");
  if (!rows.length || !(event.key in places) || (here < 0 && !enters)) return;
  event.preventDefault();
  if (places[event.key] < 0) document.querySelector("[data-key='/']")?.focus();
  else rows[Math.min(places[event.key], rows.length - 1)].focus();
}

export function shortcuts(root) {
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.body.dataset.shortcuts === "off") return;
    arrow(event);
    if (event.repeat || typing(event.target)) return;
    const key = event.key.toLowerCase();
    const wanted = [...document.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key);
    if (wanted) {
      event.preventDefault();
      if (wanted.matches("input")) wanted.focus();
      else wanted.click();
    } else if (key === "j" || key === "k") walk(key === "j" ? 1 : -1);
  });
}
