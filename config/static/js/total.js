// [data-total] adds up what is ticked: each box bears data-cents; [data-total-shown] says the sum, its line hidden without script.
const euros = new Intl.NumberFormat("fr-FR", { style: "currency", currency: "EUR" });

export function total(root) {
  for (const form of root.querySelectorAll("[data-total]")) {
    const line = form.querySelector("[data-total-line]");
    const shown = form.querySelector("[data-total-shown]");
    const show = () => {
      const ticked = [...form.querySelectorAll("input[data-cents]:checked")];
      shown.textContent = euros.format(ticked.reduce((sum, box) => sum + Number(box.dataset.cents), 0) / 100);
    };
    line.hidden = false;
    form.addEventListener("change", show);
    show();
  }
}
