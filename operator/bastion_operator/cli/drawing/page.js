"use strict";
const form = document.querySelector("form");
const table = document.querySelector("table");
const body = table.tBodies[0];
const told = document.querySelector("output");
const places = [...document.querySelectorAll("svg [data-network]")];
const rows = [...body.rows].map((row) => ({
  row,
  text: row.textContent.toLowerCase(),
  network: row.dataset.network,
  verdict: row.dataset.verdict,
  codes: row.dataset.codes.split(" "),
}));

function filter() {
  const words = form.elements.search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const { network, verdict, reason } = form.elements;
  let shown = 0;
  for (const each of rows) {
    const fits =
      words.every((word) => each.text.includes(word)) &&
      (!network.value || each.network === network.value) &&
      (!verdict.value || each.verdict === verdict.value) &&
      (!reason.value || each.codes.includes(reason.value));
    each.row.hidden = !fits;
    shown += fits;
  }
  told.value = `${shown} of ${rows.length} VMs`;
  for (const place of places) {
    place.setAttribute("aria-pressed", String(place.dataset.network === network.value));
  }
}

function choose(place) {
  const { network } = form.elements;
  network.value = network.value === place.dataset.network ? "" : place.dataset.network;
  filter();
}

function sortBy(head) {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (each) => each.row.cells[head.cellIndex].textContent;
  const compare = new Intl.Collator(undefined, { numeric: true }).compare;
  rows.sort((one, other) => compare(key(one), key(other)) * (down ? -1 : 1));
  body.append(...rows.map((each) => each.row));
}

for (const place of places) {
  place.setAttribute("tabindex", "0");
  place.setAttribute("role", "button");
  place.addEventListener("click", () => choose(place));
  place.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      choose(place);
    }
  });
}
for (const head of table.tHead.rows[0].cells) {
  head.querySelector("button").addEventListener("click", () => sortBy(head));
}
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(filter));
document.addEventListener("keydown", (event) => {
  const typing = /^(input|select)$/i.test(event.target.tagName);
  if (event.key === "/" && !typing) {
    event.preventDefault();
    form.elements.search.focus();
  } else if (event.key === "Escape") {
    form.reset();
  }
});
filter();
