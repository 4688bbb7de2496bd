// One key, one element: data-key="a" on a link or a button. Off in fields, with a modifier, or when
// <body data-shortcuts="off"> says the person does not want them (WCAG 2.1.4). "/" goes to the search field.
// J and K are ordinary keys of the next and previous links; on a plain list they walk [data-row] links.
const typing = (node) => node.closest?.("input, textarea, select, [contenteditable], dialog[open]");

function walk(step) {
  const rows = [...document.querySelectorAll("[data-row]")];
  const here = rows.indexOf(document.activeElement);
  rows[Math.min(Math.max(here + step, 0), rows.length - 1)]?.focus();
}

export function shortcuts(root) {
  root.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event.target)) return;
    if (document.body.dataset.shortcuts === "off") return;
    const key = event.key.toLowerCase();
    const wanted = [...document.querySelectorAll("[data-key]")].find((node) => node.dataset.key === key);
    if (wanted) {
      event.preventDefault();
      if (wanted.matches("input")) wanted.focus();
      else wanted.click();
    } else if (key === "j" || key === "k") walk(key === "j" ? 1 : -1);
  });
}
