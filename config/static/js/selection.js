// [data-selection] holds the boxes named by data-selection; [data-select-all] ticks them, [data-selected] counts them.
export function selection(root) {
  const boxes = (zone) => [...zone.querySelectorAll(`input[type=checkbox][name="${zone.dataset.selection}"]`)];
  const show = (zone) => {
    const all = boxes(zone);
    const ticked = all.filter((box) => box.checked).length;
    for (const box of zone.querySelectorAll("[data-select-all]")) {
      box.checked = ticked > 0 && ticked === all.length;
      box.indeterminate = ticked > 0 && ticked < all.length;
    }
    for (const place of zone.querySelectorAll("[data-selected]")) {
      const [none, one, many] = place.dataset.selected.split("|");
      place.textContent = [none, one][ticked] ?? many.replace("#", ticked);
    }
    for (const button of zone.querySelectorAll("[data-needs-selection]")) button.disabled = ticked === 0;
  };
  root.addEventListener("change", (event) => {
    const zone = event.target.closest("[data-selection]");
    if (!zone) return;
    if (event.target.matches("[data-select-all]")) {
      for (const box of boxes(zone)) box.checked = event.target.checked;
    }
    show(zone);
  });
  const showAll = () => {
    for (const zone of root.querySelectorAll("[data-selection]")) {
      for (const label of zone.querySelectorAll("[data-select-all-line]")) label.hidden = false;
      show(zone);
    }
  };
  showAll();
  root.addEventListener("htmx:afterSettle", showAll);
}
