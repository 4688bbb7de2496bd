// [data-insert="[Champ]"] writes its words where the caret was last; [data-chips] holds them, shown only with script.
export function insert(root) {
  let last;
  for (const chips of root.querySelectorAll("[data-chips]")) chips.hidden = false;
  root.addEventListener("focusout", ({ target }) => {
    if (target.matches("textarea, input[type=text]")) last = target;
  });
  root.addEventListener("click", (event) => {
    const words = event.target.closest("[data-insert]")?.dataset.insert;
    const field = last ?? root.querySelector("textarea");
    if (!words || !field) return;
    field.setRangeText(words, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
